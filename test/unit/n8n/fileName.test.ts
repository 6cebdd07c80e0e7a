import { fileNameOf } from '../../../nodes/n8n/fileName';
import { recordOf } from '../../../nodes/kling/task';

const fileOf = (
	externalTaskId: string | null,
	effectScene: string | null,
	photo: string | null = null,
	number = '',
) => {
	const { task } = recordOf('kling', { taskId: '842', externalTaskId, effectScene });
	return fileNameOf(task, photo, number);
};

test.each([
	[
		'your External Task ID and the scene',
		fileOf('order-4711', 'hug_pro'),
		'order-4711-hug_pro.mp4',
	],
	[
		'the scene once, where the ID ends in it',
		fileOf('4711-hug_pro', 'hug_pro'),
		'4711-hug_pro.mp4',
	],
	[
		'the photo, where the node made the ID',
		fileOf('n8n-0123456789012345', 'hug_pro', 'anna'),
		'anna-hug_pro.mp4',
	],
	['the ID alone, where the scene is unknown', fileOf('order-4711', null), 'order-4711.mp4'],
	['the task ID, where there is neither', fileOf(null, 'hug_pro'), 'hug_pro-842.mp4'],
	[
		'the photo of a Mac, whose umlauts are a letter and a mark',
		fileOf(null, 'hug_pro', 'To\u0308rtchen'),
		'T\u00f6rtchen-hug_pro.mp4',
	],
	['a photo named in Hindi', fileOf(null, 'hug_pro', 'नमस्ते'), 'नमस्ते-hug_pro.mp4'],
	['the photo, where the ID is signs alone', fileOf('…', 'hug_pro', 'anna'), 'anna-hug_pro.mp4'],
	[
		'the task ID, where the photo is named by emoji alone',
		fileOf(null, 'hug_pro', '😀'),
		'hug_pro-842.mp4',
	],
	['nothing but the task ID', fileOf(null, null), 'kling-effect-842.mp4'],
	[
		'a number for a second video',
		fileOf('4711-hug_pro', 'hug_pro', null, '2'),
		'4711-hug_pro-2.mp4',
	],
	[
		'both, where a long ID is cut',
		fileOf(`${'4'.repeat(60)}-hug_pro`, 'hug_pro'),
		`${'4'.repeat(55)}-hug_pro.mp4`,
	],
])('a file is named by %s', (_what, name, expected) => {
	expect(name).toBe(expected);
});
