import { nodeName, type RunOptions, type RunResult } from '../../../tools/engine';
import { withProcessedData } from '../../harness/setup';
import {
	afterFirstRound,
	edited,
	first,
	hintsOf,
	idsOf,
	items,
	match,
	n8nLines,
	parameters,
	providerNames,
	scene,
	Stage,
} from './stage';

/** Executions that are begun again from the same stored data, more than once: by n8n, or by a person. */

const stage = new Stage();
withProcessedData();

const optioned = (options: Record<string, unknown>, value = 'squish') => ({
	parameters: { ...parameters, ...scene(value), options },
});
/** What the worker that n8n runs again from has sent, and never stored. */
async function dies(options: Partial<RunOptions>): Promise<void> {
	await stage.run('kling', { items: first, mode: 'webhook', ...options });
}

/** n8n runs the execution of a worker that is gone again. */
async function runsAgain(options: Partial<RunOptions>): Promise<RunResult> {
	return await stage.run('kling', { items: first, mode: 'webhook', ...options });
}

let number = 80;
async function retry(of: RunResult, options: Partial<RunOptions>): Promise<RunResult> {
	return await stage.retry('kling', of, {
		items: first,
		...options,
		executionId: String(++number),
	});
}

/** A retry whose process dies once it has sent: what n8n has stored of the execution is that of before. */
async function failsOnce(options: Partial<RunOptions> = {}): Promise<RunResult> {
	stage.sandbox.addFault({ kind: 'code', code: 1201, match, times: 1 });
	const failed = await stage.run('kling', { items: first, ...edited('squish'), ...options });
	expect(failed.error).toBeDefined();
	return failed;
}

const scenesMade = () => stage.sandbox.charges.map(({ effectScene }) => effectScene);
const gone = () =>
	stage.sandbox.addFault({ kind: 'status', status: 503, match: { operation: 'get' } });

describe.each(n8nLines)('%s', (_line, line) => {
	test('a retry with the key of another account pays for nothing twice, however often', async () => {
		const failed = await failsOnce(line);
		await retry(failed, { ...line, ...edited('squish') });
		expect(stage.charged()).toHaveLength(1);
		const credential = stage.sandbox.credential('kling', { region: 'china' });
		for (const _time of [1, 2, 3]) {
			const { error } = await retry(failed, { ...line, ...edited('squish'), credential });
			expect(error?.message).toMatch(/may have created the task/);
		}
		expect(stage.charged()).toHaveLength(1);
	});

	test('nor does a retry of such a retry', async () => {
		const failed = await failsOnce(line);
		await retry(failed, { ...line, ...edited('squish') });
		const credential = stage.sandbox.credential('kling', { region: 'china' });
		const other = { ...line, ...edited('squish'), credential };
		const second = await retry(failed, other);
		for (const _time of [1, 2]) await retry(second, other);
		expect(stage.charged()).toHaveLength(1);
	});

	test('a scene that is not known after a crash is not named by a later retry either', async () => {
		const own = { ...line, ...edited('={{ $vars.mood }}'), items: items.slice(0, 2) };
		stage.sandbox.addFault({ kind: 'resetBefore', match, skip: 1 });
		await dies({ ...own, vars: { mood: 'squish' } });
		const again = await runsAgain({ ...own, vars: { mood: 'expansion' } });
		expect(again.error).toBeDefined();
		stage.sandbox.clearFaults();
		const { json } = await retry(again, { ...own, vars: { mood: 'expansion' } });
		expect(scenesMade()).toEqual(['squish', 'expansion']);
		expect(json.map(({ effectScene }) => effectScene)).toEqual([null, 'expansion']);
	});

	test('an External Task ID that is another at each try pays for nothing twice', async () => {
		const own = { ...line, ...optioned({ externalTaskId: '={{ "order-" + $vars.now }}' }) };
		await dies({ ...own, vars: { now: '1' } });
		const { error } = await runsAgain({ ...own, vars: { now: '2' } });
		expect(stage.charged()).toHaveLength(1);
		expect(error?.message).toMatch(/may have created the task/);
	});

	test('one that is the same at each try creates what is missing', async () => {
		const own = {
			...line,
			...optioned({ externalTaskId: '={{ "order-" + $itemIndex }}' }),
			items: items.slice(0, 2),
		};
		stage.sandbox.addFault({ kind: 'resetBefore', match, skip: 1 });
		await dies(own);
		expect(stage.charged()).toHaveLength(1);
		stage.sandbox.clearFaults();
		const { json } = await runsAgain(own);
		expect(json).toHaveLength(2);
		expect(idsOf({ json } as RunResult)).toEqual(stage.charged());
	});

	describe('after a retry that could not look up what an earlier one had sent', () => {
		const unclear = async (options: Partial<RunOptions> = edited('squish')) => {
			const failed = await failsOnce({ ...line, ...options });
			await retry(failed, { ...line, ...options });
			expect(stage.charged()).toHaveLength(1);
			gone();
			const stopped = await retry(failed, { ...line, ...options });
			expect(stopped.error?.message).toMatch(/may have created the task/);
			stage.sandbox.clearFaults();
			return stopped;
		};

		test('a retry finds it', async () => {
			const again = await retry(await unclear(), { ...line, ...edited('squish') });
			expect(idsOf(again)).toEqual(stage.charged());
			expect(again.json[0].effectScene).toBe('squish');
		});

		test('a retry with another scene has a task of its own', async () => {
			const again = await retry(await unclear(), { ...line, ...edited('expansion') });
			expect(scenesMade()).toEqual(['squish', 'expansion']);
			expect(idsOf(again)).toEqual(stage.charged().slice(1));
			expect(hintsOf(again).join()).toMatch(/before a parameter was changed, a task may have been/);
		});

		test('a retry with another External Task ID pays for nothing twice', async () => {
			const stopped = await unclear(optioned({ externalTaskId: 'order-1' }));
			await retry(stopped, { ...line, ...optioned({ externalTaskId: 'order-2' }) });
			expect(stage.charged()).toHaveLength(1);
		});
	});
});

test('n8n 2: Retry of an execution that crashed, with another scene, is another create', async () => {
	const own = { resumeToken: 'token-of-77', mode: 'retry' as const, items: first };
	await stage.run('kling', { ...own, ...edited('squish'), executionId: '77' });
	const again = await stage.run('kling', { ...own, ...edited('expansion'), executionId: '78' });
	expect(scenesMade()).toEqual(['squish', 'expansion']);
	expect(again.json[0].effectScene).toBe('expansion');
});

describe.each(['get', 'list'])('an execution whose operation was %s', (operation) => {
	test('creates once it is edited to Create and retried: nothing had crashed or been sent', async () => {
		const taskId = { __rl: true, mode: 'id', value: '1' };
		stage.sandbox.addFault({ kind: 'status', status: 404, match: { operation: 'list' } });
		const own = { ...parameters, operation, taskId };
		const failed = await stage.run('kling', { items: first, parameters: own });
		expect(failed.error).toBeDefined();
		const { json, error } = await retry(failed, edited('squish'));
		expect(error).toBeUndefined();
		expect(json).toHaveLength(1);
	});
});

test('a task that an External Task ID has brought from an earlier execution has no scene of now', async () => {
	const own = (value: string) => ({
		...optioned({ externalTaskId: 'order-7' }, value),
		items: first,
	});
	await stage.run('kling', { ...own('squish'), executionId: '70' });
	const { json } = await stage.run('kling', { ...own('expansion'), executionId: '71' });
	expect(stage.charged()).toHaveLength(1);
	expect([null, 'squish']).toContain(json[0].effectScene);
});

describe.each(n8nLines)('a loop whose progress n8n saves, %s', (_line, line) => {
	test.each(providerNames)('%s: the round that crashed is paid once', async (provider) => {
		const own = { ...line, executionId: '77', items: first };
		const progress = afterFirstRound(await stage.run(provider, { ...own, rounds: 2 }));
		expect(stage.charged()).toHaveLength(2);
		for (const mode of ['trigger', 'retry', 'retry'] as const) {
			const executionId = mode === 'retry' ? String(++number) : '77';
			await stage.run(provider, { ...own, mode, executionId, retryOf: progress });
		}
		expect(stage.charged()).toHaveLength(2);
	});

	test('a loop that failed further on creates in its next round, however often that is refused', async () => {
		const own = { ...line, executionId: '77', items: first };
		const failed = await stage.run('modellix', { ...own, rounds: 2 });
		const { run } = structuredClone(failed);
		const { executionData } = structuredClone(afterFirstRound(failed).run.data);
		run.data.executionData!.nodeExecutionStack = executionData!.nodeExecutionStack;
		const runs = run.data.resultData.runData[nodeName];
		runs.push(structuredClone(runs[0]));
		stage.sandbox.addFault({ kind: 'code', code: 1201, match });
		await stage.retry('modellix', { ...failed, run }, { ...line, items: first });
		stage.sandbox.clearFaults();
		const own79 = { ...line, items: first, executionId: '79' };
		const { json } = await stage.retry('modellix', { ...failed, run }, own79);
		expect(stage.charged()).toHaveLength(3);
		expect(idsOf({ json } as RunResult).at(-1)).toBe(stage.charged()[2]);
	});
});

test.each(['kling', 'cometApi', 'kkiai'] as const)(
	'%s: a scene that is no expression is named after a crash, and by a later retry',
	async (provider) => {
		const own = { ...edited('squish'), items: items.slice(0, 2), executionId: '77' };
		stage.sandbox.addFault({ kind: 'resetBefore', match, skip: 1 });
		await stage.run(provider, own);
		const settings = { onError: 'continueRegularOutput' as const };
		const again = await stage.run(provider, { ...own, settings });
		expect(again.json[0].effectScene).toBe('squish');
		const stopped = await stage.run(provider, own);
		const { json } = await stage.retry(provider, stopped, { ...own, settings, executionId: '78' });
		expect(json[0].effectScene).toBe('squish');
	},
);

describe.each(n8nLines)('a retry of which all was refused, %s', (_line, line) => {
	test.each(providerNames)('%s: does not keep the next one from creating', async (provider) => {
		stage.sandbox.addFault({ kind: 'code', code: 1201, match });
		const own = { ...line, items: first };
		const failed = await stage.run(provider, own);
		for (const executionId of ['78', '79']) {
			await stage.retry(provider, failed, { ...own, executionId });
		}
		stage.sandbox.clearFaults();
		const { error } = await stage.retry(provider, failed, { ...own, executionId: '80' });
		expect(error).toBeUndefined();
		expect(stage.charged()).toHaveLength(1);
		// What that one has created is not paid again.
		await stage.retry(provider, failed, { ...own, executionId: '81' });
		expect(stage.charged()).toHaveLength(1);
	});

	test.each(providerNames)('%s: nor where a task was made before', async (provider) => {
		const failed = await stage.failedRun(provider, line);
		stage.sandbox.addFault({ kind: 'code', code: 1201, match });
		await stage.retry(provider, failed, line);
		stage.sandbox.clearFaults();
		const { json } = await stage.retry(provider, failed, { ...line, executionId: '79' });
		expect(idsOf({ json } as RunResult)).toEqual(stage.charged());
		expect(json).toHaveLength(3);
	});

	test.each(providerNames)(
		'%s: nor a crash of its next try, of Retry On Fail',
		async (provider) => {
			stage.sandbox.addFault({ kind: 'code', code: 1201, match, times: 1 });
			const settings = { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 };
			const own = { ...line, items: first, settings, executionId: '77' };
			await stage.run(provider, own);
			expect(stage.charged()).toHaveLength(1);
			await stage.run(provider, own);
			expect(stage.charged()).toHaveLength(1);
		},
	);
});

test('a second retry says that an earlier one may have created it, not that something crashed', async () => {
	stage.sandbox.addFault({ kind: 'code', code: 1201, match, times: 1 });
	const failed = await stage.run('modellix', { items: first });
	await stage.retry('modellix', failed, { items: first });
	const { error } = await stage.retry('modellix', failed, { items: first, executionId: '79' });
	expect(error?.message).toBe(
		'Modellix may have created the task, but in an earlier retry of this execution, or one that crashed',
	);
	expect(stage.charged()).toHaveLength(1);
});

test('after a retry of which it was not known what it asks for, no item names a scene that was not ordered', async () => {
	const own = { items: items.slice(0, 2) };
	const failed = await failsOnce(own);
	stage.sandbox.addFault({ kind: 'resetBefore', match, skip: 1 });
	await retry(failed, { ...own, ...edited('squish') });
	stage.sandbox.clearFaults();
	await retry(failed, { ...own, ...edited('={{ "expansion" }}') });
	expect(scenesMade()).toEqual(['squish', 'expansion', 'expansion']);
	for (const value of ['squish', 'fuzzyfuzzy']) {
		const { json } = await retry(failed, { ...own, ...edited(value) });
		for (const { taskId, effectScene } of json) {
			const made = stage.sandbox.charges.find((one) => one.taskId === taskId);
			expect([null, made?.effectScene]).toContain(effectScene);
		}
	}
	expect(scenesMade()).toHaveLength(3);
});
