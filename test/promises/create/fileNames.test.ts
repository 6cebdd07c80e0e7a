import type { Task } from '../../../nodes/kling/task';
import { fileNameOf } from '../../../nodes/n8n/fileName';
import { Workbench, byExternalId, dual, fileItem, picture } from '../../harness/workbench';
import { rows } from '../contract/providers';

/** In a folder of clips, you must be able to tell whose is whose. */

const bench = Workbench.prepare();
const [kling] = rows;
const finished = { waitForCompletion: true, downloadVideo: true };

async function fileNameWith(parameters: Record<string, unknown>, items?: unknown[]) {
	const given = { ...parameters, ...finished };
	const result = await bench.create(kling, given, items ? { items: items as never } : {});
	expect(result.error).toBeUndefined();
	return result.items[0].binary?.data.fileName;
}

test.each([
	['https://example.com/photos/anna.jpg', 'anna-color_mixing.mp4'],
	['https://example.com/anna.portrait.png?size=large#top', 'anna.portrait-color_mixing.mp4'],
	['https://example.com/Zo%C3%AB.jpeg', 'Zoë-color_mixing.mp4'],
	['https://example.com/%E0%A4%A.jpg', '_E0_A4_A-color_mixing.mp4'],
	['https://example.com/..%2F..%2Fetc.png', '_.._etc-color_mixing.mp4'],
])('a video of the photo at %s is called %s', async (image, fileName) => {
	expect(await fileNameWith({ image })).toBe(fileName);
});

test.each(['https://example.com/', 'https://example.com/download?id=7', 'https://example.com'])(
	'of %s, which has no name, by scene and task',
	async (image) => {
		const fileName = await fileNameWith({ image });
		expect(fileName).toBe(`color_mixing-${bench.sandbox.tasks[0].taskId}.mp4`);
	},
);

test('by the External Task ID where the user has given one', async () => {
	const options = { externalTaskId: 'order-4711' };
	expect(await fileNameWith({ ...dual, options })).toBe('order-4711-hug_pro.mp4');
});

test('by the name of the file', async () => {
	const items = [await fileItem({ data: 'portrait.jpg' })];
	expect(await fileNameWith({ imageInput: 'binary' }, items)).toBe('portrait-color_mixing.mp4');
});

test('of base64, by scene and task', async () => {
	const image = (await picture()).toString('base64');
	const fileName = await fileNameWith({ imageInput: 'base64', image });
	expect(fileName).toBe(`color_mixing-${bench.sandbox.tasks[0].taskId}.mp4`);
});

test('further videos have a number', async () => {
	const { items } = await bench.create(kling, {
		...finished,
		image: 'https://example.com/anna.jpg?videos=2',
	});
	expect(items[0].binary?.data2.fileName).toBe('anna-color_mixing-2.mp4');
});

test('an ID of the maximum length still makes a file name that every disk accepts', async () => {
	const options = { externalTaskId: 'x'.repeat(128) };
	expect((await fileNameWith({ options }))?.length).toBeLessThan(130);
});

test('Get names it by the External Task ID too', async () => {
	await bench.create(kling, { options: { externalTaskId: 'order-7' } });
	const get = { operation: 'get', taskId: byExternalId('order-7'), ...finished };
	const { items } = await bench.run(kling, get);
	expect(items[0].binary?.data.fileName).toMatch(/^order-7.*\.mp4$/);
});

test.each([
	// Devices of Windows, whatever stands behind the first dot.
	['con.jpg', '_con.jpg-color_mixing.mp4'],
	['LPT1.a', '_LPT1.a-color_mixing.mp4'],
	['CONrad', 'CONrad-color_mixing.mp4'],
	// Must not look like a command option.
	['-rf', 'rf-color_mixing.mp4'],
	['.-.hidden', 'hidden-color_mixing.mp4'],
	// The scene, which may be in the ID so that Get Many shows it, appears once.
	['order-4711-color_mixing', 'order-4711-color_mixing.mp4'],
	// Starts like the node's own ids, but is the user's.
	['n8n-order-7', 'n8n-order-7-color_mixing.mp4'],
])('an ID of %j makes the name %s', async (externalTaskId, fileName) => {
	expect(await fileNameWith({ options: { externalTaskId } })).toBe(fileName);
});

test('letters of four bytes make a name of 255 bytes at most', () => {
	const letters = '\u{1d49c}'.repeat(60);
	const task = { externalTaskId: letters, effectScene: `a${letters}`, taskId: '1' } as Task;
	const name = fileNameOf(task, null, '10');
	expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
	expect(name).toMatch(/^\u{1d49c}{20,}-a\u{1d49c}{20,}-10\.mp4$/u);
});
