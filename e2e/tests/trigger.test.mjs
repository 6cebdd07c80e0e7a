import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { ownN8n, prepared, storeCredential } from '../fixture.mjs';
import { minute, reached, watching } from '../lib/watching.mjs';
import { assertSucceeded, errorOf, itemsOf } from '../../tools/rest.mjs';
import { klingNode, locator, manualTrigger, workflow } from '../../tools/workflow.mjs';

/**
 * One n8n and several accounts, each watched by a workflow. As n8n polls at most once a minute, all of
 * them go through the same story together: activation, a poll, a stop, a start, a poll.
 */
describe(`the trigger in n8n ${prepared.line}.x`, () => {
	let server;
	let rest;
	let watcher;
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
		watcher = watching(rest);
		all = await watcher.account('kling', (sandbox) => {
			const now = Date.now();
			const ended = (status, minutes) => ({ status, createdAt: now - minutes * minute });
			sandbox.seedTasks('kling', [
				ended('succeed', 50),
				ended('failed', 30),
				ended('succeed', 1),
				...watcher.running(now, [40, 20, 10]),
			]);
		});
		given = await watcher.account('modellix', (sandbox) => {
			sandbox.seedTasks('modellix', watcher.running(Date.now(), [9, 8, 7]));
		});
		chosen = await watcher.account('kling', (sandbox) => {
			const names = ['order-1', 'order-2', 'draft-1', 'order-3'];
			const tasks = watcher.running(Date.now(), [8, 7, 6, 5]);
			const named = tasks.map((task, index) => ({ ...task, externalTaskId: names[index] }));
			sandbox.seedTasks('kling', named);
		});
		unlucky = await watcher.account('kling', (sandbox) => {
			sandbox.seedTasks('kling', watcher.running(Date.now(), [5]));
		});
		locked = await watcher.account('kling');
		await Promise.all([
			watcher.watch(all, { watch: 'account' }),
			watcher.watch(given, { watch: 'taskIds', taskIds: watcher.idsOf(given).join('\n') }),
			watcher.watch(chosen, {
				watch: 'account',
				events: ['failed'],
				options: { externalTaskIdPrefix: 'order-' },
			}),
			watcher.watch(unlucky, { watch: 'account' }),
			watcher.watch(locked, { watch: 'account' }),
		]);
	});

	describe('while n8n runs', { concurrency: true }, () => {
		test('starts with what ends after the activation, oldest end first, and not with earlier tasks', async () => {
			assert.deepEqual(await watcher.started(all), []);
			const [, , , oldest, , newest] = watcher.idsOf(all);
			const create = {
				operation: 'create',
				effectScene: locator('name', 'pet_dance'),
				imageInput: 'url',
				image: 'https://photos.example/new.jpg',
			};
			const nodes = [manualTrigger(), klingNode('Create', all.credential, create)];
			const { id } = await rest.createWorkflow(workflow('new', nodes, [['Start', 'Create']]));
			assertSucceeded(await rest.runManually(id, 'Start'));
			const created = watcher.idsOf(all).at(-1);
			watcher.finish(all, [[newest], [created], [oldest, 'failed', 'Too dark']]);

			const [execution] = await watcher.emits(all, 1);
			assert.deepEqual(watcher.emitted(execution), [newest, created, oldest]);
			const [first, , third] = itemsOf(execution, 'After').map(({ json }) => json);
			assert.deepEqual([first.status, first.provider], ['succeed', 'kling']);
			assert.match(first.videoUrl, /^http/);
			assert.deepEqual([third.status, third.statusMessage], ['failed', 'Too dark']);
		});

		test('follows given tasks at a provider without a list', async () => {
			const [first, , third] = watcher.idsOf(given);
			watcher.finish(given, [[third], [first, 'failed', 'Too dark']]);
			const [execution] = await watcher.emits(given, 1);
			// Modellix does not say when a task ended, so the order means nothing.
			assert.deepEqual(watcher.emitted(execution).sort(), [third, first].sort());
		});

		test('ignores what Trigger On and the prefix do not include', async () => {
			const [first, second, draft] = watcher.idsOf(chosen);
			watcher.finish(chosen, [
				[first, 'succeed'],
				[draft, 'failed'],
				[second, 'failed'],
			]);
			const [execution] = await watcher.emits(chosen, 1);
			assert.deepEqual(watcher.emitted(execution), [second]);
		});

		test('does not report a single poll that failed', async () => {
			const fault = { kind: 'status', status: 503, match: { operation: 'list' } };
			unlucky.mend = unlucky.sandbox.addFault(fault);
			watcher.finish(unlucky, [[watcher.idsOf(unlucky)[0]]]);
			await reached(
				() => unlucky.sandbox.requests.some(({ status }) => status === 503),
				'a poll that went wrong',
			);
			assert.deepEqual(await watcher.started(unlucky), []);
		});

		test('shows at once that the key is refused', async () => {
			const { sandbox } = locked;
			sandbox.addFault({ kind: 'code', code: 1002, match: { operation: 'list' } });
			const [execution] = await watcher.emits(locked, 1);
			assert.equal(execution.status, 'error');
			const { message, description } = errorOf(execution);
			assert.match(message, /Kling AI did not accept the key/);
			assert.ok(description, 'says what to do');
			await rest.deactivate(locked.id);
		});

		test('shows the tasks that ended last with “Fetch Test Event”, and changes nothing', async () => {
			const history = await watcher.account('kling');
			const { sandbox } = history;
			const now = Date.now();
			const ages = [70, 60, 50, 40, 30, 20, 10];
			const seeded = ages.map((age) => ({
				status: age === 20 ? 'failed' : 'succeed',
				createdAt: now - age * minute,
			}));
			const { id } = await watcher.store(history, { watch: 'account' });
			history.id = id;
			const nothing = await rest.fetchTestEvent(id, 'Ended');
			assert.equal(nothing.status, 'error');
			assert.match(errorOf(nothing).message, /No finished tasks yet/);

			sandbox.seedTasks('kling', [...seeded, { status: 'processing', createdAt: now }]);
			const ids = watcher.idsOf(history);
			const running = ids.at(-1);
			const show = async () => {
				const execution = assertSucceeded(await rest.fetchTestEvent(id, 'Ended'));
				return itemsOf(execution, 'Ended').map(({ json }) => json.taskId);
			};
			assert.deepEqual(await show(), ids.slice(2, 7));
			assert.equal((await rest.workflow(id)).staticData ?? null, null);

			await rest.activate(id);
			await watcher.firstPoll(history);
			watcher.finish(history, [[running]]);
			assert.deepEqual(await show(), ids.slice(3));
			assert.deepEqual(await show(), ids.slice(3));
			const [execution] = await watcher.emits(history, 1);
			assert.deepEqual(watcher.emitted(execution), [running]);
			await rest.deactivate(id);
		});

		test('starts once with what ends around an edit, while a slow poll of the old version is running', async () => {
			const edited = await watcher.account('kling', (sandbox) => {
				sandbox.seedTasks('kling', watcher.running(Date.now(), [9, 8]));
			});
			const { sandbox } = edited;
			await watcher.watch(edited, { watch: 'account' });
			const [first, second] = watcher.idsOf(edited);
			watcher.finish(edited, [[first]]);
			const fault = { kind: 'delay', delayMs: 25_000, match: { operation: 'list' }, times: 1 };
			sandbox.addFault(fault);
			const before = sandbox.requests.length;
			const slow = await reached(
				() => sandbox.requests.slice(before).find(watcher.isList),
				'a slow poll',
			);
			watcher.finish(edited, [[second]]);

			const { nodes } = await rest.workflow(edited.id);
			const [trigger] = nodes.filter(({ name }) => name === 'Ended');
			trigger.parameters = { ...trigger.parameters, events: ['succeed'] };
			await rest.updateWorkflow(edited.id, { nodes });
			// n8n 1 activates what is saved; n8n 2 waits until it is published.
			if (prepared.line === '2') await rest.activate(edited.id);
			const [execution] = await watcher.emits(edited, 1);
			assert.equal(slow.status, 0, 'the poll of the old version was over before the edit');
			assert.deepEqual(watcher.emitted(execution), [first, second]);

			await reached(() => slow.status !== 0, 'the end of the slow poll');
			await watcher.nextPoll(edited);
			await watcher.nextPoll(edited);
			assert.equal((await watcher.started(edited)).length, 1);
			await rest.deactivate(edited.id);
		});

		test('starts once with what ends while the first reading takes three polls, and not with earlier tasks', async () => {
			const now = Date.now();
			/** The list is read to the end: it starts with the oldest task. */
			const long = await watcher.account(
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
			const pages = () => sandbox.requests.filter(watcher.isList).map(pageOf);
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

			const { id } = await watcher.store(long, { watch: 'account' });
			long.id = id;
			const active = rest.activate(id);
			await reached(() => pages().includes(2), 'the second page');
			watcher.finish(long, [[page3]]);
			await active;
			await watcher.emits(long, 1);
			watcher.finish(long, [[page2], [page6]]);
			await reached(() => pages().filter((page) => page === 5).length === 3, 'a second poll');
			watcher.finish(long, [[page5]]);
			await reached(() => pages().includes(7), 'the end of the list');
			await watcher.nextPoll(long);

			assert.deepEqual(pages().slice(0, 14), [1, 2, 3, 4, 4, 4, 1, 4, 5, 5, 5, 1, 5, 6]);
			const times = (await watcher.emits(long, 3)).flatMap(watcher.emitted);
			assert.deepEqual(times.sort(), [page2, page3, page5, page6].sort());
			await rest.deactivate(id);
		});

		test('refuses a whole account at a provider without a list, and says what to do instead', async () => {
			const credential = await storeCredential(rest, all.sandbox, 'cometApi');
			const { id } = await watcher.store({ credential }, { watch: 'account' });
			const refusal = await whyNotActive(id);
			assert.match(refusal, /CometAPI has no list of tasks, so set Watch to Task IDs/);
		});

		test('refuses ids that belong to another account', async () => {
			const { id } = await watcher.store(given, {
				watch: 'taskIds',
				taskIds: 'task-of-somebody-else',
			});
			assert.match(await whyNotActive(id), /has no task with this ID: task-of-somebody-else/);
		});
	});

	/** n8n 1 refuses to activate; n8n 2 accepts and tries a few times before it shows why not. */
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
			seen = {
				all: (await watcher.started(all)).length,
				given: (await watcher.started(given)).length,
			};
			await server.stop();
			const [, , , , middle] = watcher.idsOf(all);
			const now = Date.now();
			all.sandbox.seedTasks('kling', watcher.running(now, [3, 2]));
			const [unseen, failing] = watcher.idsOf(all).slice(-2);
			all.late = [unseen, middle, failing];
			watcher.finish(all, [[unseen], [middle], [failing, 'failed']]);
			watcher.finish(given, [[watcher.idsOf(given)[1]]]);
			const last = watcher.idsOf(chosen).at(-1);
			watcher.finish(chosen, [[last, 'failed']]);
			unlucky.mend();
			await server.start();
		});

		test('starts once with what ended in the meantime, even with a task that it never saw running', async () => {
			const executions = await watcher.emits(all, seen.all + 1);
			assert.deepEqual(watcher.emitted(executions.at(-1)), all.late);
		});

		test('starts with the given task that ended in the meantime', async () => {
			const executions = await watcher.emits(given, seen.given + 1);
			assert.deepEqual(watcher.emitted(executions.at(-1)), [watcher.idsOf(given)[1]]);
		});

		test('starts with the failed task that has the prefix', async () => {
			const executions = await watcher.emits(chosen, 2);
			assert.deepEqual(watcher.emitted(executions.at(-1)), [watcher.idsOf(chosen).at(-1)]);
		});

		test('starts with what a failed poll would have found', async () => {
			const [execution, ...more] = await watcher.emits(unlucky, 1);
			assert.deepEqual(watcher.emitted(execution), watcher.idsOf(unlucky));
			assert.deepEqual(more, []);
		});

		test('starts with nothing twice when it polls again, and has lost nothing', async () => {
			await Promise.all([
				watcher.nextPoll(all),
				watcher.nextPoll(chosen),
				watcher.nextPoll(unlucky),
			]);
			const times = async (watched) => (await watcher.emits(watched, 1)).flatMap(watcher.emitted);
			const [, , , ...since] = watcher.idsOf(all);
			assert.deepEqual((await times(all)).sort(), since.sort());
			assert.deepEqual((await times(given)).sort(), watcher.idsOf(given).sort());
			const [, second, , last] = watcher.idsOf(chosen);
			assert.deepEqual(await times(chosen), [second, last]);
			assert.deepEqual(await times(unlucky), watcher.idsOf(unlucky));
		});
	});
});
