import '../lib/environment';
import { heapBytes, report } from '../lib/child';
import { execute, flowOf } from '../lib/engine';
import { loadOf, type Load } from '../lib/load';
import { createNode, httpCreateNode, items } from '../lib/nodes';
import { credentialAt } from '../lib/sandbox';

const [sandboxUrl, count, way, figure] = process.argv.slice(2);
const image = '=https://example.com/{{ $json.number }}.jpg';

/** By hand, with ours' number of parallel requests: HTTP Request alone would open a connection per item. */
const batching = { batch: { batchSize: 50, batchInterval: 100 } };
const jsonBody =
	'={{ { effect_scene: "bloombloom", input: { image: `https://example.com/${$json.number}.jpg` } } }}';
const nodes = {
	ours: () => createNode({ image, options: { concurrency: 50 } }),
	http: () => httpCreateNode(`${sandboxUrl}/kling`, { jsonBody, options: { batching } }),
};

/** Creates, each with its own image address, in a separate process. */
report(async (): Promise<Load | number> => {
	const credential = await credentialAt(sandboxUrl);
	const run = async (number: number) => {
		const flow = flowOf(nodes[way as keyof typeof nodes]());
		const { done, error } = await execute(flow, items(number), credential);
		if (done.length !== number) throw new Error(`${done.length} items: ${error?.message}`);
		return done;
	};
	await run(50);
	const before = await heapBytes();
	const work = async () => await run(Number(count));
	if (figure === 'inUse') return ((await mostInUse(work)) - before) / 1024 ** 2;
	const { load } = await loadOf(work);
	return load;
});

/** The largest heap right after a garbage collection, of which there are two per second. */
async function mostInUse(work: () => Promise<unknown>): Promise<number> {
	let most = 0;
	const timer = setInterval(() => {
		globalThis.gc!();
		most = Math.max(most, process.memoryUsage().heapUsed);
	}, 500);
	await work();
	clearInterval(timer);
	return most;
}
