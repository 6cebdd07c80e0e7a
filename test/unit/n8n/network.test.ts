import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createSocketServer, type AddressInfo, type Server } from 'node:net';
import { adviceOnCertificate } from '../../../nodes/kling/messages';
import { noResponseOf } from '../../../nodes/n8n/network';
import { runNode } from '../../../tools/engine';
import { withInstantClock } from '../../harness/setup';
import { byId, single } from '../../harness/workbench';
import { HostileServer } from '../../promises/hostile/server';

/** What is between n8n and the provider: an untrusted certificate, a proxy that refuses. */

const [key, cert] = ['key', 'localhost'].map((name) =>
	readFileSync(`test/fixtures/tls/${name}.pem`),
);
const get = { operation: 'get', taskId: byId('1'), waitForCompletion: false };
const create = { ...single, waitForCompletion: false, downloadVideo: false };

const time = withInstantClock();

async function listen(server: Server): Promise<number> {
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return (server.address() as AddressInfo).port;
}

describe('a certificate that is not trusted', () => {
	let requests = 0;
	const server = createTlsServer({ key, cert }, (_request, response) => {
		requests++;
		response.end('{}');
	});
	let baseUrl = '';
	beforeAll(async () => {
		baseUrl = `https://localhost:${await listen(server)}`;
	});
	afterAll(() => server.close());

	test.each([
		['Get', get],
		['Create', create],
		['Get Many', { operation: 'list', returnAll: false, limit: 5 }],
	])('%s: is named, with what to set, and nothing was sent', async (_name, parameters) => {
		const credential = { provider: 'kling', apiKey: 'sk-key-of-a-test', baseUrl };
		const started = time.clock.now();
		const { error } = await runNode({ parameters, credential });
		expect(error?.message).toBe('The TLS certificate of Kling AI is not trusted');
		expect(error?.description).toMatch(/^Nothing was sent\. .*NODE_EXTRA_CA_CERTS/);
		expect(error?.description).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
		expect(time.clock.now() - started).toBeLessThan(1_000);
		expect(requests).toBe(0);
	});

	test.each([
		['CERT_HAS_EXPIRED', /check the clock/],
		['CERT_NOT_YET_VALID', /check the clock/],
		['ERR_TLS_CERT_ALTNAME_INVALID', /belongs to another host/],
		['SELF_SIGNED_CERT_IN_CHAIN', /NODE_EXTRA_CA_CERTS/],
		['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /NODE_EXTRA_CA_CERTS/],
		['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /NODE_EXTRA_CA_CERTS/],
	])('%s is reported with what helps', (code, advice) => {
		expect(adviceOnCertificate(code)).toMatch(advice);
	});
});

describe('a provider to which no connection is made got nothing, and the next items are not held up', () => {
	afterEach(() => jest.restoreAllMocks());
	const created = async (baseUrl: string) => {
		const credential = { provider: 'modellix', apiKey: 'sk-key-of-a-test', baseUrl };
		return await runNode({ parameters: create, credential });
	};

	test('none of its addresses has a route', async () => {
		const addresses = ['255.255.255.255', '224.0.0.1'].map((address) => ({ address, family: 4 }));
		const lookup = jest
			.spyOn(dns, 'lookup')
			.mockImplementation(((
				_host: string,
				_options: object,
				found: (reason: null, all: typeof addresses) => void,
			) => setImmediate(found, null, addresses)) as never);
		const { error } = await created('http://gateway.example.com');
		expect(lookup).toHaveBeenCalled();
		expect(error?.message).toBe('Modellix could not be reached');
	});

	test('it hangs up before the connection is encrypted', async () => {
		const server = createSocketServer((socket) => socket.end());
		const { error } = await created(`https://localhost:${await listen(server)}`);
		server.close();
		expect(error?.message).toBe('Modellix could not be reached');
	});
});

describe('a proxy', () => {
	const hostile = HostileServer.prepare();
	let status = 407;
	let isJson = false;
	let asked: string[] = [];
	const proxy = createServer();
	proxy.on('connect', ({ url = '' }, socket) => {
		asked.push(url);
		socket.on('error', () => undefined);
		if (status === 0) return void socket.end();
		const page = '<html>denied by squid</html>';
		const head = `HTTP/1.1 ${status} Denied\r\nContent-Type: text/html\r\nContent-Length: ${page.length}`;
		socket.end(`${head}\r\nConnection: close\r\n\r\n${page}`);
	});
	proxy.on('request', ({ method, url = '' }, response) => {
		asked.push(`${method} ${url}`);
		const [type, body] = isJson
			? ['application/json', '{"code":1103,"message":"not yours","request_id":"r"}']
			: ['text/html', '<html>denied by squid</html>'];
		response.writeHead(status, { 'content-type': type }).end(body);
	});
	const variables = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
	const usual = variables.map((variable) => process.env[variable]);
	beforeAll(async () => {
		const address = `http://127.0.0.1:${await listen(proxy)}`;
		Object.assign(process.env, {
			...{ HTTPS_PROXY: address, HTTP_PROXY: address, NO_PROXY: '127.0.0.1' },
		});
	});
	beforeEach(() => {
		asked = [];
		isJson = false;
	});
	afterAll(() => {
		for (const [index, variable] of variables.entries()) {
			if (usual[index] === undefined) delete process.env[variable];
			else process.env[variable] = usual[index];
		}
		proxy.close();
	});
	const credential = {
		provider: 'kling',
		apiKey: 'sk-key-of-a-test',
		baseUrl: 'https://api.example.com',
	};

	test.each([
		[407, 'refused the connection', /HTTPS_PROXY/],
		[403, 'refused the connection', /NO_PROXY/],
		[502, 'could not connect', /HTTPS_PROXY/],
		[503, 'could not connect', /HTTPS_PROXY/],
	])(
		'that answers CONNECT with %i: is named as such, and nothing was created',
		async (code, happened, advice) => {
			status = code;
			for (const parameters of [get, create]) {
				asked = [];
				const started = time.clock.now();
				const { error } = await runNode({ parameters, credential });
				expect(error?.message).toBe(`The proxy between n8n and Kling AI ${happened}`);
				expect(error?.description).toMatch(advice);
				expect(error?.description).toContain(`HTTP ${code}`);
				expect(`${error?.message} ${error?.description}`).not.toMatch(/may have|squid|unknown/i);
				expect(new Set(asked)).toEqual(new Set(['api.example.com:443']));
				expect(time.clock.now() - started).toBeLessThan(code < 500 ? 1_000 : 8_000);
				if (code < 500) expect(asked).toHaveLength(1);
			}
		},
	);

	describe('for http addresses', () => {
		const plain = { ...credential, baseUrl: 'http://gateway.example.com' };

		test.each([
			[407, /HTTP_PROXY/],
			[403, /NO_PROXY/],
		])('that refuses with %i is named, once, and nothing was created', async (code, advice) => {
			status = code;
			for (const parameters of [get, create]) {
				asked = [];
				const { error } = await runNode({ parameters, credential: plain });
				expect(error?.message).toBe('The proxy between n8n and Kling AI refused the connection');
				expect(error?.description).toMatch(advice);
				expect(asked).toEqual([
					expect.stringMatching(/^(GET|POST) http:\/\/gateway\.example\.com\//),
				]);
			}
		});

		test('that passes on the provider’s own refusal is not mistaken for the source', async () => {
			[status, isJson] = [403, true];
			const { error } = await runNode({ parameters: get, credential: plain });
			expect(error?.message).toBe('Kling AI does not allow this account to do that');
		});

		test.each([502, 503])(
			'that answers a create with %i may have passed it on: it is not sent again',
			async (code) => {
				status = code;
				const { error } = await runNode({ parameters: create, credential: plain });
				expect(error?.message).toMatch(/^Kling AI may have created the task/);
				expect(asked.filter((line) => line.startsWith('POST'))).toHaveLength(1);
			},
		);
	});

	test('that hangs up before it has connected: nothing was created', async () => {
		status = 0;
		const { error } = await runNode({ parameters: create, credential });
		expect(error?.message).toBe('Kling AI could not be reached');
	});

	test.each([403, 407])(
		'that refuses the host of the video with %i is not mistaken for the provider',
		async (code) => {
			status = code;
			hostile.behaviour = (_request, response) => {
				const videos = [{ url: 'https://videos.example.com/v.mp4' }];
				const data = { task_id: '1', task_status: 'succeed', task_result: { videos } };
				response.end(JSON.stringify({ code: 0, data }));
			};
			const parameters = { ...get, downloadVideo: true };
			const { error } = await runNode({ parameters, credential: hostile.credential('kling') });
			expect(error?.message).toBe(
				`The proxy between n8n and the address of the video refused the connection (HTTP ${code})`,
			);
			expect(error?.description).toContain('NO_PROXY');
			expect(asked).toEqual(['videos.example.com:443']);
		},
	);
});

const thrownBy = (action: () => unknown): unknown => {
	try {
		action();
	} catch (thrown) {
		return thrown;
	}
	throw new Error('nothing was thrown');
};

test('a key that no header can contain was definitely not sent', () => {
	const headers = { Authorization: 'Bearer key\u200b' };
	const thrown = thrownBy(() => request('http://127.0.0.1:9', { headers }));
	expect(noResponseOf(thrown, new AbortController().signal, undefined).kind).not.toBe('noResponse');
});
