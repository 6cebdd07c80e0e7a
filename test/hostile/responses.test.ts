import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { byId, single } from '../contract/support';
import { useInstantClock } from '../harness/clock';
import { runNode } from '../harness/engine';
import { drip, flood, HostileServer, providerNames, type Behaviour } from './server';

const hostile = HostileServer.prepare();
const zeros = Buffer.alloc(64 * 1024 * 1024, '[');
const headers = { 'content-type': 'application/json' };
const write = (body: string | Buffer, more: Record<string, string | number> = {}): Behaviour => {
	return (_request, response) => void response.writeHead(200, { ...headers, ...more }).end(body);
};
const bomb = (encoding: string, body: Buffer) => write(body, { 'content-encoding': encoding });

const tooLarge = /answered with more than 10 MB/;
const unreadable =
	/answered with (text instead of data|data in an unknown form|an empty response|a web page)/;
const silent = /did not answer/;

/** Ways to misbehave, and what a read says of them. */
const attacks: Array<[name: string, behaviour: Behaviour, says: RegExp]> = [
	['a gzip bomb', bomb('gzip', gzipSync(zeros)), tooLarge],
	['a deflate bomb', bomb('deflate', deflateSync(zeros)), tooLarge],
	['a Brotli bomb', bomb('br', brotliCompressSync(zeros)), tooLarge],
	[
		'an answer without end',
		(_request, response) => flood(response.writeHead(200, headers), Buffer.alloc(65_536, ' ')),
		tooLarge,
	],
	[
		'a byte of the answer every now and then',
		(_request, response) => drip(() => response.write(' '), response.writeHead(200, headers)),
		silent,
	],
	[
		'a byte of a header every now and then',
		({ socket }, response) => {
			socket.write('HTTP/1.1 200 OK\r\nX-Slow: ');
			drip(() => socket.write('x'), response);
		},
		silent,
	],
	[
		'provisional answers without end',
		(_request, response) => drip(() => response.writeProcessing(), response),
		silent,
	],
	['nothing', () => undefined, silent],
	[
		'headers, and then nothing',
		(_request, response) => response.writeHead(200, headers).flushHeaders(),
		silent,
	],
	[
		'half of what it announced',
		(_request, response) => {
			response.writeHead(200, { ...headers, 'content-length': 1000 }).write('{"code":0,');
			setTimeout(() => response.destroy(), 20);
		},
		silent,
	],
	[
		'a flood of headers',
		({ socket }) =>
			void socket.end(`HTTP/1.1 200 OK\r\n${'X-Flood: 1234567890\r\n'.repeat(50_000)}\r\n{}`),
		silent,
	],
	['what is no HTTP', ({ socket }) => void socket.end('SSH-2.0-OpenSSH_9.9\r\n'), silent],
	['gzip that is none', bomb('gzip', Buffer.from('not compressed')), silent],
	['a text that never ends', write(`{"data":"${'\\"'.repeat(40_000)}`), unreadable],
	['JSON nested a million deep', write('['.repeat(1e6) + ']'.repeat(1e6)), unreadable],
	[
		'objects nested a thousand deep',
		write('{"data":'.repeat(1000) + '1' + '}'.repeat(1000)),
		unreadable,
	],
	['bytes that are no UTF-8', write(Buffer.from('fffe00ff8080c0', 'hex')), unreadable],
	[
		'keys of prototypes',
		write(
			'{"__proto__":{"code":0},"constructor":{"prototype":{}},"data":{"__proto__":{"task_id":"1"}}}',
		),
		unreadable,
	],
	['an empty page', write(''), unreadable],
	['a web page', write('<!doctype html><title>Sign in</title>'), unreadable],
	['a list where an object belongs', write('[[[]]]'), unreadable],
	['a number', write('12345678901234567890'), unreadable],
	[
		'a redirect to itself',
		(_request, response) => void response.writeHead(307, { location: hostile.url }).end(),
		/pointed to another address|redirected/,
	],
];

let restore = () => {};
beforeEach(() => {
	({ restore } = useInstantClock());
});
afterEach(() => {
	restore();
	jest.restoreAllMocks();
});

const get = { operation: 'get', taskId: byId('842163450012345678'), waitForCompletion: false };
const create = { ...single, waitForCompletion: false, downloadVideo: false };
const list = { operation: 'list', returnAll: false, limit: 5 };

describe.each(attacks)('a provider that sends %s', (_name, behaviour, says) => {
	beforeEach(() => {
		hostile.behaviour = behaviour;
		// Only where nothing but a deadline ends it: a thousand times as fast.
		const timeout = AbortSignal.timeout.bind(AbortSignal);
		const speed = says === silent ? 1000 : 1;
		jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(ms / speed));
	});

	test.each(providerNames)('%s: is told of by Get, after four tries at most', async (provider) => {
		const { error, items } = await runNode({
			parameters: get,
			credential: hostile.credential(provider),
		});
		expect(items).toEqual([]);
		expect(error?.message).toMatch(says);
		expect(hostile.requests.length).toBeLessThanOrEqual(4);
		expect(hostile.open.size).toBeLessThanOrEqual(1);
	});

	test.each(providerNames)(
		'%s: may have made the task, so Create sends it once',
		async (provider) => {
			hostile.behaviour = behaviour;
			const { error, items } = await runNode({
				parameters: create,
				credential: hostile.credential(provider),
			});
			expect(items).toEqual([]);
			const refuses = says.source.includes('redirected');
			expect(error?.message).toMatch(refuses ? says : /may have created the task, but/);
			expect(hostile.posts()).toHaveLength(1);
			expect(hostile.requests.length).toBeLessThanOrEqual(20);
		},
	);

	test('the list ends as well', async () => {
		const { error } = await runNode({ parameters: list, credential: hostile.credential('kling') });
		expect(error?.message).toMatch(says);
		expect(hostile.requests.length).toBeLessThanOrEqual(4);
	});
});
