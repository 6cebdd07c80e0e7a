import type { Benchmark } from '../lib/row';
import { creates } from './creates';

/** The table, from top to bottom. */
export const benchmarks: Benchmark[] = [creates];
