import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, sep } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ownN8n, ownSandbox, prepared, storeCredential } from '../fixture.mjs';
import { waitUntil } from '../../tools/process.mjs';
import { errorOf } from '../../tools/rest.mjs';
import {
	credentialType,
	klingNode,
	klingTrigger,
	locator,
	manualTrigger,
	node,
	readFileNode,
	rowLines,
	rowNodes,
	workflow,
} from '../../tools/workflow.mjs';

const wait = { waitForCompletion: true, downloadVideo: true, options: { pollInterval: 1 } };
/** What a user would not want to find in a log. The sandbox's own keys are as secret as these. */
const secrets = {
	'a key that does not work': 'sk-leakmark-5f0c2e7d9b1a4c38',
	'an access key that does not work': 'ak-leakmark-8d1e6a3f7c2b',
	'a secret key that does not work': 'secret-leakmark-0b9d4f6e2a7c1835',
	'a webhook secret': `whsec_${Buffer.from('webhook-leakmark-7c1e').toString('base64')}`,
	'the text in a photo': 'photo-leakmark-'.repeat(20),
	'an image that is entered': 'entered-leakmark-'.repeat(20),
};
const [badKey, badAccessKey, badSecretKey, webhookSecret, photoText, enteredText] =
	Object.values(secrets);

/** What a provider's response may echo, in the places for human-readable texts. */
function echoing(key) {
	const bytes = Buffer.from(photoText).toString('base64');
	return { code: 1201, message: `Bad value: ${key} in image ${bytes}`, request_id: 'request-4711' };
}

/** Another origin, which records its requests. */
const other = { asked: [], url: '' };
const otherServer = createServer((request, response) => {
	other.asked.push({ url: request.url, headers: request.headers });
	response.setHeader('content-type', 'video/mp4');
	response.end('not a video');
}).listen(0, '127.0.0.1');
await once(otherServer, 'listening');
other.url = `http://127.0.0.1:${otherServer.address().port}/elsewhere`;
after(() => otherServer.close());

describe(`secrets in n8n ${prepared.line}.x`, () => {
	let server;
	let rest;
	let sandbox;
	/** The output and messages of the nodes, of all executions. */
	const told = [];
	/** Ids that must be found, to show that the search looks in the right places. */
	const known = [];

	before(async () => {
		// Files outside the database, which n8n 1 would otherwise hold in its executions.
		const env = { N8N_LOG_LEVEL: 'debug', DB_LOGGING_ENABLED: 'false' };
		server = await ownN8n({ binaryDataMode: 'filesystem', env });
		rest = server.rest;
		sandbox = await ownSandbox();
		const photo = await fetch(`${sandbox.url}/_sandbox/images/portrait.jpg`);
		writeFileSync(join(server.filesDir, 'photo.jpg'), marked(await photo.arrayBuffer()));
	});

	/** The photo with the text as a comment, where JPEG has its comments: right after its start. */
	function marked(photo) {
		const bytes = Buffer.from(photo);
		const text = Buffer.from(photoText);
		const comment = Buffer.from([0xff, 0xfe, (text.length + 2) >> 8, (text.length + 2) & 0xff]);
		return Buffer.concat([bytes.subarray(0, 2), comment, text, bytes.subarray(2)]);
	}

	/** Runs Create on the photo from the disk, with each way to handle errors, under these faults. */
	async function fail(provider, { data = {}, faults = [], ...parameters } = {}) {
		const credential = await storeCredential(rest, sandbox, provider, data);
		for (const fault of faults) sandbox.addFault(fault);
		const messages = await Promise.all(
			['stopWorkflow', 'continueRegularOutput', 'continueErrorOutput'].map(async (onError) => {
				const execution = await create(credential, parameters, { onError });
				const { runData } = execution.data.resultData;
				return JSON.stringify([runData.Effect, errorOf(execution) ?? null]);
			}),
		);
		sandbox.clearFaults();
		told.push(...messages);
		return messages;
	}

	async function create(credential, parameters, settings) {
		const effect = {
			operation: 'create',
			effectScene: locator('name', 'pet_dance'),
			imageInput: 'binary',
			...parameters,
		};
		const nodes = [
			manualTrigger(),
			readFileNode('Photo', join(server.filesDir, 'photo.jpg')),
			klingNode('Effect', credential, effect, settings),
			node('After', 'n8n-nodes-base.noOp'),
		];
		const lines = [
			['Start', 'Photo'],
			['Photo', 'Effect'],
			['Effect', 'After'],
		];
		const { id } = await rest.createWorkflow(workflow('leak', nodes, lines));
		return await rest.runManually(id, 'Start');
	}

	const onCreate = { operation: 'create' };
	const refusedKey = { apiKey: badKey };

	describe('go nowhere', () => {
		for (const provider of ['kling', 'cometApi', 'kkiai', 'modellix', 'apiModels']) {
			test(`when ${provider} refuses the key`, async () => {
				const messages = await fail(provider, { data: refusedKey });
				for (const message of messages) assert.match(message, /did not accept the key/);
			});
		}

		test('when Kling AI refuses an access key, or the signature of one', async () => {
			const pair = { accessKey: badAccessKey, secretKey: badSecretKey };
			const { accessKey } = sandbox.keys.klingAccess.main;
			for (const data of [pair, { accessKey, secretKey: badSecretKey }]) {
				const all = sandbox.accessKeyCredential(data);
				const messages = await fail('kling', { data: all });
				for (const message of messages) assert.match(message, /did not accept the key/);
			}
		});

		test('when a provider repeats the key and the image in its refusal', async () => {
			for (const provider of ['kling', 'cometApi', 'modellix']) {
				const body = echoing(sandbox.keys[provider].main);
				const fault = { kind: 'status', status: 400, body, match: onCreate };
				const messages = await fail(provider, { faults: [fault] });
				for (const message of messages) assert.match(message, /Bad value/);
			}
			known.push('Bad value');
		});

		test('when a provider repeats the key in a web page', async () => {
			const body = `<!doctype html><p>${sandbox.keys.kling.main} ${photoText}</p>`;
			const fault = { kind: 'status', status: 502, body, match: onCreate };
			await fail('modellix', { faults: [fault] });
			await fail('kling', { faults: [{ ...fault, status: 403 }] });
			await fail('modellix', { faults: [{ kind: 'html', match: onCreate }] });
		});

		test('when answers are lost, and the look-up too', async () => {
			const lost = { kind: 'resetAfter', match: onCreate };
			const away = { kind: 'redirect', location: other.url, match: { operation: 'get' } };
			const messages = await fail('kling', { faults: [lost, away] });
			for (const message of messages) assert.match(message, /may have created the task/);
			const data = sandbox.accessKeyCredential();
			await fail('kling', { data, faults: [lost, away] });
			await fail('modellix', { faults: [lost] });
		});

		test('when a provider returns something unreadable', async () => {
			for (const kind of ['malformedJson', 'unknownShape', 'empty']) {
				await fail('modellix', { faults: [{ kind, match: onCreate }] });
			}
		});

		test('when the provider points to another origin', async () => {
			const fault = { kind: 'redirect', location: other.url, match: onCreate };
			for (const status of [301, 302, 307, 308]) {
				const messages = await fail('kling', { faults: [{ ...fault, status }] });
				for (const message of messages) assert.match(message, /redirected the request/);
			}
			const data = sandbox.accessKeyCredential();
			await fail('kling', { data, faults: [{ ...fault, status: 307 }] });
			assert.deepEqual(other.asked, [], 'no redirect of the API is followed');
		});

		test('when a task fails, a link has expired, or a video lies at another origin', async () => {
			sandbox.options.failScenes = ['pet_dance'];
			await fail('kling', wait);
			sandbox.options.failScenes = [];
			const match = { operation: 'download' };
			await fail('kling', { ...wait, faults: [{ kind: 'expired', match }] });
			await fail('kling', {
				...wait,
				faults: [{ kind: 'redirect', status: 302, location: other.url, match }],
			});
			assert.ok(other.asked.length > 0, 'redirects of files are followed');
			for (const { headers } of other.asked) assert.ok(!('authorization' in headers));
			known.push(sandbox.charges.at(-1).taskId);
		});

		test('when images are refused before they are sent', async () => {
			const text = Buffer.from(enteredText).toString('base64');
			const credential = await storeCredential(rest, sandbox, 'kling');
			for (const [imageInput, image] of [
				['base64', text],
				['base64', `data:image/png;base64,${text}`],
				['url', `data:image/png;base64,${text}`],
			]) {
				const effect = {
					operation: 'create',
					effectScene: locator('name', 'pet_dance'),
					imageInput,
					image: '={{ $json.image }}',
				};
				const nodes = [
					manualTrigger(),
					...rowNodes('Photos', [{ image }]),
					klingNode('Effect', credential, effect),
				];
				const lines = [...rowLines('Photos'), ['Photos', 'Effect']];
				const { id } = await rest.createWorkflow(workflow('leak', nodes, lines));
				const execution = await rest.runManually(id, 'Start');
				assert.equal(execution.status, 'error');
				told.push(JSON.stringify(errorOf(execution)));
			}
		});

		test('when the trigger is refused, and when credentials are tested', async () => {
			const data = sandbox.credential('kling', refusedKey);
			const credential = await rest.createCredential('refused', credentialType, data);
			told.push(JSON.stringify(await rest.testCredential(credential, data)));
			const trigger = klingTrigger('Ended', credential, { watch: 'account' });
			const { id } = await rest.createWorkflow(workflow('leak', [trigger]));
			const shown = await rest.fetchTestEvent(id, 'Ended');
			assert.match(errorOf(shown).message, /did not accept the key/);
			told.push(JSON.stringify(errorOf(shown)));
			// n8n 1 says why at once, n8n 2 a while later.
			told.push(await rest.activate(id).then(JSON.stringify, (error) => error.message));
			await waitUntil(() => sandbox.requests.some(({ operation }) => operation === 'list'), {
				timeoutMs: 60_000,
				describe: 'the first poll',
			});
			await rest.deactivate(id);
		});

		test('when all goes well', async () => {
			for (const data of [{ webhookSecret }, sandbox.accessKeyCredential()]) {
				const credential = await storeCredential(rest, sandbox, 'kling', data);
				const execution = await create(credential, wait);
				assert.equal(execution.status, 'success');
				known.push(sandbox.charges.at(-1).taskId);
				told.push(JSON.stringify(execution.data.resultData.runData.Effect));
			}
		});
	});

	describe('are found nowhere', () => {
		let wanted;

		before(async () => {
			// So that everything in n8n's memory is on disk.
			await server.stop();
			wanted = allSecrets();
		});

		/** Every secret that was used, with the name by which a test reports it. */
		function allSecrets() {
			const { keys } = sandbox;
			const used = {
				...secrets,
				...Object.fromEntries(
					['kling', 'cometApi', 'kkiai', 'modellix', 'apiModels'].map((provider) => [
						`the key of ${provider}`,
						keys[provider].main,
					]),
				),
				'the access key': keys.klingAccess.main.accessKey,
				'the secret key': keys.klingAccess.main.secretKey,
			};
			for (const [name, secret] of Object.entries({ ...used })) {
				// The last characters in base64 depend on what follows.
				used[`${name}, in base64`] = Buffer.from(secret).toString('base64').slice(0, -4);
			}
			const signatures = sandbox.requests
				.map(({ headers }) => headers.authorization?.split('.')[2])
				.filter(Boolean);
			assert.ok(signatures.length > 0, 'some requests were signed');
			for (const [index, signature] of [...new Set(signatures)].entries()) {
				used[`signature ${index}`] = signature;
			}
			return Object.entries(used);
		}

		function assertNone(text, where) {
			const [found] = wanted.filter(([, secret]) => text.includes(secret));
			if (!found) return;
			const [name, secret] = found;
			const at = text.indexOf(secret);
			const around = text.slice(Math.max(0, at - 1_000), at + secret.length + 1_000);
			assert.fail(`${name} stands in ${where}: ${around}`);
		}

		function filesOf(folder) {
			return readdirSync(folder, { recursive: true, withFileTypes: true })
				.filter((entry) => entry.isFile())
				.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
		}

		test('in what the nodes give out and say', () => {
			assert.ok(told.length > 50);
			for (const text of told) assertNone(text, 'what a node says');
		});

		test('in the database, where all executions are stored', () => {
			const files = filesOf(server.userFolder).filter((file) => file.includes('database.sqlite'));
			assert.ok(files.length > 0);
			const text = files.map((file) => readFileSync(file, 'latin1')).join('\n');
			for (const id of known) assert.ok(text.includes(id), `${id} is stored`);
			for (const [name, secret] of wanted) {
				// It is the input of some items, and n8n stores what users put in.
				if (name.startsWith('an image that is entered')) continue;
				assert.ok(!text.includes(secret), name);
			}
		});

		test('in the log of n8n, even at its highest level, nor in any other file', () => {
			assert.match(readFileSync(server.logFile, 'utf8'), /debug/i);
			const skipped = [join(server.userFolder, 'files') + sep, `${sep}binaryData${sep}`];
			const others = ['database.sqlite', `${sep}storage${sep}`];
			for (const file of filesOf(server.userFolder)) {
				if ([...skipped, ...others].some((part) => file.includes(part))) continue;
				assertNone(readFileSync(file, 'latin1'), file.slice(server.userFolder.length));
			}
		});

		test('in the addresses of requests', () => {
			assert.ok(sandbox.requests.length > 100);
			for (const { path } of sandbox.requests) assertNone(path, 'an address');
			for (const { url } of other.asked) assertNone(url, 'an address');
		});

		test('in requests for files', () => {
			const downloads = sandbox.requests.filter(({ operation }) => operation === 'download');
			assert.ok(downloads.length > 0);
			for (const { headers } of downloads) assert.ok(!('authorization' in headers));
		});
	});
});
