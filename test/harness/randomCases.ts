/**
 * How many random cases a test plays: all with RANDOM_TESTS=full, as in .ci/run, a quarter in a plain
 * `npm test`, or the number in the test's own environment variable.
 */
export function randomCases(all: number, variable: string): number {
	const named = process.env[variable];
	if (named) return Number(named);
	return process.env.RANDOM_TESTS === 'full' ? all : Math.ceil(all / 4);
}

/** Repeatable random numbers from a seed (mulberry32). */
export function seeded(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
	};
}
