import { startSandbox, type Fault, type Sandbox } from '../../sandbox';
import { clientOf, create, creates, providerNames, request } from '../harness/sandboxClient';

let sandbox: Sandbox;

beforeEach(async () => {
	sandbox = await startSandbox();
});
afterEach(async () => await sandbox.close());

const tryCreate = async () => await create(sandbox, 'kling').catch(() => 'no answer');

describe('a lost connection', () => {
	test('before anything was processed leaves no task', async () => {
		sandbox.addFault({ kind: 'resetBefore' });
		expect(await tryCreate()).toBe('no answer');
		expect(sandbox.charges).toHaveLength(0);
		expect(sandbox.requests).toMatchObject([{ operation: 'create', status: 0 }]);
	});

	test('after everything was processed leaves a task that was paid for', async () => {
		sandbox.addFault({ kind: 'resetAfter' });
		expect(await tryCreate()).toBe('no answer');
		expect(sandbox.charges).toHaveLength(1);
		expect(sandbox.requests).toMatchObject([{ operation: 'create', status: 0 }]);
	});

	test('in the middle of the answer shows in its length', async () => {
		sandbox.addFault({ kind: 'truncated', accept: true });
		expect(await tryCreate()).toBe('no answer');
		expect(sandbox.charges).toHaveLength(1);
	});
});

describe('silence', () => {
	const impatient = async () => {
		const { path, body } = creates.kling;
		return await request(sandbox.baseUrl('kling') + path, {
			method: 'POST',
			headers: { authorization: `Bearer ${sandbox.keys.kling.main}` },
			body: JSON.stringify(body),
			signal: AbortSignal.timeout(150),
		}).catch((error: Error) => error.name);
	};

	test.each([
		[false, 0],
		[true, 1],
	])('with accept: %s leaves %s charges', async (accept, charges) => {
		sandbox.addFault({ kind: 'hang', accept });
		expect(await impatient()).toBe('TimeoutError');
		expect(sandbox.charges).toHaveLength(charges);
	});

	test('can make the task after the client gave up', async () => {
		sandbox.addFault({ kind: 'hang', accept: true, delayMs: 250 });
		expect(await impatient()).toBe('TimeoutError');
		expect(sandbox.charges).toHaveLength(0);
		await new Promise((resolve) => setTimeout(resolve, 200));
		expect(sandbox.charges).toHaveLength(1);
	});

	test('can end with an answer', async () => {
		sandbox.addFault({ kind: 'delay', delayMs: 100 });
		const started = performance.now();
		expect(await tryCreate()).toMatchObject({ status: 200 });
		expect(performance.now() - started).toBeGreaterThan(95);
	});

	test('of latency is added to every answer', async () => {
		sandbox.options.latencyMs = 100;
		const started = performance.now();
		await Promise.all(Array.from({ length: 20 }, tryCreate));
		const took = performance.now() - started;
		expect(took).toBeGreaterThan(95);
		expect(took).toBeLessThan(1000);
	});
});

describe('a wrong answer', () => {
	test('has the status, headers and body asked for, with or without a task', async () => {
		sandbox.addFault({
			kind: 'status',
			status: 504,
			body: '<h1>Gateway time-out</h1>',
			headers: { 'content-type': 'text/html' },
			accept: true,
			times: 1,
		});
		const lost = await tryCreate();
		expect(lost).toMatchObject({ status: 504, text: '<h1>Gateway time-out</h1>' });
		expect(sandbox.charges).toHaveLength(1);
		sandbox.addFault({ kind: 'status', status: 503, body: { a: 1 } });
		expect(await tryCreate()).toMatchObject({ status: 503, json: { a: 1 } });
		expect(sandbox.charges).toHaveLength(1);
	});

	test.each<[Fault, object]>([
		[{ kind: 'html' }, { status: 200, text: expect.stringMatching(/<html>/) }],
		[{ kind: 'html', status: 502 }, { status: 502 }],
		[{ kind: 'empty' }, { status: 200, text: '' }],
		[
			{ kind: 'malformedJson' },
			{ status: 200, json: undefined, text: expect.stringMatching(/^{/) },
		],
		[{ kind: 'unknownShape' }, { status: 200, json: expect.not.objectContaining({ code: 0 }) }],
	])('%j', async (fault, expected) => {
		sandbox.addFault(fault);
		expect(await tryCreate()).toMatchObject(expected);
		expect(sandbox.charges).toHaveLength(0);
		sandbox.clearFaults();
		sandbox.addFault({ ...fault, accept: true });
		expect(await tryCreate()).toMatchObject(expected);
		expect(sandbox.charges).toHaveLength(1);
	});

	test('sends the client elsewhere', async () => {
		sandbox.addFault({ kind: 'redirect', location: 'http://127.0.0.1:1/elsewhere' });
		const reply = await create(sandbox, 'kling');
		expect(reply.status).toBe(302);
		expect(reply.headers.get('location')).toBe('http://127.0.0.1:1/elsewhere');
	});

	test("is one of Kling's codes with its HTTP status", async () => {
		const expected = {
			1000: 401,
			1100: 429,
			1102: 429,
			1103: 403,
			1200: 400,
			1203: 404,
			1301: 400,
			1302: 429,
			1303: 429,
			1304: 429,
			5000: 500,
			5001: 503,
			5002: 504,
		};
		for (const [code, status] of Object.entries(expected)) {
			const remove = sandbox.addFault({ kind: 'code', code: Number(code) });
			expect(await tryCreate()).toMatchObject({ status, json: { code: Number(code) } });
			remove();
		}
	});

	test.each(providerNames)('is told by %s in its own way', async (provider) => {
		sandbox.addFault({ kind: 'code', code: 1302, message: 'Slow down' });
		const { status, text } = await create(sandbox, provider);
		expect(status).toBe(429);
		expect(text).toContain('Slow down');
		expect(sandbox.charges).toHaveLength(0);
	});

	test('can come with a task that was made', async () => {
		sandbox.addFault({ kind: 'code', code: 5002, accept: true });
		expect(await tryCreate()).toMatchObject({ status: 504, json: { code: 5002 } });
		expect(sandbox.charges).toHaveLength(1);
	});
});

describe('a fault', () => {
	const statusOf = async (provider: 'kling' | 'kkiai' = 'kling') =>
		(await create(sandbox, provider)).status;

	test('fires as often as it should, after as many as it should let pass', async () => {
		sandbox.addFault({ kind: 'status', status: 500, skip: 1, times: 2 });
		expect([await statusOf(), await statusOf(), await statusOf(), await statusOf()]).toEqual([
			200, 500, 500, 200,
		]);
	});

	test('fires by chance', async () => {
		const chances = [0.1, 0.9];
		const random = () => chances.shift() ?? 1;
		sandbox.addFault({ kind: 'status', status: 500, probability: 0.5, random });
		expect([await statusOf(), await statusOf()]).toEqual([500, 200]);
	});

	test('hits what it matches, and can be removed', async () => {
		const remove = sandbox.addFault({
			kind: 'status',
			status: 500,
			match: { provider: 'kling', method: 'post', operation: 'create', path: /^\/kling\/v1/g },
		});
		expect([await statusOf(), await statusOf(), await statusOf('kkiai')]).toEqual([500, 500, 200]);
		expect((await clientOf(sandbox, 'kling').get('/v1/videos/effects')).status).toBe(200);
		remove();
		expect(await statusOf()).toBe(200);
	});

	test('can match a page of a list by a path in words', async () => {
		sandbox.addFault({ kind: 'status', status: 500, match: { path: 'pageNum=2\\b' } });
		const kling = clientOf(sandbox, 'kling');
		expect((await kling.get('/v1/videos/effects?pageNum=1')).status).toBe(200);
		expect((await kling.get('/v1/videos/effects?pageNum=2')).status).toBe(500);
	});
});
