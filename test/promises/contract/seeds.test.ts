import type { ProviderRow } from './providers';
import { rows } from './providers';
import { Workbench, byId } from '../../harness/workbench';

/** What each provider's own page sends (the five providers' effects pages), made with the node. */

const bench = Workbench.prepare();
const rowOf = (name: string): ProviderRow => {
	const row = rows.find((one) => one.name === name);
	if (!row) throw new Error(`There is no row ${name}`);
	return row;
};
const left =
	'https://p2-kling.klingai.com/bs2/upload-ylab-stunt/c54e463c95816d959602f1f2541c62b2.png?x-kcdn-pid=112452';
const right =
	'https://p2-kling.klingai.com/bs2/upload-ylab-stunt/5eef15e03a70e1fa80732808a2f50f3f.png?x-kcdn-pid=112452';
const colorMixing =
	'https://p4-kling.klingai.com/kcdn/cdn-kcdn112452/kling-op/effects_raw_pic/color_mixing.jpeg';
const balloonParade =
	'https://p2-kling.klingai.com/kcdn/cdn-kcdn112452/kling-op/effects_pic/balloon_parade.jpeg';

interface Example {
	name: string;
	row: string;
	parameters: Record<string, unknown>;
	/** As the page's curl command has it, after the host. */
	path: string;
	body: Record<string, unknown>;
	/** Whether the node adds the id by which it finds a task whose response was lost. */
	addsId: boolean;
}

const examples: Example[] = [
	{
		name: "CometAPI's page (CometAPI’s effects page)",
		row: 'CometAPI',
		parameters: {
			effectType: 'dual',
			effectScene: 'hug',
			image: left,
			secondImage: right,
			options: { modelName: 'kling-v1-6', mode: 'std', duration: 10 },
		},
		path: '/kling/v1/videos/effects',
		body: {
			effect_scene: 'hug',
			input: {
				model_name: 'kling-v1-6',
				mode: 'std',
				images: [left, right],
				duration: '10',
			},
		},
		addsId: true,
	},
	{
		name: "Kling's page (Kling’s effects page), one image",
		row: 'Kling AI with an API key',
		parameters: { effectScene: 'color_mixing', image: colorMixing },
		path: '/v1/videos/effects',
		body: { effect_scene: 'color_mixing', input: { image: colorMixing } },
		addsId: true,
	},
	{
		name: "KKIAI's page (KKIAI’s effects page), but for its two empty texts, which stand for nothing",
		row: "KKIAI with Kling's answers",
		parameters: {
			effectScene: 'balloon_parade',
			image: balloonParade,
			options: { duration: 5, callbackUrl: '', externalTaskId: '' },
		},
		path: '/kling/v1/videos/effects',
		body: {
			effect_scene: 'balloon_parade',
			input: { duration: '5', image: balloonParade },
		},
		addsId: true,
	},
	{
		name: "Modellix's page (Modellix’s effects page)",
		row: 'Modellix at its oldest address',
		parameters: { effectScene: 'pet_lion_pro', image: 'https://example.com/image.jpg' },
		path: '/api/v1/image-to-video/kling/kling-video-effects/async',
		body: { effect_scene: 'pet_lion_pro', image: 'https://example.com/image.jpg' },
		addsId: false,
	},
	{
		name: "APIModels' page (APIModels’ effects page)",
		row: 'APIModels',
		parameters: { effectScene: 'balloon_parade', image: 'https://example.com/person.jpg' },
		path: '/api/v1/video/generations',
		body: {
			model: 'kling-effects',
			effect_scene: 'balloon_parade',
			input: { image: 'https://example.com/person.jpg' },
		},
		addsId: false,
	},
];

test.each(examples)('Create sends what is on $name', async (example) => {
	const row = rowOf(example.row);
	const { error } = await bench.create(row, example.parameters);
	expect(error).toBeUndefined();
	const post = bench.posts().at(-1);
	const base = new URL(String(bench.credential(row).baseUrl)).pathname;
	expect(post?.status).toBe(200);
	expect(post?.path).toBe(`${base}${example.path}`);
	expect(post?.headers['content-type']).toBe('application/json');
	expect(post?.headers.authorization).toBe(`Bearer ${String(bench.credential(row).apiKey)}`);
	const { external_task_id: added, ...body } = post?.body as Record<string, unknown>;
	expect(body).toEqual(example.body);
	expect(added !== undefined).toBe(example.addsId);
});

test("Create sends Kling's two-image example (Kling’s effects page), with the user's own external id in it", async () => {
	const row = rowOf('Kling AI with an API key');
	const { error } = await bench.create(row, {
		effectType: 'dual',
		effectScene: 'hug_pro',
		image: left,
		secondImage: right,
		options: { externalTaskId: 'order-1', callbackUrl: 'https://example.com/hook' },
	});
	expect(error).toBeUndefined();
	expect(bench.posts()[0].body).toEqual({
		effect_scene: 'hug_pro',
		input: { images: [left, right] },
		callback_url: 'https://example.com/hook',
		external_task_id: 'order-1',
	});
});

test('Get Many requests Kling’s list as on its page, with at most 500 per page', async () => {
	const row = rowOf('Kling AI with an API key');
	await bench.run(row, { operation: 'list', returnAll: false, limit: 30 });
	await bench.run(row, { operation: 'list', returnAll: true });
	expect(bench.sandbox.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
		'GET /kling/v1/videos/effects?pageNum=1&pageSize=30',
		'GET /kling/v1/videos/effects?pageNum=1&pageSize=500',
	]);
});

test.each([
	['Kling AI with an API key', '/kling/v1/videos/effects/842163450012345678'],
	['CometAPI', '/cometapi/kling/v1/videos/effects/842163450012345678'],
	["KKIAI with Kling's answers", '/kkiai/kling/v1/videos/effects/842163450012345678'],
	['Modellix at its newest address', '/modellix/api/v1/tasks/842163450012345678'],
	['APIModels', '/apimodels/api/v1/video/generations?task_id=842163450012345678'],
])('Get requests a task from %s as on its page', async (name, path) => {
	await bench.run(rowOf(name), { operation: 'get', taskId: byId('842163450012345678') });
	expect(bench.sandbox.requests.map(({ method, path: asked }) => `${method} ${asked}`)).toEqual([
		`GET ${path}`,
	]);
});
