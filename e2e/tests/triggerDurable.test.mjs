import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { ownN8n, prepared } from '../fixture.mjs';
import { reached, watching } from '../lib/watching.mjs';
import { klingTrigger } from '../../tools/workflow.mjs';

/** What n8n 2 needs to run polls as scheduler jobs, and to store what they remember with their executions. */
const switches = {
	N8N_SCHEDULER_ENABLED: 'true',
	N8N_SCHEDULER_POLL_TRIGGERS_ENABLED: 'true',
	N8N_POLLER_DURABLE_CURSORS_ENABLED: 'true',
};

// n8n 1 has no such scheduler.
if (prepared.line === '2') {
	describe('the trigger in n8n 2.x with durable cursors', () => {
		let server;
		let watcher;
		/** Watches a whole account. */
		let all;
		/** Watches given tasks at a provider without a list. */
		let given;

		before(async () => {
			server = await ownN8n({ env: switches });
			watcher = watching(server.rest);
			all = await watcher.account('kling', (sandbox) => {
				const past = { status: 'succeed', createdAt: Date.now() - 3_600_000 };
				sandbox.seedTasks('kling', [past, ...watcher.running(Date.now(), [9, 8, 7, 6, 5])]);
			});
			given = await watcher.account('modellix', (sandbox) => {
				sandbox.seedTasks('modellix', watcher.running(Date.now(), [9, 8, 7, 6, 5]));
			});
			given.ids = watcher.idsOf(given);
			[, ...all.ids] = watcher.idsOf(all);
			all.parameters = { watch: 'account' };
			given.parameters = { watch: 'taskIds', taskIds: given.ids.join() };
			await Promise.all(
				[all, given].map(async (watched) => {
					watched.id = (await watcher.store(watched, watched.parameters)).id;
					await server.rest.activate(watched.id);
					await reached(() => watcher.looks(watched) >= 2, 'the poll of the activation');
				}),
			);
		});

		/** Ends the task with that index in both accounts, and waits for what starts. */
		async function startsOnce(index, meanwhile = async () => undefined) {
			for (const watched of [all, given]) watcher.finish(watched, [[watched.ids[index]]]);
			await meanwhile();
			for (const watched of [all, given]) {
				const executions = await watcher.emits(watched, index + 1);
				assert.deepEqual(executions.flatMap(watcher.emitted), watched.ids.slice(0, index + 1));
			}
		}

		test('starts once with what ends between the activation and the first poll after it', async () => {
			await startsOnce(0);
		});

		test('starts once with what ends while n8n is down', async () => {
			await startsOnce(1, async () => {
				await server.stop();
				await server.start();
			});
		});

		test('starts once with what ends around an edit', async () => {
			await startsOnce(2, async () => {
				for (const { id } of [all, given]) {
					const { nodes } = await server.rest.workflow(id);
					const [trigger] = nodes.filter(({ name }) => name === 'Ended');
					trigger.parameters = { ...trigger.parameters, events: ['succeed'] };
					await server.rest.updateWorkflow(id, { nodes });
					await server.rest.activate(id);
				}
			});
		});

		test('starts once with what ends while the provider is down', async () => {
			const mend = [all, given].map(({ sandbox }) =>
				sandbox.addFault({ kind: 'status', status: 503 }),
			);
			await startsOnce(3, async () => {
				for (const { sandbox } of [all, given]) {
					await reached(
						() => sandbox.requests.some(({ status }) => status === 503),
						'a poll that went wrong',
					);
				}
				for (const each of mend) each();
			});
		});

		test('starts with nothing twice', async () => {
			await Promise.all([all, given].map(async (watched) => await watcher.nextPoll(watched)));
			await startsOnce(4);
		});
	});

	describe('two triggers in one workflow of n8n 2.x', () => {
		test('lose nothing while n8n is running, but one overwrites what the other has saved', async () => {
			const server = await ownN8n();
			const { rest } = server;
			const watcher = watching(rest);
			const prepare = (sandbox) => sandbox.seedTasks('kling', watcher.running(Date.now(), [9, 8]));
			const first = await watcher.account('kling', prepare);
			const second = await watcher.account('kling', prepare);
			const after = { main: [[{ node: 'After', type: 'main', index: 0 }]] };
			const { id } = await watcher.store(first, { watch: 'account' });
			first.id = second.id = id;
			await rest.activate(id);
			await watcher.firstPoll(first);

			// The second trigger is published later, so n8n has a separate static data object for each.
			const { nodes, connections } = await rest.workflow(id);
			await rest.updateWorkflow(id, {
				nodes: [...nodes, klingTrigger('Second', second.credential, { watch: 'account' })],
				connections: { ...connections, Second: after },
			});
			await rest.activate(id);
			const saved = async () => Object.keys((await rest.workflow(id)).staticData ?? {});
			await reached(async () => (await saved()).includes('node:Second'), 'its first poll');
			watcher.finish(first, [[watcher.idsOf(first)[0]]]);
			await watcher.emits(first, 1);
			// If n8n fixes this, docs/trigger.md no longer has to advise one workflow per trigger.
			assert.deepEqual(await saved(), ['node:Ended']);

			watcher.finish(second, [[watcher.idsOf(second)[0]]]);
			const executions = await watcher.emits(second, 2);
			assert.deepEqual(executions.flatMap(watcher.emitted), [
				watcher.idsOf(first)[0],
				watcher.idsOf(second)[0],
			]);
		});
	});
}
