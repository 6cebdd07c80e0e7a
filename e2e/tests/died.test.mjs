import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, test } from 'node:test';

import { ownN8n, ownSandbox, prepared, storeCredential } from '../fixture.mjs';
import { waitUntil } from '../../tools/process.mjs';
import { errorOf, itemsOf } from '../../tools/rest.mjs';
import {
	klingNode,
	locator,
	node,
	rowLines,
	rowNodes,
	webhook,
	workflow,
} from '../../tools/workflow.mjs';

const count = 20;
/** n8n 1.123 gives its executions no token, so their tasks have other ids in a retry. */
const hasToken = prepared.line === '2';

// One after the other: each kills the n8n of this file.
describe(`an execution that is killed while it creates, in n8n ${prepared.line}.x`, () => {
	let server;

	before(async () => {
		server = await ownN8n();
	});

	/** Starts a run of 20 creates at a provider that answers some of them with a fault. */
	async function begin(provider, ...faults) {
		const sandbox = await ownSandbox({ taskSeconds: 1, latencyMs: 400 });
		for (const fault of faults) sandbox.addFault({ ...fault, match: { operation: 'create' } });
		const credential = await storeCredential(server.rest, sandbox, provider);
		const images = Array.from(
			{ length: count },
			(_, index) => `https://photos.example/${index}.jpg`,
		);
		const effect = {
			operation: 'create',
			effectScene: locator('name', 'pet_dance'),
			imageInput: 'url',
			image: '={{ $json.image }}',
			options: { concurrency: 3 },
		};
		// Only for a production execution does n8n store at the start what a retry needs.
		const path = randomUUID();
		const nodes = [
			webhook('Start', path),
			...rowNodes(
				'Photos',
				images.map((image) => ({ image })),
			),
			klingNode('Effect', credential, effect),
			node('After', 'n8n-nodes-base.noOp'),
		];
		const lines = [...rowLines('Photos'), ['Photos', 'Effect'], ['Effect', 'After']];
		const { id } = await server.rest.createWorkflow(workflow('killed', nodes, lines));
		await server.rest.activate(id);
		const call = async () => (await fetch(`${server.url}/webhook/${path}`, { method: 'POST' })).ok;
		// n8n 2 activates some time after its response.
		await waitUntil(call, { timeoutMs: 30_000, intervalMs: 250, describe: 'the webhook' });
		return { id, sandbox };
	}

	const posts = ({ requests }) => requests.filter(({ operation }) => operation === 'create').length;

	async function killAt(sandbox, creates) {
		const reached = async () => posts(sandbox) >= creates;
		await waitUntil(reached, { timeoutMs: 60_000, intervalMs: 20, describe: 'creates' });
		await server.kill();
		await server.start();
		await server.rest.login();
	}

	/** The newest execution of a workflow, once it is over with this status. */
	async function newest(id, status) {
		const find = async () => {
			const [one] = await server.rest.executions(id);
			return one?.status === status && one.id;
		};
		return await waitUntil(find, { timeoutMs: 60_000, describe: `an execution that is ${status}` });
	}

	const imagesOf = (sandbox) => sandbox.charges.map(({ images }) => images[0]);

	for (const provider of ['modellix', 'apiModels', 'kling']) {
		test(`${provider}: Retry pays for nothing twice`, async () => {
			const { id, sandbox } = await begin(provider);
			await killAt(sandbox, 9);
			const charged = sandbox.charges.length;
			assert.ok(charged >= 6 && charged < count, `${charged} charges before the kill`);
			const retried = await server.rest.retryExecution(await newest(id, 'crashed'));
			const ids = sandbox.charges.map(({ taskId }) => taskId);
			assert.equal(
				new Set(
					sandbox.requests
						.filter(({ operation }) => operation === 'create')
						.map(({ body }) => /example\/(\d+)/.exec(JSON.stringify(body))[1]),
				).size,
				ids.length,
			);
			if (provider === 'kling' && hasToken) {
				const found = itemsOf(retried, 'After').map(({ json }) => json.taskId);
				assert.deepEqual([...found].sort(), [...ids].sort());
				assert.equal(ids.length, count);
			} else {
				assert.equal(sandbox.charges.length, charged);
				assert.match(errorOf(retried).message, /may have created the task/);
			}
			console.log(`${provider}: ${charged} charges before the kill, ${ids.length} after Retry`);
		});
	}

	for (const provider of ['modellix', 'kling']) {
		test(`${provider}: Retry of a retry that was killed pays for nothing twice`, async () => {
			// The first run ends at its fifth create, and n8n stores what the node knows.
			const refusal = { kind: 'code', code: 1201, skip: 4, times: 1 };
			const { id, sandbox } = await begin(provider, refusal);
			const failed = await newest(id, 'error');
			const first = sandbox.charges.length;
			assert.ok(first >= 4 && first < 8, `${first} charges of the first run`);

			// Killed in the midst of what the first run had not come to.
			void server.rest.retryExecution(failed).catch(() => null);
			await killAt(sandbox, posts(sandbox) + 7);
			const second = sandbox.charges.length;
			assert.ok(second > first && second < count, `${second} charges before the kill`);

			const retried = await server.rest.retryExecution(await newest(id, 'crashed'));
			assert.equal(new Set(imagesOf(sandbox)).size, sandbox.charges.length);
			if (provider === 'kling') {
				const found = itemsOf(retried, 'After').map(({ json }) => json.taskId);
				assert.deepEqual([...found].sort(), sandbox.charges.map(({ taskId }) => taskId).sort());
				assert.equal(sandbox.charges.length, count);
			} else {
				assert.equal(sandbox.charges.length, second);
				assert.match(errorOf(retried).message, /may have created the task/);
			}
			console.log(
				`${provider}: ${first} charges, ${second} before the kill, ${sandbox.charges.length} in the end`,
			);
		});
	}
});
