/** What a piece of work demanded from its process. */
export interface Load {
	seconds: number;
	/** Milliseconds of processor time. */
	cpuMs: number;
	/** The longest time in which nothing else got its turn, in milliseconds. */
	blockMs: number;
	/** MB by which the resident memory grew at most. */
	rss: number;
}

const sampleMs = 5;

/** Does something, and checks every few milliseconds what it takes. */
export async function loadOf<T>(work: () => Promise<T>): Promise<{ result: T; load: Load }> {
	const before = process.memoryUsage.rss();
	let highest = before;
	let blockMs = 0;
	let seenAt = performance.now();
	const sample = () => {
		const now = performance.now();
		blockMs = Math.max(blockMs, now - seenAt - sampleMs);
		seenAt = now;
		highest = Math.max(highest, process.memoryUsage.rss());
	};
	const timer = setInterval(sample, sampleMs);
	const cpu = process.cpuUsage();
	const startedAt = performance.now();
	const result = await work();
	const seconds = (performance.now() - startedAt) / 1000;
	const { user, system } = process.cpuUsage(cpu);
	clearInterval(timer);
	sample();
	const cpuMs = (user + system) / 1000;
	return { result, load: { seconds, cpuMs, blockMs, rss: (highest - before) / 1024 ** 2 } };
}
