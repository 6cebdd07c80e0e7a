import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { drip, flood, type Behaviour, type HostileServer } from './server';

const zeros = Buffer.alloc(32 * 1024 * 1024, '[');
const headers = { 'content-type': 'application/json' };
const write = (body: string | Buffer, more: Record<string, string | number> = {}): Behaviour => {
	return (_request, response) => void response.writeHead(200, { ...headers, ...more }).end(body);
};
const bomb = (encoding: string, body: Buffer) => write(body, { 'content-encoding': encoding });

export const tooLarge = /answered with more than 10 MB/;
export const unreadable =
	/answered with (text instead of data|data in an unknown format|an empty response|a web page)/;
export const silent = /did not answer/;

/** Ways to misbehave, and what is said about them. */
export const attacks: Array<[name: string, behaviour: Behaviour, says: RegExp]> = [
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
		(_request, response) => void response.writeHead(307, { location: '/' }).end(),
		/pointed to another address|redirected/,
	],
];

/**
 * If only a deadline ends an attack, deadlines come 4,000 times as fast, starting when the request
 * arrives: on a busy machine it would otherwise be over before.
 */
export function hasten(hostile: HostileServer, says: RegExp): void {
	if (says !== silent) return;
	jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
		const deadline = new AbortController();
		void hostile.nextRequest().then(() => setTimeout(() => deadline.abort(), ms / 4000));
		return deadline.signal;
	});
}
