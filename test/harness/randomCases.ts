/**
 * How many random cases a test plays: all with RANDOM_TESTS=full, as .ci/run has it, a quarter in a
 * plain `npm test`, or the number that an environment variable of its own names.
 */
export function randomCases(all: number, variable: string): number {
	const named = process.env[variable];
	if (named) return Number(named);
	return process.env.RANDOM_TESTS === 'full' ? all : Math.ceil(all / 4);
}
