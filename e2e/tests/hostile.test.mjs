import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import { ownN8n, ownSandbox, prepared, storeCredential } from '../fixture.mjs';
import { assertSucceeded, errorOf, itemsOf } from '../../tools/rest.mjs';
import {
	credentialType,
	klingNode,
	locator,
	manualTrigger,
	workflow,
} from '../../tools/workflow.mjs';

const megabyte = 1024 ** 2;
/** 200 kB that become 200 MB. Read whole and parsed, such a one stopped n8n for more than a minute. */
const bomb = gzipSync(Buffer.alloc(200 * megabyte, '['));
/** Seconds within which n8n must answer others in the meantime, even on a busy machine. */
const mostSeconds = 10;
/** How many more MB n8n may use in the meantime: its garbage is not collected at once. */
const mostMegabytes = 300;

describe(`a gzip bomb as the response of a provider in n8n ${prepared.line}.x`, () => {
	let server;
	let provider;
	let credential;
	let requests;

	before(async () => {
		server = await ownN8n();
		provider = createServer((request, response) => {
			requests.push(request.method);
			request.resume();
			const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
			response.writeHead(200, headers).end(bomb);
		}).listen(0, '127.0.0.1');
		await once(provider, 'listening');
		credential = await server.rest.createCredential('kling', credentialType, {
			provider: 'kling',
			authentication: 'apiKey',
			apiKey: 'sk-of-nobody',
			baseUrl: `http://127.0.0.1:${provider.address().port}`,
		});
	});
	after(() => {
		provider.closeAllConnections();
		provider.close();
	});

	/** Runs one node while watching n8n from outside. */
	async function runWatched(parameters) {
		requests = [];
		const nodes = [manualTrigger(), klingNode('Effect', credential, parameters)];
		const { id } = await server.rest.createWorkflow(workflow('bomb', nodes, [['Start', 'Effect']]));
		const memoryBefore = megabytesOf(server.child.pid);
		const seen = { seconds: 0, megabytes: 0, looks: 0 };
		let isOver = false;
		const watching = (async () => {
			while (!isOver) {
				const start = performance.now();
				const { ok } = await fetch(`${server.url}/healthz`);
				assert.ok(ok);
				seen.looks++;
				seen.seconds = Math.max(seen.seconds, (performance.now() - start) / 1000);
				seen.megabytes = Math.max(seen.megabytes, megabytesOf(server.child.pid) - memoryBefore);
				await delay(100);
			}
		})();
		const execution = await server.rest.runManually(id, 'Start', { timeoutMs: 240_000 });
		isOver = true;
		await watching;
		assert.equal(execution.status, 'error');
		return { ...errorOf(execution), seen };
	}

	function assertUnharmed({ seconds, megabytes, looks }, context) {
		context.diagnostic(
			`/healthz: ${looks} times, the slowest ${seconds.toFixed(2)} s; ${Math.round(megabytes)} MB more`,
		);
		assert.ok(looks > 3, `only ${looks} looks`);
		assert.ok(seconds < mostSeconds, `/healthz took ${seconds} s`);
		assert.ok(megabytes < mostMegabytes, `${megabytes} MB`);
	}

	test('Get says that it is too large; n8n keeps running', async (context) => {
		const { message, seen } = await runWatched({
			operation: 'get',
			taskId: locator('id', '842163450012345678'),
		});
		assert.match(message, /answered with more than 10 MB/);
		assert.ok(requests.length <= 4, `${requests.length} requests`);
		assertUnharmed(seen, context);
	});

	test('Create says what to check, and sends once; n8n keeps running', async (context) => {
		const { message, seen } = await runWatched({
			operation: 'create',
			effectScene: locator('name', 'pet_dance'),
			imageInput: 'url',
			image: 'https://photos.example/one.jpg',
		});
		assert.match(message, /may have created the task, but/);
		assert.equal(requests.filter((method) => method === 'POST').length, 1);
		assertUnharmed(seen, context);
	});
});

// n8n 1.123 has no such protection: there the same requests go through.
const isProtected = prepared.line === '2';
const protectedBy = {
	N8N_SSRF_PROTECTION_ENABLED: 'true',
	N8N_SSRF_ALLOWED_HOSTNAMES: 'localhost',
};

describe(`n8n ${prepared.line}.x with N8N_SSRF_PROTECTION_ENABLED`, () => {
	let server;
	let sandbox;

	before(async () => {
		server = await ownN8n({ env: protectedBy });
		sandbox = await ownSandbox();
	});
	beforeEach(() => sandbox.reset());

	/** Runs Create with the sandbox at this host: 127.0.0.1 is blocked by default, localhost allowed above. */
	async function create(provider, host, parameters = {}, extra = {}) {
		const { baseUrl } = sandbox.credential(provider);
		const credential = await storeCredential(server.rest, sandbox, provider, {
			baseUrl: baseUrl.replace('127.0.0.1', host),
		});
		const effect = {
			operation: 'create',
			effectScene: locator('name', 'pet_dance'),
			imageInput: 'url',
			image: 'https://photos.example/one.jpg',
			...parameters,
		};
		const nodes = [manualTrigger(), klingNode('Effect', credential, effect, extra)];
		const { id } = await server.rest.createWorkflow(workflow('ssrf', nodes, [['Start', 'Effect']]));
		return await server.rest.runManually(id, 'Start');
	}

	const video = { waitForCompletion: true, downloadVideo: true, options: { pollInterval: 1 } };

	if (!isProtected) {
		test('n8n 1 has no such protection, so a private Base URL is asked', async () => {
			assertSucceeded(await create('kling', '127.0.0.1', video));
			assert.equal(sandbox.charges.length, 1);
		});
		return;
	}

	for (const provider of ['kling', 'modellix']) {
		test(`${provider}: a create that it blocks is definitely refused, and Retry sends nothing`, async () => {
			const execution = await create(provider, '127.0.0.1');
			assert.equal(execution.status, 'error');
			const { message, description } = errorOf(execution);
			assert.match(message, /could not be reached$/);
			assert.doesNotMatch(`${message} ${description}`, /unknown|may have/i);
			const retried = await server.rest.retryExecution(execution.id);
			assert.equal(errorOf(retried).message, message);
			assert.deepEqual(sandbox.requests, []);
		});

		test(`${provider}: once the host is allowed, Retry creates the task, once`, async () => {
			const blocked = await create(provider, '127.0.0.1');
			const [node] = blocked.workflowData.nodes.filter(({ name }) => name === 'Effect');
			const { id, name } = node.credentials[credentialType];
			const { baseUrl, ...data } = sandbox.credential(provider);
			await server.rest.updateCredential(id, name, credentialType, {
				...data,
				baseUrl: baseUrl.replace('127.0.0.1', 'localhost'),
			});
			const retried = assertSucceeded(await server.rest.retryExecution(blocked.id));
			assert.deepEqual(
				itemsOf(retried, 'Effect').map(({ json }) => json.taskId),
				sandbox.charges.map(({ taskId }) => taskId),
			);
			assert.equal(sandbox.charges.length, 1);
		});
	}

	test('a video at a blocked address is reported, and not requested', async () => {
		const execution = await create('kling', 'localhost', video);
		const { message, description } = errorOf(execution);
		assert.equal(message, 'n8n blocks requests to the address of the video');
		const [{ taskId }] = sandbox.charges;
		assert.ok(description.includes(`(task ${taskId})`), description);
		assert.ok(sandbox.requests.every(({ operation }) => operation !== 'download'));
		assert.equal(sandbox.charges.length, 1);
	});
});

/** The memory of a process. */
function megabytesOf(pid) {
	return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}
