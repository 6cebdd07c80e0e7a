import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { ownSandbox, prepared, sharedN8n, storeCredential } from '../fixture.mjs';
import { call, fakeModel } from '../lib/model.mjs';
import { locator, manualTrigger, node, nodeType, workflow } from '../../tools/workflow.mjs';

/** Up to 2 the agent runs its tools itself; from 3 on it asks n8n's engine to run them. */
const agentVersions = [2.2, 3];
const retryOnFail = { retryOnFail: true, maxTries: 3, waitBetweenTries: 100 };
const photo = 'https://photos.example/one.jpg';

describe(`an AI agent's tool in n8n ${prepared.line}.x`, { concurrency: 4 }, () => {
	let rest;

	before(() => {
		rest = sharedN8n();
	});

	/** Runs an agent whose model calls the tool as `messages` say. */
	async function runAgent({ version, provider, messages, faults = [], parameters, settings }) {
		const sandbox = await ownSandbox({ taskSeconds: 1 });
		const credential = await storeCredential(rest, sandbox, provider);
		for (const fault of faults) sandbox.addFault({ ...fault, match: { operation: 'create' } });
		const model = await fakeModel([...messages, { content: 'Done.' }]);
		const data = { apiKey: 'sk-fake', url: model.url };
		const openAi = await rest.createCredential('fake model', 'openAiApi', data);
		const effect = {
			descriptionType: 'manual',
			toolDescription: 'Starts a video',
			operation: 'create',
			effectScene: locator('name', 'pet_dance'),
			imageInput: 'url',
			image: "={{ /*n8n-auto-generated-fromAI-override*/ $fromAI('Image', `Photo`, 'string') }}",
			waitForCompletion: false,
			downloadVideo: false,
			...parameters,
		};
		const klingEffectsApi = { id: credential.id, name: credential.name };
		const nodes = [
			manualTrigger(),
			node(
				'Agent',
				'@n8n/n8n-nodes-langchain.agent',
				{ promptType: 'define', text: 'A video, please.', options: {} },
				{ typeVersion: version },
			),
			node(
				'Model',
				'@n8n/n8n-nodes-langchain.lmChatOpenAi',
				{ model: locator('id', 'fake'), options: {} },
				{ typeVersion: 1.2, credentials: { openAiApi: { id: openAi.id, name: openAi.name } } },
			),
			node('Create Video', `${nodeType}Tool`, effect, {
				credentials: { klingEffectsApi },
				...settings,
			}),
		];
		const lines = [
			['Start', 'Agent'],
			['Model', 'Agent', { type: 'ai_languageModel' }],
			['Create Video', 'Agent', { type: 'ai_tool' }],
		];
		const { id } = await rest.createWorkflow(workflow('agent', nodes, lines));
		const execution = await rest.runManually(id, 'Start');
		return { sandbox, model, execution };
	}

	const creates = ({ requests }) =>
		requests.filter(({ operation }) => operation === 'create').length;
	const calls = (count, turn = 1) => ({
		tool_calls: Array.from({ length: count }, (_, index) =>
			call(`call_${turn}_${index}`, 'Create_Video', { Image: photo }),
		),
	});

	for (const version of agentVersions) {
		for (const provider of ['modellix', 'apiModels', 'kling']) {
			test(`agent ${version}: a lost answer of ${provider} is paid once`, async () => {
				const { sandbox, model } = await runAgent({
					version,
					provider,
					messages: [calls(1)],
					faults: [{ kind: 'resetAfter', times: 1 }],
					settings: retryOnFail,
				});
				assert.ok(model.asked.length > 0);
				assert.equal(sandbox.charges.length, 1);
				assert.equal(creates(sandbox), 1);
			});
		}

		test(`agent ${version}: Retry On Fail does not create a failed task again`, async () => {
			const { sandbox } = await runAgent({
				version,
				provider: 'kling',
				messages: [
					{
						tool_calls: [
							call('call_0', 'Create_Video', { Image: 'https://photos.example/fail.jpg' }),
						],
					},
				],
				parameters: { waitForCompletion: true, options: { pollInterval: 1 } },
				settings: retryOnFail,
			});
			assert.equal(sandbox.charges.length, 1);
		});

		test(`agent ${version}: equal calls create as many tasks, in parallel and in sequence`, async () => {
			const { sandbox, model } = await runAgent({
				version,
				provider: 'kling',
				messages: [calls(2), calls(1, 2)],
				settings: retryOnFail,
			});
			assert.equal(sandbox.charges.length, 3);
			const told = JSON.stringify(model.asked.at(-1).messages);
			for (const { taskId } of sandbox.charges) assert.ok(told.includes(taskId), told);
		});
	}

	test('a model is told what each operation does', async () => {
		const sandbox = await ownSandbox();
		const credential = await storeCredential(rest, sandbox, 'kling');
		const model = await fakeModel([{ content: 'Done.' }]);
		const data = { apiKey: 'sk-fake', url: model.url };
		const openAi = await rest.createCredential('fake model', 'openAiApi', data);
		const klingEffectsApi = { id: credential.id, name: credential.name };
		const tools = Object.entries({
			create: { resource: 'video', operation: 'create' },
			get: { resource: 'video', operation: 'get' },
			list: { resource: 'video', operation: 'list' },
			scenes: { resource: 'scene', operation: 'list' },
		});
		const nodes = [
			manualTrigger(),
			node(
				'Agent',
				'@n8n/n8n-nodes-langchain.agent',
				{ promptType: 'define', text: 'Hello.', options: {} },
				{ typeVersion: 2.2 },
			),
			node(
				'Model',
				'@n8n/n8n-nodes-langchain.lmChatOpenAi',
				{ model: locator('id', 'fake'), options: {} },
				{ typeVersion: 1.2, credentials: { openAiApi: { id: openAi.id, name: openAi.name } } },
			),
			...tools.map(([name, parameters]) =>
				node(
					name,
					`${nodeType}Tool`,
					{ ...parameters, ...required(name) },
					{
						credentials: { klingEffectsApi },
					},
				),
			),
		];
		const lines = [
			['Start', 'Agent'],
			['Model', 'Agent', { type: 'ai_languageModel' }],
			...tools.map(([name]) => [name, 'Agent', { type: 'ai_tool' }]),
		];
		const { id } = await rest.createWorkflow(workflow('tools', nodes, lines));
		await rest.runManually(id, 'Start');
		const told = model.asked[0].tools.map(({ function: { name, description } }) => [
			name,
			description,
		]);
		assert.deepEqual(Object.fromEntries(told), {
			create: 'Create video from photos in Kling Effects',
			get: 'Get video in Kling Effects',
			list: 'Get many videos in Kling Effects',
			scenes: 'Get many effect scenes in Kling Effects',
		});
	});

	/** What n8n requires to start a node. */
	function required(name) {
		if (name === 'create') return { effectScene: locator('name', 'pet_dance'), image: photo };
		return name === 'get' ? { taskId: locator('id', '1') } : {};
	}
});
