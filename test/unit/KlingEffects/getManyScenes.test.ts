import { searchScenes } from '../../../nodes/kling/sceneSearch';
import { runNode, type RunOptions } from '../../../tools/engine';

describe('Get Many Scenes', () => {
	const list = async (parameters: Record<string, unknown>, options: Partial<RunOptions> = {}) =>
		await runNode({
			parameters: { resource: 'scene', operation: 'list', ...parameters },
			credential: {},
			settings: { credentials: undefined },
			...options,
		});

	test('needs no credential and gives 50 scenes of the newest list', async () => {
		const { json, error } = await list({});
		expect(error).toBeUndefined();
		expect(json).toHaveLength(50);
		expect(json[0]).toEqual({
			name: 'african_sway',
			title: 'African Sway',
			images: 1,
			availability: 'Kling',
		});
	});

	test('searches, for each item with its own words', async () => {
		const kisses = searchScenes({ text: 'kiss' }).map(({ name }) => name);
		const items = ['kiss', 'face warp'].map((words) => ({ json: { words } }));
		const { json } = await list({ search: '={{ $json.words }}', images: 'any' }, { items });
		expect(json.map(({ name }) => name)).toEqual([...kisses, 'face_warp']);
		expect(json.at(-1)).toMatchObject({ availability: 'resellers only' });
	});

	test.each(['dual', 'Two Images'])('finds only scenes with two images (%s)', async (images) => {
		const { json } = await list({ images, returnAll: true });
		expect(json).toHaveLength(15);
		expect(new Set(json.map(({ images }) => images))).toEqual(new Set([2]));
	});

	test('says what a limit must be', async () => {
		const { error } = await list({ limit: 0 });
		expect(error?.message).toBe('Limit must be a number of at least 1');
	});

	test.each(['2', 'two', 2, {}])(
		'Images of %j is reported, and not treated as “Any”',
		async (images) => {
			const { error } = await list({ images: `={{ ${JSON.stringify(images)} }}` });
			expect(error?.message ?? 'all scenes').toMatch(/^Images /);
		},
	);

	test('Search that is an object is reported, and not searched for as “[object Object]”', async () => {
		const { error, json } = await list({ search: '={{ { q: "kiss" } }}' });
		expect(error?.message ?? `${json.length} scenes`).toBe('Search must be text');
	});
});
