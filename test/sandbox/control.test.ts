import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { startSandbox, type Sandbox } from '../../sandbox';
import { clientOf, create, creates, providerNames, request, until } from '../harness/sandboxClient';

let sandbox: Sandbox;

beforeEach(async () => {
	sandbox = await startSandbox({ taskSeconds: 60 });
});
afterEach(async () => await sandbox.close());

const read = async (path: string) => (await request(`${sandbox.url}/_sandbox/${path}`)).json;
const post = async (path: string, body: unknown = {}) =>
	await request(`${sandbox.url}/_sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) });

test('the state counts tasks, charges and requests, and shows them on demand', async () => {
	await create(sandbox, 'kling');
	await create(sandbox, 'modellix');
	expect(await read('state')).toMatchObject({
		url: sandbox.url,
		tasks: { total: 2, byStatus: { submitted: 2 } },
		charges: { total: 2, byProvider: { kling: 1, modellix: 1 } },
		requests: { total: 2 },
	});
	const { full } = await read('state?full=1');
	expect(full.tasks[0]).toMatchObject({ provider: 'kling', status: 'submitted' });
	expect(full.charges).toHaveLength(2);
});

test('requests are shown with headers and body, controls left out', async () => {
	await create(sandbox, 'kling');
	await create(sandbox, 'kkiai');
	expect(await read('requests?provider=kling')).toEqual([
		expect.objectContaining({
			provider: 'kling',
			operation: 'create',
			method: 'POST',
			path: '/kling/v1/videos/effects',
			headers: expect.objectContaining({ authorization: `Bearer ${sandbox.keys.kling.main}` }),
			body: expect.objectContaining({ effect_scene: 'color_mixing' }),
			status: 200,
		}),
	]);
});

test('faults come and go', async () => {
	await post('faults', {
		kind: 'code',
		code: 1303,
		match: { provider: 'kling', path: 'videos/eff.*' },
	});
	expect((await create(sandbox, 'kling')).json.code).toBe(1303);
	await request(`${sandbox.url}/_sandbox/faults`, { method: 'DELETE' });
	expect((await create(sandbox, 'kling')).json.code).toBe(0);
	expect((await post('faults', { kind: 'nonsense' })).status).toBe(400);
});

test('options change while it runs, and limits can be lifted again', async () => {
	await post('options', { parallelTasks: 0, kkiaiShape: 'openai' });
	expect(sandbox.options).toMatchObject({ parallelTasks: 0, kkiaiShape: 'openai' });
	expect((await create(sandbox, 'kling')).status).toBe(429);
	await post('options', { parallelTasks: null });
	expect((await create(sandbox, 'kling')).status).toBe(200);
	expect((await post('options', { port: 1 })).status).toBe(400);
});

test('tasks can be put in, ended and forgotten', async () => {
	const tasks = [{ taskId: 'a' }, { taskId: 'b', status: 'processing' }];
	await post('seed', { provider: 'kling', tasks });
	expect(sandbox.tasks.map(({ status }) => status)).toEqual(['succeed', 'processing']);
	await post('finish', { taskId: 'b', status: 'failed', message: 'Enough' });
	expect(sandbox.tasks[1]).toMatchObject({ status: 'failed', message: 'Enough' });
	expect((await post('finish', { taskId: 'c', status: 'failed' })).status).toBe(400);
	expect(sandbox.charges).toEqual([]);
	await post('reset');
	expect([sandbox.tasks, sandbox.requests]).toEqual([[], []]);
});

test('tasks that are put in have the status and times they are given', () => {
	const now = sandbox.options.now();
	sandbox.seedTasks('kling', [
		{ createdAt: 1, updatedAt: 2 },
		{ createdAt: 3, updatedAt: 4, status: 'failed', message: 'No' },
		{ createdAt: 5, updatedAt: 6, status: 'processing' },
		{ createdAt: 7, status: 'submitted' },
		{ createdAt: 8, finishedAt: now + 60_000, status: 'processing' },
		{ createdAt: 9, updatedAt: now + 60_000, status: 'succeed' },
	]);
	const seen = sandbox.tasks.map(({ status, updatedAt }) => [status, updatedAt]);
	expect(seen.slice(0, 5)).toEqual([
		['succeed', 2],
		['failed', 4],
		['processing', 6],
		['submitted', 7],
		['processing', 8],
	]);
	expect(seen[5][0]).toBe('succeed');
	expect(sandbox.tasks[1].message).toBe('No');
});

test('large bodies are recorded shortened', async () => {
	const { path, body } = creates.modellix;
	const image = 'A'.repeat(200_000);
	await clientOf(sandbox, 'modellix').post(path, { ...body, image });
	expect(sandbox.requests[0].body).toEqual({
		...body,
		image: `${'A'.repeat(200)}… (200000 characters)`,
	});
});

test('100,000 tasks are put in at once', () => {
	const tasks = Array.from({ length: 100_000 }, () => ({ createdAt: Math.random() * 1e12 }));
	sandbox.seedTasks('kling', tasks);
	expect(new Set(sandbox.tasks.map(({ taskId }) => taskId)).size).toBe(100_000);
});

test('every credential works with its base URL', async () => {
	const credentials = await read('credentials');
	for (const provider of providerNames) expect(credentials[provider].provider).toBe(provider);
	const { baseUrl, apiKey } = credentials.klingChina;
	const headers = { authorization: `Bearer ${apiKey}` };
	expect((await request(`${baseUrl}/v1/videos/effects`, { headers })).json.code).toBe(0);
	expect(sandbox.accessKeyCredential()).toMatchObject({
		provider: 'kling',
		authentication: 'accessKey',
		...sandbox.keys.klingAccess.main,
	});
});

test('thousands of creates, 100 at a time, are each charged once', async () => {
	let left = 2000;
	const worker = async () => {
		while (left > 0) {
			left -= 1;
			await create(sandbox, 'kling');
		}
	};
	await Promise.all(Array.from({ length: 100 }, worker));
	expect(new Set(sandbox.charges.map(({ taskId }) => taskId)).size).toBe(2000);
}, 30_000);

test('unknown controls answer with those that exist', async () => {
	const reply = await request(`${sandbox.url}/_sandbox/nonsense`);
	expect(reply.status).toBe(404);
	expect(JSON.stringify(reply.json)).toContain('/_sandbox/state');
});

describe('the command line', () => {
	const run = (...flags: string[]) => {
		const root = join(__dirname, '..', '..');
		const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
		const child = spawn(process.execPath, [tsx, join(root, 'sandbox', 'cli.ts'), ...flags]);
		const output = { text: '' };
		child.stdout.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
		child.stderr.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
		const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
		return { child, output, ended };
	};

	test('shows what to paste into credentials, and ends cleanly', async () => {
		const { child, output, ended } = run('--port', '0', '--kkiai-shape', 'wrapper');
		try {
			await until(() => output.text.includes('Controls'), 'the table');
			const keys = sandbox.keys;
			for (const text of [
				keys.kling.main,
				keys.klingChina.main,
				keys.klingAccess.main.secretKey,
				keys.modellix.main,
				'/apimodels',
			]) {
				expect(output.text).toContain(text);
			}
		} finally {
			child.kill('SIGTERM');
		}
		expect(await ended).toBe(0);
	}, 15_000);

	test('says what is wrong with a flag', async () => {
		const { output, ended } = run('--latency-ms', 'soon');
		expect(await ended).toBe(1);
		expect(output.text).toMatch(/--latency-ms must be a number/);
	}, 15_000);
});
