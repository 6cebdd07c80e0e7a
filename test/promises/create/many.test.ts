import type { Sandbox } from '../../../sandbox';
import { runNode, type RunResult } from '../../../tools/engine';
import { withSandbox } from '../../harness/setup';

/** What thousands of items demand from the provider, and from the n8n that they run in. */

let sandbox: Sandbox;
withSandbox((started) => (sandbox = started), { taskSeconds: 600, callbacks: 'off' });
afterEach(() => {
	sandbox.reset();
	Object.assign(sandbox.options, { listIgnoresPageNum: false, listOrder: 'newestFirst' });
});

async function create(
	count: number,
	further: Partial<Parameters<typeof runNode>[0]> = {},
	parameters: Record<string, unknown> = {},
) {
	return await runNode({
		credential: sandbox.credential('kling'),
		items: Array.from({ length: count }, (_, number) => ({ json: { number } })),
		parameters: {
			operation: 'create',
			effectScene: { mode: 'name', value: 'bloombloom' },
			imageInput: 'url',
			image: '=https://photos.example/{{ $json.number }}.jpg',
			waitForCompletion: false,
			downloadVideo: false,
			options: { concurrency: 20 },
			...parameters,
		},
		...further,
	});
}

const idsOf = ({ json }: RunResult) => json.map(({ taskId }) => taskId);

/** A run whose last create is refused, and its retry: the retry's requests, by operation. */
async function retried(count: number, meanwhile = () => {}) {
	sandbox.addFault({
		kind: 'code',
		code: 1201,
		match: { operation: 'create' },
		skip: count - 1,
		times: 1,
	});
	const first = await create(count);
	expect(first.error).toBeDefined();
	meanwhile();
	const before = sandbox.requests.length;
	const retry = await create(count, { retryOf: first, executionId: '78', mode: 'retry' });
	const asked = sandbox.requests.slice(before).map(({ operation }) => operation);
	expect(retry.error).toBeUndefined();
	expect(new Set(idsOf(retry)).size).toBe(count);
	expect(sandbox.charges).toHaveLength(count);
	return {
		get: asked.filter((one) => one === 'get').length,
		list: asked.filter((one) => one === 'list').length,
	};
}

describe('A retry of many creates finds all tasks of the previous try, each once, and pays for none again', () => {
	test('by pages of the list, not one by one, even if others have created hundreds since', async () => {
		const others = Array.from({ length: 600 }, () => ({ createdAt: Date.now() + 3_600_000 }));
		const { get, list } = await retried(60, () => sandbox.seedTasks('kling', others));
		expect(list).toBe(2);
		expect(get).toBeLessThan(10);
	});

	test('one by one if there are only a few', async () => {
		expect(await retried(6)).toEqual({ get: 5, list: 0 });
	});

	test.each([
		[
			'the list begins with the oldest tasks, and there are many of them',
			() => {
				sandbox.options.listOrder = 'oldestFirst';
				const old = Array.from({ length: 2_000 }, (_, index) => ({
					createdAt: Date.now() - 1e7 - index,
				}));
				sandbox.seedTasks('kling', old);
			},
		],
		[
			'the list always shows its first page',
			() => {
				sandbox.options.listIgnoresPageNum = true;
			},
		],
		[
			'the list cannot be read',
			() => {
				sandbox.addFault({ kind: 'status', status: 500, match: { operation: 'list' } });
			},
		],
	])('also where %s', async (_, make) => {
		make();
		const { list } = await retried(60);
		expect(list).toBeLessThanOrEqual(2);
	});
});

test('n8n stays responsive while thousands of items are read', async () => {
	/** How often n8n could do other work while this many items were read, the last one in vain. */
	const turnsWith = async (count: number) => {
		let turns = 0;
		let isOver = false;
		const others = (async () => {
			for (; !isOver; turns += 1) await new Promise(setImmediate);
		})();
		const image = `={{ $json.number < ${count - 1} ? 'https://photos.example/1.jpg' : '' }}`;
		const { error } = await create(count, {}, { image });
		expect(error?.message).toMatch(/image/i);
		isOver = true;
		await others;
		return turns;
	};
	const few = await turnsWith(2);
	expect(await turnsWith(2_000)).toBeGreaterThan(few + 3);
	expect(sandbox.requests).toHaveLength(0);
});
