import type { Sandbox, SandboxProvider } from '../../sandbox';
import { clientOf, create, creates, request, startStillSandbox } from '../harness/sandboxClient';

const imageUrl = 'https://example.com/a.jpg';
const twoImages = [imageUrl, 'https://example.com/b.jpg'];

let sandbox: Sandbox;
let passSeconds: (seconds: number) => void;
let client: (key?: string) => ReturnType<typeof clientOf>;

function use(provider: SandboxProvider) {
	beforeEach(async () => {
		({ sandbox, passSeconds } = await startStillSandbox());
		client = (key) => clientOf(sandbox, provider, key);
	});
	afterEach(async () => await sandbox.close());
}

describe('CometAPI', () => {
	use('cometApi');
	const { path, body } = creates.cometApi;

	test('wraps its own errors, the request id within the text', async () => {
		const reply = await client('nobody').get('/v1/models');
		expect(reply.status).toBe(401);
		expect(reply.json.error).toMatchObject({ type: 'comet_api_error', code: 'invalid_api_key' });
		expect(reply.json.error.message).toMatch(/\(request id: \w+\)$/);
	});

	test('wants a duration, as text, for one image and for two', async () => {
		const comet = client();
		const bodies = [
			{ effect_scene: 'squish', input: { image: imageUrl } },
			{ effect_scene: 'hug', input: { images: twoImages } },
			{ effect_scene: 'squish', input: { image: imageUrl, duration: 5 } },
		];
		for (const one of bodies) {
			const reply = await comet.post(path, one);
			expect(reply.json.error).toMatchObject({ type: 'comet_api_error', param: '' });
			// A missing field is a 500 with invalid_request there (docs/providers.md G6).
			const isMissing = reply.json.error.code === 'invalid_request';
			expect(reply.status).toBe(isMissing ? 500 : 400);
		}
		expect(sandbox.charges).toEqual([]);
	});

	test('shows tasks as Kling does, by their own id only', async () => {
		const comet = client();
		const created = await comet.post(path, { ...body, external_task_id: 'mine' });
		passSeconds(10);
		const reply = await comet.get(`${path}/${created.json.data.task_id}`);
		expect(reply.json).toMatchObject({
			code: 0,
			message: 'SUCCEED',
			request_id: expect.any(String),
			data: { task_status: 'succeed', task_info: { external_task_id: 'mine' } },
		});
		const unknown = await comet.get(`${path}/mine`);
		expect(unknown.status).toBe(400);
		expect(unknown.json.message).toBe('Task not found by id/external id: mine');
		sandbox.options.cometExternalIdLookup = true;
		expect((await comet.get(`${path}/mine`)).status).toBe(200);
	});

	test('takes an external id twice', async () => {
		const comet = client();
		for (let index = 0; index < 2; index += 1) {
			const reply = await comet.post(path, { ...body, external_task_id: 'mine' });
			expect(reply.json.code).toBe(0);
		}
	});

	test('has no list, and a web site where the prefix is missing', async () => {
		const comet = client();
		expect((await comet.get(path)).json.error.type).toBe('comet_api_error');
		expect((await comet.get('/videos/effects')).headers.get('content-type')).toMatch(/html/);
		expect((await comet.post('/videos/effects', body)).status).toBe(301);
	});

	test('refuses with 403 when the account is empty', async () => {
		const reply = await client(sandbox.keys.cometApi.noBalance).post(path, body);
		expect([reply.status, reply.json.error.code]).toEqual([403, 'insufficient_user_quota']);
	});
});

describe('KKIAI', () => {
	use('kkiai');
	const { path, body } = creates.kkiai;

	async function follow(image = imageUrl) {
		const kkiai = client();
		const created = await kkiai.post(path, { ...body, input: { image } });
		const data = created.json.data ?? created.json;
		const read = async () => (await kkiai.get(`${path}/${data.task_id ?? data.id}`)).json;
		const queued = await read();
		passSeconds(5);
		const running = await read();
		passSeconds(5);
		return { created: created.json, queued, running, ended: await read() };
	}

	test('passes Kling through', async () => {
		const { created, queued, ended } = await follow();
		expect(created).toMatchObject({ code: 0, data: { task_status: 'submitted' } });
		expect(queued.data.task_status).toBe('submitted');
		expect(ended.data).toMatchObject({ task_status: 'succeed', task_result: expect.anything() });
	});

	test('or wraps it', async () => {
		sandbox.options.kkiaiShape = 'wrapper';
		const { queued, running, ended } = await follow();
		expect(queued).toMatchObject({ code: 'success', data: { status: 'SUBMITTED' } });
		expect(running.data.status).toBe('IN_PROGRESS');
		expect(ended.data).toMatchObject({ status: 'SUCCESS', progress: '100%' });
		expect(ended.data.data.data.task_result.videos[0].url).toBe(ended.data.fail_reason);
		const failed = await follow('https://example.com/fail.jpg?reason=no');
		expect(failed.ended.data).toMatchObject({ status: 'FAILURE', fail_reason: 'no' });
	});

	test('or shows a video object', async () => {
		sandbox.options.kkiaiShape = 'openai';
		const { created, running, ended } = await follow();
		expect(created).toMatchObject({ object: 'video', status: 'queued' });
		expect(running.status).toBe('in_progress');
		expect(ended).toMatchObject({ status: 'completed', metadata: { url: expect.any(String) } });
		const failed = await follow('https://example.com/fail.jpg?reason=no');
		expect(failed.ended).toMatchObject({ status: 'failed', error: { message: 'no' } });
	});

	test('has two kinds of errors', async () => {
		const noKey = await client('nobody').get('/v1/models');
		expect([noKey.status, noKey.json.error.type]).toEqual([401, 'new_api_error']);
		const noTask = await client().get(`${path}/123`);
		expect(noTask.status).toBe(400);
		expect(noTask.json).toEqual({ code: 'task_not_exist', message: 'task_not_exist', data: null });
	});

	test('finds external ids only when told so', async () => {
		const kkiai = client();
		await kkiai.post(path, { ...body, external_task_id: 'mine' });
		expect((await kkiai.get(`${path}/mine`)).status).toBe(400);
		sandbox.options.kkiaiExternalIdLookup = true;
		expect((await kkiai.get(`${path}/mine`)).status).toBe(200);
	});

	test('tells a balance, and shows its web site elsewhere', async () => {
		const kkiai = client();
		expect((await kkiai.get('/api/usage/token/')).json.data.total_available).toBeGreaterThan(0);
		expect((await kkiai.get('/v1/models')).json.data[0].id).toBe('kling-effects');
		expect((await kkiai.get(path)).status).toBe(404);
		expect((await kkiai.get('/pricing')).text).toMatch(/<html>/);
	});
});

describe('Modellix', () => {
	use('modellix');
	const { path, body } = creates.modellix;

	test('goes from pending over processing to resources', async () => {
		const modellix = client();
		const { json } = await modellix.post(path, { ...body, duration: 10 });
		expect(json.data.get_result).toMatchObject({ method: 'GET', url: expect.any(String) });
		const read = async () => (await modellix.get(`/api/v1/tasks/${json.data.task_id}`)).json.data;
		expect((await read()).status).toBe('pending');
		passSeconds(5);
		expect((await read()).status).toBe('processing');
		passSeconds(5);
		expect(await read()).toMatchObject({
			status: 'success',
			result: { resources: [{ url: expect.stringContaining('/files/'), duration: 10 }] },
			result_expires_at: sandbox.options.now() + 7 * 86_400_000,
		});
	});

	test('tells why a task failed', async () => {
		const image = 'https://example.com/fail.jpg?reason=no';
		const { json } = await client().post(path, { ...body, image });
		passSeconds(10);
		const { data } = (await client().get(`/api/v1/tasks/${json.data.task_id}`)).json;
		expect(data).toMatchObject({ status: 'failed', error: 'no' });
	});

	test('has one create path at a time', async () => {
		const paths = {
			newest: path,
			middle: `${path}/async`,
			oldest: '/api/v1/image-to-video/kling/kling-video-effects/async',
		};
		for (const generation of ['newest', 'middle', 'oldest'] as const) {
			sandbox.options.modellixPath = generation;
			for (const [other, otherPath] of Object.entries(paths)) {
				const reply = await client().post(otherPath, body);
				expect(reply.status).toBe(other === generation ? 200 : 404);
			}
		}
		expect(sandbox.charges).toHaveLength(3);
	});

	test.each<[string, Record<string, unknown>]>([
		['a duration as text', { ...body, duration: '5' }],
		['another duration', { ...body, duration: 7 }],
		['a nested body', { effect_scene: 'pet_lion_pro', input: { image: imageUrl } }],
		['image and images', { ...body, images: twoImages }],
		['one image for two', { ...body, effect_scene: 'hug_pro' }],
		['an unknown scene', { ...body, effect_scene: 'nonsense' }],
		['a data: prefix', { ...body, image: 'data:image/png;base64,AAAA' }],
	])('refuses %s', async (_name, bad) => {
		const reply = await client().post(path, bad);
		expect(reply.status).toBe(400);
		expect(reply.json).toEqual({ code: 400, message: expect.stringMatching(/^[A-Z][a-z ]+: ./) });
		expect(sandbox.charges).toEqual([]);
	});

	test('answers 200 for a key that is none, and only the body says so', async () => {
		const check = async (key?: string) => await client(key).get('/api/v1/apikey/validate');
		expect((await check()).json.data.is_valid).toBe(true);
		const bad = await check('nobody');
		expect([bad.status, bad.json]).toEqual([
			200,
			{ code: 0, message: 'success', data: { is_valid: false } },
		]);
	});

	test('wants credits, and tells the balance', async () => {
		const poor = client(sandbox.keys.modellix.noBalance);
		expect((await poor.post(path, body)).json.code).toBe(402);
		expect((await poor.get('/api/v1/team/balance')).json.data.balance).toBe(0);
		expect((await client('nobody').post(path, body)).json.code).toBe(401);
	});

	test('its 429 tells when to come back', async () => {
		sandbox.options.requestsPerSecond = 0;
		const reply = await client().get('/api/v1/tasks/x');
		expect(reply.status).toBe(429);
		expect(reply.headers.get('retry-after')).toBe('1');
		expect(Number(reply.headers.get('x-ratelimit-reset'))).toBe(sandbox.options.now() / 1000 + 1);
	});
});

describe('APIModels', () => {
	use('apiModels');
	const { path, body } = creates.apiModels;

	test('goes from pending over processing to result URLs', async () => {
		const api = client();
		const { taskId } = (await api.post(path, body)).json.data;
		const read = async () => (await api.get(`${path}?task_id=${taskId}`)).json;
		expect(await read()).toMatchObject({ code: 200, data: { state: 'pending', taskId } });
		passSeconds(5);
		expect((await read()).data.state).toBe('processing');
		passSeconds(5);
		expect((await read()).data).toEqual({
			taskId,
			state: 'completed',
			model: 'kling-video/kling-effects',
			resultUrls: [expect.stringContaining('/files/apiModels/')],
			createTime: sandbox.options.now() - 10_000,
			completeTime: sandbox.options.now(),
		});
	});

	test('tells why a task failed, in the shape of its page', async () => {
		const input = { image: 'https://example.com/fail.jpg?reason=no' };
		const { taskId } = (await client().post(path, { ...body, input })).json.data;
		passSeconds(10);
		expect((await client().get(`${path}?task_id=${taskId}`)).json.data).toEqual({
			taskId,
			state: 'failed',
			model: 'kling-video/kling-effects',
			failMsg: 'no',
			failCode: 'CONTENT_MODERATION',
		});
	});

	test('has its own statuses for what is wrong', async () => {
		const api = client();
		const cases = [
			[await client('nobody').get('/api/v1/balance'), 401],
			[await client(sandbox.keys.apiModels.noBalance).post(path, body), 402],
			[await api.post(path, { ...body, model: 'other' }), 400],
			[await api.get(path), 400],
			[await api.get(`${path}?task_id=x`), 404],
			[await api.get('/api/v1/nonsense'), 404],
		] as const;
		for (const [reply, status] of cases) {
			expect(reply.status).toBe(status);
			expect(reply.json).toEqual({ code: status, msg: expect.any(String) });
		}
	});

	test('tells the balance', async () => {
		expect((await client().get('/api/v1/balance')).json).toMatchObject({
			code: 200,
			data: { balance: 100, currency: 'USD' },
		});
	});
});

describe('every provider', () => {
	use('kling');

	test.each(['kling', 'cometApi', 'kkiai', 'modellix', 'apiModels'] as const)(
		'%s counts a charge for what it accepts and nothing for what it refuses',
		async (provider) => {
			expect((await create(sandbox, provider)).status).toBe(200);
			sandbox.options.parallelTasks = 1;
			expect((await create(sandbox, provider)).status).toBe(429);
			expect(sandbox.charges).toMatchObject([{ provider, keyName: 'main' }]);
		},
	);

	test.each(['kling', 'cometApi', 'kkiai', 'modellix', 'apiModels'] as const)(
		'%s refuses a key that belongs to another provider',
		async (provider) => {
			const other = provider === 'kling' ? 'kkiai' : 'kling';
			const { path, body } = creates[provider];
			const reply = await clientOf(sandbox, provider, sandbox.keys[other].main).post(path, body);
			expect(reply.status).toBe(401);
		},
	);

	test('a path of no provider is told apart from a refusal', async () => {
		expect((await request(`${sandbox.url}/klinger/v1`)).status).toBe(404);
	});
});
