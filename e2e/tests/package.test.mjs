import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';

import { ownSandbox, prepared, sharedN8n, storeCredential } from '../fixture.mjs';
import { mp4Boxes } from '../../tools/mp4.mjs';
import { assertSucceeded, itemsOf } from '../../tools/rest.mjs';
import { providerNames, savePhotos } from '../../tools/sandbox.mjs';
import {
	credentialType,
	klingNode,
	locator,
	manualTrigger,
	nodeType,
	readFileNode,
	triggerType,
	workflow,
} from '../../tools/workflow.mjs';

describe(`the packed package in n8n ${prepared.line}.x`, () => {
	let rest;
	let sandbox;

	before(async () => {
		rest = sharedN8n();
		sandbox = await ownSandbox();
	});

	describe('loading', () => {
		test('offers both nodes and the credential', async () => {
			const nodes = (await rest.nodeTypes()).map(({ name }) => name);
			assert.ok(nodes.includes(nodeType));
			assert.ok(nodes.includes(triggerType));
			const credentials = await rest.credentialTypes();
			const ours = credentials.find(({ name }) => name === credentialType);
			assert.deepEqual([...ours.supportedNodes].sort(), [nodeType, triggerType].sort());
		});

		test('serves the icons that its descriptions name', async () => {
			const types = (await rest.nodeTypes()).filter(({ name }) =>
				name.startsWith('n8n-nodes-kling-effects.'),
			);
			const urls = types.flatMap(({ iconUrl }) =>
				typeof iconUrl === 'string' ? [iconUrl] : Object.values(iconUrl),
			);
			assert.ok(urls.length > 0);
			for (const url of new Set(urls)) {
				const answer = await fetch(`${prepared.url}/${url}`);
				assert.match(answer.headers.get('content-type') ?? '', /^image\//, url);
				await answer.arrayBuffer();
			}
		});

		test('finds scenes as you type', async () => {
			const credential = await storeCredential(rest, sandbox, 'kling');
			const node = klingNode('Create', credential, {
				operation: 'create',
				effectType: 'dual',
				effectScene: locator('list', ''),
			});
			const types = await rest.nodeTypes();
			const { properties } = types.find(({ name }) => name === nodeType);
			const parameter = properties.find(({ name }) => name === 'effectScene');
			const { searchListMethod } = parameter.modes.find(({ name }) => name === 'list').typeOptions;
			const { results } = await rest.listSearch(node, {
				path: 'parameters.effectScene',
				methodName: searchListMethod,
				filter: 'hug',
			});
			assert.ok(results.some(({ value }) => value === 'hug_pro'));
			assert.ok(results.every(({ value }) => value !== 'pet_dance'));
		});
	});

	describe('the credential test', () => {
		const check = async (data) => {
			const credential = await rest.createCredential('under test', credentialType, data);
			return await rest.testCredential(credential, data);
		};

		for (const provider of Object.keys(providerNames)) {
			test(`tells a good key of ${provider} from a bad one`, async () => {
				const good = await check(sandbox.credential(provider));
				assert.equal(good.status, 'OK', good.message);
				const bad = await check(sandbox.credential(provider, { apiKey: 'sk-not-a-key' }));
				assert.equal(bad.status, 'Error', bad.message);
			});
		}

		test('tells good access keys of Kling from bad ones', async () => {
			const good = await check(sandbox.accessKeyCredential());
			assert.equal(good.status, 'OK', good.message);
			const bad = await check(sandbox.accessKeyCredential({ secretKey: 'not-the-secret' }));
			assert.equal(bad.status, 'Error', bad.message);
		});

		test('costs nothing', () => assert.deepEqual(sandbox.charges, []));
	});

	test('turns a photo on disk into a video', async () => {
		const folder = join(prepared.filesDir, 'package-test');
		await savePhotos(sandbox, folder, ['portrait.jpg']);
		const credential = await storeCredential(rest, sandbox, 'kling');
		const effect = klingNode('Effect', credential, {
			operation: 'create',
			effectScene: locator('name', 'pet_dance'),
			imageInput: 'binary',
			waitForCompletion: true,
			downloadVideo: true,
			options: { pollInterval: 1 },
		});
		const nodes = [manualTrigger(), readFileNode('Photo', join(folder, 'portrait.jpg')), effect];
		const lines = [
			['Start', 'Photo'],
			['Photo', 'Effect'],
		];
		const { id } = await rest.createWorkflow(workflow('photo to video', nodes, lines));
		const execution = assertSucceeded(await rest.runManually(id, 'Start'));

		const [item, ...others] = itemsOf(execution, 'Effect');
		assert.deepEqual(others, []);
		assert.equal(item.json.status, 'succeed');
		assert.equal(item.json.taskId, sandbox.charges.at(-1).taskId);
		const video = await rest.binary(item.binary.data);
		mp4Boxes(video);
		const original = await (await fetch(item.json.videoUrl)).arrayBuffer();
		assert.ok(video.equals(Buffer.from(original)));
		assert.equal(item.binary.data.mimeType, 'video/mp4');
	});
});
