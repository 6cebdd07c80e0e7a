import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { help, missingKey, readArguments, secretsOf } from '../conformance/arguments';
import type { Probe } from '../conformance/probe';
import { probes } from '../conformance/probes';
import { recordingSchema, withoutPrivate } from '../conformance/recording';
import { announce, summary, tableOf } from '../conformance/report';
import { pauseMs, type Result, type Setting } from '../conformance/run';
import { runInSandbox, sendWithFetch } from '../conformance/settings';
import { providers } from '../nodes/kling/providers';
import { providerNamed } from './fixtures/providers';
import type { Sandbox } from '../sandbox';
import { instantClock } from '../tools/instantClock';
import * as texts from '../sandbox/texts';
import { liveAnswers } from './fixtures/recordedAnswers';

const notSame = (results: Result[]) =>
	results
		.filter(({ verdict }) => verdict !== 'same')
		.map(({ probe, verdict, observed }) => `${probe.id}: ${verdict}: ${observed}`);
const verdictOf = (results: Result[], id: string) =>
	results.find(({ probe }) => probe.id === id)?.verdict;

describe('the sandbox says what was observed', () => {
	test.each(providers.map(({ name }) => name))(
		'%s answers every probe as the table says, those that cost as well',
		async (name) => {
			const results = await runInSandbox(providerNamed(name));
			expect(notSame(results)).toEqual([]);
			expect(results).toHaveLength(probes[name].length);
			expect(results.length).toBeGreaterThan(10);
		},
	);

	test.each(['wrapper', 'short', 'openai'] as const)(
		'KKIAI does in its shape %s too',
		async (kkiaiShape) => {
			expect(notSame(await runInSandbox(providerNamed('kkiai'), { kkiaiShape }))).toEqual([]);
		},
	);

	test.each(['null', 'absent'] as const)(
		"a list of nothing is a list where Kling's data is %s",
		async (emptyList) => {
			const results = await runInSandbox(providerNamed('kling'), { emptyList });
			expect(verdictOf(results, 'list')).toBe('same');
			expect(verdictOf(results, 'last-page')).toBe('same');
		},
	);

	test.each(['middle', 'oldest'] as const)(
		'Modellix does at its %s address too',
		async (modellixPath) => {
			expect(notSame(await runInSandbox(providerNamed('modellix'), { modellixPath }))).toEqual([]);
		},
	);

	test('every provider of the package has probes, each with an id of its own', () => {
		for (const { name } of providers) {
			const ids = probes[name].map(({ id }) => id);
			expect(ids.length).toBeGreaterThan(10);
			expect(new Set(ids).size).toBe(ids.length);
		}
	});
});

describe('what is cited of docs/providers.md is there:', () => {
	const root = join(__dirname, '..');
	const documented = readFileSync(join(root, 'docs/providers.md'), 'utf8');
	const isThere = (place: string) =>
		/^[A-Z]/.test(place)
			? documented.includes(`\n| ${place} |`)
			: new RegExp(`^#{2,3} ${place.replace('.', '\\.')}[. ]`, 'm').test(documented);
	const missing = (places: string[]) => [...new Set(places)].filter((place) => !isThere(place));

	test('the source of every probe, and of every text of the sandbox', () => {
		const cited = [
			...Object.values(probes).flat(),
			...Object.values(texts).flatMap((one) => (typeof one === 'object' ? Object.values(one) : [])),
		].flatMap((one) => (typeof one === 'object' ? one.source : []));
		expect(cited.length).toBeGreaterThan(120);
		expect(missing(cited)).toEqual([]);
	});

	test('every fact and section that a comment names', () => {
		const files = ['nodes', 'credentials', 'sandbox', 'conformance', 'test'].flatMap((folder) =>
			readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
				.filter((name) => name.endsWith('.ts'))
				.map((name) => readFileSync(join(root, folder, name), 'utf8')),
		);
		const citation = /docs\/providers\.md (?:sections? )?([A-Z]\d+|\d+(?:\.\d+)?)/g;
		const cited = files.flatMap((text) => [...text.matchAll(citation)].map(([, place]) => place));
		expect(cited.length).toBeGreaterThan(30);
		expect(missing(cited)).toEqual([]);
	});

	test('and what is not there is noticed', () => {
		expect(missing(['K1', 'K99', '1.7', '1.99', '9'])).toEqual(['K99', '1.99']);
	});
});

test("Kling's texts have the HTTP status of their codes", () => {
	const { klingTexts, klingCodes } = texts;
	for (const { status, code } of Object.values(klingTexts)) {
		expect([code, status]).toEqual([code, klingCodes[Number(code)].status]);
	}
});

describe('a difference is told', () => {
	const withFault =
		(fault: Parameters<Sandbox['addFault']>[0]) =>
		(sandbox: Sandbox): void =>
			void sandbox.addFault(fault);

	test('when a text changes', async () => {
		const results = await runInSandbox(
			providerNamed('kling'),
			{},
			{ spend: 0 },
			withFault({
				kind: 'status',
				status: 404,
				body: { code: 1203, message: 'Gone', request_id: 'r' },
				match: { operation: 'get', path: '100000000000000001' },
			}),
		);
		const result = results.find(({ probe }) => probe.id === 'unknown-task');
		expect(result?.verdict).toBe('different');
		expect(result?.observed).toContain('HTTP: 404');
		expect(result?.observed).toContain('body.message: "Gone"');
		expect(summary(results)).toMatch(/\d+ passed, 1 failed$/);
	});

	test("when the text is the same but the package's adapter reads another thing in it", async () => {
		const blind = { ...providerNamed('kling'), readFailure: () => null };
		const results = await runInSandbox(blind, {}, { spend: 0 });
		expect(verdictOf(results, 'unknown-task')).toBe('different');
		expect(verdictOf(results, 'list')).toBe('same');
	});

	test('when nothing answers', async () => {
		const send: Setting['send'] = async () => {
			throw new Error('fetch failed');
		};
		const results = await runInSandbox(providerNamed('modellix'), {}, { send, spend: 0 });
		expect(verdictOf(results, 'key')).toBe('different');
		expect(results[0].observed).toBe('no answer: fetch failed');
	});
});

describe('politeness and money', () => {
	/** What was sent, and when. */
	function recorder() {
		const clock = instantClock();
		const sent: Array<{ at: number; method: string }> = [];
		const send: Setting['send'] = async (url, request, headers) => {
			sent.push({ at: clock.now(), method: request.method });
			return await sendWithFetch(url, request, headers);
		};
		return { clock, sent, send };
	}

	test('requests of all kinds are a second apart', async () => {
		const { clock, sent, send } = recorder();
		await runInSandbox(providerNamed('kling'), { taskSeconds: 0 }, { clock, send });
		const gaps = sent.slice(1).map(({ at }, index) => at - sent[index].at);
		expect(Math.min(...gaps)).toBeGreaterThanOrEqual(pauseMs);
		expect(sent.length).toBeGreaterThanOrEqual(probes.kling.length);
	});

	test.each(providers.map(({ name }) => name))(
		'without --spend nothing is made at %s, and what needs a task is not asked',
		async (name) => {
			let sandbox: Sandbox | undefined;
			const results = await runInSandbox(
				providerNamed(name),
				{},
				{ spend: 0 },
				(one) => (sandbox = one),
			);
			expect(sandbox?.charges).toEqual([]);
			const unasked = results.filter(({ verdict }) => verdict === 'not asked');
			expect(unasked.map(({ probe }) => probe)).toEqual(
				probes[name].filter(({ cost, needs }) => cost === 'task' || needs !== undefined),
			);
			expect(verdictOf(results, 'create')).toBe('not asked');
		},
	);

	test.each([1, 2, 3])('--spend %i makes no more than that, even at a gateway', async (spend) => {
		for (const { name } of providers) {
			let sandbox: Sandbox | undefined;
			await runInSandbox(providerNamed(name), {}, { spend }, (one) => (sandbox = one));
			expect(sandbox?.charges.length).toBeGreaterThan(0);
			expect(sandbox?.charges.length).toBeLessThanOrEqual(spend);
		}
	});

	test('a refusal that does not come ends all creating', async () => {
		let sandbox: Sandbox | undefined;
		const accepted = {
			code: 0,
			message: 'SUCCEED',
			data: { task_id: '1', task_status: 'submitted' },
		};
		const results = await runInSandbox(providerNamed('kling'), {}, {}, (one) => {
			sandbox = one;
			one.addFault({ kind: 'status', body: accepted, match: { operation: 'create' }, times: 1 });
		});
		expect(verdictOf(results, 'unknown-scene')).toBe('different');
		expect(verdictOf(results, 'no-picture')).toBe('not asked');
		expect(verdictOf(results, 'create')).toBe('not asked');
		expect(sandbox?.charges).toEqual([]);
	});

	test('before it begins, a run says what it may spend, and what more would need', () => {
		const text = announce(providerNamed('kling'), probes.kling, 1);
		expect(text).toMatch(/^Kling AI: \d+ free probes, and 1 that can each cost a task\./);
		expect(text).toContain('may cost a task: Create with an external task id');
		expect(text).toMatch(/4 more would need --spend 5$/);
	});

	test('a task that does not end is given up after the minutes that were allowed', async () => {
		const probe = (id: string) => probes.kling.find((one) => one.id === id) as Probe;
		const [result] = (
			await runInSandbox(
				providerNamed('kling'),
				{ taskSeconds: 10_000 },
				{ probes: [probe('create'), probe('succeeds')], followMinutes: 2 },
			)
		).slice(-1);
		expect(result.verdict).toBe('different');
		expect(result.observed).toContain('read as task submitted');
	}, 10_000);
});

describe('keys', () => {
	test('come from the environment, a pair as well for a provider that signs', () => {
		expect(secretsOf(providerNamed('kling'), {})).toEqual({});
		expect(secretsOf(providerNamed('kling'), { KLING_API_KEY: ' k ' })).toEqual({
			key: { kind: 'key', key: 'k' },
		});
		const pair = { KLING_ACCESS_KEY: 'a', KLING_SECRET_KEY: 's' };
		expect(secretsOf(providerNamed('kling'), pair)).toEqual({
			signed: { kind: 'signed', accessKey: 'a', secretKey: 's' },
		});
		expect(secretsOf(providerNamed('kling'), { KLING_ACCESS_KEY: 'a' })).toEqual({});
		expect(secretsOf(providerNamed('cometApi'), { COMETAPI_API_KEY: 'c' })).toHaveProperty('key');
	});

	test('one that is missing is asked for by the name of its variable', () => {
		expect(missingKey(providerNamed('kling'))).toBe(
			'Kling AI: no key. Set KLING_API_KEY, or KLING_ACCESS_KEY and KLING_SECRET_KEY.',
		);
		for (const provider of providers) {
			const [, variable] = /Set (\w+)/.exec(missingKey(provider)) ?? [];
			expect(help()).toContain(variable);
		}
	});

	test('an access key alone is enough; a key alone leaves the signed probes out', async () => {
		const signed = { kind: 'signed', accessKey: 'a', secretKey: 's' } as const;
		const own = await runInSandbox(providerNamed('kling'), {}, { spend: 0, secrets: { signed } });
		expect(verdictOf(own, 'signed-key')).toBe('different');
		expect(verdictOf(own, 'wrong-key')).toBe('same');
		const results = await runInSandbox(providerNamed('kling'), {}, { spend: 0, secrets: {} });
		expect(verdictOf(results, 'late-token')).toBe('not asked');
	});
});

describe('a recording', () => {
	const secret = 'sk-sandbox-kling-global-main';

	test("has live-answers' form, and neither keys nor addresses nor what others own", async () => {
		const results = await runInSandbox(providerNamed('kling'), {}, {}, (sandbox) =>
			sandbox.seedTasks('kling', [
				{ taskId: '777777777777777777', externalTaskId: 'order-of-mine' },
			]),
		);
		const recordings = results.flatMap(({ recording }) => recording ?? []);
		expect(recordings).toHaveLength(results.length);
		for (const one of recordings) expect(recordingSchema.safeParse(one).success).toBe(true);
		const text = JSON.stringify(recordings);
		for (const word of [secret, 'order-of-mine', '777777777777777777', 'sandbox)', '/files/']) {
			expect(text).not.toContain(word);
		}
		expect(text).toContain('Task not found by id/external id: 100000000000000001');
		expect(text).toMatch(/"url":"http:\/\/127\.0\.0\.1:\d+\/…"/);
	});

	test('and what is shown has no key either, though a provider repeats it', async () => {
		const results = await runInSandbox(providerNamed('kling'), {}, { spend: 0 }, (sandbox) =>
			sandbox.addFault({ kind: 'status', status: 400, body: { code: 1, message: `No ${secret}` } }),
		);
		expect(results[0].observed).toContain('"No <key>"');
		expect(tableOf(results)).not.toContain(secret);
	});

	test('loses a key wherever a provider repeats it', () => {
		const token = 'eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln';
		const body = {
			message: `Invalid key s+cret/1 (s%2Bcret%2F1), token ${token}, of me@example.com`,
			data: {
				balance: 12.5,
				key: 'other',
				left: '剩余额度: ¥5.20',
				url: 'https://v.example/a?b=c',
			},
			list: [1, 2, 3],
		};
		expect(withoutPrivate(body, ['s+cret/1'], new Set())).toEqual({
			message: 'Invalid key <key> (<key>), token <token>, of <email>',
			data: {
				balance: '<number>',
				key: '<string>',
				left: '剩余额度: <amount>',
				url: 'https://v.example/…',
			},
			list: [1, 2],
		});
	});

	test('what was collected before has the same form', () => {
		expect(liveAnswers.length).toBeGreaterThanOrEqual(61);
	});
});

describe('the command', () => {
	const run = (args: string[], env: Record<string, string> = {}) =>
		spawnSync('npx', ['tsx', 'conformance/cli.ts', ...args], {
			cwd: join(__dirname, '..'),
			encoding: 'utf8',
			env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
		});

	test('without a key says which variable to set, and sends nothing', () => {
		const { stdout, status } = run(['--provider', 'kling']);
		expect(stdout).toContain('Set KLING_API_KEY, or KLING_ACCESS_KEY and KLING_SECRET_KEY.');
		expect(status).toBe(1);
	}, 60_000);

	test('against the sandbox prints the table and the line that CI counts, and can record', () => {
		const file = join(mkdtempSync(join(tmpdir(), 'conformance-')), 'recording.json');
		const { stdout, status } = run(['--provider', 'apiModels', '--sandbox', '--record', file]);
		expect(stdout).toContain('| fact | expected | observed | verdict |');
		expect(stdout).toMatch(/^\d+ passed, 0 failed$/m);
		expect(status).toBe(0);
		const recorded = JSON.parse(readFileSync(file, 'utf8')) as unknown[];
		expect(recorded).toHaveLength(probes.apiModels.length);
	}, 60_000);

	test.each([
		[['--provider', 'nobody'], /--provider must be one of kling, cometApi/],
		[[], /--provider must be one of/],
		[['--provider', 'kling', '--spend', 'much'], /--spend must be a whole number/],
	])('tells what is wrong with %j', (args, message) => {
		expect(() => readArguments(args)).toThrow(message);
	});

	test('the table is Markdown for every response', () => {
		const probe = probes.kling[0];
		const observed = 'a | b\nc';
		const table = tableOf([{ probe, verdict: 'different', expected: 'x', observed }]);
		expect(table.split('\n')).toHaveLength(3);
		expect(table).toContain('a \\| b c');
	});
});
