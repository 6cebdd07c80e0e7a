import fc from 'fast-check';
import { useInstantClock } from '../harness/clock';
import { nodeName, runNode } from '../harness/engine';
import { byId, single } from '../contract/support';
import { HostileServer, providerNames } from './server';

/**
 * Whatever a provider answers, nothing raw gets out of any operation: with "Continue", n8n would pass
 * the input through as if all were well, and paid ids would be lost with it.
 */

const hostile = HostileServer.prepare();
const runs = Number(process.env.FUZZ_RUNS ?? 40);
const seed = 20_260_101;

let restore = () => {};
beforeEach(() => {
	({ restore } = useInstantClock());
});
afterEach(() => restore());

/** Words that adapters look for, so that many answers come close to something real. */
const keys = [
	...['code', 'message', 'msg', 'data', 'error', 'task_id', 'taskId', 'id', 'task_status'],
	...['status', 'state', 'task_result', 'videos', 'url', 'task_info', 'external_task_id'],
	...['result', 'resources', 'resultUrls', 'created_at', 'request_id', 'toString', '__proto__'],
];
const words = [
	...['0', '200', 'success', 'succeed', 'completed', 'submitted', 'failed', '..', '.', ''],
	...['constructor', '\ud800', 'a/b?c#d', '<script>', 'External_task_id x already exists'],
	'http://127.0.0.1:1/video.mp4',
];
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
	value: fc.oneof(
		{ depthSize: 'small' },
		fc.constantFrom<unknown>(0, 200, 1201, -1, 1e308, 1.5, null, true, false, ...words),
		fc.double({ noNaN: true, noDefaultInfinity: true }),
		fc.string(),
		fc.array(tie('value'), { maxLength: 4 }),
		fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 7 }),
	),
}));

const headers = fc.dictionary(
	fc.constantFrom(
		'retry-after',
		'retry-after-ms',
		'date',
		'x-request-id',
		'content-type',
		'location',
	),
	fc.constantFrom(
		'0',
		'-1',
		'soon',
		'9'.repeat(30),
		'text/html',
		'%',
		'Sat, 31 Feb 2099 25:61:61 GMT',
	),
);

interface Answer {
	status: number;
	headers: Record<string, string>;
	body: string;
}

const answer: fc.Arbitrary<Answer> = fc.record({
	status: fc.constantFrom(200, 200, 200, 201, 204, 303, 400, 401, 402, 404, 408, 429, 500, 503),
	headers,
	body: fc.oneof(
		{ weight: 6, arbitrary: value.map((json) => JSON.stringify(json)) },
		{ weight: 1, arbitrary: fc.string() },
	),
});

/** What a provider says to a create and a read that go well, with something odd in one place. */
const odd = fc
	.tuple(fc.constantFrom(...words, 1, {}, [], { toString: 1 }), fc.nat(7))
	.map(([strange, place]) => {
		const at = <T>(index: number, usual: T) => (index === place ? strange : usual);
		const task = {
			task_id: at(0, '7'),
			taskId: at(0, '7'),
			task_status: at(1, 'succeed'),
			status: at(1, 'success'),
			state: at(1, 'completed'),
			task_status_msg: at(2, 'fine'),
			task_info: at(3, {}),
			task_result: at(4, { videos: [{ url: at(5, 'http://127.0.0.1:1/v.mp4') }] }),
			created_at: at(6, 1_795_000_000_000),
		};
		const body = JSON.stringify({ code: at(7, 0), message: 'SUCCEED', data: task });
		return { status: 200, headers: {}, body };
	});

const operations: Record<string, Record<string, unknown>> = {
	create: { ...single, waitForCompletion: false, downloadVideo: false },
	'create and wait': {
		...single,
		waitForCompletion: true,
		downloadVideo: true,
		options: { timeout: 0.5, pollInterval: 10 },
	},
	get: { operation: 'get', taskId: byId('7'), waitForCompletion: false },
	'get an id of any text': { operation: 'get', taskId: byId('={{ $json.id }}') },
	'get by external id': {
		operation: 'get',
		taskId: { __rl: true, mode: 'externalId', value: '={{ $json.id }}' },
	},
	'get many': { operation: 'list', returnAll: false, limit: 5 },
};

const told = /^(NodeApiError|NodeOperationError)$/;

describe.each(providerNames)('%s', (provider) => {
	test.each(Object.keys(operations))('nothing raw gets out of %s', async (name) => {
		const input = fc.record({
			answers: fc.array(fc.oneof(answer, odd), { minLength: 1, maxLength: 4 }),
			onError: fc.constantFrom('stopWorkflow', 'continueRegularOutput', 'continueErrorOutput'),
			id: fc.constantFrom(...words),
		});
		let texts = 0;
		await fc.assert(
			fc.asyncProperty(input, async ({ answers, onError, id }) => {
				let index = 0;
				hostile.behaviour = (_request, response) => {
					const { status, headers: sent, body } = answers[Math.min(index++, answers.length - 1)];
					response.writeHead(status, { 'content-type': 'application/json', ...sent });
					response.end(body);
				};
				const { run, error, items, errorItems } = await runNode({
					parameters: operations[name],
					credential: hostile.credential(provider),
					items: [{ json: { passedThrough: true, id } }],
					settings: { onError: onError as 'stopWorkflow' },
				});
				if (error) {
					texts++;
					expect((error as { name?: string }).name).toMatch(told);
					expect(error.message).not.toMatch(/Something unexpected|undefined|\[object/);
					expect(onError).toBe('stopWorkflow');
				}
				// On the error output, n8n puts the input's own values beside the problem.
				for (const { json } of items) expect(json).not.toHaveProperty('passedThrough');
				for (const { json } of errorItems) expect(json).toHaveProperty('error');
				const shown = JSON.stringify([items, errorItems]);
				expect(shown).not.toMatch(/Something unexpected/);
				if (!error && name !== 'get many') expect(items.length + errorItems.length).toBe(1);
				expect(run.data.resultData.runData[nodeName]).toHaveLength(1);
			}),
			{ numRuns: runs, seed },
		);
		expect(texts).toBeGreaterThan(0);
	});
});
