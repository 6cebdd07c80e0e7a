import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { ownN8n, ownSandbox, prepared, storeCredential } from '../fixture.mjs';
import { waitUntil } from '../../tools/process.mjs';
import { assertSucceeded, errorOf, itemsOf } from '../../tools/rest.mjs';
import {
	klingNode,
	klingTrigger,
	locator,
	manualTrigger,
	node,
	workflow,
} from '../../tools/workflow.mjs';

/** Tasks end when a test says so. */
const neverByItself = 100_000;
/** n8n polls each minute, at a second of its own choice. */
const pollMs = 90_000;
const minute = 60_000;

/**
 * One n8n and several accounts, each watched by a workflow. As n8n polls once a minute at most, all
 * of them go through the same story at the same time: activation, a poll, a stop, a start, a poll.
 */
describe(`the trigger in n8n ${prepared.line}.x`, () => {
	let server;
	let rest;
	/** Watches a whole account. */
	let all;
	/** Watches two tasks at a provider without a list. */
	let given;
	/** Watches failed tasks with an external id that begins with "order-". */
	let chosen;
	/** Watches an account whose provider is down for a while. */
	let unlucky;
	/** Watches an account whose key is withdrawn after the activation. */
	let locked;

	before(async () => {
		server = await ownN8n();
		rest = server.rest;
		all = await account('kling', (sandbox) => {
			const now = Date.now();
			const ended = (status, minutes) => ({ status, createdAt: now - minutes * minute });
			sandbox.seedTasks('kling', [
				ended('succeed', 50),
				ended('failed', 30),
				ended('succeed', 1),
				...running(now, [40, 20, 10]),
			]);
		});
		given = await account('modellix', (sandbox) => {
			sandbox.seedTasks('modellix', running(Date.now(), [9, 8, 7]));
		});
		chosen = await account('kling', (sandbox) => {
			const names = ['order-1', 'order-2', 'draft-1', 'order-3'];
			const tasks = running(Date.now(), [8, 7, 6, 5]);
			const named = tasks.map((task, index) => ({ ...task, externalTaskId: names[index] }));
			sandbox.seedTasks('kling', named);
		});
		unlucky = await account('kling', (sandbox) => {
			sandbox.seedTasks('kling', running(Date.now(), [5]));
		});
		locked = await account('kling');
		await Promise.all([
			watch(all, { watch: 'account' }),
			watch(given, { watch: 'taskIds', taskIds: idsOf(given).join('\n') }),
			watch(chosen, {
				watch: 'account',
				events: ['failed'],
				options: { externalTaskIdPrefix: 'order-' },
			}),
			watch(unlucky, { watch: 'account' }),
			watch(locked, { watch: 'account' }),
		]);
	});

	/** A provider with a past. */
	async function account(provider, prepare = () => {}, options = {}) {
		const sandbox = await ownSandbox({ taskSeconds: neverByItself, ...options });
		prepare(sandbox);
		const credential = await storeCredential(rest, sandbox, provider);
		return { provider, sandbox, credential };
	}

	/** Running tasks, so many minutes old each. */
	function running(now, ages) {
		return ages.map((age) => ({ status: 'processing', createdAt: now - age * minute }));
	}

	const idsOf = ({ sandbox }) => sandbox.tasks.map(({ taskId }) => taskId);

	async function store({ credential }, parameters) {
		const nodes = [
			klingTrigger('Ended', credential, parameters),
			node('After', 'n8n-nodes-base.noOp'),
		];
		return await rest.createWorkflow(workflow('trigger', nodes, [['Ended', 'After']]));
	}

	/** Stores and activates a workflow for an account, and waits until its first poll is over. */
	async function watch(watched, parameters) {
		const { id } = await store(watched, parameters);
		watched.id = id;
		await rest.activate(id);
		await firstPoll(watched);
	}

	/** n8n saves what a trigger remembers once after the activation. */
	async function firstPoll({ id }) {
		await reached(async () => (await rest.workflow(id)).staticData, 'the first poll');
	}

	const looks = ({ sandbox }) =>
		sandbox.requests.filter(({ operation, status }) => isLook(operation) && status !== 0).length;
	const isList = ({ operation }) => operation === 'list';
	const isLook = (operation) => operation === 'list' || operation === 'get';

	/** The executions that the trigger has started, oldest first. */
	async function started({ id }) {
		const executions = await rest.executions(id);
		return executions.filter(({ mode }) => mode === 'trigger').reverse();
	}

	/** Waits until the trigger has started so many executions, oldest first. */
	async function emits(watched, count) {
		await reached(async () => {
			const ended = (await started(watched)).filter(({ stoppedAt }) => stoppedAt);
			return ended.length >= count;
		}, `${count} executions`);
		const executions = await started(watched);
		return await Promise.all(executions.map(async ({ id }) => await rest.execution(id)));
	}

	const emitted = (execution) =>
		itemsOf(assertSucceeded(execution), 'After').map(({ json }) => json.taskId);

	/** Ends tasks, one after the other on the provider's clock, before any poll can come between. */
	function finish({ sandbox }, ends) {
		for (const [taskId, status = 'succeed', reason] of ends) {
			sandbox.finish(taskId, status, reason);
			const end = Date.now();
			while (Date.now() === end);
		}
	}

	async function nextPoll(watched) {
		const before = looks(watched);
		await reached(() => looks(watched) > before, 'the next poll');
	}

	describe('while n8n runs', { concurrency: true }, () => {
		test('starts with what ends after the activation, oldest end first, and not with the past', async () => {
			assert.deepEqual(await started(all), []);
			const [, , , oldest, , newest] = idsOf(all);
			const create = {
				operation: 'create',
				effectScene: locator('name', 'pet_dance'),
				imageInput: 'url',
				image: 'https://photos.example/new.jpg',
			};
			const nodes = [manualTrigger(), klingNode('Create', all.credential, create)];
			const { id } = await rest.createWorkflow(workflow('new', nodes, [['Start', 'Create']]));
			assertSucceeded(await rest.runManually(id, 'Start'));
			const created = idsOf(all).at(-1);
			finish(all, [[newest], [created], [oldest, 'failed', 'Too dark']]);

			const [execution] = await emits(all, 1);
			assert.deepEqual(emitted(execution), [newest, created, oldest]);
			const [first, , third] = itemsOf(execution, 'After').map(({ json }) => json);
			assert.deepEqual([first.status, first.provider], ['succeed', 'kling']);
			assert.match(first.videoUrl, /^http/);
			assert.deepEqual([third.status, third.statusMessage], ['failed', 'Too dark']);
		});

		test('follows given tasks at a provider without a list', async () => {
			const [first, , third] = idsOf(given);
			finish(given, [[third], [first, 'failed', 'Too dark']]);
			const [execution] = await emits(given, 1);
			// Modellix does not say when a task has ended, so their order says nothing.
			assert.deepEqual(emitted(execution).sort(), [third, first].sort());
		});

		test('passes over what Trigger On and the prefix do not ask for', async () => {
			const [first, second, draft] = idsOf(chosen);
			finish(chosen, [
				[first, 'succeed'],
				[draft, 'failed'],
				[second, 'failed'],
			]);
			const [execution] = await emits(chosen, 1);
			assert.deepEqual(emitted(execution), [second]);
		});

		test('says nothing of a poll that the provider did not answer well', async () => {
			const fault = { kind: 'status', status: 503, match: { operation: 'list' } };
			unlucky.mend = unlucky.sandbox.addFault(fault);
			finish(unlucky, [[idsOf(unlucky)[0]]]);
			await reached(
				() => unlucky.sandbox.requests.some(({ status }) => status === 503),
				'a poll that went wrong',
			);
			assert.deepEqual(await started(unlucky), []);
		});

		test('shows at once that the key is refused', async () => {
			const { sandbox } = locked;
			sandbox.addFault({ kind: 'code', code: 1002, match: { operation: 'list' } });
			const [execution] = await emits(locked, 1);
			assert.equal(execution.status, 'error');
			const { message, description } = errorOf(execution);
			assert.match(message, /Kling AI did not accept the key/);
			assert.ok(description, 'says what to do');
			await rest.deactivate(locked.id);
		});

		test('shows the tasks that ended last with “Fetch Test Event”, and takes nothing away', async () => {
			const history = await account('kling');
			const { sandbox } = history;
			const now = Date.now();
			const ages = [70, 60, 50, 40, 30, 20, 10];
			const seeded = ages.map((age) => ({
				status: age === 20 ? 'failed' : 'succeed',
				createdAt: now - age * minute,
			}));
			const { id } = await store(history, { watch: 'account' });
			history.id = id;
			const nothing = await rest.fetchTestEvent(id, 'Ended');
			assert.equal(nothing.status, 'error');
			assert.match(errorOf(nothing).message, /There is no ended task to show yet/);

			sandbox.seedTasks('kling', [...seeded, { status: 'processing', createdAt: now }]);
			const ids = idsOf(history);
			const running = ids.at(-1);
			const show = async () => {
				const execution = assertSucceeded(await rest.fetchTestEvent(id, 'Ended'));
				return itemsOf(execution, 'Ended').map(({ json }) => json.taskId);
			};
			assert.deepEqual(await show(), ids.slice(2, 7));
			assert.equal((await rest.workflow(id)).staticData ?? null, null);

			await rest.activate(id);
			await firstPoll(history);
			finish(history, [[running]]);
			assert.deepEqual(await show(), ids.slice(3));
			assert.deepEqual(await show(), ids.slice(3));
			const [execution] = await emits(history, 1);
			assert.deepEqual(emitted(execution), [running]);
			await rest.deactivate(id);
		});

		test('starts once with what ends around an edit, while a slow poll of the old version runs', async () => {
			const edited = await account('kling', (sandbox) => {
				sandbox.seedTasks('kling', running(Date.now(), [9, 8]));
			});
			const { sandbox } = edited;
			await watch(edited, { watch: 'account' });
			const [first, second] = idsOf(edited);
			finish(edited, [[first]]);
			const fault = { kind: 'delay', delayMs: 25_000, match: { operation: 'list' }, times: 1 };
			sandbox.addFault(fault);
			const before = sandbox.requests.length;
			const slow = await reached(() => sandbox.requests.slice(before).find(isList), 'a slow poll');
			finish(edited, [[second]]);

			const { nodes } = await rest.workflow(edited.id);
			const [trigger] = nodes.filter(({ name }) => name === 'Ended');
			trigger.parameters = { ...trigger.parameters, events: ['succeed'] };
			await rest.updateWorkflow(edited.id, { nodes });
			// n8n 1 activates what is saved; n8n 2 waits until it is published.
			if (prepared.line === '2') await rest.activate(edited.id);
			const [execution] = await emits(edited, 1);
			assert.equal(slow.status, 0, 'the poll of the old version was over before the edit');
			assert.deepEqual(emitted(execution), [first, second]);

			await reached(() => slow.status !== 0, 'the end of the slow poll');
			await nextPoll(edited);
			await nextPoll(edited);
			assert.equal((await started(edited)).length, 1);
			await rest.deactivate(edited.id);
		});

		test('starts once with what ends while the first reading takes three polls, and not with the past', async () => {
			const now = Date.now();
			/** The list is read to its end: it begins with the oldest task. */
			const long = await account(
				'kling',
				(sandbox) => {
					const past = Array.from({ length: 3_000 }, (_, index) => ({
						status: index % 700 === 600 ? 'processing' : 'succeed',
						createdAt: now - 60 * minute - (3_000 - index) * 20_000,
					}));
					sandbox.seedTasks('kling', past);
				},
				{ listOrder: 'oldestFirst' },
			);
			const { sandbox } = long;
			/** Running tasks: on the second page, the third, the fifth and the sixth. */
			const [page2, page3, page5, page6] = sandbox.tasks
				.filter(({ status }) => status !== 'succeed')
				.map(({ taskId }) => taskId);
			const pageOf = ({ path }) => Number(new URLSearchParams(path.split('?')[1]).get('pageNum'));
			const pages = () => sandbox.requests.filter(isList).map(pageOf);
			const fails = (page) => {
				const match = { path: new RegExp(`pageNum=${page}(&|$)`) };
				return { kind: 'status', status: 503, match, times: 3 };
			};
			sandbox.addFault({
				kind: 'delay',
				delayMs: 3_000,
				match: { path: /pageNum=2(&|$)/ },
				times: 1,
			});
			sandbox.addFault(fails(4));
			sandbox.addFault(fails(5));

			const { id } = await store(long, { watch: 'account' });
			long.id = id;
			const active = rest.activate(id);
			await reached(() => pages().includes(2), 'the second page');
			finish(long, [[page3]]);
			await active;
			await emits(long, 1);
			finish(long, [[page2], [page6]]);
			await reached(() => pages().filter((page) => page === 5).length === 3, 'a second poll');
			finish(long, [[page5]]);
			await reached(() => pages().includes(7), 'the end of the list');
			await nextPoll(long);

			assert.deepEqual(pages().slice(0, 14), [1, 2, 3, 4, 4, 4, 1, 4, 5, 5, 5, 1, 5, 6]);
			const times = (await emits(long, 3)).flatMap(emitted);
			assert.deepEqual(times.sort(), [page2, page3, page5, page6].sort());
			await rest.deactivate(id);
		});

		test('is refused an account at a provider without a list, and says what to do instead', async () => {
			const credential = await storeCredential(rest, all.sandbox, 'cometApi');
			const { id } = await store({ credential }, { watch: 'account' });
			const refusal = await whyNotActive(id);
			assert.match(refusal, /CometAPI has no list of tasks, so set Watch to Task IDs/);
		});

		test('is refused ids that belong to another account', async () => {
			const { id } = await store(given, { watch: 'taskIds', taskIds: 'task-of-somebody-else' });
			assert.match(await whyNotActive(id), /knows no task with this ID: task-of-somebody-else/);
		});
	});

	/** n8n 1 refuses to activate; n8n 2 takes note and tries a few times before it shows why not. */
	async function whyNotActive(id) {
		try {
			await rest.activate(id);
		} catch (error) {
			return error.body.message;
		}
		let reason;
		await reached(async () => (reason = await rest.activationError(id)), 'a reason');
		await rest.deactivate(id);
		return reason;
	}

	describe('after n8n was down', () => {
		let seen;

		before(async () => {
			seen = { all: (await started(all)).length, given: (await started(given)).length };
			await server.stop();
			const [, , , , middle] = idsOf(all);
			const now = Date.now();
			all.sandbox.seedTasks('kling', running(now, [3, 2]));
			const [unseen, failing] = idsOf(all).slice(-2);
			all.late = [unseen, middle, failing];
			finish(all, [[unseen], [middle], [failing, 'failed']]);
			finish(given, [[idsOf(given)[1]]]);
			const last = idsOf(chosen).at(-1);
			finish(chosen, [[last, 'failed']]);
			unlucky.mend();
			await server.start();
		});

		test('starts once with what ended meanwhile, even with a task that it never saw running', async () => {
			const executions = await emits(all, seen.all + 1);
			assert.deepEqual(emitted(executions.at(-1)), all.late);
		});

		test('starts with the given task that ended meanwhile', async () => {
			const executions = await emits(given, seen.given + 1);
			assert.deepEqual(emitted(executions.at(-1)), [idsOf(given)[1]]);
		});

		test('starts with the failed task that has the prefix', async () => {
			const executions = await emits(chosen, 2);
			assert.deepEqual(emitted(executions.at(-1)), [idsOf(chosen).at(-1)]);
		});

		test('starts with what a poll that went wrong would have found', async () => {
			const [execution, ...more] = await emits(unlucky, 1);
			assert.deepEqual(emitted(execution), idsOf(unlucky));
			assert.deepEqual(more, []);
		});

		test('starts with nothing twice when it polls again, and has lost nothing', async () => {
			await Promise.all([nextPoll(all), nextPoll(chosen), nextPoll(unlucky)]);
			const times = async (watched) => (await emits(watched, 1)).flatMap(emitted);
			const [, , , ...since] = idsOf(all);
			assert.deepEqual((await times(all)).sort(), since.sort());
			assert.deepEqual((await times(given)).sort(), idsOf(given).sort());
			const [, second, , last] = idsOf(chosen);
			assert.deepEqual(await times(chosen), [second, last]);
			assert.deepEqual(await times(unlucky), idsOf(unlucky));
		});
	});
});

/** Waits until a condition is true, and gives what made it so. */
async function reached(check, describe) {
	return await waitUntil(check, { timeoutMs: pollMs, intervalMs: 100, describe });
}
