import { execute, flowOf } from '../lib/engine';
import { loadOf } from '../lib/load';
import { createNode, items } from '../lib/nodes';
import { ticksOf } from '../lib/ticks';
import type { Benchmark } from '../lib/row';

const count = 5_000;
const pageSize = 500;
const looks = 4;
/** Seconds between two looks. */
const interval = 10;

/** One execution that waits for thousands of tasks: what a look requests and takes. */
export const waitingMany: Benchmark = {
	name: 'waiting-many',
	async run({ sandbox, credential }) {
		await sandbox.reset({ taskSeconds: 7200 });
		const run = async (seconds: number) => {
			const options = { concurrency: 100, pollInterval: interval, timeout: seconds / 60 };
			const parameters = { waitForCompletion: true, options };
			const work = async () =>
				await execute(flowOf(createNode(parameters)), items(count), credential);
			const { load, result } = await loadOf(work);
			if (result.done.length !== count) throw new Error(`${result.done.length} items`);
			const requests = await sandbox.requests();
			const looked = requests.filter(({ operation }) => operation !== 'create').map(({ at }) => at);
			await sandbox.reset({ taskSeconds: 7200 });
			return { ...load, asked: looked.length, ticks: ticksOf(looked) };
		};
		// The same without a wait, so that the difference is the looks.
		const without = await run(0);
		const waited = await run(Math.ceil(without.seconds) + looks * interval);
		return [
			{
				what: `${count} tasks of one execution waited for: requests a look`,
				unit: 'requests',
				ideal: count / pageSize,
				ours: [waited.asked / waited.ticks],
				note: 'by pages of 500, the largest that Kling gives. By hand it is one for each task, as with 200.',
			},
			{
				what: `${count} tasks of one execution waited for: processor time of a look`,
				unit: 'ms',
				ours: [(waited.cpuMs - without.cpuMs) / waited.ticks],
			},
			{
				what: `${count} tasks of one execution waited for: the longest time that n8n is blocked`,
				unit: 'ms',
				ours: [waited.blockMs],
				target: { kind: 'atMost', bound: 250 },
			},
		];
	},
};
