import { runNode } from '../../tools/engine';
import { inChild } from '../lib/child';
import { execute, flowOf } from '../lib/engine';
import type { Load } from '../lib/load';
import { createNode, httpCreateNode, items } from '../lib/nodes';
import { inTurn, type Bench, type Benchmark } from '../lib/row';

const count = 10_000;
const latencyMs = 50;
const pageSize = 500;

/** Very many items in one execution: how it affects n8n's other work, and what a retry requests. */
export const many: Benchmark = {
	name: 'many',
	async run(bench) {
		const by =
			<T>(...words: string[]) =>
			async () => {
				await bench.sandbox.reset({ latencyMs, taskSeconds: 3600 });
				return await inChild<T>('many', bench.sandbox.url, String(count), ...words);
			};
		const seen = await inTurn(bench.runs(3), { ours: by<Load>('ours'), http: by<Load>('http') });
		const used = await inTurn(1, {
			ours: by<number>('ours', 'inUse'),
			http: by<number>('http', 'inUse'),
		});
		const retries = await inTurn(1, {
			ours: async () => await retryOfOurs(bench),
			http: async () => await retryByHand(bench),
		});
		const row = (what: string, unit: string, figure: keyof Load) => ({
			what: `${count} creates in one execution: ${what}`,
			unit,
			ours: seen.ours.map((one) => one[figure]),
			beside: {
				name: 'HTTP Request, 50 every 100 ms',
				values: seen.http.map((one) => one[figure]),
			},
		});
		return [
			{
				...row('the longest time that n8n is blocked', 'ms', 'blockMs'),
				target: { kind: 'atMost', bound: 250 },
				note: 'from one turn of a timer of 5 ms to the next.',
			},
			{
				...row('growth of resident memory', 'MB', 'rss'),
				target: { kind: 'atMost', bound: 100 },
				note: 'the highest sample over that before, in a separate process, including garbage that V8 has not collected yet.',
			},
			{
				what: `${count} creates in one execution: growth of the memory in use`,
				unit: 'MB',
				ours: used.ours,
				beside: { name: 'HTTP Request, 50 every 100 ms', values: used.http },
				target: { kind: 'atMost', bound: 100 },
				note: 'the most on the heap right after a garbage collection, forced every 500 ms. Of it, what the items themselves take in n8n is part.',
			},
			row('time', 's', 'seconds'),
			{
				what: `Retry of ${count} creates, the last of them refused: requests`,
				unit: 'requests',
				ideal: Math.ceil(count / pageSize) + 1,
				ours: retries.ours,
				beside: { name: 'HTTP Request, which pays for all again', values: retries.http },
				note: 'the ideal is a page of the list for each 500 tasks, and the create that is missing.',
			},
		];
	},
};

async function requestsOf(bench: Bench, work: () => Promise<unknown>): Promise<number> {
	const before = (await bench.sandbox.requests()).length;
	await work();
	return (await bench.sandbox.requests()).length - before;
}

const lastIsRefused = {
	kind: 'code' as const,
	code: 1201,
	match: { operation: 'create' as const },
	skip: count - 1,
	times: 1,
};

async function retryOfOurs(bench: Bench): Promise<number> {
	await bench.sandbox.reset({ taskSeconds: 3600 });
	await bench.sandbox.addFault(lastIsRefused);
	const { parameters } = createNode({ options: { concurrency: 50 } });
	const run = { parameters, credential: bench.credential, items: items(count) };
	const first = await runNode(run);
	return await requestsOf(bench, async () => {
		const { items: made, error } = await runNode({ ...run, retryOf: first, mode: 'retry' });
		const { charges } = await bench.sandbox.state();
		if (made.length !== count || charges !== count) throw new Error(`Retry: ${error?.message}`);
	});
}

async function retryByHand(bench: Bench): Promise<number> {
	await bench.sandbox.reset({ taskSeconds: 3600 });
	const batching = { batch: { batchSize: 50, batchInterval: 100 } };
	const flow = flowOf(httpCreateNode(bench.sandbox.baseUrl, { options: { batching } }));
	const again = async () => await execute(flow, items(count), bench.credential);
	return await requestsOf(bench, again);
}
