import { withProcessedData } from '../../harness/setup';
import { first, match, n8nLines, onContinue, parameters, scene, Stage } from './stage';

/** The Retry button, after an edit or a refusal. */

const stage = new Stage();
withProcessedData();
const edited = (value: string) => ({ parameters: { ...parameters, ...scene(value) } });

describe.each(n8nLines)(
	'after two retries of one execution, edited in between: %s',
	(_line, line) => {
		test('an item names only the scene that its task was made with', async () => {
			stage.sandbox.addFault({ kind: 'code', code: 1201, match, times: 1 });
			const own = { ...line, items: first };
			const failed = await stage.run('kling', own);
			await stage.retry('kling', failed, { ...own, ...edited('squish') });
			const again = await stage.retry('kling', failed, {
				...own,
				...edited('expansion'),
				executionId: '79',
			});
			const made = stage.sandbox.charges.find(({ taskId }) => taskId === again.json[0].taskId);
			expect([null, made?.effectScene]).toContain(again.json[0].effectScene);
		});
	},
);

test('an item names only the scene its task was made with, after two retries of an execution that failed before this node: n8n 2', async () => {
	const own = { items: first, resumeToken: 'token-of-77', mode: 'retry' as const };
	await stage.run('kling', { ...own, executionId: '78', ...edited('squish') });
	const again = await stage.run('kling', { ...own, executionId: '79', ...edited('expansion') });
	const made = stage.sandbox.charges.find(({ taskId }) => taskId === again.json[0].taskId);
	expect([null, made?.effectScene]).toContain(again.json[0].effectScene);
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
