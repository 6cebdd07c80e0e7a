import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, beforeEach, describe, test } from 'node:test';

import { ownN8n, ownSandbox, prepared, storeCredential } from '../fixture.mjs';
import { waitUntil } from '../../tools/process.mjs';
import { assertSucceeded, itemsOf } from '../../tools/rest.mjs';
import {
	klingNode,
	locator,
	manualTrigger,
	node,
	webhook,
	workflow,
} from '../../tools/workflow.mjs';

/** Tasks of this sandbox end when a test says so. */
const neverByItself = 100_000;
const signingSecret = `whsec_${Buffer.from('a secret of the console').toString('base64')}`;

describe(`waiting by callback in n8n ${prepared.line}.x`, () => {
	let server;
	let rest;
	let sandbox;
	let credential;

	before(async () => {
		server = await ownN8n();
		rest = server.rest;
		sandbox = await ownSandbox({ taskSeconds: neverByItself });
		credential = await storeCredential(rest, sandbox, 'kling');
	});
	beforeEach(() => {
		sandbox.reset();
		sandbox.options.callbacks = 'on';
		sandbox.options.taskSeconds = neverByItself;
	});

	/** Starts a production execution with an item for each image. */
	async function start(
		images,
		{ options = {}, use = credential, settings = {}, further = [], ...parameters } = {},
	) {
		const path = randomUUID();
		const nodes = [
			webhook('Hook', path),
			node('Images', 'n8n-nodes-base.splitOut', { fieldToSplitOut: 'body.images', options: {} }),
			klingNode(
				'Effect',
				use,
				{
					operation: 'create',
					effectScene: locator('name', 'pet_dance'),
					imageInput: 'url',
					image: "={{ $json['body.images'] }}",
					waitForCompletion: true,
					options: { waitUsing: 'callback', timeout: 30, ...options },
					...parameters,
				},
				settings,
			),
			node('After', 'n8n-nodes-base.noOp'),
			node('After Error', 'n8n-nodes-base.noOp'),
			...further,
		];
		const chain = ['After', ...further.map(({ name }) => name)];
		const lines = [
			...chain.slice(1).map((name, index) => [chain[index], name]),
			['Hook', 'Images'],
			['Images', 'Effect'],
			['Effect', 'After'],
			['Effect', 'After Error', { output: 1 }],
		];
		const { id } = await rest.createWorkflow(workflow('callback', nodes, lines));
		await rest.activate(id);
		await hook(path, images);
		const execution = await startedExecution(id);
		return { workflowId: id, executionId: execution };
	}

	async function hook(path, images) {
		for (let tries = 0; tries < 100; tries++) {
			const answer = await fetch(`${server.url}/webhook/${path}`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ images }),
			});
			if (answer.ok) return;
			// n8n 2 registers webhooks a moment after it says that the workflow is active.
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
		assert.fail('the webhook did not come up');
	}

	async function startedExecution(workflowId) {
		for (;;) {
			const [execution] = await rest.executions(workflowId);
			if (execution) return execution.id;
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	}

	const asleep = async (executionId) =>
		await rest.waitForExecution(executionId, { states: ['waiting', 'error', 'success'] });
	const image = (name) => `https://photos.example/${name}.jpg`;
	const looks = () => sandbox.requests.filter(({ operation }) => operation === 'get').length;

	test('wakes up with the finished task of one item', async () => {
		const { executionId } = await start([image('one')]);
		const waiting = await asleep(executionId);
		assert.equal(waiting.status, 'waiting');
		const [charge, ...more] = sandbox.charges;
		assert.deepEqual(more, []);
		sandbox.finish(charge.taskId, 'succeed');
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		const [item] = itemsOf(execution, 'Effect');
		assert.equal(item.json.taskId, charge.taskId);
		assert.equal(item.json.status, 'succeed');
		assert.equal(item.json.effectScene, 'pet_dance');
		assert.ok(!('timedOut' in item.json));
	});

	test('wakes up once, with all twenty items in order, when the last one has finished', async () => {
		const names = Array.from({ length: 20 }, (_, index) => `photo-${index}`);
		const { workflowId, executionId } = await start(names.map(image));
		assert.equal((await asleep(executionId)).status, 'waiting');
		const ids = sandbox.charges.map(({ taskId }) => taskId);
		assert.equal(ids.length, 20);
		for (const id of ids.slice(1).reverse()) sandbox.finish(id, 'succeed');
		assert.equal((await rest.execution(executionId)).status, 'waiting');
		sandbox.finish(ids[0], 'succeed');
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		const items = itemsOf(execution, 'Effect');
		assert.deepEqual(new Set(items.map(({ json }) => json.taskId)), new Set(ids));
		const order = items.map(({ json }) =>
			sandbox.tasks.find((task) => task.taskId === json.taskId),
		);
		assert.deepEqual(
			order.map(({ params }) => params.external_task_id ?? null).length,
			names.length,
		);
		assert.equal((await rest.executions(workflowId)).length, 1);
		assert.equal(sandbox.charges.length, 20);
	});

	test('believes no callback: forged and repeated ones leave it asleep', async () => {
		const { executionId } = await start([image('one')]);
		await asleep(executionId);
		const [{ taskId }] = sandbox.charges;
		const before = looks();
		await sandbox.sendCallback(taskId, { task_id: taskId, task_status: 'succeed' });
		await sandbox.sendCallback(taskId, { task_id: taskId, task_status: 'succeed' });
		assert.equal((await rest.execution(executionId)).status, 'waiting');
		assert.ok(looks() > before, 'the provider was asked');
		sandbox.options.callbacks = 'twice';
		sandbox.finish(taskId, 'succeed');
		assertSucceeded(await rest.waitForExecution(executionId));
	});

	test('continues with a failed task as On Error says', async () => {
		const cases = {
			continueRegularOutput: (execution) => {
				assertSucceeded(execution);
				const statuses = itemsOf(execution, 'After').map(({ json }) => json.status);
				assert.deepEqual(statuses.sort(), ['failed', 'succeed']);
			},
			continueErrorOutput: (execution) => {
				assertSucceeded(execution);
				assert.deepEqual(
					itemsOf(execution, 'After').map(({ json }) => json.status),
					['succeed'],
				);
				const [problem] = itemsOf(execution, 'After Error');
				assert.match(problem.json.error, /could not generate “pet_dance”: Too dark/);
			},
			stopWorkflow: (execution) => {
				assert.equal(execution.status, 'error');
				const { error, runData } = execution.data.resultData;
				assert.match(error.message, /could not generate “pet_dance”: Too dark/);
				for (const { taskId } of sandbox.charges) assert.ok(error.description.includes(taskId));
				assert.deepEqual(Object.keys(runData).sort(), ['Effect', 'Hook', 'Images']);
			},
		};
		for (const [onError, check] of Object.entries(cases)) {
			sandbox.reset();
			const { executionId } = await start([image('a'), image('b')], { settings: { onError } });
			await asleep(executionId);
			const [first, second] = sandbox.charges;
			sandbox.finish(first.taskId, 'failed', 'Too dark');
			sandbox.finish(second.taskId, 'succeed');
			check(await rest.waitForExecution(executionId));
			assert.equal(sandbox.charges.length, 2);
		}
	});

	test('does not lose a task that ends before it falls asleep', async () => {
		sandbox.options.taskSeconds = 0.1;
		const { executionId } = await start([image('quick')]);
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		assert.equal(itemsOf(execution, 'Effect')[0].json.status, 'succeed');
	});

	test('finds out by itself when the callback came while it was falling asleep', async () => {
		sandbox.options.callbacks = 'off';
		sandbox.options.taskSeconds = 2;
		const { executionId } = await start([image('quick')]);
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		assert.equal(itemsOf(execution, 'Effect')[0].json.status, 'succeed');
	});

	test('downloads the video when it wakes up', async () => {
		const { executionId } = await start([image('one')], { downloadVideo: true });
		await asleep(executionId);
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		const [item] = itemsOf(execution, 'Effect');
		assert.equal(item.binary.data.mimeType, 'video/mp4');
	});

	test('sleeps through a restart of n8n', async () => {
		const { executionId } = await start([image('one')]);
		await asleep(executionId);
		await server.restart();
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		// If its event log was cut off, n8n 1 calls an execution crashed for a moment before it waits again.
		const states = ['success', 'error'];
		const execution = assertSucceeded(await rest.waitForExecution(executionId, { states }));
		assert.equal(itemsOf(execution, 'Effect')[0].json.status, 'succeed');
		assert.equal(sandbox.charges.length, 1);
	});

	test('returns the last known state with timedOut if no callback comes in time', async () => {
		sandbox.options.callbacks = 'off';
		const { executionId } = await start([image('one')], { options: { timeout: 0.2 } });
		const execution = assertSucceeded(
			await rest.waitForExecution(executionId, { timeoutMs: 180_000 }),
		);
		const [item] = itemsOf(execution, 'Effect');
		assert.equal(item.json.timedOut, true);
		assert.equal(item.json.taskId, sandbox.charges[0].taskId);
		assert.equal(sandbox.charges.length, 1);
	});

	test('works with Retry On Fail and creates nothing twice', async () => {
		sandbox.addFault({ kind: 'resetAfter', match: { operation: 'create' }, times: 1 });
		const settings = { retryOnFail: true, maxTries: 3, waitBetweenTries: 100 };
		const { executionId } = await start([image('a'), image('b')], { settings });
		await rest.waitForExecution(executionId, { states: ['waiting', 'running', 'success'] });
		assert.equal(await settled(() => sandbox.charges.length, 2), 2);
		for (const { taskId } of sandbox.charges) sandbox.finish(taskId, 'succeed');
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		assert.equal(itemsOf(execution, 'Effect').length, 2);
		assert.equal(sandbox.charges.length, 2);
	});

	test('rejects callbacks that the provider did not sign, without asking the provider', async () => {
		const use = await storeCredential(rest, sandbox, 'kling', { webhookSecret: signingSecret });
		const { executionId } = await start([image('one')], { use });
		await asleep(executionId);
		const [{ taskId }] = sandbox.charges;
		// The requests of the first seconds, not caused by callbacks, are over.
		await settled(() => looks(), 4);
		const before = looks();
		const unsigned = await sandbox.sendCallback(taskId);
		assert.equal(unsigned.status, 401);
		sandbox.options.webhookSecret = `whsec_${Buffer.from('another').toString('base64')}`;
		assert.equal((await sandbox.sendCallback(taskId)).status, 401);
		assert.equal(looks(), before);
		sandbox.options.webhookSecret = signingSecret;
		sandbox.finish(taskId, 'succeed');
		assertSucceeded(await rest.waitForExecution(executionId));
		sandbox.options.webhookSecret = undefined;
	});

	test('Stop: Retry says the same about the same tasks', async () => {
		const { executionId } = await start([image('a'), image('b')]);
		await asleep(executionId);
		const [first, second] = sandbox.charges;
		sandbox.finish(first.taskId, 'failed', 'Too dark');
		sandbox.finish(second.taskId, 'succeed');
		await rest.waitForExecution(executionId);
		const again = await rest.retryExecution(executionId);
		assert.match(again.data.resultData.error.message, /Too dark/);
		assert.equal(again.data.resultData.runData.After, undefined);
		assert.equal(sandbox.charges.length, 2);
	});

	test('a repeated callback does not wake a Wait node further down', async () => {
		const wait = { resume: 'webhook', httpMethod: 'POST', options: {} };
		const further = [
			node('Wait', 'n8n-nodes-base.wait', wait, { typeVersion: 1.1, webhookId: randomUUID() }),
			node('End', 'n8n-nodes-base.noOp'),
		];
		const { executionId } = await start([image('one')], { further });
		await asleep(executionId);
		const [{ callbackUrl }] = sandbox.tasks;
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		const isAtWait = async () => {
			const { status, data } = await rest.execution(executionId);
			return status === 'waiting' && data.resultData.lastNodeExecuted === 'Wait';
		};
		await waitUntil(isAtWait, { timeoutMs: 30_000, describe: 'The execution at its Wait node' });
		assert.equal((await post(callbackUrl)).status, 404);
		assert.equal((await rest.execution(executionId)).status, 'waiting');
		const own = new URL(callbackUrl);
		own.pathname = own.pathname.replace(/\/[^/]+$/, '');
		assert.equal((await post(own)).status, 200);
		assertSucceeded(await rest.waitForExecution(executionId));
	});

	test('reads what each output should be for each item, before it sleeps', async () => {
		const { executionId } = await start([image('a'), image('b')], {
			downloadVideo: "={{ $json['body.images'].includes('/a.') }}",
			outputField: "={{ 'clip_' + $json['body.images'].slice(-5, -4) }}",
			simplify: "={{ $json['body.images'].includes('/a.') }}",
		});
		await asleep(executionId);
		for (const { taskId } of sandbox.charges) sandbox.finish(taskId, 'succeed');
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		const [a, b] = itemsOf(execution, 'Effect');
		assert.deepEqual(Object.keys(a.binary ?? {}), ['clip_a']);
		assert.equal(b.binary, undefined);
		assert.ok('taskId' in a.json && 'task_id' in b.json);
	});

	test('wakes with Execute Once and three input items', async () => {
		const settings = { executeOnce: true };
		const { executionId } = await start([image('a'), image('b'), image('c')], { settings });
		await asleep(executionId);
		assert.equal(sandbox.charges.length, 1);
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		assert.equal(itemsOf(execution, 'After').length, 1);
	});

	test('tells the truth at the time-out: what has ended comes out as ended, with its video', async () => {
		sandbox.options.callbacks = 'off';
		const { executionId } = await start([image('a'), image('b'), image('c')], {
			options: { timeout: 0.7, concurrency: 1 },
			downloadVideo: true,
			settings: { onError: 'continueRegularOutput' },
		});
		// One look at each task before the sleep, then the node's own three: the next one is at the time-out.
		await settled(() => looks(), 6);
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		sandbox.finish(sandbox.charges[1].taskId, 'failed', 'Too dark');
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		const items = itemsOf(execution, 'After');
		assert.deepEqual(
			items.map(({ json }) => [json.status, json.timedOut ?? false]),
			[
				['succeed', false],
				['failed', false],
				['submitted', true],
			],
		);
		assert.ok(items[0].binary.data);
	});

	test('makes up for a lost callback with a Webhook Secret too, by its own call', async () => {
		sandbox.options.callbacks = 'off';
		const use = await storeCredential(rest, sandbox, 'kling', { webhookSecret: signingSecret });
		const { executionId } = await start([image('one')], { use });
		await asleep(executionId);
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		assertSucceeded(await rest.waitForExecution(executionId));
	});

	test('looks again after six HTTP 500 and after a callback ahead of the state', async () => {
		const { executionId } = await start([image('one')]);
		await asleep(executionId);
		const [{ taskId }] = sandbox.charges;
		await sandbox.sendCallback(taskId);
		sandbox.options.callbacks = 'off';
		sandbox.addFault({ kind: 'status', status: 500, match: { operation: 'get' }, times: 6 });
		sandbox.finish(taskId, 'succeed');
		assertSucceeded(await rest.waitForExecution(executionId));
	});

	test('is not ended by a stranger’s form', async () => {
		const { executionId } = await start([image('one')]);
		await asleep(executionId);
		const form = new FormData();
		form.set('file', new Blob(['x'.repeat(1_000)]), 'x.bin');
		const { status } = await fetch(sandbox.tasks[0].callbackUrl, { method: 'POST', body: form });
		assert.ok(status < 500, `HTTP ${status}`);
		assert.equal((await rest.execution(executionId)).status, 'waiting');
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		assertSucceeded(await rest.waitForExecution(executionId));
	});

	test('sleeps and wakes in a manual run of the editor', async () => {
		const effect = klingNode('Effect', credential, {
			operation: 'create',
			effectScene: locator('name', 'pet_dance'),
			imageInput: 'url',
			image: image('one'),
			waitForCompletion: true,
			options: { waitUsing: 'callback' },
		});
		const nodes = [manualTrigger('Start'), effect, node('After', 'n8n-nodes-base.noOp')];
		const lines = [
			['Start', 'Effect'],
			['Effect', 'After'],
		];
		const { id } = await rest.createWorkflow(workflow('manual', nodes, lines));
		const executionId = await rest.startManually(id, 'Start');
		assert.equal((await asleep(executionId)).status, 'waiting');
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		assert.equal(itemsOf(execution, 'After')[0].json.status, 'succeed');
	});

	test('pays once with Continue, Retry On Fail and a refused first item', async () => {
		const settings = {
			onError: 'continueRegularOutput',
			retryOnFail: true,
			maxTries: 2,
			waitBetweenTries: 100,
		};
		const { executionId } = await start(['not an address', image('a')], { settings });
		await asleep(executionId);
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		const [refused, made] = itemsOf(execution, 'After');
		assert.ok(refused.json.error);
		assert.equal(made.json.status, 'succeed');
		assert.equal(sandbox.charges.length, 1);
	});

	test('says by name that Modellix sends no callbacks, before it creates anything', async () => {
		const use = await storeCredential(rest, sandbox, 'modellix');
		const { executionId } = await start([image('one')], { use });
		const execution = await rest.waitForExecution(executionId);
		assert.equal(execution.status, 'error');
		assert.match(execution.data.resultData.error.message, /Modellix sends no callbacks/);
		assert.equal(sandbox.charges.length, 0);
	});

	for (const provider of ['cometApi', 'kkiai', 'apiModels']) {
		test(`works with ${provider}`, async () => {
			const use = await storeCredential(rest, sandbox, provider);
			const { executionId } = await start([image('one')], { use });
			assert.equal((await asleep(executionId)).status, 'waiting');
			sandbox.finish(sandbox.charges[0].taskId, 'succeed');
			const execution = assertSucceeded(await rest.waitForExecution(executionId));
			assert.equal(itemsOf(execution, 'Effect')[0].json.status, 'succeed');
		});
	}

	test('hints at WEBHOOK_URL while it sleeps at an address that the internet cannot reach', async () => {
		const { executionId } = await start([image('one')]);
		const { data } = await asleep(executionId);
		const hints = data.resultData.runData.Effect.at(-1).hints ?? [];
		assert.ok(hints.some(({ message }) => message.includes('WEBHOOK_URL')));
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		await rest.waitForExecution(executionId);
	});
});

async function post(url) {
	return await fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: '{}',
	});
}

/** Waits until a figure has reached a value, and returns the figure. */
async function settled(figure, value) {
	for (let tries = 0; tries < 300 && figure() < value; tries++) {
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	return figure();
}
