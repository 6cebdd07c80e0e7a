import { withProcessedData } from '../../harness/setup';
import type { RunOptions, RunResult } from '../../../tools/engine';
import {
	edited,
	first,
	hintsOf,
	idsOf,
	match,
	n8nLines,
	onContinue,
	parameters,
	providerNames,
	scene,
	Stage,
	type ProviderName,
} from './stage';

/** The Retry button, after an edit or a refusal. */

const stage = new Stage();
withProcessedData();

describe.each(n8nLines)('retries of one failed execution, edited in between: %s', (_line, line) => {
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

test('an execution that n8n runs again never names a scene that was not ordered', async () => {
	const own = { ...edited('={{ $vars.mood }}'), items: first, mode: 'webhook' as const };
	await stage.run('kling', { ...own, vars: { mood: 'squish' } });
	const again = await stage.run('kling', { ...own, vars: { mood: 'expansion' } });
	expect(stage.charged()).toHaveLength(1);
	expect(again.json[0].effectScene).not.toBe('expansion');
});

test('another scene is another create after two retries of an execution that failed before this node, too: n8n 2', async () => {
	const own = { items: first, resumeToken: 'token-of-77', mode: 'retry' as const };
	await stage.run('kling', { ...own, executionId: '78', ...edited('squish') });
	const again = await stage.run('kling', { ...own, executionId: '79', ...edited('expansion') });
	const made = stage.sandbox.charges.find(({ taskId }) => taskId === again.json[0].taskId);
	expect(made?.effectScene).toBe('expansion');
	expect(again.json[0].effectScene).toBe('expansion');
});

test('a create that is sent again has as many images as its scene takes', async () => {
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

test('a retry that stops at a refused item names the tasks that exist', async () => {
	const failed = await stage.failedRun('kling');
	const image = '={{ $itemIndex === 0 ? "" : $json.image }}';
	const own = { parameters: { ...parameters, image } };
	const stopped = await stage.retry('kling', failed, own);
	for (const id of stage.charged()) expect(stopped.error?.description).toContain(id);
	const went = await stage.retry('kling', failed, { ...own, settings: onContinue });
	expect(JSON.stringify(went.json[0])).toContain(stage.charged()[0]);
});

test('a node with the name of a deleted one creates tasks of its own', async () => {
	const failed = await stage.failedRun('kling');
	await stage.retry('kling', failed, { settings: { id: 'node-2' } });
	expect(stage.charged()).toHaveLength(5);
});
