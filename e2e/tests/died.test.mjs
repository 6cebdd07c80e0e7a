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

	/** A run of 20 creates; n8n is killed in the middle, and restarted. */
	async function killedRun(provider) {
		const sandbox = await ownSandbox({ taskSeconds: 1, latencyMs: 400 });
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

	for (const provider of ['modellix', 'apiModels', 'kling']) {
		test(`${provider}: Retry pays for nothing twice`, async () => {
			const { id, sandbox } = await killedRun(provider);
			await killAt(sandbox, 9);
			const charged = sandbox.charges.length;
			assert.ok(charged >= 6 && charged < count, `${charged} charges before the kill`);
			const isCrashed = async () => (await server.rest.executions(id))[0]?.status === 'crashed';
			await waitUntil(isCrashed, { timeoutMs: 60_000, describe: 'the end of the killed run' });
			const [{ id: execution }] = await server.rest.executions(id);

			const retried = await server.rest.retryExecution(execution);
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
});
