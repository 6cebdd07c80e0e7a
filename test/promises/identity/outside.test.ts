import { nodeName, type RunOptions, type RunResult } from '../../../tools/engine';
import {
	closeProcessedData,
	forgetProcessedData,
	openProcessedData,
} from '../../../tools/sleepingN8n';
import {
	hintsOf,
	idsOf,
	items,
	parameters,
	providerNames,
	Stage,
	type ProviderName,
} from './stage';

const stage = new Stage();
beforeAll(openProcessedData);
afterAll(closeProcessedData);
beforeEach(() => forgetProcessedData());

const [first, second] = items.map((item) => [item]);
const match = { operation: 'create' as const };
const onContinue = { onError: 'continueRegularOutput' as const };
const scene = (value: string) => ({ effectScene: { __rl: true, mode: 'name', value } });
const edited = (value: string) => ({ parameters: { ...parameters, ...scene(value) } });
const optioned = (options: Record<string, unknown>) => ({
	parameters: { ...parameters, options: { concurrency: 1, ...options } },
});
const lines = [
	['n8n 1', { resumeToken: null }],
	['n8n 2', {}],
] as const;

/** What n8n has stored of a loop that sleeps in a Wait node after its first round, as the second begins. */
function atSecondRound(before: RunResult): RunResult {
	const { run } = structuredClone(before);
	const { executionData, resultData } = run.data;
	executionData!.nodeExecutionStack = [
		{ node: {} as never, data: { main: [second] }, source: null },
	];
	const [done] = resultData.runData[nodeName];
	// The harness takes the last one away, as Retry does.
	resultData.runData[nodeName] = [done, structuredClone(done)];
	return { ...before, run };
}

describe.each(lines)('F1 a crash after the context was stored, %s', (_line, line) => {
	describe.each(providerNames)('%s', (provider) => {
		const own = { ...line, executionId: '77', mode: 'webhook' as const };
		const crash = async () => {
			const slept = atSecondRound(await stage.run(provider, { ...own, items: first }));
			// The worker dies when it has sent the create of the second round.
			await stage.run(provider, { ...own, retryOf: slept });
			expect(stage.charged()).toHaveLength(2);
			await stage.bench.clock.sleep(120_000);
			return slept;
		};

		test('the round that n8n runs again pays for nothing twice', async () => {
			const again = await stage.run(provider, { ...own, retryOf: await crash() });
			expect(stage.charged()).toHaveLength(2);
			if (provider === 'kling') expect(idsOf(again)).toContain(stage.charged()[1]);
			expect(again.error?.message ?? '').not.toMatch(/already has a task with the ID/);
		});

		test('Retry of it pays for nothing twice', async () => {
			await stage.retry(provider, await crash(), line);
			expect(stage.charged()).toHaveLength(2);
		});

		test('a retry that n8n runs again pays for nothing twice', async () => {
			const failed = await stage.failedRun(provider, line);
			await stage.retry(provider, failed, line);
			expect(stage.charged()).toHaveLength(3);
			await stage.bench.clock.sleep(120_000);
			await stage.retry(provider, failed, line);
			expect(stage.charged()).toHaveLength(3);
		});
	});
});

describe.each(lines)('F2 Retry after the credential was completed, %s', (_line, line) => {
	test.each(providerNames)('%s creates: nothing had crashed or been sent', async (provider) => {
		const incomplete = { ...stage.credential(provider), apiKey: '' };
		const failed = await stage.run(provider, { ...line, credential: incomplete });
		expect(failed.error?.message).toMatch(/in the credential/);
		const again = await stage.retry(provider, failed, line);
		expect(again.error?.message).toBeUndefined();
		expect(stage.charged()).toHaveLength(3);
	});
});

describe.each(lines)('F5 retries of one failed execution, edited in between, %s', (_line, line) => {
	const own = { ...line, items: first };
	const scenesMade = () => stage.sandbox.charges.map(({ effectScene }) => effectScene);
	const fail = async (provider: ProviderName, options: Partial<RunOptions> = {}) => {
		stage.sandbox.addFault({ kind: 'code', code: 1201, match, times: 1 });
		const failed = await stage.run(provider, { ...own, ...options });
		expect(failed.error).toBeDefined();
		return failed;
	};
	let number = 78;
	const retry = async (provider: ProviderName, failed: RunResult, options: Partial<RunOptions>) =>
		await stage.retry(provider, failed, { ...own, ...options, executionId: String(number++) });

	test.each(providerNames)(
		'%s: another scene is another create, and is named',
		async (provider) => {
			const failed = await fail(provider);
			await retry(provider, failed, edited('squish'));
			const again = await retry(provider, failed, edited('expansion'));
			expect(scenesMade()).toEqual(['squish', 'expansion']);
			expect(idsOf(again)).toEqual(stage.charged().slice(1));
			expect(again.json[0].effectScene).toBe('expansion');
			expect(hintsOf(again).join()).toMatch(/before a parameter was changed, a task may have been/);
		},
	);

	test('each of them finds its own task, in any order', async () => {
		const failed = await fail('kling');
		for (const value of [
			'squish',
			'expansion',
			'fuzzyfuzzy',
			'squish',
			'fuzzyfuzzy',
			'expansion',
		]) {
			const { json } = await retry('kling', failed, edited(value));
			expect(json[0].effectScene).toBe(value);
		}
		expect(scenesMade()).toEqual(['squish', 'expansion', 'fuzzyfuzzy']);
	});

	test('a retry of the second one goes on from there', async () => {
		const failed = await fail('kling');
		await retry('kling', failed, edited('squish'));
		stage.sandbox.addFault({ kind: 'code', code: 1201, match, times: 1 });
		const second = await retry('kling', failed, edited('expansion'));
		const third = await retry('kling', second, edited('expansion'));
		expect(idsOf(third)).toEqual(stage.charged().slice(1));
		expect(scenesMade()).toEqual(['squish', 'expansion']);
	});

	test('an image that was edited is the same create', async () => {
		const failed = await fail('kling');
		await retry('kling', failed, edited('squish'));
		const image = 'https://example.com/other.jpg';
		const other = { parameters: { ...parameters, ...scene('squish'), image } };
		expect(idsOf(await retry('kling', failed, other))).toEqual(stage.charged());
		expect(stage.charged()).toHaveLength(1);
	});

	test('a value that is only written otherwise is the same create', async () => {
		const failed = await fail('kling');
		const written = (duration: unknown) => ({
			parameters: { ...parameters, ...scene('squish'), options: { duration } },
		});
		await retry('kling', failed, written(5));
		await retry('kling', failed, written(' 5 '));
		expect(stage.charged()).toHaveLength(1);
	});

	test.each(providerNames)(
		'%s: where an expression was edited, nothing is paid twice, and the item says what is not known',
		async (provider) => {
			const failed = await fail(provider);
			await retry(provider, failed, {});
			const again = await retry(provider, failed, edited('={{ $json["scene"] }}'));
			expect(stage.charged()).toHaveLength(1);
			if (provider !== 'kling') return;
			expect(again.json[0].effectScene).toBeNull();
			expect(hintsOf(again).join()).toMatch(
				/Item 0: task \d+ was made by an earlier try\. .*Effect Scene/,
			);
		},
	);

	test('an expression that gives another scene at each try never names one that was not ordered', async () => {
		const mood = edited('={{ ["squish", "expansion"][Number($execution.id) % 2] }}');
		const failed = await fail('kling');
		await retry('kling', failed, mood);
		const again = await retry('kling', failed, mood);
		expect(stage.charged()).toHaveLength(1);
		expect([null, scenesMade()[0]]).toContain(again.json[0].effectScene);
		expect(hintsOf(again).join()).not.toMatch(/Item 0/);
	});
});

test('F5b an execution that n8n runs again never names a scene that was not ordered', async () => {
	const own = { ...edited('={{ $vars.mood }}'), items: first, mode: 'webhook' as const };
	await stage.run('kling', { ...own, vars: { mood: 'squish' } });
	const again = await stage.run('kling', { ...own, vars: { mood: 'expansion' } });
	expect(stage.charged()).toHaveLength(1);
	expect(again.json[0].effectScene).not.toBe('expansion');
});

test('F5c the same as F5 where the execution failed before this node, n8n 2', async () => {
	const own = { items: first, resumeToken: 'token-of-77', mode: 'retry' as const };
	await stage.run('kling', { ...own, executionId: '78', ...edited('squish') });
	const again = await stage.run('kling', { ...own, executionId: '79', ...edited('expansion') });
	const made = stage.sandbox.charges.find(({ taskId }) => taskId === again.json[0].taskId);
	expect(made?.effectScene).toBe('expansion');
	expect(again.json[0].effectScene).toBe('expansion');
});

describe('F6 Max Tasks', () => {
	const most = { ...optioned({ maxTasks: 1 }), settings: onContinue };

	test('holds in an execution that n8n runs again after a crash', async () => {
		const own = { ...most, mode: 'webhook' as const };
		await stage.run('kling', own);
		await stage.run('kling', own);
		expect(stage.charged()).toHaveLength(1);
	});

	test('counts what a retry sends again', async () => {
		stage.sandbox.addFault({ kind: 'resetBefore', match });
		const two = { items: items.slice(0, 2) };
		const failed = await stage.run('kling', { ...optioned({ maxTasks: 1 }), ...two });
		stage.sandbox.clearFaults();
		await stage.retry('kling', failed, { ...most, ...two });
		expect(stage.charged()).toHaveLength(1);
	});
});

test.each(['cometApi', 'kkiai'] as const)(
	'F7 %s: the code of a broken server in a 200 refuses nothing for sure',
	async (provider) => {
		const body = { code: 500, message: 'internal error', request_id: 'x' };
		stage.sandbox.addFault({ kind: 'status', status: 200, body, accept: true, match, times: 1 });
		const run = await stage.run(provider, { items: first });
		if (run.error) await stage.retry(provider, run, { items: first });
		expect(stage.charged()).toHaveLength(1);
	},
);

test('F8 an External Task ID that is the ID of another task never gives that task', async () => {
	const [{ taskId }] = (await stage.run('kling', { items: second, executionId: '70' })).json;
	// As one that was made elsewhere, without an external id.
	const other = stage.sandbox.tasks.find((task) => task.taskId === taskId)!;
	Object.assign(other, { externalTaskId: null });
	stage.sandbox.addFault({ kind: 'resetAfter', match, times: 1 });
	const run = await stage.run('kling', { ...optioned({ externalTaskId: taskId }), items: first });
	expect(idsOf(run)).not.toContain(taskId);
});

describe('smaller', () => {
	test('S1 a create that is sent again has as many images as its scene takes', async () => {
		const mood = '={{ ["color_mixing", "hug_pro"][Number($execution.id) % 2] }}';
		const secondImage = 'https://example.com/second.jpg';
		const own = { parameters: { ...parameters, ...scene(mood), secondImage }, items: first };
		stage.sandbox.addFault({ kind: 'resetBefore', match });
		const failed = await stage.run('kling', own);
		stage.sandbox.clearFaults();
		await stage.retry('kling', failed, own);
		for (const { body } of stage.creates()) {
			const sent = body as { effect_scene: string; input: { images?: string[] } };
			expect(sent.input.images?.length ?? 1).toBe(sent.effect_scene === 'hug_pro' ? 2 : 1);
		}
	});

	test('S2 a retry whose check refuses an item names the tasks that exist', async () => {
		const failed = await stage.failedRun('kling');
		const image = '={{ $itemIndex === 0 ? "" : $json.image }}';
		const own = { parameters: { ...parameters, image } };
		const stopped = await stage.retry('kling', failed, own);
		for (const id of stage.charged()) expect(stopped.error?.description).toContain(id);
		const went = await stage.retry('kling', failed, { ...own, settings: onContinue });
		expect(JSON.stringify(went.json[0])).toContain(stage.charged()[0]);
	});

	test('S3 a node that has taken the name of a deleted one creates its own', async () => {
		const failed = await stage.failedRun('kling');
		await stage.retry('kling', failed, { settings: { id: 'node-2' } });
		expect(stage.charged()).toHaveLength(5);
	});

	test('S4 an ID with a comma does not stay among the unknown', async () => {
		stage.sandbox.addFault({ kind: 'resetAfter', match, times: 1 });
		stage.sandbox.addFault({ kind: 'redirect', match: { operation: 'get' }, times: 1 });
		const retryOnFail = { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 };
		const own = { ...optioned({ externalTaskId: 'a,b' }), items: first, settings: retryOnFail };
		const { customData, error } = await stage.run('kling', own);
		expect(error).toBeUndefined();
		expect(customData.klingUnknown).toBe('');
	});
});
