import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, beforeEach, describe, test } from 'node:test';

import { ownN8n, ownSandbox, prepared, storeCredential } from '../fixture.mjs';
import { mp4Boxes } from '../../tools/mp4.mjs';
import { assertSucceeded, errorOf, itemsOf } from '../../tools/rest.mjs';
import { savePhotos } from '../../tools/sandbox.mjs';
import {
	klingNode,
	locator,
	manualTrigger,
	mergeByPosition,
	readFileNode,
	workflow,
} from '../../tools/workflow.mjs';

/** Where n8n can keep files, by its line; n8n 1 keeps them in memory by default. */
const modes = { 1: ['default', 'filesystem'], 2: ['filesystem', 'database'] };
/** How the id of a file stored there starts. */
const stores = { filesystem: 'filesystem-v2:', database: 'database:' };
const megabyte = 1024 * 1024;
const photoUrl = 'https://photos.example/portrait.jpg';
const wait = { waitForCompletion: true, options: { pollInterval: 1 } };

/** Files that are not what their names say. */
const wrongFiles = {
	'webp.jpg': ['a WebP image', Buffer.from('RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0', 'latin1')],
	'text.jpg': ['text', Buffer.from('This is no picture, despite its name.')],
	'page.png': ['a web page', Buffer.from('<!doctype html><title>Sign in</title>')],
};

for (const mode of modes[prepared.line]) {
	describe(`files in n8n ${prepared.line}.x with binary data mode “${mode}”`, () => {
		let rest;
		let folder;
		let sandbox;
		let credential;

		before(async () => {
			const server = await ownN8n({ binaryDataMode: mode });
			({ rest, filesDir: folder } = server);
			sandbox = await ownSandbox();
			credential = await storeCredential(rest, sandbox, 'kling');
			await savePhotos(sandbox, folder, ['portrait.jpg', 'second.jpg', 'pet.png']);
			for (const [name, [, bytes]] of Object.entries(wrongFiles)) {
				writeFileSync(join(folder, name), bytes);
			}
		});
		beforeEach(() => sandbox.reset());

		async function run(nodes, lines) {
			const { id } = await rest.createWorkflow(workflow('files', nodes, lines));
			return await rest.runManually(id, 'Start');
		}

		const effect = (parameters, extra) =>
			klingNode(
				'Effect',
				credential,
				{ operation: 'create', effectScene: locator('name', 'pet_dance'), ...parameters },
				extra,
			);

		/** Makes an effect from one photo on the disk. */
		async function fromFile(name, parameters = {}, extra = {}) {
			const nodes = [
				manualTrigger(),
				readFileNode('Photo', join(folder, name)),
				effect({ imageInput: 'binary', ...parameters }, extra),
			];
			const lines = [
				['Start', 'Photo'],
				['Photo', 'Effect'],
			];
			return await run(nodes, lines);
		}

		/** Makes an effect from two photos that are files of one item. */
		async function fromTwoFiles(fields, parameters) {
			const [left, right] = fields;
			const nodes = [
				manualTrigger(),
				readFileNode('Left', join(folder, 'portrait.jpg'), left),
				readFileNode('Right', join(folder, 'second.jpg'), right),
				mergeByPosition('Both'),
				effect({
					effectType: 'dual',
					effectScene: locator('list', 'hug_pro'),
					imageInput: 'binary',
					...parameters,
				}),
			];
			const lines = [
				['Start', 'Left'],
				['Start', 'Right'],
				['Left', 'Both'],
				['Right', 'Both', { input: 1 }],
				['Both', 'Effect'],
			];
			return await run(nodes, lines);
		}

		/** Makes an effect from a photo on the web, and downloads the result. */
		async function fromUrl(image, parameters = {}, extra = {}) {
			const all = { imageInput: 'url', image, ...wait, downloadVideo: true, ...parameters };
			return await run([manualTrigger(), effect(all, extra)], [['Start', 'Effect']]);
		}

		const creates = () => sandbox.requests.filter(({ operation }) => operation === 'create');
		const downloads = () => sandbox.requests.filter(({ operation }) => operation === 'download');
		const base64Of = (name) => readFileSync(join(folder, name)).toString('base64');

		/** Checks that a file of an item is the whole video at this address, and has the right name. */
		async function assertVideo(file, url, fileName) {
			assert.equal(file.mimeType, 'video/mp4');
			assert.equal(file.fileName, fileName);
			assert.equal(file.fileExtension, 'mp4');
			if (stores[mode]) assert.ok(file.id.startsWith(stores[mode]), file.id);
			const bytes = await rest.binary(file);
			mp4Boxes(bytes);
			const original = Buffer.from(await (await fetch(url)).arrayBuffer());
			assert.ok(bytes.equals(original), `${bytes.length} of ${original.length} bytes`);
		}

		function onlyItem(execution, nodeName = 'Effect') {
			const [item, ...others] = itemsOf(assertSucceeded(execution), nodeName);
			assert.deepEqual(others, []);
			return item;
		}

		for (const photo of ['portrait.jpg', 'pet.png']) {
			test(`makes a video from ${photo}`, async () => {
				const item = onlyItem(await fromFile(photo, { ...wait, downloadVideo: true }));
				const [{ body }] = creates();
				assert.deepEqual(body.input.image, base64Of(photo));
				const [name] = photo.split('.');
				await assertVideo(item.binary.data, item.json.videoUrl, `${name}-pet_dance.mp4`);
			});
		}

		test('makes a video from two files of one item, the first one on the left', async () => {
			const execution = await fromTwoFiles(['data', 'data2'], { ...wait, downloadVideo: true });
			const item = onlyItem(execution);
			const [{ body }] = creates();
			assert.deepEqual(body.input.images, [base64Of('portrait.jpg'), base64Of('second.jpg')]);
			await assertVideo(item.binary.data, item.json.videoUrl, 'portrait-hug_pro.mp4');
		});

		test('uses the fields that the parameters name, even by expressions', async () => {
			const parameters = {
				imageField: '={{ Object.keys($binary).find((name) => name.startsWith("wo")) }}',
				secondImageField: 'man',
			};
			onlyItem(await fromTwoFiles(['man', 'woman'], parameters));
			const [{ body }] = creates();
			assert.deepEqual(body.input.images, [base64Of('second.jpg'), base64Of('portrait.jpg')]);
		});

		test('lists the fields that exist if the one it needs does not', async () => {
			const execution = await fromFile('portrait.jpg', { imageField: 'photo' });
			assert.equal(execution.status, 'error');
			const { message, description } = errorOf(execution);
			assert.match(message, /no file in input field “photo”/);
			assert.match(description, /The item has files in: data\./);
			assert.deepEqual(creates(), []);
		});

		for (const [name, [what]] of Object.entries(wrongFiles)) {
			test(`refuses ${what} that is named ${name}, and sends nothing`, async () => {
				const execution = await fromFile(name);
				assert.equal(execution.status, 'error');
				const { message } = errorOf(execution);
				assert.ok(message.includes(`“${name}” in input field “data”`), message);
				assert.ok(message.includes(what), message);
				assert.deepEqual(creates(), []);
			});
		}

		test('returns several videos of one task, one field for each', async () => {
			const image = `${photoUrl}?videos=2&megabytes=3`;
			const item = onlyItem(await fromUrl(image, { simplify: false }));
			assert.deepEqual(Object.keys(item.binary).sort(), ['data', 'data2']);
			const [first, second] = item.json.task_result.videos;
			await assertVideo(item.binary.data, first.url, 'portrait-pet_dance.mp4');
			await assertVideo(item.binary.data2, second.url, 'portrait-pet_dance-2.mp4');
			assert.equal((await rest.binary(item.binary.data)).length, 3 * megabyte);
		});

		test('shows the size of a video in readable units', async () => {
			const item = onlyItem(await fromUrl(`${photoUrl}?megabytes=3`, { outputField: 'video' }));
			assert.deepEqual(Object.keys(item.binary), ['video']);
			assert.match(item.binary.video.fileSize, /^3\.(0|15) MB$/);
		});

		test('fetches a video again that broke off, and returns it complete', async () => {
			sandbox.addFault({ kind: 'truncated', match: { operation: 'download' }, times: 2 });
			const item = onlyItem(await fromUrl(`${photoUrl}?megabytes=2`));
			assert.equal(downloads().length, 3);
			await assertVideo(item.binary.data, item.json.videoUrl, 'portrait-pet_dance.mp4');
			assert.equal(sandbox.charges.length, 1);
		});

		test('never passes part of a video off as the whole', async () => {
			sandbox.addFault({ kind: 'truncated', match: { operation: 'download' } });
			const settings = { onError: 'continueRegularOutput' };
			const item = onlyItem(await fromUrl(`${photoUrl}?megabytes=2`, {}, settings));
			assert.match(item.json.error, /download of the video was interrupted/);
			assert.equal(item.json.details.taskId, sandbox.charges[0].taskId);
			assert.equal(item.binary, undefined);
		});

		test('says how long the provider keeps videos if a link has expired', async () => {
			sandbox.addFault({ kind: 'expired', match: { operation: 'download' } });
			const execution = await fromUrl(photoUrl);
			assert.equal(execution.status, 'error');
			const { message, description } = errorOf(execution);
			const [{ taskId }] = sandbox.charges;
			assert.ok(message.includes(`The video of task ${taskId} can no longer be fetched`), message);
			assert.match(description, /keeps videos for 30 days/);
			assert.equal(downloads().length, 1);
		});

		test('Get downloads what Create did not wait for', async () => {
			const get = {
				operation: 'get',
				taskId: locator('id', '={{ $json.taskId }}'),
				...wait,
				downloadVideo: true,
			};
			const nodes = [
				manualTrigger(),
				effect({ imageInput: 'url', image: photoUrl }),
				klingNode('Get', credential, get),
			];
			const lines = [
				['Start', 'Effect'],
				['Effect', 'Get'],
			];
			const execution = await run(nodes, lines);
			const created = onlyItem(execution);
			assert.equal(created.json.status, 'submitted');
			assert.equal(created.binary, undefined);
			const item = onlyItem(execution, 'Get');
			assert.equal(item.json.status, 'succeed');
			assert.equal(item.json.taskId, created.json.taskId);
			const { fileName } = item.binary.data;
			assert.ok(fileName.includes(item.json.taskId), fileName);
			await assertVideo(item.binary.data, item.json.videoUrl, fileName);
			assert.ok(downloads().every(({ headers }) => !('authorization' in headers)));
		});
	});
}
