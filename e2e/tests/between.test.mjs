import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';

import { ownN8n, ownSandbox, prepared, sharedN8n, storeCredential } from '../fixture.mjs';
import { rootDir } from '../../tools/paths.mjs';
import { waitUntil } from '../../tools/process.mjs';
import { assertSucceeded, errorOf, itemsOf } from '../../tools/rest.mjs';
import {
	credentialType,
	klingNode,
	locator,
	manualTrigger,
	webhook,
	workflow,
} from '../../tools/workflow.mjs';

const fixture = (name) => readFileSync(join(rootDir, 'test', 'fixtures', name), 'utf8');
const [key, cert] = ['key', 'localhost'].map((name) => fixture(`tls/${name}.pem`));

const photo = 'https://photos.example/one.jpg';
const create = {
	operation: 'create',
	effectScene: locator('name', 'pet_dance'),
	imageInput: 'url',
	image: photo,
};
const get = { operation: 'get', taskId: locator('id', '842163450012345678') };

async function listen(server) {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return server.address().port;
}

/** The sandbox has a path for each provider. */
const pathOf = (sandbox) => new URL(sandbox.credential('kling').baseUrl).pathname;

/** Passes a request on to the sandbox, like a gateway or a proxy. */
function handOn(sandbox, request, response) {
	const { pathname, search } = new URL(request.url, 'http://gateway.example');
	const target = new URL(sandbox.url);
	const options = { host: target.hostname, port: target.port, path: pathname + search };
	const headers = { ...request.headers, host: target.host };
	const onward = httpRequest({ ...options, method: request.method, headers });
	onward.on('response', (answer) => {
		response.writeHead(answer.statusCode, answer.headers);
		answer.pipe(response);
	});
	request.pipe(onward);
}

async function runNode(rest, credential, parameters, settings = {}) {
	const nodes = [manualTrigger(), klingNode('Effect', credential, parameters)];
	const lines = [['Start', 'Effect']];
	const { id } = await rest.createWorkflow(workflow('between', nodes, lines, settings));
	const started = performance.now();
	const execution = await rest.runManually(id, 'Start');
	return { execution, seconds: (performance.now() - started) / 1000 };
}

/** Also on a busy machine: without a response, a create is looked up for about 22 seconds. */
const mostSeconds = 15;

function assertTold({ execution, seconds }, message, advice) {
	assert.equal(execution.status, 'error');
	const error = errorOf(execution);
	assert.equal(error.message, message);
	assert.match(error.description, advice);
	assert.doesNotMatch(`${error.message} ${error.description}`, /may have|unknown|<html|denied/i);
	assert.ok(seconds < mostSeconds, `${seconds} s`);
}

describe(`a form that is posted to n8n ${prepared.line}.x`, () => {
	test('delivers the picture unchanged, although its + became blanks on the way', async () => {
		const sandbox = await ownSandbox();
		const rest = sharedN8n();
		const credential = await storeCredential(rest, sandbox, 'kling');
		const path = randomUUID();
		const original = fixture('base64-plus-original.txt').trim();
		assert.ok(original.includes('+'));
		const nodes = [
			webhook('Form', path),
			klingNode('Effect', credential, {
				...create,
				imageInput: 'base64',
				image: '={{ $json.body.image }}',
			}),
		];
		const { id } = await rest.createWorkflow(workflow('form', nodes, [['Form', 'Effect']]));
		await rest.activate(id);
		const post = async () => {
			const headers = { 'content-type': 'application/x-www-form-urlencoded' };
			const body = `name=dog&image=${original}`;
			const url = `${prepared.url}/webhook/${path}`;
			return (await fetch(url, { method: 'POST', headers, body })).ok;
		};
		await waitUntil(post, { timeoutMs: 30_000, intervalMs: 250, describe: 'the webhook' });
		const [execution] = await rest.waitForExecutions(id, 1);
		assertSucceeded(execution);
		const [{ json }] = itemsOf(execution, 'Form');
		assert.ok(!json.body.image.includes('+'), 'n8n reads + as a blank');
		assert.equal(sandbox.charges.length, 1);
		const sent = createHash('sha256').update(original).digest('hex');
		assert.deepEqual(sandbox.charges[0].images, [sent]);
	});
});

describe(`a gateway whose certificate n8n ${prepared.line}.x does not know`, () => {
	let sandbox;
	let gateway;
	let baseUrl;
	let requests = 0;

	before(async () => {
		sandbox = await ownSandbox();
		gateway = createTlsServer({ key, cert }, (request, response) => {
			requests++;
			handOn(sandbox, request, response);
		});
		baseUrl = `https://localhost:${await listen(gateway)}${pathOf(sandbox)}`;
	});
	after(() => {
		gateway.closeAllConnections();
		gateway.close();
	});

	const asKling = async (rest) => await storeCredential(rest, sandbox, 'kling', { baseUrl });

	for (const [name, parameters] of Object.entries({ Create: create, Get: get })) {
		test(`${name} says so at once, and what to set; nothing was sent`, async () => {
			const rest = sharedN8n();
			const told = await runNode(rest, await asKling(rest), parameters);
			const message = 'The TLS certificate of Kling AI is not trusted';
			assertTold(told, message, /^Nothing was sent\. .*NODE_EXTRA_CA_CERTS/);
			assert.equal(requests, 0);
		});
	}

	test('the credential test is red, in the words that n8n has for it', async () => {
		const rest = sharedN8n();
		const { id, name } = await asKling(rest);
		const data = sandbox.credential('kling', { baseUrl });
		const { status, message } = await rest.testCredential({ id, name, type: credentialType }, data);
		assert.equal(status, 'Error');
		assert.match(message, /cert/i);
		assert.equal(requests, 0);
	});

	test('with NODE_EXTRA_CA_CERTS as the message says, the task is created', async () => {
		const file = join(rootDir, 'test', 'fixtures', 'tls', 'localhost.pem');
		const server = await ownN8n({ env: { NODE_EXTRA_CA_CERTS: file } });
		const { execution } = await runNode(server.rest, await asKling(server.rest), create);
		assertSucceeded(execution);
		assert.equal(sandbox.charges.length, 1);
		await server.stop();
	});
});

describe(`n8n ${prepared.line}.x behind a proxy, in a container of another time zone`, () => {
	let server;
	let sandbox;
	let proxy;
	/** How the proxy refuses; null if it passes requests on. */
	let status;
	/** What the proxy was asked for: a host to connect to, or a full address. */
	let asked;

	const page = '<html><body>Access denied by the proxy</body></html>';

	before(async () => {
		sandbox = await ownSandbox();
		proxy = createServer((request, response) => {
			asked.push(request.url);
			if (status === null) return handOn(sandbox, request, response);
			request.resume();
			response.writeHead(status, { 'content-type': 'text/html' }).end(page);
		});
		proxy.on('connect', ({ url }, socket) => {
			asked.push(url);
			socket.on('error', () => undefined);
			const head = `HTTP/1.1 ${status} Denied\r\nContent-Type: text/html`;
			const length = `Content-Length: ${page.length}\r\nConnection: close`;
			socket.end(`${head}\r\n${length}\r\n\r\n${page}`);
		});
		const url = `http://127.0.0.1:${await listen(proxy)}`;
		const env = { HTTP_PROXY: url, HTTPS_PROXY: url, TZ: 'Asia/Tokyo', GENERIC_TIMEZONE: 'UTC' };
		server = await ownN8n({ env });
	});
	beforeEach(() => {
		asked = [];
		sandbox.reset();
	});
	after(() => {
		proxy.closeAllConnections();
		proxy.close();
	});

	const credentialFor = async (baseUrl) =>
		await storeCredential(server.rest, sandbox, 'kling', { baseUrl });

	const refusals = [
		[407, 'refused the connection', /user name and password .*HTTPS_PROXY and HTTP_PROXY/],
		[403, 'refused the connection', /NO_PROXY/],
		[502, 'could not connect', /HTTPS_PROXY/],
		[503, 'could not connect', /HTTPS_PROXY/],
	];
	for (const [code, happened, advice] of refusals) {
		test(`that answers CONNECT with ${code}: Create and Get say that it was the proxy`, async () => {
			status = code;
			const credential = await credentialFor('https://api.example.com');
			for (const parameters of [create, get]) {
				const told = await runNode(server.rest, credential, parameters);
				assertTold(told, `The proxy between n8n and Kling AI ${happened}`, advice);
				assert.ok(errorOf(told.execution).description.includes(`HTTP ${code}`));
			}
			assert.deepEqual(new Set(asked), new Set(['api.example.com:443']));
			assert.deepEqual(sandbox.requests, []);
		});
	}

	test('that passes an http address on: the task is created through it', async () => {
		status = null;
		const { execution } = await runNode(
			server.rest,
			await credentialFor(`http://gateway.example${pathOf(sandbox)}`),
			create,
		);
		assertSucceeded(execution);
		assert.equal(sandbox.charges.length, 1);
		assert.ok(asked.every((url) => url.startsWith('http://gateway.example/')));
	});

	for (const [code, happened, advice] of refusals.slice(0, 2)) {
		test(`that answers an http address with ${code}: Create and Get say that it was the proxy`, async () => {
			status = code;
			const credential = await credentialFor(`http://gateway.example${pathOf(sandbox)}`);
			for (const parameters of [create, get]) {
				asked = [];
				const told = await runNode(server.rest, credential, parameters);
				assertTold(told, `The proxy between n8n and Kling AI ${happened}`, advice);
				assert.equal(asked.length, 1);
			}
			assert.deepEqual(sandbox.requests, []);
		});
	}

	test('“created after” is in the time zone of the workflow, not of the container', async () => {
		// As n8n's picker stores it, in New York: 03:42:01 UTC of the next day.
		const { operation, ...parameters } = JSON.parse(fixture('created-after-picker.json'));
		assert.equal(parameters.filters.createdAfter, '2026-11-28T22:42:01');
		const meant = Date.parse('2026-11-29T03:42:01Z');
		const hour = 3_600_000;
		const hours = Array.from({ length: 30 }, (_, index) => meant + (index - 24) * hour);
		sandbox.seedTasks(
			'kling',
			[...hours, meant - 1000, meant + 1000].map((createdAt) => ({
				createdAt,
			})),
		);
		const credential = await storeCredential(server.rest, sandbox, 'kling');
		const { execution } = await runNode(
			server.rest,
			credential,
			{ operation, ...parameters },
			{ timezone: 'America/New_York' },
		);
		assertSucceeded(execution);
		const found = itemsOf(execution, 'Effect').map(({ json }) => Date.parse(json.createdAt));
		const expected = [...hours, meant + 1000].filter((createdAt) => createdAt >= meant);
		assert.deepEqual(
			found.sort((a, b) => a - b),
			expected.sort((a, b) => a - b),
		);
	});
});
