import type { RemoteSandbox } from './sandbox';

/** One line of the table: a figure, measured several times. */
export interface Row {
	/** What is measured, and the unit of the figures. */
	what: string;
	unit: string;
	/** The best possible value; absent if there is none. */
	ideal?: number;
	ours: number[];
	/** The same by hand, with n8n's own nodes. */
	beside?: { name: string; values: number[] };
	target?: Target;
	/** Whether a larger figure is better; otherwise a smaller one is. */
	moreIsBetter?: boolean;
	note?: string;
}

/** The bound that the median should meet; `of` says what it is multiplied by. */
export interface Target {
	bound: number;
	kind: 'atMost' | 'below' | 'exactly';
	of?: 'ideal' | 'beside';
}

/** What a benchmark works with. */
export interface Bench {
	sandbox: RemoteSandbox;
	credential: Record<string, unknown>;
	/** The number of runs; one or two with --quick. */
	runs(usual: number): number;
	isQuick: boolean;
}

/** A file of `rows/`: some lines of the table that come from the same measurement. */
export interface Benchmark {
	name: string;
	run(bench: Bench): Promise<Row[]>;
}

/** Runs the measurements in turn, A B A B, so that a slow minute of the machine hits all alike. */
export async function inTurn<T extends string, R>(
	runs: number,
	measurements: Record<T, () => Promise<R>>,
): Promise<Record<T, R[]>> {
	const names = Object.keys(measurements) as T[];
	const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<T, R[]>;
	for (let run = 0; run < runs; run++) {
		for (const name of names) results[name].push(await measurements[name]());
	}
	return results;
}
