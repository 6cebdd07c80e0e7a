import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { ownSandbox, prepared, storeCredential } from '../fixture.mjs';
import { waitUntil } from '../../tools/process.mjs';
import { assertSucceeded, errorOf, itemsOf } from '../../tools/rest.mjs';
import {
	klingNode,
	klingTrigger,
	locator,
	manualTrigger,
	mergeByPosition,
	node,
	rowLines,
	rowNodes,
	webhook,
	workflow,
} from '../../tools/workflow.mjs';
import { Cluster, startsOf } from './cluster.mjs';
import { connectRedis } from './services.mjs';

const { line, services, env } = prepared;
/** n8n 1 runs a dead worker's execution again under its id; n8n 2 ends it and leaves the retry to people. */
const rerunsByItself = line === '1';
/** n8n's own, by which the node tells an execution that is run again from one that is woken twice (docs/waiting.md). */
const usualLock = { QUEUE_WORKER_LOCK_DURATION: '60000', QUEUE_WORKER_LOCK_RENEW_TIME: '10000' };
/** Tasks of this sandbox end when a test says so. */
const neverByItself = 100_000;

describe(
	`queue mode of n8n ${line}.x, one main, a webhook process and two workers`,
	{ concurrency: 1 },
	() => {
		let cluster;
		let rest;
		let sandbox;
		let redis;
		let credential;
		let watch;

		before(async () => {
			sandbox = await ownSandbox({ taskSeconds: neverByItself, latencyMs: 300 });
			cluster = new Cluster(line, prepared);
			await cluster.start();
			rest = cluster.main.rest;
			redis = connectRedis(cluster.main.install, services);
			credential = await storeCredential(rest, sandbox, 'kling');
			watch = await startWatch();
		});
		after(async () => {
			redis?.disconnect();
			await cluster?.dispose();
		});

		/** The trigger, active and after its first poll. */
		async function startWatch() {
			const trigger = klingTrigger('Finished', credential, { watch: 'account' });
			const nodes = [trigger, node('After', 'n8n-nodes-base.noOp')];
			const made = await rest.createWorkflow(workflow('watch', nodes, [['Finished', 'After']]));
			await rest.activate(made.id);
			await until('the first poll', () =>
				sandbox.requests.some(({ operation, status }) => operation === 'list' && status === 200),
			);
			return made;
		}

		/** An active workflow that creates a task for each image it is sent. */
		async function startCreates(name, { options, ...parameters } = {}) {
			const path = randomUUID();
			const nodes = [
				webhook('Hook', path),
				node('Images', 'n8n-nodes-base.splitOut', { fieldToSplitOut: 'body.images', options: {} }),
				klingNode('Effect', credential, {
					operation: 'create',
					effectScene: locator('name', 'pet_dance'),
					imageInput: 'url',
					image: "={{ 'https://photos.example/' + $json['body.images'] + '.jpg' }}",
					options: { concurrency: 4, pollInterval: 2, ...options },
					...parameters,
				}),
				node('After', 'n8n-nodes-base.noOp'),
			];
			const lines = [
				['Hook', 'Images'],
				['Images', 'Effect'],
				['Effect', 'After'],
			];
			const { id } = await rest.createWorkflow(workflow(name, nodes, lines));
			await rest.activate(id);
			return { id, path };
		}

		async function send({ path }, images) {
			// n8n 2 registers webhooks a moment after it says that the workflow is active.
			await until('the webhook', async () => {
				const answer = await fetch(`${cluster.main.url}/webhook/${path}`, {
					method: 'POST',
					headers: { 'content-type': 'application/json' },
					body: JSON.stringify({ images }),
				});
				return answer.ok;
			});
		}

		/** Ends whatever is in progress, now and in the requests that follow. */
		function finishTasks() {
			sandbox.options.taskSeconds = 1;
			for (const { taskId, status } of sandbox.tasks) {
				if (status === 'submitted' || status === 'processing') sandbox.finish(taskId, 'succeed');
			}
		}

		/** Waits until every execution of these workflows is over, and gives them all. */
		async function ended(...workflows) {
			const all = await until('the end of all executions', async () => {
				const listed = (await Promise.all(workflows.map(({ id }) => rest.executions(id)))).flat();
				const isOver = listed.every(
					({ status }) => !['new', 'running', 'waiting'].includes(status),
				);
				return listed.length > 0 && isOver && listed;
			});
			return await Promise.all(all.map(async ({ id }) => await rest.execution(id)));
		}

		/** Kills a worker, and returns the executions that it leaves behind. */
		async function killWorker(worker, { alsoMain = false } = {}) {
			const active = await activeJobs();
			const mine = startsOf(worker).filter(({ jobId }) => active.includes(jobId));
			await Promise.all([worker.kill(), alsoMain && cluster.main.kill()]);
			const isBegunAgain = (jobId) =>
				cluster.workers.some(
					(other) => other !== worker && startsOf(other).some((start) => start.jobId === jobId),
				);
			return {
				left: mine.map(({ executionId }) => executionId),
				/** n8n 1 gives the jobs to another worker, n8n 2 removes them from the queue. */
				isNoticed: async () => {
					const stillActive = await activeJobs();
					return mine.every(({ jobId }) => !stillActive.includes(jobId) || isBegunAgain(jobId));
				},
			};
		}

		async function activeJobs() {
			return await redis.lrange(`${env.QUEUE_BULL_PREFIX}:jobs:active`, 0, -1);
		}

		/** Everything that the trigger has started executions with. */
		async function emitted() {
			const executions = await rest.executions(watch.id);
			const items = await Promise.all(
				executions.map(async ({ id }) => itemsOf(await rest.execution(id), 'After')),
			);
			return items.flat().map(({ json }) => json);
		}

		const endOf = (execution) =>
			`execution ${execution.id}: ${execution.status} ${errorOf(execution)?.message ?? ''}`;
		const taskIdsOf = (execution) => itemsOf(execution, 'After').map(({ json }) => json.taskId);
		const images = (from, count) => Array.from({ length: count }, (_, index) => `p${from + index}`);

		test('pays once for each of 200 items in eight executions, even though workers are killed', async (test) => {
			const waiting = await startCreates('create and wait', { waitForCompletion: true });
			const quick = await startCreates('create');
			for (let sent = 0; sent < 200; sent += 50) {
				await send(waiting, images(sent, 25));
				await send(quick, images(sent + 25, 25));
			}
			await until('the first 40 creates', () => sandbox.charges.length >= 40, 10);
			const [first, second] = cluster.workers;
			// n8n 2 lets people retry what crashed together with main. When main sees a worker die, it deletes the data.
			const killed = await killWorker(first, { alsoMain: !rerunsByItself });
			const chargedThen = sandbox.charges.length;
			assert.ok(chargedThen < 200, `${chargedThen} creates before the kill`);
			assert.ok(killed.left.length > 0, 'the worker had executions');
			await until('n8n has noticed', killed.isNoticed);
			const retries = [];
			if (rerunsByItself) {
				await cluster.replace(first);
			} else {
				await Promise.all([cluster.replace(first), cluster.main.start()]);
				const crashed = await until('the crash is on record', async () => {
					const listed = await Promise.all([waiting, quick].map(({ id }) => rest.executions(id)));
					const found = listed.flat().filter(({ status }) => status === 'crashed');
					return found.length === killed.left.length && found;
				});
				for (const { id } of crashed) retries.push(rest.retryExecution(id));
			}
			await until('200 creates', () => sandbox.charges.length >= 200);
			if (rerunsByItself) {
				const again = await killWorker(second);
				test.diagnostic(`a second kill left ${again.left.length} executions`);
				await until('n8n has noticed', again.isNoticed);
				await cluster.replace(second);
			}
			finishTasks();
			await Promise.all(retries);

			const executions = await ended(waiting, quick);
			const good = executions.filter(({ status }) => status === 'success');
			assert.equal(good.length, 8, executions.map(endOf).join('\n'));
			const taskIds = good.flatMap(taskIdsOf);
			assert.equal(taskIds.length, 200);
			assert.equal(new Set(taskIds).size, 200);
			assert.deepEqual(
				sandbox.charges.map(({ taskId }) => taskId).sort(),
				[...taskIds].sort(),
				'charges and tasks',
			);
			const ofCreates = sandbox.requests.filter(({ operation }) => operation === 'create');
			const refused = ofCreates.length - 200;
			// What n8n runs again by itself is sent again; what a person retries is looked for first.
			const found = sandbox.requests.filter(
				({ operation, path, status }) =>
					operation === 'get' && status === 200 && /\/n8n-\d{16}$/.test(path),
			).length;
			test.diagnostic(
				`killed after ${chargedThen} creates with ${killed.left.length} executions under way; ${executions.length} executions, 200 charges, ${refused} creates that the provider knew already, ${found} found by a look`,
			);
			assert.ok(refused + found > 0, 'a create that was under way came to its task');
		});

		test('finds the tasks of an execution whose worker died while it waited', async () => {
			sandbox.options.taskSeconds = neverByItself;
			const before = sandbox.charges.length;
			const creates = await startCreates('own ids', {
				waitForCompletion: true,
				options: { externalTaskId: "={{ 'order-' + $json['body.images'] }}" },
			});
			await send(creates, images(1_000, 10));
			await until('10 creates', () => sandbox.charges.length >= before + 10);
			const [{ id }] = await rest.executions(creates.id);
			const victim = workerOf(id);
			const killed = await killWorker(victim);
			assert.deepEqual(killed.left, [id]);
			await until('n8n has noticed', killed.isNoticed);
			const replaced = cluster.replace(victim);
			if (!rerunsByItself) {
				const lost = await rest.waitForExecution(id);
				assert.equal(lost.status, 'error');
				assert.match(errorOf(lost).message, /stalled|crash|worker/i);
				// n8n 2 keeps nothing to retry: it is started again, with the same ids.
				await send(creates, images(1_000, 10));
			}
			finishTasks();
			const executions = await ended(creates);
			await replaced;
			const [newest] = executions;
			assertSucceeded(newest);
			const expected = sandbox.charges.slice(before).map(({ taskId }) => taskId);
			assert.deepEqual(taskIdsOf(newest).sort(), expected.sort());
			assert.equal(sandbox.charges.length, before + 10);
		});

		test('wakes from a callback on another worker, which reads what the first one downloaded', async () => {
			sandbox.options.taskSeconds = 1;
			const before = sandbox.charges.length;
			const { id } = await startSleeper();
			const [{ id: executionId }] = await until('the execution', async () => {
				const listed = await rest.executions(id);
				return listed.length > 0 && listed;
			});
			await until('the first video', () => sandbox.charges.length > before);
			sandbox.options.taskSeconds = neverByItself;
			const asleep = await rest.waitForExecution(executionId, {
				states: ['waiting', 'error', 'success'],
			});
			assert.equal(asleep.status, 'waiting', errorOf(asleep)?.message);
			assert.ok(sandbox.tasks.at(-1).callbackUrl.startsWith(cluster.webhooks.url));
			const sleeper = workerOf(executionId);
			await sleeper.kill();
			sandbox.finish(sandbox.charges.at(-1).taskId, 'succeed');
			const execution = assertSucceeded(await rest.waitForExecution(executionId));
			const other = cluster.workers.find((worker) => worker !== sleeper);
			assert.ok(startsOf(other).some((start) => start.executionId === executionId));
			await cluster.replace(sleeper);

			const [{ binary }] = itemsOf(execution, 'Both');
			for (const [name, field] of [
				['First', 'first'],
				['Second', 'second'],
			]) {
				const [{ json }] = itemsOf(execution, name);
				const original = Buffer.from(await (await fetch(json.videoUrl)).arrayBuffer());
				const hash = createHash('sha256').update(original).digest('hex');
				assert.equal(itemsOf(execution, `Hash ${name}`)[0].json[`${field}Hash`], hash);
				assert.ok((await rest.binary(binary[field])).equals(original));
				// n8n 2's files are in the database, n8n 1's in the execution's own data.
				const store = binary[field].id?.split(':')[0] ?? 'execution';
				assert.equal(store, line === '1' ? 'execution' : 'database');
			}
			assert.equal(sandbox.charges.length, before + 2);
		});

		/** Downloads one video, sleeps for the callback of another, and reads the files of both. */
		async function startSleeper() {
			const path = randomUUID();
			const effect = (name, outputField, options) =>
				klingNode(name, credential, {
					operation: 'create',
					effectScene: locator('name', 'pet_dance'),
					imageInput: 'url',
					image: 'https://photos.example/one.jpg',
					waitForCompletion: true,
					downloadVideo: true,
					outputField,
					options,
				});
			const hash = (name, field) =>
				node(name, 'n8n-nodes-base.crypto', {
					action: 'hash',
					type: 'SHA256',
					binaryData: true,
					binaryPropertyName: field,
					dataPropertyName: `${field}Hash`,
				});
			const nodes = [
				webhook('Hook', path),
				effect('First', 'first', { pollInterval: 1 }),
				effect('Second', 'second', { waitUsing: 'callback' }),
				mergeByPosition('Both'),
				hash('Hash First', 'first'),
				hash('Hash Second', 'second'),
			];
			const lines = [
				['Hook', 'First'],
				['First', 'Both'],
				['First', 'Second'],
				['Second', 'Both', { input: 1 }],
				['Both', 'Hash First'],
				['Both', 'Hash Second'],
			];
			const { id } = await rest.createWorkflow(workflow('sleeper', nodes, lines));
			await rest.activate(id);
			await send({ path }, []);
			return { id };
		}

		/** A workflow to be run by hand that creates a task for each of these images and waits for all. */
		async function storeManual(name, images, options) {
			const nodes = [
				manualTrigger('Start'),
				...rowNodes(
					'Images',
					images.map((image) => ({ image })),
				),
				klingNode('Effect', credential, {
					operation: 'create',
					effectScene: locator('name', 'pet_dance'),
					imageInput: 'url',
					image: "={{ 'https://photos.example/' + $json.image + '.jpg' }}",
					waitForCompletion: true,
					options,
				}),
				node('After', 'n8n-nodes-base.noOp'),
			];
			const lines = [...rowLines('Images'), ['Images', 'Effect'], ['Effect', 'After']];
			return await rest.createWorkflow(workflow(name, nodes, lines));
		}

		for (const [how, options] of [
			['polling', { pollInterval: 1 }],
			['callback', { waitUsing: 'callback' }],
		]) {
			test(`a run by hand that waits by ${how} creates one task per item, on a worker`, async () => {
				sandbox.options.taskSeconds = neverByItself;
				const before = sandbox.charges.length;
				const { id } = await storeManual(`by hand, ${how}`, images(2_000, 3), options);
				const executionId = await rest.startManually(id, 'Start');
				await until('3 creates', () => sandbox.charges.length >= before + 3);
				if (how === 'callback') {
					const states = ['waiting', 'error', 'success'];
					const asleep = await rest.waitForExecution(executionId, { states });
					assert.equal(asleep.status, 'waiting', errorOf(asleep)?.message);
				}
				workerOf(executionId);
				finishTasks();
				const execution = assertSucceeded(await rest.waitForExecution(executionId));
				assert.equal(execution.mode, 'manual');
				const charged = sandbox.charges.slice(before).map(({ taskId }) => taskId);
				assert.deepEqual(taskIdsOf(execution).sort(), charged.sort());
				assert.equal(charged.length, 3);
			});
		}

		const dead = rerunsByItself
			? 'is run again by n8n, and finds its tasks'
			: 'is not run again, even by Retry; started again with the same ids, it finds its tasks';
		test(`a run by hand whose worker dies ${dead}`, async () => {
			sandbox.options.taskSeconds = neverByItself;
			const before = sandbox.charges.length;
			const externalTaskId = "={{ 'by-hand-' + $json.image }}";
			const { id } = await storeManual('by hand, killed', images(3_000, 6), {
				pollInterval: 1,
				// If n8n runs it again, the node's own ids are enough.
				...(rerunsByItself ? {} : { externalTaskId }),
			});
			let executionId = await rest.startManually(id, 'Start');
			await until('6 creates', () => sandbox.charges.length >= before + 6);
			const victim = workerOf(executionId);
			const killed = await killWorker(victim);
			assert.deepEqual(killed.left, [executionId]);
			await until('n8n has noticed', killed.isNoticed);
			await cluster.replace(victim);
			if (!rerunsByItself) {
				const lost = await rest.waitForExecution(executionId);
				assert.equal(lost.status, 'error');
				// n8n has kept nothing, so its Retry button runs no node.
				const retried = await rest.retryExecution(executionId);
				assert.deepEqual(retried.data.resultData.runData, {});
				assert.equal(sandbox.charges.length, before + 6);
				executionId = await rest.startManually(id, 'Start');
			}
			finishTasks();
			const execution = assertSucceeded(await rest.waitForExecution(executionId));
			const charged = sandbox.charges.slice(before).map(({ taskId }) => taskId);
			assert.equal(charged.length, 6);
			assert.deepEqual(taskIdsOf(execution).sort(), charged.sort());
		});

		test('the trigger workflow started once with each finished task', async (test) => {
			const charged = sandbox.charges.map(({ taskId }) => taskId);
			assert.ok(sandbox.tasks.every(({ status }) => status === 'succeed'));
			await until('the poll after the last task', async () => {
				const seen = new Set((await emitted()).map(({ taskId }) => taskId));
				return charged.every((taskId) => seen.has(taskId));
			});
			const taskIds = (await emitted()).map(({ taskId }) => taskId);
			assert.deepEqual([...taskIds].sort(), [...charged].sort());
			const executions = await rest.executions(watch.id);
			assert.ok(executions.every(({ status }) => status === 'success'));
			test.diagnostic(`${taskIds.length} tasks in ${executions.length} executions`);
		});

		// n8n 2 ends such an execution, and keeps nothing of it.
		if (rerunsByItself) {
			test('gives the videos of an execution whose worker died after a callback woke it', async () => {
				for (const worker of [...cluster.workers]) {
					await worker.kill();
					await cluster.replace(worker, usualLock);
				}
				sandbox.options.taskSeconds = neverByItself;
				const before = sandbox.charges.length;
				const creates = await startCreates('woken', {
					waitForCompletion: true,
					downloadVideo: true,
					options: { waitUsing: 'callback' },
				});
				await send(creates, images(4_000, 2));
				const id = await until('an execution that sleeps', async () => {
					const [one] = await rest.executions(creates.id);
					return one?.status === 'waiting' && one.id;
				});
				sandbox.addFault({ kind: 'hang', match: { operation: 'download' }, times: 2 });
				const downloads = () =>
					sandbox.requests.filter(({ operation }) => operation === 'download').length;
				const downloaded = downloads();
				finishTasks();
				await until('two downloads', () => downloads() >= downloaded + 2);
				const active = await activeJobs();
				const victim = cluster.workers.find((worker) =>
					startsOf(worker).some(
						({ executionId, jobId }) => executionId === id && active.includes(jobId),
					),
				);
				const killed = await killWorker(victim);
				assert.deepEqual(killed.left, [id]);
				await until('n8n has noticed', killed.isNoticed);
				const execution = assertSucceeded(await rest.waitForExecution(id));
				const charged = sandbox.charges.slice(before).map(({ taskId }) => taskId);
				assert.equal(charged.length, 2);
				assert.deepEqual(taskIdsOf(execution).sort(), [...charged].sort());
				for (const { binary } of itemsOf(execution, 'After')) assert.ok(binary.data);
			});
		}

		/** The worker that has run an execution last. */
		function workerOf(executionId) {
			const found = cluster.workers.find((worker) =>
				startsOf(worker).some((start) => start.executionId === executionId),
			);
			assert.ok(found, `no worker has begun execution ${executionId}`);
			return found;
		}
	},
);

/** Waits until a state is reached. */
async function until(describe, check, intervalMs = 200) {
	return await waitUntil(check, { describe, intervalMs, timeoutMs: 150_000 });
}
