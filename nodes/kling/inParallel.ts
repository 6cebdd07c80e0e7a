/** Runs the work for each entry, at most `atOnce` at a time, starting them in order. Rejects when one does. */
export async function inParallel<T>(
	entries: readonly T[],
	atOnce: number,
	work: (entry: T, index: number) => Promise<void>,
): Promise<void> {
	let next = 0;
	const worker = async () => {
		while (next < entries.length) {
			const index = next++;
			await work(entries[index], index);
		}
	};
	await Promise.all(Array.from({ length: Math.min(atOnce, entries.length) }, worker));
}
