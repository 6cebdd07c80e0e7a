import type { INode, INodeExecutionData } from 'n8n-workflow';
import type { Sandbox } from '../../../sandbox';
import { nodeName, runNode, type RunOptions, type RunResult } from '../../../tools/engine';
import { clockedNode, type World } from './clockedNode';
import { withSandbox } from '../../harness/setup';
import { RunningClock } from '../../harness/steppedClock';

/** What a run as a whole promises, in n8n's real engine. */

let sandbox: Sandbox;
const clock = new RunningClock();
withSandbox((started) => (sandbox = started), { now: clock.now });
beforeEach(() => {
	sandbox.reset();
	Object.assign(sandbox.options, {
		taskSeconds: 60,
		failScenes: [],
		parallelTasks: undefined,
		duplicateLookupDelayMs: 0,
	});
});

type OnError = 'stopWorkflow' | 'continueRegularOutput' | 'continueErrorOutput';

interface Setting extends Partial<Omit<RunOptions, 'parameters'>> {
	provider?: 'kling' | 'cometApi' | 'modellix';
	count?: number;
	onError?: OnError;
	options?: Record<string, unknown>;
	parameters?: Record<string, unknown>;
	world?: Partial<World>;
}

async function run({
	provider = 'kling',
	count = 3,
	onError,
	options,
	world,
	...more
}: Setting = {}) {
	const items: INodeExecutionData[] = Array.from({ length: count }, (_, index) => ({
		json: { image: `https://example.com/${index}.jpg`, scene: 'color_mixing' },
	}));
	const settings: Partial<INode> = { onError, ...more.settings };
	return await runNode({
		credential: sandbox.credential(provider),
		items,
		nodeType: clockedNode({ clock, requestTimeoutMs: 300, ...world }),
		...more,
		settings,
		parameters: {
			operation: 'create',
			effectScene: { mode: 'name', value: '={{ $json.scene }}' },
			image: '={{ $json.image }}',
			waitForCompletion: false,
			downloadVideo: false,
			options: { concurrency: 1, ...options },
			...more.parameters,
		},
	});
}

const creates = () => sandbox.requests.filter(({ method }) => method === 'POST');
const charged = () => sandbox.charges.map(({ taskId }) => taskId);
const mainOf = ({ run: { data } }: RunResult) =>
	data.resultData.runData[nodeName].at(-1)?.data?.main.map((items) => items ?? []) ?? [];

const hintsOf = ({ run: { data } }: RunResult) =>
	(data.resultData.runData[nodeName].at(-1)?.hints ?? []).map(({ message }) => message);

describe('Retry On Fail and the Retry button', () => {
	test('one lost answer in ten creates is charged ten times', async () => {
		sandbox.addFault({ kind: 'resetAfter', match: { method: 'POST' }, skip: 4, times: 1 });
		const result = await run({
			count: 10,
			settings: { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 },
		});
		expect(result.error).toBeUndefined();
		expect(result.json.map(({ taskId }) => taskId)).toEqual(charged());
		expect(charged()).toHaveLength(10);
	});

	test('an item that is refused at first does not make the others cost again', async () => {
		sandbox.addFault({ kind: 'code', code: 1301, match: { method: 'POST' }, skip: 2, times: 1 });
		const result = await run({
			count: 4,
			settings: { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 },
		});
		// The first try ended with item 2, so that items 2 and 3 were left to the second.
		expect(result.json.map(({ taskId }) => taskId)).toEqual(charged());
		expect(creates()).toHaveLength(5);
	});

	test('the custom data shows as many task ids as fit into 9 of its 10 values', async () => {
		const { customData } = await run({ count: 120 });
		const shown = Object.entries(customData).filter(([key]) => key.startsWith('klingTaskIds'));
		expect(shown.map(([key]) => key)).toEqual(
			['', 2, 3, 4, 5, 6, 7, 8, 9].map((number) => `klingTaskIds${number}`),
		);
		const lines = shown.map(([, line]) => String(line));
		for (const line of lines) expect(line.length).toBeLessThanOrEqual(255);
		const ids = lines.flatMap((line) => line.split(','));
		expect(new Set(ids).size).toBe(ids.length);
		for (const id of ids) expect(charged()).toContain(id);
		expect(ids.length).toBeLessThan(120);
	});

	test('the custom data shows what may be paid but is unknown, even if task ids fill all its values', async () => {
		sandbox.addFault({ kind: 'resetAfter', match: { method: 'POST' }, skip: 125, times: 1 });
		const { customData } = await run({ provider: 'cometApi', count: 130 });
		const { externalTaskId } = sandbox.charges[125];
		const shown = Object.entries(customData).map(([key, line]) => [key, line.split(',')] as const);
		const unknown = shown.flatMap(([, parts]) => parts.filter((part) => part.includes(':')));
		expect(unknown).toEqual([expect.stringContaining(`125:${externalTaskId}`)]);
		const ids = shown.flatMap(([, parts]) => parts.filter((part) => !part.includes(':')));
		expect(ids.length).toBeGreaterThan(80);
		for (const id of ids) expect(charged()).toContain(id);
	});

	test('with "Stop" the message and the custom data name what exists, and a retry finds it', async () => {
		sandbox.addFault({ kind: 'code', code: 1102, match: { method: 'POST' }, skip: 2, times: 1 });
		const failed = await run({ count: 5 });
		expect(failed.error?.message).toBe('The Kling AI account has no credit left');
		for (const [index, taskId] of charged().entries()) {
			expect(failed.error?.description).toContain(`item ${index}: ${taskId}`);
		}
		expect(failed.error?.description).toMatch(
			/item 2, provider Kling AI, code 1102, HTTP 429, request id [\w-]{10}/,
		);
		expect(failed.customData.klingTaskIds).toBe(charged().join(','));
		expect(creates()).toHaveLength(3);
		const retried = await run({ count: 5, retryOf: failed, executionId: '78', mode: 'retry' });
		expect(retried.error).toBeUndefined();
		expect(retried.json.map(({ taskId }) => taskId)).toEqual(charged());
		expect(charged()).toHaveLength(5);
	});

	test('a loop over the node is new work', async () => {
		const first = await run({ count: 1 });
		const second = await run({ count: 1, executionId: '78' });
		expect(first.json[0].taskId).not.toBe(second.json[0].taskId);
		expect(charged()).toHaveLength(2);
	});

	test('a run that remembers nothing takes over from a worker that died', async () => {
		sandbox.options.duplicateLookupDelayMs = 5_000;
		await new Promise<void>(
			(onDeath) => void run({ count: 4, executionId: '77', world: { diesAtCreate: 3, onDeath } }),
		);
		expect(charged()).toHaveLength(3);
		const result = await run({ count: 4, executionId: '77' });
		expect(result.json.map(({ taskId }) => taskId)).toEqual(charged());
		expect(charged()).toHaveLength(4);
	});

	// With "Stop" the error is about one item; it must also name the other unclear ones.
	test('with "Stop" the message names every item whose outcome is unknown', async () => {
		sandbox.addFault({ kind: 'resetAfter', match: { method: 'POST' } });
		const { error, customData } = await run({ provider: 'cometApi', options: { concurrency: 3 } });
		expect(error?.message).toBe(
			'CometAPI may have created the task, but its response did not arrive',
		);
		for (const { externalTaskId } of sandbox.charges) {
			expect(error?.description).toContain(externalTaskId);
		}
		expect(charged()).toHaveLength(3);
		expect(customData.klingUnknown).toBe(
			sandbox.charges.map(({ externalTaskId }, index) => `${index}:${externalTaskId}`).join(','),
		);
	});
});

describe('a failure that would hit all items', () => {
	test('ends sending, and each other item says that it was not sent and why', async () => {
		sandbox.addFault({ kind: 'code', code: 1002, match: { method: 'POST' }, skip: 1 });
		const result = await run({ count: 5, onError: 'continueRegularOutput' });
		expect(creates()).toHaveLength(2);
		expect(result.json[0]).toMatchObject({ taskId: charged()[0] });
		expect(result.json[4]).toMatchObject({
			error: 'This item was not sent: Kling AI did not accept the key',
			message: 'Nothing was created or charged for this item. Run it again.',
		});
	});

	test('an address where nothing listens is reported within seconds, for all items', async () => {
		const start = clock.now();
		const result = await run({
			count: 50,
			onError: 'continueRegularOutput',
			credential: sandbox.credential('kling', { baseUrl: 'http://127.0.0.1:9' }),
		});
		expect(clock.now() - start).toBeLessThan(30_000);
		expect(result.json[0].error).toBe('Kling AI could not be reached');
		expect(result.json[49].error).toBe('This item was not sent: Kling AI could not be reached');
	});

	test('a key that is withdrawn between a create and its look-up is told as the reason', async () => {
		sandbox.addFault({ kind: 'resetAfter', match: { method: 'POST' }, times: 1 });
		sandbox.addFault({ kind: 'code', code: 1002 });
		const { json } = await run({ onError: 'continueRegularOutput' });
		expect(json[0].error).toBe(
			'Kling AI may have created the task, but its response did not arrive',
		);
		expect(json[0].message).toContain(
			'It could not be looked up: Kling AI did not accept the key.',
		);
		expect(json[0].message).toContain(sandbox.charges[0].externalTaskId);
		expect(json[0].message).toContain('A retry of this execution looks it up again');
		expect(json[2].error).toBe('This item was not sent: Kling AI did not accept the key');
	});
});

describe('an external task ID of the user', () => {
	test('that two items share is refused before anything is paid', async () => {
		const { error } = await run({ options: { externalTaskId: 'order' } });
		expect(error?.message).toBe('Items 0 and 1 have the same External Task ID “order”');
		expect(creates()).toEqual([]);
	});

	test('that an earlier execution used gives its task back, and a hint says so', async () => {
		const first = await run({ count: 1, options: { externalTaskId: 'order' } });
		const second = await run({ count: 1, options: { externalTaskId: 'order' }, executionId: '78' });
		expect(second.json[0].taskId).toBe(first.json[0].taskId);
		expect(charged()).toHaveLength(1);
		const earlier = /^Item 0: a task with External Task ID “order” already existed \(\d+, created /;
		expect(hintsOf(second)).toContainEqual(expect.stringMatching(earlier));
		expect(hintsOf(first)).not.toContainEqual(expect.stringMatching(earlier));
	});
});

describe('a loop over the node', () => {
	test('creates again in each iteration', async () => {
		const { json } = await run({ count: 2, rounds: 2 });
		expect(json.map(({ taskId }) => taskId)).toEqual(charged());
		expect(new Set(charged()).size).toBe(4);
	});

	test('with one external task ID for all rounds refuses the second, and gives no task twice', async () => {
		const options = { externalTaskId: 'order' };
		const { json } = await run({
			count: 1,
			rounds: 2,
			options,
			onError: 'continueRegularOutput',
		});
		expect(json).toMatchObject([
			{ taskId: charged()[0] },
			{ error: 'Kling AI already has a task with this external task ID' },
		]);
		expect(charged()).toHaveLength(1);
	});
});

test('an external task ID whose task has failed: a hint tells why, and that another ID makes a new task', async () => {
	const options = { externalTaskId: 'order' };
	const own = { count: 1, options, parameters: { image: 'https://example.com/fail.jpg' } };
	await run(own);
	await clock.sleep(60_000);
	const second = await run({ ...own, executionId: '78' });
	expect(charged()).toHaveLength(1);
	expect(hintsOf(second)).toContainEqual(
		expect.stringMatching(
			/That task has failed: .{5,}\. For a new task, enter another External Task ID\.$/,
		),
	);
});

describe('waiting', () => {
	const parameters = { waitForCompletion: true };
	const items = ['color_mixing', 'squish', 'expansion'].map((scene) => ({
		json: { scene, image: 'https://example.com/a.jpg' },
	}));

	test.each([
		['stopWorkflow', 'stops with id, scene and reason, once all have ended'],
		['continueRegularOutput', 'gives its state'],
		['continueErrorOutput', 'goes to the error output'],
	] as Array<[OnError, string]>)('a failed task with %s: %s', async (onError) => {
		sandbox.options.failScenes = ['squish'];
		const result = await run({ items, onError, parameters });
		const [first, failed, third] = charged();
		const [output, errors = []] = onError === 'stopWorkflow' ? [[]] : mainOf(result);
		const end = sandbox.tasks.every(({ finishedAt }) => finishedAt <= clock.now());
		expect(end).toBe(true);
		const shown = output.map(({ json }) => [json.taskId, json.status]);
		if (onError === 'stopWorkflow') {
			expect(result.error?.message).toBe(
				'Kling AI could not generate “squish”: Image pixel is invalid',
			);
			expect(result.error?.description).toContain(`task ${failed}`);
			expect(result.error?.description?.split(failed)).toHaveLength(2);
			expect(result.error?.description).toContain(`item 2: ${third}`);
		} else if (onError === 'continueRegularOutput') {
			expect(shown).toEqual([
				[first, 'succeed'],
				[failed, 'failed'],
				[third, 'succeed'],
			]);
			expect(output[1].json.statusMessage).toBe('Image pixel is invalid');
		} else {
			expect(shown).toEqual([
				[first, 'succeed'],
				[third, 'succeed'],
			]);
			expect(errors).toHaveLength(1);
			expect(errors[0].json.message).toContain(`task ${failed}`);
		}
	});

	test('at the deadline gives the last state, and says so', async () => {
		sandbox.options.taskSeconds = 600;
		const result = await run({ count: 1, parameters, options: { timeout: 6 } });
		const { json, error } = result;
		expect(error).toBeUndefined();
		expect(hintsOf(result)).toEqual([
			'No video yet: the task is still running. Use Get with the task ID later, start a workflow with Kling Effects Trigger, or raise Timeout (Minutes) under Options.',
		]);
		expect(json).toMatchObject([{ taskId: charged()[0], status: 'processing', timedOut: true }]);
	});

	test('that is not asked for says in the output pane that there is no video yet', async () => {
		const [hint, ...others] = hintsOf(await run({ count: 2 }));
		expect(others).toEqual([]);
		expect(hint).toMatch(
			/^No video yet: 2 tasks are still running\..* turn on Wait for Completion\.$/,
		);
	});

	test('that ends with a video leaves no hint', async () => {
		expect(hintsOf(await run({ count: 1, parameters }))).toEqual([]);
	});

	test('without time still sends, and returns the state at once', async () => {
		const start = clock.now();
		const { json } = await run({ count: 2, parameters, options: { timeout: 0 } });
		expect(json).toMatchObject([{ timedOut: true }, { timedOut: true }]);
		expect(clock.now() - start).toBeLessThan(1_000);
		expect(charged()).toHaveLength(2);
	});

	test('a slot that becomes free within the time-out is waited for', async () => {
		sandbox.options.parallelTasks = 1;
		const { json, error } = await run({ count: 3, parameters, options: { timeout: 10 } });
		expect(error).toBeUndefined();
		expect(json.map(({ status }) => status)).toEqual(['succeed', 'succeed', 'succeed']);
	});

	test('a slot that does not become free is a refusal that says what to do', async () => {
		Object.assign(sandbox.options, { parallelTasks: 1, taskSeconds: 3_600 });
		const { json } = await run({
			count: 2,
			onError: 'continueRegularOutput',
			options: { timeout: 2 },
		});
		expect(json[0].taskId).toBe(charged()[0]);
		expect(json[1].error).toBe('The Kling AI account is at its parallel-task limit');
		expect(json[1].message).toContain('raise Timeout under Options');
	});
});

describe('an execution that is stopped', () => {
	/** In real time, because this tests the engine's own cancelling. */
	async function stopped(setting: Setting, when: () => boolean) {
		let cancel: () => void = () => {};
		const running = run({ ...setting, nodeType: undefined, onStarted: (stop) => (cancel = stop) });
		const deadline = Date.now() + 10_000;
		while (!when() && Date.now() < deadline) await new Promise((done) => setTimeout(done, 10));
		await new Promise((done) => setTimeout(done, 100));
		const stoppedAt = Date.now();
		cancel();
		const result = await running;
		return { result, ms: Date.now() - stoppedAt };
	}

	test('while it waits ends within two seconds and keeps the ids', async () => {
		const parameters = { waitForCompletion: true };
		const { result, ms } = await stopped({ parameters }, () => charged().length === 3);
		expect(ms).toBeLessThan(2_000);
		expect(result.customData.klingTaskIds).toBe(charged().join(','));
		expect(result.run.status).toBe('canceled');
		expect(charged()).toHaveLength(3);
	});

	test('shows its tasks as they are, not as timed out', async () => {
		const parameters = { waitForCompletion: true };
		const { result } = await stopped({ parameters }, () => charged().length === 3);
		const [task] = result.run.data.resultData.runData['Kling Effects'];
		const shown = task.data?.main[0]?.map(({ json }) => json) ?? [];
		expect(shown.map(({ taskId }) => taskId)).toEqual(charged());
		expect(shown.filter((json) => 'timedOut' in json)).toEqual([]);
	});

	test('while a create is under way sends nothing more, and names what is unclear', async () => {
		sandbox.addFault({ kind: 'hang', accept: true, match: { method: 'POST' }, skip: 1 });
		const setting: Setting = { settings: { retryOnFail: true, maxTries: 5, waitBetweenTries: 1 } };
		const { result, ms } = await stopped(setting, () => charged().length === 2);
		expect(ms).toBeLessThan(2_000);
		expect(creates()).toHaveLength(2);
		expect(result.customData.klingTaskIds).toBe(charged()[0]);
		expect(result.customData.klingUnknown).toBe(`1:${sandbox.charges[1].externalTaskId}`);
	});
});
