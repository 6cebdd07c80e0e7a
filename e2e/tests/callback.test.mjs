import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, beforeEach, describe, it } from 'node:test';

import { ownN8n, ownSandbox, prepared, storeCredential } from '../fixture.mjs';
import { assertSucceeded, itemsOf } from '../lib/rest.mjs';
import { klingNode, locator, node, webhook, workflow } from '../lib/workflow.mjs';

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
		{ options = {}, use = credential, settings = {}, ...parameters } = {},
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
		];
		const lines = [
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

	it('wakes up with the finished task of one item', async () => {
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

	it('wakes up once, with all of twenty items in their order, when the last one has finished', async () => {
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

	it('believes no callback: forged and repeated ones leave it asleep', async () => {
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

	it('goes on with a failed task as On Error says', async () => {
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
				assert.match(problem.json.error, /could not make the effect “pet_dance”: Too dark/);
			},
			stopWorkflow: (execution) => assert.equal(execution.status, 'error'),
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

	it('does not lose a task that ends before it sleeps', async () => {
		sandbox.options.taskSeconds = 0.1;
		const { executionId } = await start([image('quick')]);
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		assert.equal(itemsOf(execution, 'Effect')[0].json.status, 'succeed');
	});

	it('finds out by itself when the callback came while it was falling asleep', async () => {
		sandbox.options.callbacks = 'off';
		sandbox.options.taskSeconds = 2;
		const { executionId } = await start([image('quick')]);
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		assert.equal(itemsOf(execution, 'Effect')[0].json.status, 'succeed');
	});

	it('downloads the video when it wakes up', async () => {
		const { executionId } = await start([image('one')], { downloadVideo: true });
		await asleep(executionId);
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		const [item] = itemsOf(execution, 'Effect');
		assert.equal(item.binary.data.mimeType, 'video/mp4');
	});

	it('sleeps through a restart of n8n', async () => {
		const { executionId } = await start([image('one')]);
		await asleep(executionId);
		await server.restart();
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		const execution = assertSucceeded(await rest.waitForExecution(executionId));
		assert.equal(itemsOf(execution, 'Effect')[0].json.status, 'succeed');
		assert.equal(sandbox.charges.length, 1);
	});

	it('gives back the last known state with timedOut when no callback comes in time', async () => {
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

	it('works with Retry On Fail and creates nothing twice', async () => {
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

	it('refuses callbacks that the provider did not sign, without asking the provider', async () => {
		const use = await storeCredential(rest, sandbox, 'kling', { webhookSecret: signingSecret });
		const { executionId } = await start([image('one')], { use });
		await asleep(executionId);
		const [{ taskId }] = sandbox.charges;
		// The requests of the first seconds, which no callback causes, are over.
		await settled(() => looks(), 3);
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

	it('says by name that Modellix sends no callbacks, before it creates anything', async () => {
		const use = await storeCredential(rest, sandbox, 'modellix');
		const { executionId } = await start([image('one')], { use });
		const execution = await rest.waitForExecution(executionId);
		assert.equal(execution.status, 'error');
		assert.match(execution.data.resultData.error.message, /Modellix sends no callbacks/);
		assert.equal(sandbox.charges.length, 0);
	});

	for (const provider of ['cometApi', 'kkiai', 'apiModels']) {
		it(`works with ${provider}`, async () => {
			const use = await storeCredential(rest, sandbox, provider);
			const { executionId } = await start([image('one')], { use });
			assert.equal((await asleep(executionId)).status, 'waiting');
			sandbox.finish(sandbox.charges[0].taskId, 'succeed');
			const execution = assertSucceeded(await rest.waitForExecution(executionId));
			assert.equal(itemsOf(execution, 'Effect')[0].json.status, 'succeed');
		});
	}

	it('hints at WEBHOOK_URL while it sleeps at an address that the internet cannot reach', async () => {
		const { executionId } = await start([image('one')]);
		const { data } = await asleep(executionId);
		const hints = data.resultData.runData.Effect.at(-1).hints ?? [];
		assert.ok(hints.some(({ message }) => message.includes('WEBHOOK_URL')));
		sandbox.finish(sandbox.charges[0].taskId, 'succeed');
		await rest.waitForExecution(executionId);
	});
});

/** Waits until a figure has reached a value, and gives the figure. */
async function settled(figure, value) {
	for (let tries = 0; tries < 300 && figure() < value; tries++) {
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	return figure();
}
