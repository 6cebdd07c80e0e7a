import './register';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KlingEffectsApi } from '../../credentials/KlingEffectsApi.credentials';
import { KlingEffects } from '../../nodes/KlingEffects/KlingEffects.node';
import { keepsPromises } from '../promises/contract/promises';
import type { ProviderRow } from '../promises/contract/providers';
import { Workbench } from '../harness/workbench';
import { TestBed, minutes, photos } from '../harness/callbackBed';
import { testCredential } from '../harness/credentialTest';
import { ActiveTrigger } from '../harness/activeTrigger';
import { acme } from './adapter';

/**
 * An unforeseen provider takes one adapter file, one sandbox file, one row and two registry lines, and
 * works everywhere.
 */
const row: ProviderRow = {
	name: 'Acme Effects, which does not exist',
	provider: 'acme',
	displayName: 'Acme Effects',
	createPath: '/v2/jobs',
	bodyOf: ({ scene, images, duration, externalTaskId, callbackUrl }) => ({
		scene,
		pictures: images.map((src) => ({ src })),
		...(duration === undefined ? {} : { seconds: duration }),
		...(externalTaskId === undefined ? {} : { ref: externalTaskId }),
		...(callbackUrl === undefined ? {} : { notify: callbackUrl }),
	}),
	refuses: {
		mode: { displayName: 'Mode', value: 'pro' },
		modelName: { displayName: 'Model Name', value: 'kling-v1-6' },
	},
	sendsExternalId: true,
	findsByExternalId: true,
	lists: true,
	ownKeys: ['born', 'clips', 'phase', 'ref', 'touched', 'uid'],
	tells: ['createdAt', 'updatedAt', 'videoDuration'],
	keyHeader: /^(?!Bearer)sk-sandbox-acme-/,
	keyHeaderName: 'x-api-key',
};

keepsPromises([row]);

describe('the credential test', () => {
	const bench = Workbench.prepare();

	test('is green for a good key and red for a wrong one, after one request each', async () => {
		const credential = bench.credential(row);
		expect(await testCredential(credential)).toMatchObject({ status: 'OK' });
		expect(await testCredential({ ...credential, apiKey: 'nobody-knows-this' })).toMatchObject({
			status: 'Error',
			message: expect.stringContaining('did not accept the key'),
		});
		expect(bench.sandbox.requests).toHaveLength(2);
	});

	test('asks the provider’s own address when Base URL is empty', async () => {
		const { authenticate, test: check } = new KlingEffectsApi();
		const sign = authenticate as (data: object, request: object) => Promise<{ url: string }>;
		const { url } = await sign({ provider: 'acme', apiKey: 'k' }, check.request);
		expect(url).toMatch(/^https:\/\/api\.acme\.example\//);
	});

	test('the credential offers the provider, and none of Kling’s own fields for it', () => {
		const { properties } = new KlingEffectsApi();
		const [provider] = properties;
		expect(provider.options).toContainEqual({ name: 'Acme Effects', value: 'acme' });
		const shownFor = properties.filter(({ displayOptions }) =>
			displayOptions?.show?.provider?.includes('acme' as never),
		);
		expect(shownFor.map(({ name }) => name)).toEqual(['apiKey']);
	});
});

describe('Get Many', () => {
	const bench = Workbench.prepare();

	test('Return All gives 250 tasks, in pages of 100', async () => {
		bench.sandbox.seedTasks(
			'acme',
			Array.from({ length: 250 }, () => ({})),
		);
		const { json, error } = await bench.run(row, { operation: 'list', returnAll: true });
		expect(error).toBeUndefined();
		expect(new Set(json.map(({ taskId }) => taskId)).size).toBe(250);
		const offsets = bench.requests('list').map(({ path }) => path.split('?')[1]);
		// The last one tells that no task follows: a short page can have been thinned out.
		expect(offsets).toEqual([0, 100, 200, 300].map((offset) => `offset=${offset}&limit=100`));
	});

	test('a wait for many tasks reads the list in its pages', async () => {
		const items = Array.from({ length: 120 }, (_, number) => ({ json: { number } }));
		const changes = {
			waitForCompletion: true,
			image: '=https://example.com/{{ $json.number }}.jpg',
		};
		const { json, error } = await bench.create(row, changes, { items });
		expect(error).toBeUndefined();
		expect(json.filter(({ status }) => status === 'succeed')).toHaveLength(120);
		expect(bench.sandbox.charges).toHaveLength(120);
		const refused = bench.sandbox.requests.filter(({ status }) => status >= 400);
		expect(refused).toEqual([]);
	});
});

describe('never pays twice', () => {
	const bench = Workbench.prepare();

	test('a create whose answer is lost is found by its external id', async () => {
		bench.sandbox.addFault({ kind: 'resetAfter', match: { operation: 'create' }, times: 1 });
		const { json, error } = await bench.create(row);
		expect(error).toBeUndefined();
		expect(json[0].taskId).toBe(bench.sandbox.charges[0].taskId);
		expect(bench.sandbox.charges).toHaveLength(1);
	});

	test('an external id that is used already finds its task', async () => {
		const options = { externalTaskId: 'used-1' };
		const first = await bench.create(row, { options });
		const second = await bench.create(row, { options });
		expect(second.json[0].taskId).toBe(first.json[0].taskId);
		expect(bench.sandbox.charges).toHaveLength(1);
	});
});

describe('the trigger', () => {
	const bench = Workbench.prepare();

	test('emits each of 250 tasks that end once, over pages of 100', async () => {
		const credential = bench.credential(row);
		const ids = Array.from({ length: 250 }, (_, index) => `job_${index}`);
		const createdAt = bench.clock.now() - 60_000;
		bench.sandbox.seedTasks(
			'acme',
			ids.map((taskId) => ({ taskId, status: 'processing' as const, createdAt })),
		);
		const trigger = new ActiveTrigger({ credential });
		expect(await trigger.poll()).toBeNull();
		for (const id of ids) bench.sandbox.finish(id, 'succeed');
		const emitted: string[] = [];
		for (let polls = 0; polls < 5; polls++) emitted.push(...(await trigger.ids()));
		expect(emitted.sort()).toEqual([...ids].sort());
		const limits = bench.requests('list').map(({ path }) => /limit=(\d+)/.exec(path)?.[1]);
		expect(Math.max(...limits.map(Number))).toBe(100);
	});

	test('emits given tasks as they end', async () => {
		const credential = bench.credential(row);
		bench.sandbox.seedTasks('acme', [{ taskId: 'a', status: 'processing' }]);
		const parameters = { watch: 'taskIds', taskIds: 'a' };
		const trigger = new ActiveTrigger({ credential, parameters });
		expect(await trigger.poll()).toBeNull();
		bench.sandbox.finish('a', 'succeed');
		expect(await trigger.ids()).toEqual(['a']);
	});
});

describe('a wait by callback', () => {
	const bed = TestBed.prepare();

	test('wakes with Simplify off, with the provider’s own object', async () => {
		const id = await bed.start(photos('anna'), { simplify: false }, { provider: 'acme' });
		await bed.pass(minutes);
		bed.sandbox.finish(bed.taskIds[0], 'succeed');
		expect((await bed.callBack()).status).toBeLessThan(300);
		const [{ json }] = bed.n8n.output(id);
		expect(json).toMatchObject({ uid: bed.taskIds[0], phase: 'done' });
	});
});

test('the texts know it', () => {
	const text = JSON.stringify(new KlingEffects().description);
	expect(text).toContain('Kling AI and Acme Effects only');
	expect(text).toContain('Not with Modellix or Acme Effects');
});

test('it costs one adapter, one sandbox file, one row and two registry lines', () => {
	const linesOf = (file: string) =>
		readFileSync(join(__dirname, file), 'utf8').split('\n').length - 1;
	const registering = readFileSync(join(__dirname, 'register.ts'), 'utf8').match(/\.push\(/g);
	expect(registering).toHaveLength(2);
	expect(acme.name).toBe(row.provider);
	expect(linesOf('adapter.ts')).toBeLessThan(130);
	expect(linesOf('sandboxProvider.ts')).toBeLessThan(150);
});
