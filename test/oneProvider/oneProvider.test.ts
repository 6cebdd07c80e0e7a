import './register';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KlingEffectsApi } from '../../credentials/KlingEffectsApi.credentials';
import { KlingEffects } from '../../nodes/KlingEffects/KlingEffects.node';
import { KlingEffectsTrigger } from '../../nodes/KlingEffectsTrigger/KlingEffectsTrigger.node';
import { providers as sandboxProviders } from '../../sandbox/providers';
import { ActiveTrigger } from '../harness/activeTrigger';
import { minutes, photos, TestBed } from '../harness/callbackBed';
import { testCredential } from '../harness/credentialTest';
import { Workbench } from '../harness/workbench';
import { keepsPromises } from '../promises/contract/promises';
import { rows } from '../promises/contract/providers';

/**
 * What remains if n8n wants one provider per package: only Kling AI, by one line of the registry. It
 * keeps every promise, and no field or text mentions another.
 */
const ofKling = rows.filter(({ provider }) => provider === 'kling');
const [row] = ofKling;

keepsPromises(ofKling);

/** By name, name on screen, and address. */
const others = sandboxProviders
	.filter(({ name }) => name !== 'kling')
	.flatMap(({ name, displayName }) => [name, displayName])
	.concat('cometapi.com', 'kkiai.com', 'modellix.ai', 'apimodels.app');

const descriptions = [
	new KlingEffectsApi(),
	new KlingEffects().description,
	new KlingEffectsTrigger().description,
];

test('no text that n8n shows names another provider', () => {
	const text = JSON.stringify(descriptions).toLowerCase();
	expect(others.length).toBeGreaterThan(8);
	expect(others.filter((name) => text.includes(name.toLowerCase()))).toEqual([]);
	expect(text.match(/kling ai only|not with|only with kling|every provider\./g)).toBeNull();
});

describe('the credential', () => {
	const bench = Workbench.prepare();

	test('has no Provider to choose, and is for Kling AI', () => {
		const [provider] = new KlingEffectsApi().properties;
		expect(provider).toMatchObject({ name: 'provider', type: 'hidden', default: 'kling' });
	});

	test('works without a provider, and is tested', async () => {
		const { provider: _, ...credential } = bench.credential(row);
		expect(await testCredential(credential)).toMatchObject({ status: 'OK' });
		expect(await testCredential({ ...credential, apiKey: 'nobody-knows-this' })).toMatchObject({
			status: 'Error',
			message: expect.stringContaining('Kling AI did not accept the key'),
		});
		const { json, error } = await bench.create({ ...row, credential: () => credential });
		expect(error).toBeUndefined();
		expect(json).toEqual([expect.objectContaining({ provider: 'kling', status: 'submitted' })]);
	});

	test('does not mention a field that does not exist', async () => {
		const message = JSON.stringify(new KlingEffectsApi().test);
		expect(message).toContain('Check the key and Base URL.');
		expect(message).not.toMatch(/\bProvider\b/);
	});

	test('of another provider is refused without a request', async () => {
		const credential = () => ({ provider: 'modellix', apiKey: 'k', baseUrl: bench.sandbox.url });
		const { error } = await bench.create({ ...row, credential });
		expect(error?.message).toMatch(/provider/i);
		expect(JSON.stringify([error?.message, error?.description])).toContain('Kling AI');
		expect(bench.sandbox.requests).toEqual([]);
	});
});

describe('the trigger', () => {
	const bench = Workbench.prepare();

	test('emits each task of the account once', async () => {
		const trigger = new ActiveTrigger({ credential: bench.credential(row) });
		bench.sandbox.seedTasks('kling', [{ taskId: '1', status: 'processing' }]);
		expect(await trigger.poll()).toBeNull();
		bench.sandbox.finish('1', 'succeed');
		expect(await trigger.ids()).toEqual(['1']);
		expect(await trigger.poll()).toBeNull();
	});
});

describe('a wait by callback', () => {
	const bed = TestBed.prepare();

	test('wakes with the video', async () => {
		const id = await bed.start(photos('anna'));
		await bed.pass(minutes);
		bed.sandbox.finish(bed.taskIds[0], 'succeed');
		expect((await bed.callBack()).status).toBeLessThan(300);
		expect(bed.n8n.output(id)[0].json).toMatchObject({ provider: 'kling', status: 'succeed' });
	});
});

test('it costs one line of the registry', () => {
	const source = readFileSync(join(__dirname, 'register.ts'), 'utf8');
	expect(source.match(/;$/gm)?.length).toBe(3);
	expect(source.match(/^import /gm)?.length).toBe(2);
});
