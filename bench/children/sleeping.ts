import '../lib/environment';
import { setTimeout as delay } from 'node:timers/promises';
import { heapBytes, report } from '../lib/child';
import { flowOf, start, type Flow } from '../lib/engine';
import { createNode, handMadeLoop, items } from '../lib/nodes';
import { credentialAt } from '../lib/sandbox';

export interface Held {
	/** Executions that have not returned. */
	busy: number;
	/** kB of heap for each. */
	kilobytes: number;
	/** Milliseconds of processor time per second of waiting. */
	cpu: number;
}

const [way, sandboxUrl, count] = process.argv.slice(2);
/** Until a sleeping execution's last look from its own process is over. */
const settledMs = 25_000;
const cpuSeconds = 5;

/** Executions that were started. Nothing is kept of those that returned, as in n8n. */
class Waits {
	private readonly running = new Set<() => void>();

	constructor(private readonly credential: Record<string, unknown>) {}

	get busy(): number {
		return this.running.size;
	}

	async begin(number: number): Promise<void> {
		for (let index = 0; index < number; index++) {
			this.startOne();
			// Spread over time, as executions are.
			if (index % 10 === 9) await delay(20);
		}
	}

	private startOne(): void {
		const { ended, cancel } = start(flow(), items(1), this.credential);
		this.running.add(cancel);
		void ended.then(() => this.running.delete(cancel));
	}

	async cancelAll(): Promise<void> {
		await delay(1_000);
		for (const cancel of this.running) cancel();
		await delay(2_000);
	}
}

function flow(): Flow {
	if (way === 'loop') return handMadeLoop(`${sandboxUrl}/kling`, 60);
	const options = { pollInterval: 60, timeout: 60, waitUsing: way };
	return flowOf(createNode({ waitForCompletion: true, options }));
}

async function processorTime(): Promise<number> {
	const before = process.cpuUsage();
	await delay(cpuSeconds * 1_000);
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1_000 / cpuSeconds;
}

report(async (): Promise<Held> => {
	const waits = new Waits(await credentialAt(sandboxUrl));
	await waits.begin(5);
	await waits.cancelAll();
	const before = await heapBytes();
	await waits.begin(Number(count));
	await delay(settledMs);
	const cpu = await processorTime();
	const kilobytes = ((await heapBytes()) - before) / 1024 / Number(count);
	return { busy: waits.busy, kilobytes, cpu };
});
