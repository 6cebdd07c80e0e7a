import { request as httpRequest } from 'node:http';

import { startSandbox, type Sandbox } from '../../sandbox';
import type { Provider } from '../../sandbox/providers/provider';
import { answer } from '../../sandbox/wire';
import {
	clientOf,
	create,
	request,
	startReceiver,
	startStillSandbox,
	until,
} from '../harness/sandboxClient';

const effects = '/v1/videos/effects';

let sandbox: Sandbox;
let passSeconds: (seconds: number) => void;
let kling: ReturnType<typeof clientOf>;

beforeEach(async () => {
	({ sandbox, passSeconds } = await startStillSandbox());
	kling = clientOf(sandbox, 'kling');
});
afterEach(async () => await sandbox.close());

const listed = async (query = '') =>
	(await kling.get(`${effects}?${query}`)).json.data.map((one: any) => one.task_id) as string[];
const history = (count: number) =>
	Array.from({ length: count }, (_, index) => ({ taskId: `${index}`, createdAt: index }));

describe("Kling's list can be less than documented", () => {
	test('its pages can be smaller, and a larger size cut without a word', async () => {
		sandbox.seedTasks('kling', history(5));
		sandbox.options.largestPage = 2;
		expect((await kling.get(`${effects}?pageSize=3`)).json.code).toBe(1201);
		sandbox.options.largerPages = 'cut';
		expect(await listed('pageSize=500&pageNum=1')).toEqual(['4', '3']);
		expect(await listed('pageSize=500&pageNum=2')).toEqual(['2', '1']);
	});

	test('it can have a last page', async () => {
		sandbox.options.lastPage = 2;
		expect((await kling.get(`${effects}?pageNum=3`)).json.code).toBe(1201);
	});

	test('it can show its first page for every page asked for', async () => {
		sandbox.seedTasks('kling', history(5));
		sandbox.options.listIgnoresPageNum = true;
		expect(await listed('pageSize=2&pageNum=2')).toEqual(['4', '3']);
	});

	test('it can show new tasks late, while a get finds them at once', async () => {
		sandbox.options.listDelayMs = 3000;
		const { json } = await create(sandbox, 'kling');
		expect(await listed()).toEqual([]);
		expect((await kling.get(`${effects}/${json.data.task_id}`)).status).toBe(200);
		passSeconds(3);
		expect(await listed()).toEqual([json.data.task_id]);
	});

	test('a share of its pages can fail', async () => {
		let turn = 0;
		sandbox.addFault({
			kind: 'status',
			status: 500,
			match: { operation: 'list' },
			probability: 0.5,
			random: () => (turn++ % 2 === 0 ? 0 : 0.9),
		});
		const statuses = [];
		for (let index = 0; index < 4; index += 1) statuses.push((await kling.get(effects)).status);
		expect(statuses).toEqual([500, 200, 500, 200]);
	});
});

describe('answers can be odd', () => {
	test('servers behind one address can have clocks of their own', async () => {
		sandbox.options.dateSkewsMs = [0, -60_000];
		const dates = [];
		for (let index = 0; index < 3; index += 1) {
			const { headers } = await kling.get(effects);
			dates.push(Date.parse(headers.get('date') ?? '') - sandbox.options.now());
		}
		expect(dates).toEqual([0, -60_000, 0]);
	});

	test('ids can be JSON numbers', async () => {
		sandbox.options.numericIds = true;
		const { text } = await create(sandbox, 'kling');
		expect(text).toMatch(/"task_id":\d{18},/);
		expect(text).toContain(`"task_id":${sandbox.tasks[0].taskId},`);
	});

	test.each(['cometApi', 'kkiai'] as const)(
		"%s can show Kling's id of a task, under which it finds none",
		async (provider) => {
			sandbox.options.gatewaysShowKlingsId = true;
			const gateway = clientOf(sandbox, provider);
			const own = (await create(sandbox, provider)).json.data.task_id as string;
			const shown = (await gateway.get(`/kling${effects}/${own}`)).json.data.task_id as string;
			expect(shown).not.toBe(own);
			expect(shown).toMatch(/^\d{18}$/);
			expect((await gateway.get(`/kling${effects}/${shown}`)).status).toBe(400);
		},
	);
});

describe('callbacks can be odd', () => {
	const createFor = async (url: string) => {
		const body = { effect_scene: 'color_mixing', input: { image: 'https://example.com/a.jpg' } };
		return (await kling.post(effects, { ...body, callback_url: url })).json.data.task_id as string;
	};

	test('one can tell of an end that a get does not show yet', async () => {
		const receiver = await startReceiver();
		sandbox.options.stateLagMs = 2000;
		const id = await createFor(receiver.url);
		passSeconds(10);
		await until(() => receiver.received.length > 0, 'a callback');
		expect(receiver.received.at(-1)?.json.task_status).toBe('succeed');
		const state = async () => (await kling.get(`${effects}/${id}`)).json.data.task_status;
		expect(await state()).toBe('processing');
		expect((await kling.get(effects)).json.data[0].task_status).toBe('processing');
		passSeconds(2);
		expect(await state()).toBe('succeed');
		await receiver.close();
	});

	test('one that was taken can come again', async () => {
		const receiver = await startReceiver();
		sandbox.options.callbackRepeatsMs = [5, 5];
		await createFor(receiver.url);
		passSeconds(10);
		await until(() => receiver.received.length === 3, 'two repetitions');
		expect(new Set(receiver.received.map(({ text }) => text)).size).toBe(1);
		await receiver.close();
	});
});

describe('strangers', () => {
	/** A request under any Host, which fetch does not allow. */
	const statusFor = async (headers: Record<string, string>, path = '/_sandbox/state') =>
		await new Promise<number | undefined>((resolve, reject) => {
			const { port } = new URL(sandbox.url);
			const asked = httpRequest({ host: '127.0.0.1', port, path, headers }, (response) => {
				response.resume();
				resolve(response.statusCode);
			});
			asked.on('error', reject).end();
		});

	test('a page whose name points to this machine cannot reach it', async () => {
		expect(await statusFor({ host: 'attacker.example' })).toBe(403);
		expect(await statusFor({ host: 'localhost.attacker.example:80' }, '/kling/v1')).toBe(403);
		expect(await statusFor({ host: 'localhost:4010' })).toBe(200);
		expect(await statusFor({ host: '127.0.0.1' })).toBe(200);
		expect(await statusFor({ host: '[::1]:1' })).toBe(200);
	});

	test('a page of another origin cannot steer it', async () => {
		const headers = { origin: 'https://attacker.example' };
		const reset = async (from: Record<string, string>) =>
			(await request(`${sandbox.url}/_sandbox/reset`, { method: 'POST', headers: from })).status;
		expect(await reset(headers)).toBe(403);
		expect(await reset({ origin: 'null' })).toBe(403);
		expect(await reset({ origin: 'http://localhost:5678' })).toBe(200);
	});
});

test('a provider from outside is one among the others', async () => {
	const sixth: Provider = {
		name: 'sixth',
		displayName: 'Sixth',
		mounts: [
			{
				prefix: '/sixth',
				region: 'global',
				keys: { main: 'sixth-key', noBalance: 'sixth-poor', noRights: 'sixth-barred' },
			},
		],
		routes: [
			{
				method: 'POST',
				path: /^\/jobs$/,
				operation: 'create',
				answer: (call, context) => {
					const task = context.accept(call, {
						externalTaskId: null,
						effectScene: 'squish',
						callbackUrl: null,
						failure: null,
						params: null,
					});
					return answer(201, { job: task.taskId });
				},
			},
		],
		authenticate: (call) => ({ keyName: 'main', region: call.region }),
		refuse: (code) => answer(400, { code }),
		unknownRoute: () => answer(404, {}),
		newTaskId: () => 'job-1',
	};
	const own = await startSandbox({ extraProviders: [sixth] });
	const credential = own.credential('sixth');
	expect(credential).toMatchObject({ provider: 'sixth', apiKey: 'sixth-key' });
	const reply = await request(`${credential.baseUrl}/jobs`, { method: 'POST' });
	expect([reply.status, reply.json]).toEqual([201, { job: 'job-1' }]);
	expect(own.charges).toMatchObject([{ provider: 'sixth', taskId: 'job-1' }]);
	expect(own.providers.map(({ name }) => name)).toContain('sixth');
	expect(own.options).not.toHaveProperty('extraProviders');
	const credentials = (await request(`${own.url}/_sandbox/credentials`)).json;
	expect(credentials.sixth).toEqual(credential);
	await own.close();
});

describe('what else was seen', () => {
	test.each([
		['array', []],
		['null', null],
		['absent', undefined],
	] as const)('a list of nothing can be: %s', async (emptyList, data) => {
		sandbox.options.emptyList = emptyList;
		const { json } = await kling.get(effects);
		expect(json.code).toBe(0);
		expect(json.data).toEqual(data);
		expect('data' in json).toBe(emptyList !== 'absent');
	});

	test('units are deducted when a task completes, none for one that failed', async () => {
		const left = async () => {
			passSeconds(1);
			const { json } = await kling.get('/account/costs?start_time=1&end_time=2');
			return json.data.resource_pack_subscribe_infos[0].remaining_quantity as number;
		};
		const { json } = await create(sandbox, 'kling');
		await create(sandbox, 'kling');
		expect(sandbox.charges).toHaveLength(2);
		expect(await left()).toBe(100_000);
		sandbox.finish(sandbox.tasks[1].taskId, 'failed');
		expect(await left()).toBe(100_000);
		passSeconds(10);
		expect(await left()).toBe(100_000 - 2);
		const task = (await kling.get(`${effects}/${json.data.task_id}`)).json.data;
		expect(task.final_unit_deduction).toBe('2');
	});

	test('KKIAI can show the short task object of its family', async () => {
		sandbox.options.kkiaiShape = 'short';
		const { json } = await create(sandbox, 'kkiai');
		expect(json).toMatchObject({ code: 'success', data: { status: 'queued', url: '' } });
		const found = async () =>
			(await clientOf(sandbox, 'kkiai').get(`/kling${effects}/${json.data.task_id}`)).json.data;
		passSeconds(10);
		expect(await found()).toMatchObject({ status: 'succeeded', error: null });
		sandbox.finish(json.data.task_id, 'failed');
		expect(await found()).toMatchObject({ status: 'failed', error: { code: 'task_failed' } });
	});

	test("CometAPI's own ids have 19 digits", async () => {
		const { json } = await create(sandbox, 'cometApi');
		expect(json.data.task_id).toMatch(/^2\d{18}$/);
	});
});
