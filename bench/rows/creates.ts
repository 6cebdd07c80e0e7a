import { execute, flowOf, type Execution } from '../lib/engine';
import { createNode, httpCreateNode, items } from '../lib/nodes';
import { inTurn, type Bench, type Benchmark } from '../lib/row';

const count = 100;
const latencyMs = 200;
/** A run of a whole catalog, each item with its own image address. */
const many = { count: 1_000, latencyMs: 100, concurrency: 20 };
/** By chance alone, one median can be this many times the other. */
const equal = 1.05;

/** Many tasks at a provider that answers after a fixed time and has no limits. */
export const creates: Benchmark = {
	name: 'creates',
	async run(bench) {
		const ours = (concurrency: number) => async () =>
			await measured(bench, createNode({ options: { concurrency } }));
		const byHand = (options = {}) => httpCreateNode(bench.sandbox.baseUrl, { options });
		const http = async () => await measured(bench, byHand());
		const batching = { batch: { batchSize: 10, batchInterval: latencyMs } };
		const batches = async () => await measured(bench, byHand({ batching }));
		const polite = { ten: ours(10), batches };
		const atOnce = { hundred: ours(100), http };
		// The first round warms up the engine.
		await inTurn(1, { ...polite, ...atOnce });
		const seen = {
			...(await inTurn(bench.runs(5), polite)),
			...(await inTurn(bench.isQuick ? 5 : 31, atOnce)),
		};
		const inBulk = async () => {
			const image = '=https://example.com/{{ $json.number }}.jpg';
			const node = createNode({ image, options: { concurrency: many.concurrency } });
			return await measured(bench, node, many);
		};
		const { bulk } = await inTurn(bench.runs(5), { bulk: inBulk });
		const what = `${count} creates, responses after ${latencyMs} ms, Concurrency`;
		return [
			{
				what: `${what} 10`,
				unit: 's',
				ideal: ((count / 10) * latencyMs) / 1000,
				ours: seconds(seen.ten),
				beside: { name: 'HTTP Request, 10 every 200 ms', values: seconds(seen.batches) },
				target: { kind: 'atMost', bound: 1.3, of: 'ideal' },
			},
			{
				what: `${what} 100`,
				unit: 's',
				ideal: latencyMs / 1000,
				ours: seconds(seen.hundred),
				beside: { name: 'HTTP Request, all at once', values: seconds(seen.http) },
				target: { kind: 'atMost', bound: equal, of: 'beside' },
				note: `no slower than HTTP Request, but for the ${((equal - 1) * 100).toFixed(0)} % that two medians of the same differ by.`,
			},
			{
				what: `${what} 100: processor time of each`,
				unit: 'ms',
				ours: processorMs(seen.hundred),
				beside: { name: 'HTTP Request, all at once', values: processorMs(seen.http) },
				note: 'of the whole process, so other programs disturb it less than the times.',
			},
			{
				what: `${many.count} creates, responses after ${many.latencyMs} ms, Concurrency ${many.concurrency}`,
				unit: 's',
				ideal: ((many.count / many.concurrency) * many.latencyMs) / 1000,
				ours: seconds(bulk),
				target: { kind: 'atMost', bound: 1.3, of: 'ideal' },
			},
		];
	},
};

interface Measured {
	seconds: number;
	/** Milliseconds of the processor for each create. */
	processorMs: number;
}

async function measured(
	{ sandbox, credential }: Bench,
	node: Parameters<typeof flowOf>[0],
	of = { count, latencyMs },
): Promise<Measured> {
	await sandbox.reset({ latencyMs: of.latencyMs });
	const before = process.cpuUsage();
	const execution = await execute(flowOf(node), items(of.count), credential);
	const { user, system } = process.cpuUsage(before);
	const { charges } = await sandbox.state();
	expectAll(execution, charges, of.count);
	return { seconds: execution.ms / 1000, processorMs: (user + system) / 1000 / of.count };
}

const seconds = (runs: Measured[]) => runs.map((run) => run.seconds);
const processorMs = (runs: Measured[]) => runs.map((run) => run.processorMs);

function expectAll({ done, error }: Execution, charges: number, expected: number): void {
	if (done.length === expected && charges === expected) return;
	throw new Error(`${done.length} items, ${charges} tasks: ${error?.message ?? 'no error'}`);
}
