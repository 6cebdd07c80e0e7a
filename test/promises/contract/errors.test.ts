import jwt from 'jsonwebtoken';
import { rows, type ProviderRow } from './providers';
import { ActiveTrigger } from '../../harness/activeTrigger';
import { Workbench, byId, single } from '../../harness/workbench';

const bench = Workbench.prepare();
const [kling] = rows;
const signed = rows[1];

const requestId = /request id [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

const keyRefused = 'Kling AI did not accept the key';
const noCredit = 'The Kling AI account has no credit left';
/** “Not found” does not prove that nothing was paid, so it is never reported as a plain refusal. */
const unclear = /^Kling AI may have created the task/;

/**
 * Kling's table (docs/providers.md 1.7): what the user reads, and how often a create is sent in a minute:
 * exactly, or within bounds if admission sets the pace.
 */
const table: Array<
	[
		code: number,
		httpCode: string,
		message: string | RegExp,
		advice: RegExp,
		posts: number | [least: number, most: number],
	]
> = [
	[1000, '401', keyRefused, /^Check the key in the credential/, 1],
	[1001, '401', keyRefused, /^Enter the key in the credential/, 1],
	[1002, '401', keyRefused, /try the other Region/, 1],
	[1003, '401', keyRefused, /clock of the machine that runs n8n seems to be ahead/, 2],
	[1004, '401', keyRefused, /clock of the machine that runs n8n seems to be behind/, 2],
	[1100, '429', 'Kling AI has blocked this account', /Kling AI console/, 1],
	[1101, '429', noCredit, /arrears. Top it up/, 1],
	[1102, '429', noCredit, /resource pack is used up.*Buy a new one/, 1],
	[1103, '403', 'Kling AI does not allow this account to do that', /Ask for access/, 1],
	[
		1200,
		'400',
		'Kling AI did not accept the request: Invalid request parameters',
		/Fix what the message describes/,
		1,
	],
	[
		1201,
		'400',
		'Kling AI did not accept the request: Invalid parameters',
		/Nothing was charged/,
		1,
	],
	[
		1202,
		'404',
		'Kling AI did not accept the request: The requested method is invalid',
		/Fix what the message describes/,
		1,
	],
	[
		1203,
		'404',
		'Kling AI does not offer this scene or model: The requested resource does not exist',
		/Check Effect Scene, Model Name under Options, and Base URL/,
		1,
	],
	[
		1300,
		'400',
		'Kling AI refused the image for its content: Trigger the strategy of the platform',
		/Use another image or effect scene/,
		1,
	],
	[
		1301,
		'400',
		'Kling AI refused the image for its content: Trigger the content security policy of the platform',
		/Use another image or effect scene/,
		1,
	],
	[1302, '429', 'Kling AI is receiving too many requests', /lower Concurrency/, [3, 10]],
	[
		1303,
		'429',
		'The Kling AI account is at its parallel-task limit',
		/Run this again when a task has finished/,
		[10, 40],
	],
	[1304, '429', 'Kling AI has blocked this account', /IP allow-list/, 1],
	[5000, '500', unclear, /says “Server internal error”/, 3],
	[5001, '503', unclear, /says “Server temporarily unavailable”/, 3],
	[5002, '504', unclear, /says “Server internal timeout”/, 3],
];

const create = async (row: ProviderRow = kling, parameters: Record<string, unknown> = {}) =>
	await bench.create(row, { options: { timeout: 1 }, ...parameters });

describe("each code of Kling's table on a Create", () => {
	test.each(table)(
		'%i is shown with HTTP %s as “%s”, with what to do',
		async (code, httpCode, message, advice, posts) => {
			bench.sandbox.addFault({ kind: 'code', code, match: { operation: 'create' } });
			const { error, items } = await create();
			expect(items).toEqual([]);
			if (typeof message === 'string') expect(error?.message).toBe(message);
			else expect(error?.message).toMatch(message);
			expect(error?.httpCode).toBe(httpCode);
			expect(error?.description).toMatch(advice);
			expect(error?.description).toContain(`code ${code}, HTTP ${httpCode}`);
			expect(error?.description).toMatch(requestId);
			const [least, most] = typeof posts === 'number' ? [posts, posts] : posts;
			expect(bench.posts().length).toBeGreaterThanOrEqual(least);
			expect(bench.posts().length).toBeLessThanOrEqual(most);
			expect(bench.sandbox.charges).toEqual([]);
		},
	);

	test.each(table)('%i is an item with code and request id on Continue', async (code, httpCode) => {
		bench.sandbox.addFault({ kind: 'code', code, match: { operation: 'create' } });
		const settings = { onError: 'continueRegularOutput' as const };
		const { json, error } = await bench.create(kling, { options: { timeout: 1 } }, { settings });
		expect(error).toBeUndefined();
		expect(json[0].details).toEqual({
			taskId: null,
			// By this id, a task that may exist can be looked up.
			externalTaskId: code < 5000 ? null : expect.stringMatching(/^n8n-/),
			code: String(code),
			httpCode: Number(httpCode),
			requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
		});
	});

	test('every code of the table is in this test', () => {
		const codes = table.map(([code]) => code);
		const documented = [
			...[1000, 1001, 1002, 1003, 1004, 1100, 1101, 1102, 1103, 1200, 1201, 1202, 1203],
			...[1300, 1301, 1302, 1303, 1304, 5000, 5001, 5002],
		];
		expect(codes).toEqual(documented);
	});
});

describe('what is sent again', () => {
	const fault = (code: number, times: number, accept = false) =>
		bench.sandbox.addFault({ kind: 'code', code, times, accept, match: { operation: 'create' } });

	test('1302: after 1 s, then twice as long each time, half of it left to chance', async () => {
		fault(1302, 4);
		const { error } = await create();
		expect(error).toBeUndefined();
		expect(bench.posts().length).toBe(5);
		expect(bench.sandbox.charges).toHaveLength(1);
		// Random values are in the middle: three quarters of 1, 2, 4 and 8 s.
		expect(bench.clock.sleeps).toEqual([750, 1500, 3000, 6000]);
	});

	test("1302: the provider's Retry-After comes first, up to a minute", async () => {
		const match = { operation: 'create' as const };
		const hint = (seconds: string) => ({ 'retry-after': seconds });
		bench.sandbox.addFault({ kind: 'code', code: 1302, times: 1, headers: hint('7'), match });
		bench.sandbox.addFault({ kind: 'code', code: 1302, times: 1, headers: hint('9999'), match });
		const { error } = await create(kling, { options: { timeout: 30 } });
		expect(error).toBeUndefined();
		const [first, second, ...others] = bench.clock.sleeps;
		expect(others).toEqual([]);
		// Never sooner than the provider asks, and not much later.
		expect(first / 7_000).toBeGreaterThanOrEqual(1);
		expect(first / 7_000).toBeLessThanOrEqual(1.1);
		expect(second / 60_000).toBeGreaterThanOrEqual(1);
		expect(second / 60_000).toBeLessThanOrEqual(1.1);
		expect(bench.sandbox.charges).toHaveLength(1);
	});

	test('1303: until a slot is free, at intervals that grow with the time waited', async () => {
		fault(1303, 5);
		const { error } = await create();
		expect(error).toBeUndefined();
		expect(bench.posts().length).toBe(6);
		expect(bench.sandbox.charges).toHaveLength(1);
		const { sleeps } = bench.clock;
		expect(sleeps).toHaveLength(5);
		expect(sleeps[0]).toBeGreaterThanOrEqual(500);
		expect([...sleeps].sort((a, b) => a - b)).toEqual(sleeps);
	});

	test.each([1100, 1101, 1102, 1304])(
		'%i comes as HTTP 429 and is never sent again, not even with a Retry-After',
		async (code) => {
			const headers = { 'retry-after': '1' };
			bench.sandbox.addFault({ kind: 'code', code, headers, match: { operation: 'create' } });
			await create();
			expect(bench.posts().map(({ status }) => status)).toEqual([429]);
			expect(bench.clock.sleeps).toEqual([]);
		},
	);

	test.each([5000, 5001, 5002])(
		'%i after the task was made: it is found by its external id, and charged once',
		async (code) => {
			fault(code, 1, true);
			const { json, error } = await create();
			expect(error).toBeUndefined();
			expect(json[0].taskId).toBe(bench.sandbox.tasks[0].taskId);
			expect(bench.posts()).toHaveLength(1);
			expect(bench.sandbox.charges).toHaveLength(1);
		},
	);

	test.each([5000, 5001, 5002])(
		'%i before a task was made: looked up three times, then sent again',
		async (code) => {
			fault(code, 1);
			const { error } = await create();
			expect(error).toBeUndefined();
			expect(bench.requests('get').map(({ status }) => status)).toEqual([400, 400, 400]);
			expect(bench.posts().length).toBe(2);
			expect(bench.sandbox.charges).toHaveLength(1);
		},
	);

	test('an answer without a code: the HTTP status decides, and 500 is not sent blindly again', async () => {
		const body = { detail: 'oops' };
		const match = { operation: 'create' as const };
		bench.sandbox.addFault({ kind: 'status', status: 500, body, accept: true, times: 1, match });
		const { json } = await create();
		expect(json[0].taskId).toBe(bench.sandbox.tasks[0].taskId);
		expect(bench.posts()).toHaveLength(1);
	});
});

describe('a clock that is wrong', () => {
	const claimsOf = (header: string | undefined) =>
		jwt.decode(String(header).replace('Bearer ', '')) as Record<string, number>;

	test.each([
		['ahead by an hour (1003)', -3_600_000, 1003],
		['behind by an hour (1004)', 3_600_000, 1004],
	])('%s is fixed: signed once more, with the provider’s time', async (_name, skew, code) => {
		const { sandbox, clock } = bench;
		sandbox.options.now = () => clock.now() + skew;
		const { error, json } = await create(signed);
		expect(error).toBeUndefined();
		expect(json[0].taskId).toBe(sandbox.tasks[0].taskId);
		expect(sandbox.charges).toHaveLength(1);
		const [first, second, ...others] = bench.posts();
		expect(others).toEqual([]);
		expect([first.status, second.status]).toEqual([401, 200]);
		const theirs = Math.floor(sandbox.options.now() / 1000);
		expect(claimsOf(second.headers.authorization)).toEqual({
			iss: sandbox.keys.klingAccess.main.accessKey,
			exp: theirs + 1800,
			nbf: theirs - 60,
		});
		expect(code).toBeGreaterThan(1002);
		expect(JSON.stringify(bench.posts())).not.toContain('provider-time');
	});

	test('a clock that is ahead by less than a minute needs no fix', async () => {
		const { sandbox, clock } = bench;
		sandbox.options.now = () => clock.now() - 50_000;
		const { error } = await create(signed);
		expect(error).toBeUndefined();
		expect(bench.posts()).toHaveLength(1);
	});

	test('1003 after the second signature is reported, with no third try', async () => {
		bench.sandbox.addFault({ kind: 'code', code: 1003, match: { provider: 'kling' } });
		const { error } = await create(signed);
		expect(error?.message).toBe(keyRefused);
		expect(bench.posts().length).toBe(2);
	});
});

describe("states of a real Kling account's key", () => {
	test.each([
		['that was never issued', { apiKey: 'sk-nobody' }, keyRefused, 'code 1002'],
		['without the right to effects', 'noRights', /does not allow this account/, 'code 1103'],
		['whose resource pack is used up', 'noBalance', noCredit, 'code 1102'],
	] as const)('a key %s', async (_name, state, message, code) => {
		const changes =
			typeof state === 'string' ? { apiKey: bench.sandbox.keys.kling[state] } : { ...state };
		const credential = { ...bench.credential(kling), ...changes };
		const { error } = await bench.create(kling, {}, { credential });
		expect(error?.message).toMatch(message);
		expect(error?.description).toContain(code);
		expect(bench.posts()).toHaveLength(1);
		expect(bench.sandbox.charges).toEqual([]);
	});

	test('a key from the China console on the global host, and what to do about it', async () => {
		const apiKey = bench.sandbox.keys.klingChina.main;
		const credential = { ...bench.credential(kling), apiKey };
		const { error } = await bench.create(kling, {}, { credential });
		expect(error?.message).toBe(keyRefused);
		expect(error?.description).toContain('try the other Region');
	});

	test('a wrong secret key is refused and not sent anywhere', async () => {
		const credential = { ...bench.credential(signed), secretKey: 'not-the-secret' };
		const { error } = await bench.create(signed, {}, { credential });
		expect(error?.message).toBe(keyRefused);
		expect(JSON.stringify(bench.sandbox.requests)).not.toContain('not-the-secret');
	});

	test('a refused key ends the run: what was not sent yet is not sent', async () => {
		const credential = { ...bench.credential(kling), apiKey: 'sk-nobody' };
		const items = Array.from({ length: 30 }, () => ({ json: {} }));
		const settings = { onError: 'continueRegularOutput' as const };
		const parameters = { options: { concurrency: 1 } };
		const { json } = await bench.create(kling, parameters, { credential, items, settings });
		expect(bench.posts()).toHaveLength(1);
		expect(json).toHaveLength(30);
		expect(json[29].error).toBe(`This item was not sent: ${keyRefused}`);
	});
});

describe("each code of Kling's table on a Get", () => {
	const passing = new Set([1302, 1303, 5000, 5001, 5002]);

	test.each(table.map(([code, httpCode]) => [code, httpCode] as const))(
		'%i is reported with its HTTP %s, and retried only if it may be temporary',
		async (code, httpCode) => {
			bench.sandbox.addFault({ kind: 'code', code, match: { operation: 'get' } });
			const { error } = await bench.run(kling, { operation: 'get', taskId: byId('1') });
			const times = passing.has(code) ? 4 : code === 1003 || code === 1004 ? 2 : 1;
			expect(bench.requests('get').length).toBe(times);
			expect(error?.httpCode).toBe(httpCode);
			expect(error?.description).toContain(`code ${code}`);
			expect(error?.description).toMatch(requestId);
		},
	);

	test.each([1302, 5000, 5001, 5002])('%i during a wait does not end the wait', async (code) => {
		const match = { operation: 'get' as const };
		bench.sandbox.addFault({ kind: 'code', code, times: 3, match });
		const { json, error } = await bench.create(kling, { waitForCompletion: true });
		expect(error).toBeUndefined();
		expect(json[0].status).toBe('succeed');
	});

	test('its reason is given, though Kling says SUCCEED, when a task has failed', async () => {
		const parameters = {
			...single,
			image: 'https://example.com/fail.jpg?reason=No%20face%20found',
		};
		const { error } = await bench.run(kling, { ...parameters, waitForCompletion: true });
		expect(error?.message).toContain('No face found');
		expect(`${error?.message} ${error?.description}`).not.toContain('SUCCEED');
	});
});

const row = (name: string) => rows.find(({ provider }) => provider === name)!;
/** Fields that only Create has. */
const ofCreate = /Concurrency|Effect Scene|Model Name|scene or model/;

const tooFast = { kind: 'status', status: 429, body: { code: 1302, message: 'too fast' } } as const;
const wrongPath = {
	kind: 'status',
	status: 404,
	body: {
		error: {
			message: 'Invalid URL (GET /v1/kling/v1/videos/effects/84)',
			type: 'invalid_request_error',
			code: '',
		},
	},
} as const;

test.each([
	['Get Many', 'kling', { operation: 'list' }, tooFast],
	['Get', 'kling', { operation: 'get', taskId: byId('84') }, tooFast],
	['Get', 'kkiai', { operation: 'get', taskId: byId('84') }, wrongPath],
	['Get', 'cometApi', { operation: 'get', taskId: byId('84') }, wrongPath],
])('%s at %s names no field of Create', async (_name, provider, parameters, fault) => {
	bench.sandbox.addFault(fault as never);
	const { error } = await bench.run(row(provider), parameters);
	expect(error).toBeDefined();
	expect(`${error?.message} ${error?.description}`).not.toMatch(ofCreate);
});

test.each([
	['kling', { watch: 'account' }, tooFast],
	['kkiai', { watch: 'taskIds', taskIds: '84' }, wrongPath],
])('the trigger at %s names no field of Create', async (provider, parameters, fault) => {
	bench.sandbox.addFault(fault as never);
	const trigger = new ActiveTrigger({ credential: bench.credential(row(provider)), parameters });
	const error = await trigger.poll().then(
		() => null,
		(thrown: Error & { description?: string }) => thrown,
	);
	expect(error).not.toBeNull();
	expect(`${error?.message} ${error?.description}`).not.toMatch(ofCreate);
});
