import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { ownN8n, ownSandbox, prepared, sharedN8n, storeCredential } from '../fixture.mjs';
import { call, fakeModel } from '../lib/model.mjs';
import { mp4Boxes } from '../../tools/mp4.mjs';
import { rootDir } from '../../tools/paths.mjs';
import { waitUntil } from '../../tools/process.mjs';
import { assertSucceeded, itemsOf } from '../../tools/rest.mjs';
import { startGoogle, startTelegram } from '../lib/standIns.mjs';

const folder = join(rootDir, 'examples');

describe(`the examples in n8n ${prepared.line}.x`, () => {
	let rest;
	let sandbox;
	let credential;

	before(async () => {
		rest = await sharedN8n();
		sandbox = await ownSandbox();
		credential = await storeCredential(rest, sandbox, 'kling');
	});

	/** An example as users adapt it: with their own credentials, photos and folder. */
	async function importExample(name, change = () => {}, { into = rest, owned = credential } = {}) {
		const text = readFileSync(join(folder, name), 'utf8')
			.replaceAll('https://example.com/', `${sandbox.url}/_sandbox/images/`)
			.replaceAll('/home/node/.n8n-files', prepared.filesDir);
		const example = JSON.parse(text);
		for (const node of example.nodes) {
			if (node.credentials?.klingEffectsApi) {
				node.credentials.klingEffectsApi = { id: owned.id, name: owned.name };
			}
			if (node.type.startsWith('n8n-nodes-kling-effects.') && 'options' in node.parameters) {
				if (node.parameters.waitForCompletion) node.parameters.options.pollInterval = 1;
			}
		}
		change(example);
		return await into.createWorkflow(example);
	}

	async function run(name, change, start = 'Start', options = {}) {
		const { id } = await importExample(name, change);
		return assertSucceeded(await rest.runManually(id, start, options));
	}

	/** The credentials of other services in an example, replaced by these. */
	function withCredential(type, { id, name }) {
		return ({ nodes }) => {
			for (const node of nodes) {
				if (node.credentials?.[type]) node.credentials[type] = { id, name };
			}
		};
	}

	async function picture(name) {
		const response = await fetch(`${sandbox.url}/_sandbox/images/${name}`);
		return Buffer.from(await response.arrayBuffer());
	}

	/** Asks until there is a result. */
	async function until(ask, describe, timeoutMs = 60_000) {
		return await waitUntil(ask, { describe, timeoutMs, intervalMs: 250 });
	}

	/** Runs with the workflow activated. */
	async function whileActive({ id }, act) {
		await rest.activate(id);
		try {
			return await act();
		} finally {
			await rest.deactivate(id);
		}
	}

	/**
	 * Fills in an active workflow's form like a browser, page by page, and returns the last page.
	 *
	 * @param further what is chosen on each page after the first, once it offers that
	 */
	async function submitForm(workflow, values, further = []) {
		const form = workflow.nodes.find(({ type }) => type === 'n8n-nodes-base.formTrigger');
		const body = new FormData();
		for (const [key, value] of Object.entries(values)) body.append(key, value);
		const url = `${prepared.url}/form/${form.webhookId}`;
		// n8n 2 says that a workflow is active before its addresses answer.
		await until(async () => (await fetch(url)).ok, 'The form');
		const { formWaitingUrl } = await (await fetch(url, { method: 'POST', body })).json();
		const status = new URL(formWaitingUrl);
		status.pathname += '/n8n-execution-status';
		const isWaiting = async () => (await (await fetch(status)).text()).trim() === 'form-waiting';
		for (const choice of further) {
			await until(isWaiting, 'The next page of the form');
			const offered = await (await fetch(formWaitingUrl)).text();
			assert.ok(offered.includes(choice), offered);
			const chosen = new FormData();
			chosen.append('field-0', choice);
			await fetch(formWaitingUrl, { method: 'POST', body: chosen });
		}
		const isLast = async () =>
			(await isWaiting()) &&
			/Your video is ready|There is no video/.test(await (await fetch(formWaitingUrl)).text());
		await until(isLast, 'The page at the end of the form');
		const page = await (await fetch(formWaitingUrl)).text();
		// The page itself tells n8n that it has been shown.
		await fetch(formWaitingUrl, { method: 'POST' });
		return page;
	}

	/** The video that the form's last page plays. */
	async function videoIn(page) {
		const [, url] = /<source src="([^"]+)"/.exec(page) ?? [];
		assert.ok(url, page);
		assert.ok(page.includes(`href="${url}"`), page);
		return Buffer.from(await (await fetch(url)).arrayBuffer());
	}

	for (const name of ['1-one-photo.json', '2-two-photos.json']) {
		test(`${name} makes a video`, async () => {
			const [item, ...others] = itemsOf(await run(name), 'Make Video');
			assert.deepEqual(others, []);
			assert.equal(item.json.status, 'succeed');
			mp4Boxes(await rest.binary(item.binary.data));
		});
	}

	test('3-batch-with-error-branch.json separates the good rows from the bad', async () => {
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

	test('5-without-a-list.json follows a task in a Data Table', async () => {
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

	test('6-ai-agent.json makes a video on request', async () => {
		const image = `${sandbox.url}/_sandbox/images/pet.png`;
		const args = { Effect_Scene: 'pet_dance', Image: image };
		const model = await fakeModel([
			{ tool_calls: [call('call_0', 'Find_Scenes', { Search: 'dancing dog' })] },
			{ tool_calls: [call('call_1', 'Create_Video', args)] },
			{ content: 'It is on its way.' },
		]);
		const data = { apiKey: 'sk-fake', url: model.url };
		const openAi = await rest.createCredential('fake model', 'openAiApi', data);
		const charged = sandbox.charges.length;
		const input = { sessionId: '1', action: 'sendMessage', chatInput: 'Make my dog dance' };
		const change = withCredential('openAiApi', openAi);
		const execution = await run('6-ai-agent.json', change, 'Chat', { input });
		const [answer] = itemsOf(execution, 'AI Agent');
		assert.equal(answer.json.output, 'It is on its way.');
		assert.equal(sandbox.charges.length, charged + 1);
		const told = JSON.stringify(model.asked.at(-1).messages);
		assert.ok(told.includes(sandbox.charges.at(-1).taskId), told);
		assert.ok(told.includes('Pet Dance'), told);
		const tools = model.asked[0].tools.map((tool) => tool.function.name);
		assert.deepEqual(tools.sort(), ['Check_Video', 'Create_Video', 'Find_Scenes']);
	});

	test('4-trigger-download-save.json saves the video of a task that ends', async () => {
		// Tasks of the other examples may still be running and would start this one too.
		sandbox.reset();
		const { id } = await importExample('4-trigger-download-save.json');
		const looks = () => sandbox.requests.filter(({ operation }) => operation === 'list').length;
		const looksBefore = looks();
		await rest.activate(id);
		// A trigger ignores what ended before its first poll.
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

	for (const [name, scene, photos, further] of [
		['7-form-one-photo.json', 'disco_paws', ['pet.png'], ['Disco Paws']],
		['8-form-two-photos.json', 'hug_pro', ['portrait.jpg', 'second.jpg'], []],
	]) {
		test(`${name} takes uploads and returns the video`, async () => {
			const workflow = await importExample(name);
			const files = await Promise.all(
				photos.map(async (photo, index) => {
					const type = photo.endsWith('.png') ? 'image/png' : 'image/jpeg';
					return [`field-${index}`, new File([await picture(photo)], photo, { type })];
				}),
			);
			const values = Object.fromEntries(files);
			const page = await whileActive(workflow, () => submitForm(workflow, values, further));
			assert.match(page, /Your video is ready/);
			mp4Boxes(await videoIn(page));
			const [execution] = await rest.waitForExecutions(workflow.id, 1);
			const [made] = itemsOf(assertSucceeded(execution), 'Make Video');
			assert.equal(made.json.effectScene, scene);
		});
	}

	test('7-form-one-photo.json says why there is no video', async () => {
		const workflow = await importExample('7-form-one-photo.json');
		const small = new File([await picture('small.png')], 'small.png', { type: 'image/png' });
		const values = { 'field-0': small };
		const page = await whileActive(workflow, () => submitForm(workflow, values, ['Disco Paws']));
		assert.match(page, /There is no video/);
		assert.match(page, /at least 300 pixels/);
	});

	test('9-google-sheet-to-drive.json turns rows into files and writes their links', async () => {
		const google = await startGoogle([
			['photo', 'scene', 'video', 'status'],
			[`${sandbox.url}/_sandbox/images/pet.png`, 'pet_dance', '', ''],
			[`${sandbox.url}/_sandbox/images/portrait.jpg`, 'pet_dance', 'https://drive/old', 'done'],
			['not an address', 'pet_dance', '', ''],
		]);
		after(() => google.close());
		const { rest: own } = await ownN8n({ env: google.env });
		const robot = await own.createCredential('Google', 'googleApi', google.credential);
		const owned = await storeCredential(own, sandbox, 'kling');
		const asRobot = ({ nodes }) => {
			for (const node of nodes) {
				const service = Object.keys(node.credentials ?? {}).find((type) => /^google/.test(type));
				if (!service) continue;
				// A person signs in with OAuth2, which needs Google's own page.
				node.credentials = { googleApi: { id: robot.id, name: robot.name } };
				node.parameters.authentication = 'serviceAccount';
				if (node.parameters.documentId) {
					node.parameters.documentId = { __rl: true, mode: 'id', value: 'spreadsheet-1' };
				}
			}
		};
		const { id } = await importExample('9-google-sheet-to-drive.json', asRobot, {
			into: own,
			owned,
		});
		assertSucceeded(await own.runManually(id, 'Start'));

		const [[fileId, file], ...others] = google.files;
		assert.deepEqual(others, []);
		assert.match(file.name, /^pet-pet_dance\.mp4$/);
		mp4Boxes(file.bytes);
		const [, made, old, refused] = google.rows.map(([, , video, status]) => [video, status]);
		assert.deepEqual(made, [`https://drive.google.com/file/d/${fileId}/view`, 'done']);
		assert.deepEqual(old, ['https://drive/old', 'done']);
		assert.equal(refused[0], '');
		assert.match(refused[1], /http:\/\/ or https:\/\//);
	});

	test('10-callback-webhook-get.json is told when the video is ready', async () => {
		const path = `kling-task-${Date.now()}`;
		const workflow = await importExample('10-callback-webhook-get.json', ({ nodes }) => {
			for (const { type, parameters } of nodes) {
				if (type === 'n8n-nodes-base.webhook') parameters.path = path;
				if (parameters.options?.callbackUrl) {
					parameters.options.callbackUrl = `${prepared.url}/webhook/${path}`;
				}
			}
		});
		const readyItem = async () => {
			const ended = await rest.executions(workflow.id, { status: ['success'] });
			const all = await Promise.all(ended.map(async ({ id }) => await rest.execution(id)));
			return all.flatMap((execution) => itemsOf(execution, 'Video Is Ready')).at(0);
		};
		const { task, ready } = await whileActive(workflow, async () => {
			const created = assertSucceeded(await rest.runManually(workflow.id, 'Start'));
			const [{ json }] = itemsOf(created, 'Create Task');
			return { task: json, ready: await until(readyItem, 'The execution that a callback starts') };
		});
		assert.equal(task.status, 'submitted');
		assert.equal(ready.json.taskId, task.taskId);
		assert.equal(ready.json.status, 'succeed');
		assert.match(ready.json.videoUrl, /^http/);
	});

	test('11-telegram.json sends the video back to the chat', async () => {
		const bot = await startTelegram(await picture('portrait.jpg'));
		after(() => bot.close());
		const telegram = await rest.createCredential('bot', 'telegramApi', bot.credential);
		const change = withCredential('telegramApi', telegram);
		const workflow = await importExample('11-telegram.json', change);
		const chat = { id: 4711, type: 'private' };
		const photo = ['s', 'm', 'x'].map((size) => ({ file_id: size, width: 480, height: 640 }));
		await whileActive(workflow, async () => {
			await until(() => bot.webhook, 'The registration of the bot');
			const isTaken = async () => (await bot.receive({ message_id: 1, chat, photo })) === 200;
			await until(isTaken, 'The message');
			await until(() => bot.sent.length > 0, "The bot's answer", 120_000);
		});
		const [answer, ...others] = bot.sent;
		assert.deepEqual(others, []);
		assert.equal(answer.method, 'sendVideo');
		assert.equal(answer.chat_id, '4711');
		mp4Boxes(answer.video);
	});

	test('12-folder-every-morning.json saves a folder of videos and sends one message', async () => {
		const folderOfPhotos = join(prepared.filesDir, 'photos');
		mkdirSync(folderOfPhotos, { recursive: true });
		for (const name of ['pet.png', 'portrait.jpg', 'small.png']) {
			writeFileSync(join(folderOfPhotos, name), await picture(name));
		}
		const bot = await startTelegram(await picture('portrait.jpg'));
		after(() => bot.close());
		const telegram = await rest.createCredential('bot', 'telegramApi', bot.credential);
		const change = withCredential('telegramApi', telegram);
		const charged = sandbox.charges.length;
		await run('12-folder-every-morning.json', change, 'Every Morning');
		assert.equal(sandbox.charges.length, charged + 2);
		for (const name of ['pet-pet_dance.mp4', 'portrait-pet_dance.mp4']) {
			mp4Boxes(readFileSync(join(prepared.filesDir, name)));
		}
		const [message, ...others] = bot.sent;
		assert.deepEqual(others, []);
		assert.match(message.text, /^2 of 3 videos are ready\.\n- .*at least 300/s);
	});

	const hasReview = prepared.line === '2';
	test(
		'13-agent-with-approval.json creates nothing without approval',
		{ skip: !hasReview },
		async () => {
			const image = `${sandbox.url}/_sandbox/images/pet.png`;
			const args = { Effect_Scene: 'pet_dance', Image: image };
			const model = await fakeModel([
				{ tool_calls: [call('call_1', 'Create_Video', args)] },
				{ content: 'It is on its way.' },
			]);
			const data = { apiKey: 'sk-fake', url: model.url };
			const openAi = await rest.createCredential('fake model', 'openAiApi', data);
			const charged = sandbox.charges.length;
			const name = '13-agent-with-approval.json';
			const { id } = await importExample(name, withCredential('openAiApi', openAi));
			const input = { sessionId: '2', action: 'sendMessage', chatInput: 'Make my dog dance' };
			const options = { input, states: ['waiting'] };
			const { status } = await rest.runManually(id, 'Chat', options);
			assert.equal(status, 'waiting');
			assert.equal(sandbox.charges.length, charged);
		},
	);
});
