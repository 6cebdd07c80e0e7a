import jwt from 'jsonwebtoken';
import sharp from 'sharp';

import type { Sandbox } from '../../sandbox';
import { clientOf, request, startStillSandbox } from '../harness/sandboxClient';

const path = '/v1/videos/effects';
const imageUrl = 'https://example.com/a.jpg';
const twoImages = [imageUrl, 'https://example.com/b.jpg'];

let sandbox: Sandbox;
let passSeconds: (seconds: number) => void;
let kling: ReturnType<typeof clientOf>;

beforeEach(async () => {
	({ sandbox, passSeconds } = await startStillSandbox());
	kling = clientOf(sandbox, 'kling');
});
afterEach(async () => await sandbox.close());

async function createTask(extra: Record<string, unknown> = {}, image = imageUrl) {
	const body = { effect_scene: 'color_mixing', input: { image }, ...extra };
	const { json } = await kling.post(path, body);
	return json.data.task_id as string;
}

async function picture(width: number, height: number, format: 'png' | 'jpeg' | 'webp') {
	const image = sharp({ create: { width, height, channels: 3, background: '#888' } });
	return (await image.toFormat(format).toBuffer()).toString('base64');
}

describe('authentication', () => {
	const list = async (authorization?: string, base = sandbox.baseUrl('kling')) =>
		await request(base + path, { headers: authorization ? { authorization } : {} });
	const sign = (claims: object, secret?: string, algorithm: jwt.Algorithm = 'HS256') => {
		const { secretKey } = sandbox.keys.klingAccess.main;
		return `Bearer ${jwt.sign(claims, secret ?? secretKey, { algorithm, noTimestamp: true })}`;
	};
	const claims = (fields: object = {}) => {
		const now = Math.floor(sandbox.options.now() / 1000);
		const iss = sandbox.keys.klingAccess.main.accessKey;
		return { iss, exp: now + 1800, nbf: now - 5, ...fields };
	};

	test('an API key or a signed token opens the API', async () => {
		expect((await list(`Bearer ${sandbox.keys.kling.main}`)).json.code).toBe(0);
		expect((await list(sign(claims()))).json.code).toBe(0);
	});

	test('what is wrong with the header is told by code, all with 401', async () => {
		const now = Math.floor(sandbox.options.now() / 1000);
		const cases: Array<[string | undefined, number]> = [
			[undefined, 1001],
			['Bearer', 1002],
			['Basic abc', 1002],
			['Bearer unknown', 1002],
			['Bearer a.b.c', 1002],
			[sign(claims(), 'another-secret'), 1002],
			[sign(claims({ iss: 'another-access-key' })), 1002],
			[sign({ iss: claims().iss, nbf: now - 5 }), 1002],
			[sign(claims(), undefined, 'HS512'), 1002],
			[sign(claims({ nbf: now + 1 })), 1003],
			[sign(claims({ exp: now })), 1004],
		];
		for (const [header, code] of cases) {
			const reply = await list(header);
			expect([reply.status, reply.json.code]).toEqual([401, code]);
			expect(reply.json.request_id).toMatch(/^[0-9a-f-]{36}$/);
		}
	});

	test('a token grows old with the clock of the sandbox, which the Date header shows', async () => {
		const token = sign(claims());
		passSeconds(1800);
		const reply = await list(token);
		expect(reply.json.code).toBe(1004);
		expect(Date.parse(reply.headers.get('date') ?? '')).toBe(sandbox.options.now());
	});

	test('a key of one region is unknown in the other', async () => {
		const china = sandbox.baseUrl('kling', 'china');
		const { kling: keys, klingChina } = sandbox.keys;
		expect((await list(`Bearer ${keys.main}`, china)).json.code).toBe(1002);
		expect((await list(`Bearer ${klingChina.main}`)).json.code).toBe(1002);
		expect((await list(`Bearer ${klingChina.main}`, china)).json.code).toBe(0);
		expect((await list(sign(claims()), china)).json.code).toBe(1002);
	});

	test('a key without rights is refused with 1103', async () => {
		const reply = await list(`Bearer ${sandbox.keys.kling.noRights}`);
		expect([reply.status, reply.json.code]).toEqual([403, 1103]);
	});

	test('an empty balance is told last, after everything else was right', async () => {
		const poor = clientOf(sandbox, 'kling', sandbox.keys.kling.noBalance);
		const bad = await poor.post(path, { effect_scene: 'nonsense', input: { image: imageUrl } });
		expect(bad.json.code).toBe(1201);
		const reply = await poor.post(path, { effect_scene: 'squish', input: { image: imageUrl } });
		expect(reply.status).toBe(429);
		expect(reply.json).toMatchObject({ code: 1102, message: 'Account balance not enough' });
		expect(sandbox.charges).toEqual([]);
	});
});

describe('create', () => {
	const single = { effect_scene: 'color_mixing', input: { image: imageUrl } };

	test.each<[string, unknown, number]>([
		['no body', '', 1201],
		['broken JSON', '{"effect_scene": ', 1201],
		['no scene', { input: { image: imageUrl } }, 1200],
		['an empty scene', { ...single, effect_scene: '' }, 1201],
		['an unknown scene', { ...single, effect_scene: 'nonsense' }, 1201],
		['a withdrawn scene', { effect_scene: 'hug', input: { images: twoImages } }, 1201],
		["a reseller's scene", { ...single, effect_scene: 'face_warp' }, 1201],
		['no input', { effect_scene: 'color_mixing' }, 1200],
		['no image', { effect_scene: 'color_mixing', input: {} }, 1201],
		['two images for one', { effect_scene: 'color_mixing', input: { images: twoImages } }, 1201],
		['one image for two', { effect_scene: 'hug_pro', input: { image: imageUrl } }, 1201],
		[
			'three images',
			{ effect_scene: 'hug_pro', input: { images: [...twoImages, imageUrl] } },
			1201,
		],
		['image and images', { ...single, input: { image: imageUrl, images: twoImages } }, 1201],
		['a numeric duration', { ...single, input: { image: imageUrl, duration: 5 } }, 1201],
		['another duration', { ...single, input: { image: imageUrl, duration: '7' } }, 1201],
		['another mode', { ...single, input: { image: imageUrl, mode: 'best' } }, 1201],
		['a callback to nowhere', { ...single, callback_url: 'ftp://example.com' }, 1201],
		['a data: prefix', { ...single, input: { image: 'data:image/png;base64,AAAA' } }, 1201],
		['text for an image', { ...single, input: { image: 'Zm9v' } }, 1201],
		['no base64 at all', { ...single, input: { image: 'not base64!' } }, 1201],
	])('refuses %s', async (_name, body, code) => {
		const reply = await kling.post(path, body);
		expect([reply.status, reply.json.code]).toEqual([400, code]);
		expect(reply.json.message).not.toBe('');
		expect(reply.json).not.toHaveProperty('data');
		expect(sandbox.tasks).toEqual([]);
		expect(sandbox.charges).toEqual([]);
	});

	test('base64 images are judged by their bytes', async () => {
		const send = async (image: string) =>
			(await kling.post(path, { effect_scene: 'squish', input: { image } })).json.code;
		expect(await send(await picture(300, 300, 'png'))).toBe(0);
		expect(await send(await picture(750, 300, 'jpeg'))).toBe(0);
		expect(await send(await picture(299, 400, 'png'))).toBe(1201);
		expect(await send(await picture(751, 300, 'jpeg'))).toBe(1201);
		expect(await send(await picture(400, 400, 'webp'))).toBe(1201);
		expect(
			await kling.post(path, {
				effect_scene: 'squish',
				input: { image: Buffer.alloc(10 * 1024 * 1024 + 1).toString('base64') },
			}),
		).toMatchObject({ json: { code: 1201 } });
	});

	test('takes every documented option, and counts one charge', async () => {
		const input = { images: twoImages, duration: '10', mode: 'pro', model_name: 'kling-v1-6' };
		const reply = await kling.post(path, {
			effect_scene: 'hug_pro',
			input,
			callback_url: 'https://example.com/hook',
			external_task_id: 'order 1/ä',
		});
		expect(reply.json.data.task_info).toEqual({ external_task_id: 'order 1/ä' });
		expect(sandbox.charges).toEqual([
			{
				provider: 'kling',
				taskId: reply.json.data.task_id,
				images: ['https://example.com/a.jpg', 'https://example.com/b.jpg'],
				externalTaskId: 'order 1/ä',
				effectScene: 'hug_pro',
				at: sandbox.options.now(),
				keyName: 'main',
			},
		]);
	});

	test('an external task id works once per account', async () => {
		const body = { ...single, external_task_id: 'once' };
		await kling.post(path, body);
		const again = await kling.post(path, body);
		expect([again.status, again.json.code]).toEqual([400, 1201]);
		expect(again.json.message).toBe('External_task_id once already exists');
		expect(sandbox.charges).toHaveLength(1);
	});

	test('of many creates with one external task id at once, one is accepted', async () => {
		const body = { ...single, external_task_id: 'race' };
		const replies = await Promise.all(Array.from({ length: 20 }, () => kling.post(path, body)));
		expect(replies.filter(({ json }) => json.code === 0)).toHaveLength(1);
		expect(sandbox.charges).toHaveLength(1);
	});

	test('task ids are different although doubles cannot tell them apart', async () => {
		const ids = [await createTask(), await createTask()];
		expect(ids[0]).not.toBe(ids[1]);
		expect(BigInt(ids[0]) > 2n ** 53n).toBe(true);
		expect(Number(ids[0])).toBe(Number(ids[1]));
	});
});

describe('get', () => {
	test('a task goes from submitted over processing to its videos', async () => {
		sandbox.options.watermarkUrls = true;
		const id = await createTask();
		const read = async () => (await kling.get(`${path}/${id}`)).json.data;
		expect(await read()).toMatchObject({ task_status: 'submitted', task_status_msg: '' });
		expect(await read()).not.toHaveProperty('task_result');
		passSeconds(5);
		expect(await read()).toMatchObject({ task_status: 'processing', task_result: {} });
		passSeconds(5);
		const data = await read();
		expect(data).toMatchObject({
			task_status: 'succeed',
			watermark_info: { enabled: false },
			final_unit_deduction: '2',
			updated_at: data.created_at + 10_000,
			task_result: {
				videos: [
					{
						id: expect.any(String),
						url: expect.stringContaining('/files/kling/'),
						watermark_url: expect.stringContaining('watermark'),
						duration: '5',
					},
				],
			},
		});
		expect((await request(data.task_result.videos[0].url)).status).toBe(200);
	});

	test('a failed task answers with code 0 and tells its reason in task_status_msg', async () => {
		const reason = encodeURIComponent('Content risk');
		const id = await createTask({}, `https://example.com/fail.jpg?reason=${reason}`);
		passSeconds(10);
		const { json } = await kling.get(`${path}/${id}`);
		expect(json).toMatchObject({ code: 0, message: 'SUCCEED' });
		expect(json.data).toMatchObject({ task_status: 'failed', task_status_msg: 'Content risk' });
	});

	test('images that Kling cannot use make the task fail later', async () => {
		const images = [
			'https://example.com/unreachable.jpg',
			`${sandbox.url}/_sandbox/images/small.png`,
			`${sandbox.url}/_sandbox/images/wide.jpg`,
			`${sandbox.url}/_sandbox/images/portrait.jpg`,
		];
		for (const image of images) await createTask({}, image);
		passSeconds(10);
		expect(sandbox.tasks.map(({ status, message }) => [status, message])).toEqual([
			['failed', 'Failed to download the image'],
			['failed', 'Image pixel is invalid'],
			['failed', expect.stringContaining('ratio')],
			['succeed', ''],
		]);
	});

	test('URLs and options steer time, number of videos and failure', async () => {
		sandbox.options.failScenes = ['squish'];
		const slow = await createTask({}, `${imageUrl}?seconds=60&videos=2`);
		await createTask({ effect_scene: 'squish' });
		passSeconds(59);
		expect(sandbox.tasks.map(({ status }) => status)).toEqual(['processing', 'failed']);
		passSeconds(1);
		const { json } = await kling.get(`${path}/${slow}`);
		expect(json.data.task_result.videos).toHaveLength(2);
	});

	test('finds tasks by external id, decoded, once they have settled', async () => {
		sandbox.options.duplicateLookupDelayMs = 3000;
		const id = await createTask({ external_task_id: 'a/b c' });
		const find = async () => await kling.get(`${path}/${encodeURIComponent('a/b c')}`);
		const early = await find();
		expect([early.status, early.json.code]).toEqual([400, 1201]);
		expect(early.json.message).toBe('Task not found by id/external id: a/b c');
		passSeconds(3);
		expect((await find()).json.data.task_id).toBe(id);
	});

	test('does not show one region the tasks of the other', async () => {
		const id = await createTask();
		const headers = { authorization: `Bearer ${sandbox.keys.klingChina.main}` };
		const reply = await request(`${sandbox.baseUrl('kling', 'china')}${path}/${id}`, { headers });
		expect([reply.status, reply.json.code]).toEqual([400, 1201]);
	});
});

describe('list', () => {
	const idsOf = async (query: string) =>
		(await kling.get(`${path}?${query}`)).json.data.map((one: any) => one.task_id) as string[];
	const history = (count: number) =>
		Array.from({ length: count }, (_, index) => ({ taskId: `${index}`, createdAt: index }));

	test('pages through everything, 30 at a time unless told otherwise', async () => {
		sandbox.seedTasks('kling', history(70));
		expect(await idsOf('')).toHaveLength(30);
		const pages = [
			await idsOf('pageNum=1&pageSize=50'),
			await idsOf('pageNum=2&pageSize=50'),
			await idsOf('pageNum=3&pageSize=50'),
		];
		expect(pages.map((page) => page.length)).toEqual([50, 20, 0]);
		expect(pages.flat()).toEqual(
			history(70)
				.map((one) => one.taskId)
				.reverse(),
		);
		expect(sandbox.charges).toEqual([]);
	});

	test('can be in any order, which is the same for all pages', async () => {
		sandbox.seedTasks('kling', history(40));
		sandbox.options.listOrder = 'oldestFirst';
		expect((await idsOf('pageSize=3')).join()).toBe('0,1,2');
		sandbox.options.listOrder = 'random';
		const all = [
			...(await idsOf('pageSize=20&pageNum=1')),
			...(await idsOf('pageSize=20&pageNum=2')),
		];
		expect(new Set(all).size).toBe(40);
		expect(all).not.toEqual(history(40).map((one) => one.taskId));
	});

	test('is a bare array without a total or watermark_info', async () => {
		await createTask();
		const { json } = await kling.get(path);
		expect(Object.keys(json).sort()).toEqual(['code', 'data', 'message', 'request_id']);
		expect(json.data[0]).not.toHaveProperty('watermark_info');
	});

	test.each(['pageNum=0', 'pageNum=1001', 'pageSize=0', 'pageSize=501', 'pageSize=x', 'pageNum='])(
		'refuses %s',
		async (query) => {
			const reply = await kling.get(`${path}?${query}`);
			expect([reply.status, reply.json.code]).toEqual([400, 1201]);
		},
	);

	test('stays quick over 100,000 tasks', async () => {
		sandbox.seedTasks('kling', history(100_000));
		await idsOf('pageSize=1');
		const started = performance.now();
		for (let page = 1; page <= 20; page += 1) await idsOf(`pageNum=${page}&pageSize=30`);
		expect((performance.now() - started) / 20).toBeLessThan(500);
	});
});

describe('limits and account', () => {
	test('too many requests in a second are answered with 1302', async () => {
		sandbox.options.requestsPerSecond = 2;
		const codes = [];
		for (let index = 0; index < 3; index += 1) codes.push((await kling.get(path)).json.code);
		expect(codes).toEqual([0, 0, 1302]);
		passSeconds(1);
		expect((await kling.get(path)).json.code).toBe(0);
	});

	test('too many tasks at once are refused with 1303 until one ends', async () => {
		sandbox.options.parallelTasks = 1;
		const id = await createTask();
		const body = { effect_scene: 'squish', input: { image: imageUrl } };
		const refused = await kling.post(path, body);
		expect([refused.status, refused.json.code]).toEqual([429, 1303]);
		sandbox.finish(id, 'succeed');
		expect((await kling.post(path, body)).json.code).toBe(0);
		expect(sandbox.charges).toHaveLength(2);
	});

	test('account costs want both times, and not more than once a second', async () => {
		expect((await kling.get('/account/costs?start_time=1')).json.code).toBe(1200);
		const reply = await kling.get('/account/costs?start_time=1&end_time=2');
		expect(reply.json.data.resource_pack_subscribe_infos[0].status).toBe('online');
		expect((await kling.get('/account/costs?start_time=1&end_time=2')).json.code).toBe(1302);
	});

	test('anything else is 1202', async () => {
		const reply = await kling.get('/v1/videos/nonsense');
		expect([reply.status, reply.json.code]).toEqual([404, 1202]);
	});
});
