import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { ownSandbox, prepared, sharedN8n, storeCredential } from '../fixture.mjs';
import { waitUntil } from '../../tools/process.mjs';
import { assertSucceeded, errorOf, itemsOf } from '../../tools/rest.mjs';
import { providerNames } from '../../tools/sandbox.mjs';
import {
	klingNode,
	locator,
	manualTrigger,
	node,
	rowLines,
	rowNodes,
	workflow,
} from '../../tools/workflow.mjs';

/** Tasks that take this many seconds end when a test says so. */
const neverByItself = 100_000;
const retryOnFail = { retryOnFail: true, maxTries: 3, waitBetweenTries: 100 };
const photos = ['one', 'two', 'three'].map((name) => `https://photos.example/${name}.jpg`);

/** The ways in which an accepted create can lose its response. */
const lostAnswers = {
	'a connection that breaks': { kind: 'resetAfter' },
	'a gateway that times out': { kind: 'status', status: 504, accept: true },
};

// Each test has its own sandbox, so that they need not wait for each other.
describe(`retries, stops and time-outs in n8n ${prepared.line}.x`, { concurrency: 4 }, () => {
	let rest;

	before(() => {
		rest = sharedN8n();
	});

	/** A test's own provider, and a workflow that creates a task for each image. */
	async function stage({ provider = 'kling', images = photos, taskSeconds = 1, ...more } = {}) {
		const sandbox = await ownSandbox({ taskSeconds });
		const credential = await storeCredential(rest, sandbox, provider);
		const { settings, workflowSettings, options, ...parameters } = more;
		const rows = images.map((image) => ({ image }));
		const effect = {
			operation: 'create',
			effectScene: locator('name', 'pet_dance'),
			imageInput: 'url',
			image: '={{ $json.image }}',
			options: { concurrency: 1, ...options },
			...parameters,
		};
		const nodes = [
			manualTrigger(),
			...rowNodes('Photos', rows),
			klingNode('Effect', credential, effect, settings),
			node('After', 'n8n-nodes-base.noOp'),
			node('After Error', 'n8n-nodes-base.noOp'),
		];
		const lines = [
			...rowLines('Photos'),
			['Photos', 'Effect'],
			['Effect', 'After'],
			['Effect', 'After Error', { output: 1 }],
		];
		const { id } = await rest.createWorkflow(workflow('retry', nodes, lines, workflowSettings));
		return { id, sandbox };
	}

	const run = async ({ id }) => await rest.runManually(id, 'Start');
	const idsIn = (execution) => itemsOf(execution, 'After').map(({ json }) => json.taskId);
	const charged = ({ charges }) => charges.map(({ taskId }) => taskId);
	const sent = ({ requests }, wanted) =>
		requests.filter(({ operation }) => operation === wanted).length;
	const creates = ({ requests }) => requests.filter(({ operation }) => operation === 'create');
	const photoIn = (body) => /photos\.example\/(\w+)/.exec(JSON.stringify(body))[1];
	const textOf = (execution) => {
		const { message, description } = errorOf(execution);
		return `${message}\n${description}`;
	};
	const lose = (sandbox, answer) =>
		sandbox.addFault({ ...answer, match: { operation: 'create' }, times: 1 });
	/** The look-up after a lost response fails too, so that the try ends without knowing. */
	const hideOnce = (sandbox) =>
		sandbox.addFault({ kind: 'redirect', match: { operation: 'get' }, times: 1 });

	describe('Retry On Fail', { concurrency: 4 }, () => {
		for (const [what, answer] of Object.entries(lostAnswers)) {
			for (const onError of ['stopWorkflow', 'continueRegularOutput', 'continueErrorOutput']) {
				test(`pays once after ${what}, with On Error “${onError}”`, async () => {
					const staged = await stage({ settings: { ...retryOnFail, onError } });
					const { sandbox } = staged;
					lose(sandbox, answer);
					hideOnce(sandbox);
					const execution = assertSucceeded(await run(staged));
					assert.ok(sandbox.requests.some(({ status }) => status === 302));
					assert.equal(sandbox.charges.length, photos.length);
					assert.deepEqual(idsIn(execution), charged(sandbox));
					assert.deepEqual(itemsOf(execution, 'After Error'), []);
					assert.equal(sent(sandbox, 'create'), photos.length);
				});
			}
		}

		test('pays once when every answer is lost, one after the other', async () => {
			const staged = await stage({ settings: retryOnFail });
			const { sandbox } = staged;
			sandbox.addFault({ kind: 'resetAfter', match: { operation: 'create' } });
			const execution = assertSucceeded(await run(staged));
			assert.equal(sandbox.charges.length, photos.length);
			assert.deepEqual(idsIn(execution), charged(sandbox));
		});
	});

	for (const provider of ['modellix', 'apiModels']) {
		test(`neither Retry On Fail nor Retry resends what ${provider} may have accepted`, async () => {
			const staged = await stage({ provider, settings: retryOnFail });
			const { sandbox } = staged;
			lose(sandbox, { kind: 'resetAfter' });
			const tell = (execution) => {
				assert.equal(execution.status, 'error');
				const text = textOf(execution);
				const name = providerNames[provider];
				assert.ok(text.includes(`${name} may have created the task, but its response did not`));
				assert.match(text, /It was not sent again, so you will not pay twice/);
				assert.match(text, /run the workflow again/);
				// The other items may be created by a retry, but no item is sent twice.
				const images = creates(sandbox).map(({ body }) => photoIn(body));
				assert.deepEqual(images, [...new Set(images)]);
				assert.equal(sandbox.charges.length, images.length);
				for (const taskId of charged(sandbox).slice(1)) assert.ok(text.includes(taskId), text);
			};
			const execution = await run(staged);
			tell(execution);
			tell(await rest.retryExecution(execution.id, { loadWorkflow: false }));
			tell(await rest.retryExecution(execution.id, { loadWorkflow: true }));
		});
	}

	/** A value of the custom data, which n8n stores a moment after the execution's end. */
	async function shownOn({ id }, key) {
		const deadline = Date.now() + 10_000;
		let shown;
		while (shown === undefined && Date.now() < deadline) {
			shown = (await rest.execution(id)).customData?.[key];
			if (shown === undefined) await delay(100);
		}
		return shown ?? '';
	}

	describe('the Retry button', { concurrency: 4 }, () => {
		for (const loadWorkflow of [false, true]) {
			const which = loadWorkflow ? 'the workflow as it is now' : 'the workflow as it was';

			test(`with ${which} finds the tasks that a failed run has created`, async () => {
				const staged = await stage();
				const { sandbox } = staged;
				const third = { operation: 'create' };
				sandbox.addFault({ kind: 'code', code: 1201, match: third, skip: 2, times: 1 });
				const failed = await run(staged);
				assert.equal(failed.status, 'error');
				const earlier = charged(sandbox);
				assert.equal(earlier.length, 2);
				for (const taskId of earlier) assert.ok(textOf(failed).includes(taskId));
				assert.equal(await shownOn(failed, 'klingTaskIds'), earlier.join(','));

				const execution = await rest.retryExecution(failed.id, { loadWorkflow });
				assertSucceeded(execution);
				assert.equal(sandbox.charges.length, photos.length);
				assert.deepEqual(idsIn(execution), charged(sandbox));
			});

			test(`with ${which} finds the task of an answer that was lost`, async () => {
				const staged = await stage({ images: photos.slice(0, 1) });
				const { sandbox } = staged;
				lose(sandbox, { kind: 'resetAfter' });
				hideOnce(sandbox);
				const failed = await run(staged);
				assert.equal(failed.status, 'error');
				const [{ externalTaskId }] = sandbox.charges;
				assert.ok(textOf(failed).includes(externalTaskId));
				assert.ok((await shownOn(failed, 'klingUnknown')).includes(externalTaskId));
				const execution = await rest.retryExecution(failed.id, { loadWorkflow });
				assertSucceeded(execution);
				assert.deepEqual(idsIn(execution), charged(sandbox));
				assert.equal(sandbox.charges.length, 1);
			});
		}

		test('says again why a task failed, and does not pay for another', async () => {
			const images = ['https://photos.example/fail.jpg?reason=Too+dark', photos[0]];
			const waiting = { waitForCompletion: true, options: { pollInterval: 1 } };
			const staged = await stage({ images, ...waiting });
			const { sandbox } = staged;
			const first = await run(staged);
			const second = await rest.retryExecution(first.id);
			for (const execution of [first, second]) {
				assert.equal(execution.status, 'error');
				for (const taskId of charged(sandbox)) assert.ok(textOf(execution).includes(taskId));
				assert.match(textOf(execution), /Too dark/);
			}
			assert.equal(sandbox.charges.length, images.length);
		});
	});

	test('ends within two seconds when stopped while waiting, and keeps the ids', async () => {
		const waiting = { waitForCompletion: true, options: { pollInterval: 1 } };
		const staged = await stage({ taskSeconds: neverByItself, ...waiting });
		const { id, sandbox } = staged;
		const started = await rest.startManually(id, 'Start');
		await reached(() => sent(sandbox, 'get') >= photos.length, 'a look at each task');

		const stoppedAt = Date.now();
		await rest.stopExecution(started);
		// n8n 1 calls a run canceled at once, and stores its custom data when the node has ended.
		const shown = async () => (await rest.execution(started)).customData.klingTaskIds;
		await reached(shown, 'the end of the run');
		const tookMs = Date.now() - stoppedAt;
		assert.ok(tookMs < 4_000, `${tookMs} ms, with the time that n8n takes to store it`);
		assert.equal(await shown(), charged(sandbox).join(','));
		assert.equal((await rest.execution(started)).status, 'canceled');

		const another = await stage({
			taskSeconds: neverByItself,
			images: photos.slice(1),
			...waiting,
		});
		const other = await rest.startManually(another.id, 'Start');
		// Some seconds later, measured by the requests of another run, there was no further request.
		await reached(() => sent(another.sandbox, 'get') >= 6, 'the looks of another run');
		await rest.stopExecution(other);
		const late = sandbox.requests.filter(({ at }) => at > stoppedAt + 2_000);
		assert.deepEqual(late, []);
	});

	test('keeps the ids when n8n ends a run at the time-out of the workflow', async () => {
		const waiting = { waitForCompletion: true, options: { pollInterval: 1 } };
		const workflowSettings = { executionTimeout: 4 };
		const staged = await stage({ taskSeconds: neverByItself, workflowSettings, ...waiting });
		const execution = await run(staged);
		assert.equal(execution.status, 'canceled');
		const ids = charged(staged.sandbox);
		assert.equal(ids.length, photos.length);
		assert.equal(await shownOn(execution, 'klingTaskIds'), ids.join(','));
	});

	test('returns the last state with timedOut when Timeout runs out', async () => {
		const options = { pollInterval: 1, timeout: 0.05 };
		const staged = await stage({ taskSeconds: neverByItself, waitForCompletion: true, options });
		const execution = assertSucceeded(await run(staged));
		const items = itemsOf(execution, 'After').map(({ json }) => json);
		assert.deepEqual(
			items.map(({ timedOut, status }) => ({ timedOut, status })),
			photos.map(() => ({ timedOut: true, status: 'submitted' })),
		);
		assert.deepEqual(idsIn(execution), charged(staged.sandbox));
	});
});

/** Waits until a condition is true. */
async function reached(check, describe) {
	await waitUntil(check, { timeoutMs: 60_000, intervalMs: 50, describe });
}
