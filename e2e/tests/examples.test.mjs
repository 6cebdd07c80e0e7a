import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { ownSandbox, prepared, sharedN8n, storeCredential } from '../fixture.mjs';
import { mp4Boxes } from '../lib/mp4.mjs';
import { ROOT_DIR } from '../lib/paths.mjs';
import { assertSucceeded, itemsOf } from '../lib/rest.mjs';

const folder = join(ROOT_DIR, 'examples');

/** A chat model that answers with these messages, one after the other. */
async function fakeModel(messages) {
	const asked = [];
	const server = createServer(async (request, response) => {
		let text = '';
		for await (const chunk of request) text += chunk;
		asked.push(JSON.parse(text));
		const message = messages[Math.min(asked.length, messages.length) - 1];
		const choice = { index: 0, message: { role: 'assistant', content: '', ...message } };
		choice.finish_reason = message.tool_calls ? 'tool_calls' : 'stop';
		const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
		const answer = { id: 'fake', object: 'chat.completion', created: 1, model: 'fake', usage };
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({ ...answer, choices: [choice] }));
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	after(() => server.close());
	return { url: `http://127.0.0.1:${server.address().port}/v1`, asked };
}

function call(id, name, args) {
	return { id, type: 'function', function: { name, arguments: JSON.stringify(args) } };
}

describe(`the examples in n8n ${prepared.line}.x`, () => {
	let rest;
	let sandbox;
	let credential;

	before(async () => {
		rest = await sharedN8n();
		sandbox = await ownSandbox();
		credential = await storeCredential(rest, sandbox, 'kling');
	});

	/** An example as a user adapts it: with own credentials, photos and folder. */
	async function importExample(name, change = () => {}) {
		const text = readFileSync(join(folder, name), 'utf8')
			.replaceAll('https://example.com/', `${sandbox.url}/_sandbox/images/`)
			.replaceAll('/home/node/.n8n-files', prepared.filesDir);
		const example = JSON.parse(text);
		for (const node of example.nodes) {
			if (node.credentials?.klingEffectsApi) {
				node.credentials.klingEffectsApi = { id: credential.id, name: credential.name };
			}
			if (node.type.startsWith('n8n-nodes-kling-effects.') && 'options' in node.parameters) {
				if (node.parameters.waitForCompletion) node.parameters.options.pollInterval = 1;
			}
		}
		change(example);
		return await rest.createWorkflow(example);
	}

	async function run(name, change, start = 'Start') {
		const { id } = await importExample(name, change);
		return assertSucceeded(await rest.runManually(id, start));
	}

	it('are at least six', () => {
		assert.ok(readdirSync(folder).filter((name) => name.endsWith('.json')).length >= 6);
	});

	for (const name of ['1-one-photo.json', '2-two-photos.json']) {
		it(`${name} makes a video`, async () => {
			const [item, ...others] = itemsOf(await run(name), 'Make Video');
			assert.deepEqual(others, []);
			assert.equal(item.json.status, 'succeed');
			mp4Boxes(await rest.binary(item.binary.data));
		});
	}

	it('3-batch-with-error-branch.json parts the good rows from the bad', async () => {
		const execution = await run('3-batch-with-error-branch.json');
		const finished = itemsOf(execution, 'Finished').map(({ json }) => json);
		assert.deepEqual(
			finished.map(({ order }) => order),
			['A-1', 'A-2'],
		);
		assert.ok(finished.every(({ video }) => video));
		const [bad, ...others] = itemsOf(execution, 'Not Finished').map(({ json }) => json);
		assert.deepEqual(others, []);
		assert.equal(bad.order, 'A-3');
		assert.match(bad.reason, /empty/);
		assert.ok(bad.advice);
	});

	it('5-without-a-list.json follows a task in a Data Table', async () => {
		const { id: projectId } = await rest.request('GET', '/rest/projects/personal');
		const columns = ['taskId', 'status', 'videoUrl'].map((name) => ({ name, type: 'string' }));
		const path = `/rest/projects/${projectId}/data-tables`;
		const table = await rest.request('POST', path, { name: `Kling ${Date.now()}`, columns });
		const choose = ({ nodes }) => {
			for (const { parameters } of nodes) {
				if (parameters.dataTableId) parameters.dataTableId.value = table.id;
			}
		};
		const { id } = await importExample('5-without-a-list.json', choose);
		const created = assertSucceeded(await rest.runManually(id, 'Start'));
		const [row] = itemsOf(created, 'Add Row');
		assert.equal(row.json.status, 'submitted');
		await delay(1_500);
		const updated = assertSucceeded(await rest.runManually(id, 'Every Five Minutes'));
		const [changed] = itemsOf(updated, 'Update Row');
		assert.equal(changed.json.taskId, row.json.taskId);
		assert.equal(changed.json.status, 'succeed');
		assert.match(changed.json.videoUrl, /^http/);
	});

	it('6-ai-agent.json makes a video on demand', async () => {
		const image = `${sandbox.url}/_sandbox/images/pet.png`;
		const args = { Effect_Scene: 'pet_dance', Image: image };
		const model = await fakeModel([
			{ tool_calls: [call('call_1', 'Create_Video', args)] },
			{ content: 'It is on its way.' },
		]);
		const data = { apiKey: 'sk-fake', url: model.url };
		const openAi = await rest.createCredential('fake model', 'openAiApi', data);
		const charged = sandbox.charges.length;
		const execution = await run('6-ai-agent.json', ({ nodes }) => {
			for (const node of nodes) {
				if (node.credentials?.openAiApi) {
					node.credentials.openAiApi = { id: openAi.id, name: openAi.name };
				}
			}
		});
		const [answer] = itemsOf(execution, 'AI Agent');
		assert.equal(answer.json.output, 'It is on its way.');
		assert.equal(sandbox.charges.length, charged + 1);
		const told = JSON.stringify(model.asked.at(-1).messages);
		assert.ok(told.includes(sandbox.charges.at(-1).taskId), told);
		const tools = model.asked[0].tools.map((tool) => tool.function.name);
		assert.deepEqual(tools.sort(), ['Check_Video', 'Create_Video']);
	});

	it('4-trigger-download-save.json saves the video of a task that ends', async () => {
		// The tasks of the other examples may still run, and would start this one too.
		sandbox.reset();
		const { id } = await importExample('4-trigger-download-save.json');
		const looks = () => sandbox.requests.filter(({ operation }) => operation === 'list').length;
		const looksBefore = looks();
		await rest.activate(id);
		// Of what ended before its first look, a trigger says nothing.
		const deadline = Date.now() + 30_000;
		while (looks() === looksBefore && Date.now() < deadline) await delay(250);
		assert.ok(looks() > looksBefore, 'The trigger did not look within 30 s');
		const [video] = itemsOf(await run('1-one-photo.json'), 'Make Video');
		const [execution] = await rest.waitForExecutions(id, 1, { timeoutMs: 180_000 });
		await rest.deactivate(id);
		assertSucceeded(execution);
		const { taskId } = video.json;
		assert.equal(itemsOf(execution, 'Download Video')[0].json.taskId, taskId);
		mp4Boxes(readFileSync(join(prepared.filesDir, `${taskId}.mp4`)));
	});
});
