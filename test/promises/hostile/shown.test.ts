import { rows } from '../contract/providers';
import { byId, failingPhoto, single, Workbench } from '../../harness/workbench';

/**
 * n8n's editor shows descriptions and hints as HTML, and logs go to terminals: no text does anything
 * there.
 */

const bench = Workbench.prepare();
const [kling] = rows;
const evil = '<img src=x onerror=alert(1)>\u202e\u001b[31m\u0000&copy=1';
const acting = /[<>\u202e]|[^\P{Cc}\n]/u;

/** What the editor shows of an execution. */
function shownOf({ error, run }: Awaited<ReturnType<Workbench['run']>>): string {
	const hints = Object.values(run.data.resultData.runData)
		.flat()
		.flatMap(({ hints = [] }) => hints.map(({ message }) => message));
	// A message is shown as text, descriptions and hints as HTML.
	for (const html of [error?.description ?? '', ...hints]) expect(html).not.toContain('&copy');
	return [error?.message, error?.description, ...hints].join(' ');
}

test.each([
	[
		'a scene',
		{ effectScene: { __rl: true, mode: 'name', value: `hug ${evil}` }, effectType: evil },
	],
	['a model', { effectScene: 'hug', options: { modelName: evil } }],
	['an image input', { imageInput: evil }],
	['a field', { imageInput: 'binary', imageField: evil }],
	['an external task ID', { options: { externalTaskId: evil.repeat(5) }, image: failingPhoto }],
	['an operation', { operation: evil }],
	['additional fields', { options: { additionalFields: { image: evil, [evil]: 1 } } }],
	[
		'an expression that throws',
		{ image: `={{ (() => { throw new Error(${JSON.stringify(evil)}) })() }}` },
	],
])('what is wrong with %s is shown as text', async (_name, parameters) => {
	const result = await bench.create(kling, { waitForCompletion: true, ...parameters });
	const shown = shownOf(result);
	expect(shown.length).toBeGreaterThan(20);
	expect(shown).not.toMatch(acting);
});

test('names of files and fields are shown as text', async () => {
	const data = Buffer.from('GIF89a').toString('base64');
	const binary = { [evil]: { data, mimeType: 'image/gif', fileName: evil } };
	for (const imageField of [evil, 'none']) {
		const parameters = { ...single, imageInput: 'binary', imageField };
		const result = await bench.create(kling, parameters, { items: [{ json: {}, binary }] });
		expect(shownOf(result)).not.toMatch(acting);
	}
});

test('a task ID is shown as text', async () => {
	const result = await bench.run(kling, { operation: 'get', taskId: byId(evil) });
	expect(shownOf(result)).not.toMatch(acting);
});

test('a hint is shown as text', async () => {
	const options = { modelName: 'kling-v1', duration: 10 };
	const parameters = { effectScene: `={{ ${JSON.stringify(evil)} }}`, options };
	const result = await bench.create(kling, parameters);
	expect(shownOf(result)).not.toMatch(acting);
});

test('with “Continue” the item’s texts are plain too', async () => {
	const settings = { onError: 'continueRegularOutput' as const };
	const { json } = await bench.create(kling, { imageInput: evil }, { settings });
	expect(`${json[0].error} ${json[0].message}`).not.toMatch(acting);
});
