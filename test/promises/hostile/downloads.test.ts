import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { isPrivateAddress } from '../../../nodes/kling/hosts';
import { byId } from '../../harness/workbench';
import { withInstantClock } from '../../harness/setup';
import { runNode, useBinaryMode } from '../../../tools/engine';
import { drip, HostileServer, type Behaviour } from './server';

const hostile = HostileServer.prepare();
const mp4 = readFileSync('sandbox/assets/clip.mp4');
const fragmented = mp4Of(['ftyp', 24], ['moov', 100], ['moof', 80], ['mdat', 3000]);
const streamed = Buffer.concat([mp4Of(['ftyp', 24], ['moov', 100]), box('mdat', 3000, 0)]);
const large = Buffer.concat([mp4Of(['ftyp', 24], ['moov', 100]), largeBox('mdat', 3000)]);
const indexLast = mp4Of(['ftyp', 24], ['mdat', 3000], ['moov', 100]);
const webm = Buffer.concat([Buffer.from('1a45dfa3', 'hex'), Buffer.alloc(500, 7)]);
const file = (body: Buffer | string, type?: string, more = {}): Behaviour => {
	const headers = { ...(type ? { 'content-type': type } : {}), ...more };
	return (_request, response) => void response.writeHead(200, headers).end(body);
};

const partial: Behaviour = (_request, response) => {
	const range = `bytes 0-${mp4.length - 1}/${mp4.length * 2}`;
	response.writeHead(206, { 'content-type': 'video/mp4', 'content-range': range }).end(mp4);
};

/** A box of an MP4 with `bytes` in all (ISO/IEC 14496-12, 4.2). */
function box(type: string, bytes: number, size = bytes): Buffer {
	const whole = Buffer.alloc(bytes, 7);
	whole.writeUInt32BE(size, 0);
	whole.write(type, 4, 'latin1');
	return whole;
}

function largeBox(type: string, bytes: number): Buffer {
	const whole = box(type, bytes, 1);
	whole.writeBigUInt64BE(BigInt(bytes), 8);
	return whole;
}

function mp4Of(...boxes: Array<[type: string, bytes: number]>): Buffer {
	return Buffer.concat(boxes.map(([type, bytes]) => box(type, bytes)));
}

withInstantClock();
afterEach(() => jest.restoreAllMocks());

/** What Get makes of a finished task whose video is what this behavior sends. */
async function download(behaviour: Behaviour, { address = '/video', baseUrl = hostile.url } = {}) {
	hostile.behaviour = (request, response) => {
		if (!request.url?.includes('effects')) return behaviour(request, response);
		const videos = [{ url: new URL(address, hostile.url).href }];
		const data = { task_id: '1', task_status: 'succeed', task_result: { videos } };
		response.end(JSON.stringify({ code: 0, data }));
	};
	const parameters = {
		operation: 'get',
		taskId: byId('1'),
		downloadVideo: true,
		outputField: 'data',
	};
	const credential = { ...hostile.credential('kling'), baseUrl };
	const result = await runNode({ parameters, credential });
	const fetched = hostile.requests.filter((line) => !line.includes('effects'));
	return { ...result, fetched };
}

describe.each(['default', 'filesystem'] as const)('with files in mode %s', (mode) => {
	beforeAll(async () => await useBinaryMode(mode));

	test.each([
		['an MP4', file(mp4, 'video/mp4')],
		['an MP4 of no declared type', file(mp4)],
		['an MP4 as bytes of any kind', file(mp4, 'application/octet-stream')],
		['a WebM', file(webm, 'video/webm')],
		['an MP4 that is said to be text', file(mp4, 'text/plain')],
		['an MP4 that is said to be JSON', file(mp4, 'application/json')],
		['an MP4 in fragments', file(fragmented, 'video/mp4')],
		['an MP4 whose last box goes to the end', file(streamed, 'video/mp4')],
		['an MP4 with a size of 64 bits', file(large, 'video/mp4')],
		['an MP4 with its index at the end', file(indexLast, 'video/mp4')],
		[
			'an MP4 with something behind it',
			file(Buffer.concat([mp4, Buffer.from('end')]), 'video/mp4'),
		],
		[
			'an MP4 in pieces of one byte',
			(_request, response) => {
				response.writeHead(200, { 'content-type': 'video/mp4' });
				for (const byte of indexLast) response.write(Buffer.from([byte]));
				response.end();
			},
		],
		[
			'an MP4 that is compressed all the same',
			file(gzipSync(mp4), 'video/mp4', {
				'content-encoding': 'gzip',
				'content-length': gzipSync(mp4).length,
			}),
		],
	])('%s is stored whole', async (_name, behaviour) => {
		const { items, error, fetched } = await download(behaviour);
		expect(error).toBeUndefined();
		expect(items[0].binary?.data.mimeType).toMatch(/^video\//);
		expect(fetched).toHaveLength(1);
	});

	test.each([
		['a page', file('<!doctype html><title>Gone</title>', 'text/html')],
		['a page that is said to be a video', file('<!doctype html><title>Gone</title>', 'video/mp4')],
		['JSON', file('{"message":"expired"}', 'application/json')],
		['JSON that is said to be a video', file('{"message":"expired"}', 'video/mp4')],
		['zeros', file(Buffer.alloc(5000), 'video/mp4')],
		['a program', file(Buffer.from('7f454c4602010100', 'hex'), 'video/mp4')],
		['a page in UTF-16', file(Buffer.from('\ufeff<!doctype html>', 'utf16le'), 'video/mp4')],
		[
			'an AVIF image',
			file(
				Buffer.concat([Buffer.from('\0\0\0\x1cftypavif\0\0\0\0', 'latin1'), Buffer.alloc(50)]),
				'video/mp4',
			),
		],
		['an unknown format', file(Buffer.alloc(2000, 7), 'binary/octet-stream')],
		[
			'a list of parts',
			file(
				Buffer.concat([Buffer.from('--x\r\nContent-Type: video/mp4\r\n\r\n'), mp4]),
				'multipart/byteranges; boundary=x',
			),
		],
		['an XML message', file('<?xml version="1.0"?><Error/>', 'application/xml')],
		['a picture', file(Buffer.from('ffd8ffe000104a464946', 'hex'), 'application/octet-stream')],
		['an empty file', file('', 'video/mp4')],
		['no content', (_request, response) => void response.writeHead(204).end()],
	] as Array<[string, Behaviour]>)(
		'%s is no video, and is fetched once',
		async (_name, behaviour) => {
			const { items, error, fetched } = await download(behaviour);
			expect(items).toEqual([]);
			expect(error?.message).toMatch(/^The address of the video returned .* instead of a video$/);
			expect(error?.description).toContain('task 1');
			expect(fetched).toHaveLength(1);
		},
	);

	test.each([
		['an answer with a part (HTTP 206)', partial],
		['an MP4 whose media box is cut', file(indexLast.subarray(0, 1500), 'video/mp4')],
		[
			'an MP4 that ends where its index should follow',
			file(indexLast.subarray(0, 3024), 'video/mp4'),
		],
		['an MP4 whose index is cut', file(mp4.subarray(0, mp4.indexOf('moov') + 50), 'video/mp4')],
		['the beginning of an MP4', file(mp4.subarray(0, 6), 'video/mp4')],
		[
			'compressed data that is cut',
			file(gzipSync(indexLast).subarray(0, -40), 'video/mp4', { 'content-encoding': 'gzip' }),
		],
	] as Array<[string, Behaviour]>)(
		'%s is fetched three times, and then reported',
		async (_name, behaviour) => {
			const { items, error, fetched } = await download(behaviour);
			expect(items).toEqual([]);
			expect(error?.message).toMatch(/returned only part of it$|was interrupted$/);
			expect(fetched).toHaveLength(3);
		},
	);

	test('half a video is fetched three times, and then reported', async () => {
		const { error, fetched } = await download((_request, response) => {
			response
				.writeHead(200, { 'content-type': 'video/mp4', 'content-length': 100_000 })
				.write(mp4);
			setTimeout(() => response.destroy(), 20);
		});
		expect(error?.message).toBe('The download of the video was interrupted');
		expect(fetched).toHaveLength(3);
	});

	test('a byte every now and then ends at the deadline', async () => {
		const timeout = AbortSignal.timeout.bind(AbortSignal);
		jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(ms > 500_000 ? 150 : ms));
		const { error } = await download((_request, response) => {
			response.writeHead(200, { 'content-type': 'video/mp4' }).write(mp4);
			drip(() => response.write('x'), response);
		});
		expect(error?.message).toBe('The download of the video was interrupted');
	});
});

test('redirects are followed to the video, but not round in circles', async () => {
	const to =
		(location: string): Behaviour =>
		(_request, response) =>
			void response.writeHead(302, { location }).end();
	const found = await download((request, response) =>
		request.url === '/video'
			? to('/real')(request, response)
			: file(mp4, 'video/mp4')(request, response),
	);
	expect(found.fetched).toEqual(['GET /video', 'GET /real']);
	expect(found.items[0].binary?.data).toBeDefined();
	hostile.requests = [];
	const lost = await download(to('/video'));
	expect(lost.error?.message).toBe('The address of the video redirects too many times');
	expect(lost.fetched).toHaveLength(6);
});

test.each([
	['no address', {}, /^The video of task 1 can no longer be fetched \(HTTP 302\)$/],
	['an address that is none', { location: 'http://[' }, /^The provider gave no web address/],
	['a file of the server', { location: 'file:///etc/passwd' }, /^The provider gave no web address/],
])('a redirect to %s is reported, and not followed', async (_name, headers, message) => {
	const { error, fetched } = await download(
		(_request, response) => void response.writeHead(302, headers).end(),
	);
	expect(error?.message).toMatch(message);
	expect(fetched).toEqual(['GET /video']);
});

test.each([
	['no list of videos', {}],
	['an empty list', { task_result: { videos: [] } }],
	['a video without an address', { task_result: { videos: [{ id: '7', url: '' }] } }],
])(
	'a task that succeeded with %s: says that there is no address, not nothing',
	async (_name, rest) => {
		hostile.behaviour = (_request, response) => {
			const data = { task_id: '1', task_status: 'succeed', ...rest };
			response.end(JSON.stringify({ code: 0, data }));
		};
		const get = { operation: 'get', taskId: byId('1') };
		const credential = hostile.credential('kling');
		const { error } = await runNode({ parameters: { ...get, downloadVideo: true }, credential });
		expect(error?.message).toBe('The provider gave no web address for the video');
		expect(error?.description).toMatch(/^The task itself is done and paid for\. Run Get .*task 1/);
		const { json } = await runNode({ parameters: get, credential });
		expect(json).toMatchObject([{ taskId: '1', status: 'succeed', videoUrl: null }]);
	},
);

test('a temporary failure is tried three times, a lasting one once', async () => {
	for (const [status, tries] of [
		[429, 3],
		[500, 3],
		[503, 3],
		[403, 1],
		[404, 1],
		[410, 1],
	]) {
		hostile.requests = [];
		const { error, fetched } = await download(
			(_request, response) => void response.writeHead(status).end(),
		);
		expect(error?.message).toContain(`HTTP ${status}`);
		expect(fetched).toHaveLength(tries);
	}
});

test('a provider on the internet cannot have n8n fetch from its own network', async () => {
	const real = dns.lookup;
	jest
		.spyOn(dns, 'lookup')
		.mockImplementation(((name: string, ...rest: any[]) =>
			(real as any)(name === 'api.example.com' ? '127.0.0.1' : name, ...rest)) as never);
	const baseUrl = hostile.url.replace('127.0.0.1', 'api.example.com');
	for (const behaviour of [file(mp4, 'video/mp4')]) {
		const { error, fetched } = await download(behaviour, { baseUrl });
		expect(error?.message).toBe('The address of the video points to a private network');
		expect(fetched).toEqual([]);
	}
});

test.each([
	'http://localhost/v.mp4',
	'http://LOCALHOST:8080/',
	'http://a.localhost/',
	'http://nas.local/',
	'http://minio/v.mp4',
	'http://n8n.test/',
	'http://127.0.0.1/',
	'http://127.1/',
	'http://2130706433/',
	'http://0x7f000001/',
	'http://0177.0.0.1/',
	'http://0x7f.1/',
	'http://0/',
	'http://10.1.2.3/',
	'http://172.16.0.1/',
	'http://172.31.255.255/',
	'http://192.168.1.1/',
	'http://169.254.169.254/latest/meta-data/',
	'http://2852039166/',
	'http://100.64.0.1/',
	'http://[::1]/',
	'http://[::]/',
	'http://[::ffff:127.0.0.1]/',
	'http://[::ffff:a9fe:a9fe]/',
	'http://[0:0:0:0:0:ffff:7f00:1]/',
	'http://[64:ff9b::10.0.0.1]/',
	'http://[fd00::1]/',
	'http://[fe80::1]/',
	'http://１２７.０.０.１/',
	'http://[2002:7f00:1::]/',
	'http://[64:ff9b:1::a00:1]/',
	'http://10.0.0.1.nip.io/',
	'http://app-192-168-1-1.sslip.io/',
	'http://lvh.me/',
	'http://fritz.box/',
	'http://minio.default.svc/',
	'http://abcdef.onion/',
])('%s is private', (address) => expect(isPrivateAddress(address)).toBe(true));

test.each([
	'https://example.com/v.mp4',
	'https://p1.klingai.com/v.mp4',
	'http://8.8.8.8/',
	'http://172.32.0.1/',
	'http://100.128.0.1/',
	'http://11.0.0.1/',
	'http://[2606:4700::1111]/',
	'http://[::ffff:8.8.8.8]/',
	'http://localhost.example.com/',
	'http://10.example.com/',
	'http://8.8.8.8.nip.io/',
	'http://[2002:808:808::1]/',
	'http://[64:ff9b:1::808:808]/',
	'http://box.com/',
])('%s is public', (address) => expect(isPrivateAddress(address)).toBe(false));

test('no more than ten files of one task are fetched', async () => {
	hostile.behaviour = (request, response) => {
		if (!request.url?.includes('effects')) return file(mp4, 'video/mp4')(request, response);
		const videos = Array.from({ length: 200 }, (_, at) => ({ url: `${hostile.url}/video${at}` }));
		const data = { task_id: '1', task_status: 'succeed', task_result: { videos } };
		response.end(JSON.stringify({ code: 0, data }));
	};
	const parameters = { operation: 'get', taskId: byId('1'), downloadVideo: true };
	const { items } = await runNode({ parameters, credential: hostile.credential('kling') });
	expect(Object.keys(items[0].binary ?? {})).toHaveLength(10);
	expect(hostile.requests.filter((line) => /\/video\d/.test(line))).toHaveLength(10);
});

test('a file name has only characters that every file system accepts, and at most 120', async () => {
	const effectScene = `../a\u202eb\u0000c/${'long'.repeat(100)}`;
	hostile.behaviour = (request, response) => {
		if (!request.url?.includes('effects')) return file(mp4, 'video/mp4')(request, response);
		const videos = [{ url: `${hostile.url}/video` }];
		const info = { task_info: { effect_scene: effectScene }, effect_scene: effectScene };
		const data = { task_id: 'x'.repeat(128), task_status: 'succeed', task_result: { videos } };
		response.end(JSON.stringify({ code: 0, data: { ...data, ...info } }));
	};
	const parameters = { operation: 'get', taskId: byId('x'.repeat(128)), downloadVideo: true };
	const { items } = await runNode({ parameters, credential: hostile.credential('kling') });
	const { fileName = '' } = items[0].binary?.data ?? {};
	expect(fileName).toMatch(/^[\w.’-]{20,120}\.mp4$/);
	expect(fileName.length).toBeLessThanOrEqual(120);
});
