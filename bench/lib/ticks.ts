/** Two looks closer together than this belong to the same tick. */
const tickGapMs = 700;

/** How many rounds of looks these times (ms) are of. */
export function ticksOf(times: number[]): number {
	const sorted = [...times].sort((a, b) => a - b);
	const begins = (time: number, index: number) =>
		index === 0 || time - sorted[index - 1] > tickGapMs;
	return sorted.filter(begins).length;
}
