import type { Benchmark } from '../lib/row';
import { creates } from './creates';
import { download } from './download';
import { limit } from './limit';
import { ending } from './ending';
import { lostAnswer } from './lostAnswer';
import { packaged } from './package';
import { parsing } from './parsing';
import { sleeping } from './sleeping';
import { trigger } from './trigger';
import { waiting } from './waiting';

/** The table, from top to bottom. */
export const benchmarks: Benchmark[] = [
	creates,
	limit,
	lostAnswer,
	waiting,
	ending,
	trigger,
	download,
	parsing,
	sleeping,
	packaged,
];
