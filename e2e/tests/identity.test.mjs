import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';

import { ownN8n, ownSandbox, prepared, sharedN8n, storeCredential } from '../fixture.mjs';
import { makeTempDir } from '../../tools/paths.mjs';
import { waitUntil } from '../../tools/process.mjs';
import { assertSucceeded, errorOf, itemsOf } from '../../tools/rest.mjs';
import { providerNames } from '../../tools/sandbox.mjs';
import {
	credentialType,
	klingNode,
	locator,
	manualTrigger,
	node,
	rowLines,
	rowNodes,
	webhook,
	workflow,
} from '../../tools/workflow.mjs';

/** Tasks that take this many seconds do not end during a test. */
const neverByItself = 100_000;
const photo = (name) => `https://photos.example/${name}.jpg`;
const photos = ['one', 'two', 'three', 'four'].map(photo);

const effect = (more = {}) => ({
	operation: 'create',
	effectScene: locator('name', 'pet_dance'),
	imageInput: 'url',
	image: '={{ $json.image }}',
	...more,
	options: { concurrency: 1, ...more.options },
});

const charged = ({ charges }) => charges.map(({ taskId }) => taskId);
const idsIn = (execution, name = 'After') =>
	itemsOf(execution, name).map(({ json }) => json.taskId);
const imagesOf = ({ tasks }, id) => tasks.find(({ taskId }) => taskId === id)?.images;

// One after the other: each starts and stops an n8n of its own.
describe(`execution numbers that start over, in n8n ${prepared.line}.x`, () => {
	/** A workflow that is started by a call with a photo, or by hand with an entered one. */
	async function stage(server, sandbox) {
		const credential = await storeCredential(server.rest, sandbox, 'kling');
		const path = randomUUID();
		const nodes = [
			webhook('Call', path),
			manualTrigger(),
			klingNode('Called', credential, effect({ image: '={{ $json.body.image }}' })),
			klingNode('By Hand', credential, effect({ image: photo('entered') })),
		];
		const lines = [
			['Call', 'Called'],
			['Start', 'By Hand'],
		];
		const { id } = await server.rest.createWorkflow(workflow('numbers', nodes, lines));
		await server.rest.activate(id);
		return { id, path };
	}

	/** n8n answers with an error until the workflow is active. */
	async function call(server, { path, id }, image) {
		const before = (await server.rest.executions(id)).length;
		const send = async () => {
			const answer = await fetch(`${server.url}/webhook/${path}`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ image }),
			});
			return answer.ok;
		};
		await waitUntil(send, { timeoutMs: 30_000, intervalMs: 250, describe: 'the webhook' });
		const [newest] = await server.rest.waitForExecutions(id, before + 1);
		return newest;
	}

	const databaseOf = (folder) => join(folder, '.n8n');
	const files = ['database.sqlite', 'database.sqlite-wal', 'database.sqlite-shm'];

	function copyDatabase(from, to) {
		for (const name of files) {
			rmSync(join(to, name), { force: true });
			if (existsSync(join(from, name))) cpSync(join(from, name), join(to, name));
		}
	}

	async function backUp(server) {
		await server.stop();
		const backup = makeTempDir('backup');
		copyDatabase(databaseOf(server.userFolder), backup);
		await server.start();
		await server.rest.login();
		return backup;
	}

	async function restore(backup, server) {
		await server.stop();
		copyDatabase(backup, databaseOf(server.userFolder));
		await server.start();
		await server.rest.login();
	}

	for (const [what, isMoved] of [
		['after a backup was restored', false],
		['after the database has moved to a new n8n', true],
	]) {
		test(`a new photo gets its own video ${what}`, async () => {
			const sandbox = await ownSandbox({ taskSeconds: neverByItself });
			const server = await ownN8n();
			const staged = await stage(server, sandbox);
			const backup = await backUp(server);

			const first = await call(server, staged, photo('first'));
			const byHand = await server.rest.runManually(staged.id, 'Start');
			assert.equal(sandbox.charges.length, 2);

			const later = isMoved ? await ownN8n() : server;
			if (isMoved) await server.stop();
			await restore(backup, later);
			const { nodes } = await later.rest.workflow(staged.id);
			nodes.find(({ name }) => name === 'By Hand').parameters.image = photo('edited');

			const second = await call(later, staged, photo('second'));
			await later.rest.updateWorkflow(staged.id, { nodes });
			const againByHand = await later.rest.runManually(staged.id, 'Start');
			assert.equal(second.id, first.id);
			assert.equal(againByHand.id, byHand.id);
			assert.equal(sandbox.charges.length, 4);
			const [called] = idsIn(second, 'Called');
			assert.deepEqual(imagesOf(sandbox, called), [photo('second')]);
			const [entered] = idsIn(againByHand, 'By Hand');
			assert.deepEqual(imagesOf(sandbox, entered), [photo('edited')]);
			rmSync(backup, { recursive: true, force: true });
		});
	}
});

describe(`whose video it is, in n8n ${prepared.line}.x`, { concurrency: 4 }, () => {
	let rest;

	before(() => {
		rest = sharedN8n();
	});

	async function stage({ provider = 'kling', images = photos, sandboxOptions, ...more } = {}) {
		const sandbox = await ownSandbox({ taskSeconds: neverByItself, ...sandboxOptions });
		const credential = await storeCredential(rest, sandbox, provider);
		const { settings, ...parameters } = more;
		const nodes = [
			manualTrigger(),
			...rowNodes(
				'Photos',
				images.map((image) => ({ image })),
			),
			klingNode('Effect', credential, effect(parameters), settings),
			node('After', 'n8n-nodes-base.noOp'),
		];
		const lines = [...rowLines('Photos'), ['Photos', 'Effect'], ['Effect', 'After']];
		const { id } = await rest.createWorkflow(workflow('identity', nodes, lines));
		return { id, sandbox, credential };
	}

	const run = async ({ id }) => await rest.runManually(id, 'Start');
	const refuseThird = (sandbox) =>
		sandbox.addFault({
			...{ kind: 'code', code: 1201, match: { operation: 'create' }, skip: 2, times: 1 },
		});
	const shownOn = async ({ id }) =>
		Object.values((await rest.execution(id)).customData ?? {})
			.join(',')
			.split(',')
			.filter(Boolean);
	/** n8n stores custom data a moment after the execution's end. */
	async function shownAtLeast(execution, count) {
		const isThere = async () => (await shownOn(execution)).length >= count;
		await waitUntil(isThere, { timeoutMs: 20_000, intervalMs: 100, describe: `${count} values` });
		return await shownOn(execution);
	}

	test('two nodes that share an id have a task each', async () => {
		const sandbox = await ownSandbox({ taskSeconds: neverByItself });
		const credential = await storeCredential(rest, sandbox, 'kling');
		const twin = (name) => ({
			...klingNode(name, credential, effect({ image: photo(name) })),
			id: 'shared-id',
		});
		const nodes = [manualTrigger(), twin('Cat'), twin('Dog')];
		const lines = [
			['Start', 'Cat'],
			['Cat', 'Dog'],
		];
		const create = async () => await rest.createWorkflow(workflow('twins', nodes, lines));
		const created = await create().catch((error) => error);
		// n8n 2 runs such workflows where they are stored already, and stores no new ones.
		if (created instanceof Error) return assert.match(created.message, /400|duplicate/i);
		const execution = assertSucceeded(await rest.runManually(created.id, 'Start'));
		for (const name of ['Cat', 'Dog']) {
			const [taskId] = idsIn(execution, name);
			assert.deepEqual(imagesOf(sandbox, taskId), [photo(name)]);
		}
		assert.equal(sandbox.charges.length, 2);
	});

	const moods = {
		effectScene: locator('name', '={{ ["pet_dance", "squish", "expansion"].randomItem() }}'),
		options: {
			additionalFields: '={{ JSON.stringify({ seed: Math.random(), at: $now.toMillis() }) }}',
		},
	};

	for (const provider of Object.keys(providerNames)) {
		test(`expressions that give another value pay for nothing twice at ${provider}`, async () => {
			const retryOnFail = { retryOnFail: true, maxTries: 3, waitBetweenTries: 100 };
			const staged = await stage({ provider, ...moods, settings: retryOnFail });
			refuseThird(staged.sandbox);
			const execution = assertSucceeded(await run(staged));
			assert.equal(staged.sandbox.charges.length, photos.length);
			assert.deepEqual(idsIn(execution), charged(staged.sandbox));

			const pressed = await stage({ provider, ...moods });
			refuseThird(pressed.sandbox);
			const failed = await run(pressed);
			assert.equal(failed.status, 'error');
			for (const loadWorkflow of [false, true]) {
				await rest.retryExecution(failed.id, { loadWorkflow });
			}
			// Two retries of one execution each create what it had not reached.
			const images = new Set(pressed.sandbox.charges.slice(0, 2).flatMap((one) => one.images));
			const again = pressed.sandbox.charges.slice(2).flatMap((one) => one.images);
			assert.ok(again.every((image) => !images.has(image)));
		});
	}

	test('tasks of an earlier provider are named, and nothing is paid for them again', async () => {
		const staged = await stage();
		const { sandbox, credential } = staged;
		sandbox.addFault({
			...{ kind: 'code', code: 1102, match: { operation: 'create' }, skip: 2 },
		});
		const failed = await run(staged);
		assert.match(errorOf(failed).message, /no credit left/);
		const earlier = charged(sandbox);
		assert.equal(earlier.length, 2);
		const next = sandbox.credential('modellix');
		await rest.updateCredential(credential.id, 'kling', credentialType, next);
		sandbox.clearFaults();

		const execution = assertSucceeded(await rest.retryExecution(failed.id));
		assert.equal(sandbox.charges.length, photos.length);
		const items = itemsOf(execution, 'After').map(({ json }) => json);
		assert.deepEqual(
			items.map(({ provider, taskId }) => [provider, taskId]),
			sandbox.charges.map(({ provider, taskId }) => [provider, taskId]),
		);
		const shown = await shownAtLeast(execution, photos.length);
		for (const taskId of charged(sandbox)) assert.ok(shown.includes(taskId), shown.join());
	});

	test('a loop of five iterations and a second node are all on the execution', async () => {
		const sandbox = await ownSandbox({ taskSeconds: neverByItself });
		const credential = await storeCredential(rest, sandbox, 'kling');
		const rows = Array.from({ length: 5 }, (_, index) => ({ image: photo(`round-${index}`) }));
		const nodes = [
			manualTrigger(),
			...rowNodes('Photos', rows),
			node('Loop', 'n8n-nodes-base.splitInBatches', { options: {} }, { typeVersion: 3 }),
			klingNode('Round', credential, effect()),
			klingNode('Last', credential, effect({ image: photo('last'), waitForCompletion: true }), {
				executeOnce: true,
			}),
		];
		const lines = [
			...rowLines('Photos'),
			['Photos', 'Loop'],
			['Loop', 'Last', { output: 0 }],
			['Loop', 'Round', { output: 1 }],
			['Round', 'Loop'],
		];
		const { id } = await rest.createWorkflow(workflow('rounds', nodes, lines));
		const started = await rest.startManually(id, 'Start');
		const isThere = async () => sandbox.charges.length === 6;
		await waitUntil(isThere, { timeoutMs: 60_000, intervalMs: 50, describe: 'the last create' });
		// Its response has arrived when the node looks at the task.
		await waitUntil(async () => sandbox.requests.some(({ operation }) => operation === 'get'), {
			...{ timeoutMs: 60_000, intervalMs: 50, describe: 'a look' },
		});
		await rest.stopExecution(started);
		const shown = await shownAtLeast({ id: started }, 6);
		assert.deepEqual(shown, charged(sandbox));
	});

	test('stopped with 20 creates in flight, it names all of them', async () => {
		const images = Array.from({ length: 20 }, (_, index) => photo(String(index)));
		const staged = await stage({
			...{ images, options: { concurrency: 20 }, sandboxOptions: { latencyMs: 4_000 } },
		});
		const { sandbox } = staged;
		const started = await rest.startManually(staged.id, 'Start');
		const areThere = async () =>
			sandbox.requests.filter(({ operation }) => operation === 'create').length === 20;
		await waitUntil(areThere, { timeoutMs: 60_000, intervalMs: 20, describe: '20 creates' });
		await rest.stopExecution(started);
		const shown = await shownAtLeast({ id: started }, 20);
		assert.equal(shown.length, 20);
		await waitUntil(async () => sandbox.charges.length === 20, {
			...{ timeoutMs: 20_000, intervalMs: 50, describe: '20 charges' },
		});
		for (const { externalTaskId } of sandbox.charges) {
			assert.ok(shown.join().includes(externalTaskId), shown.join());
		}
	});
});
