import type { Sureness } from './texts';
import type { SandboxTask } from './types';

interface Price {
	units: number;
	source: string;
	sure: Sureness;
}

/**
 * What a task costs, and when. Units are deducted when a task completes, not when it is created, and
 * a client that stops does not stop the task (K33). Prices change; these are those of squish.
 */
export const prices: Record<'fiveSeconds' | 'tenSeconds' | 'failed', Price> = {
	fiveSeconds: { units: 2, source: '1.8', sure: 'documented' },
	tenSeconds: { units: 4, source: '1.8', sure: 'inferred' },
	failed: { units: 0, source: 'K34', sure: 'inferred' },
};

/** The units that were deducted for a task; null as long as it runs. */
export function unitsOf({ status, videoSeconds }: SandboxTask): number | null {
	if (status === 'submitted' || status === 'processing') return null;
	if (status === 'failed') return prices.failed.units;
	return (videoSeconds === 10 ? prices.tenSeconds : prices.fiveSeconds).units;
}
