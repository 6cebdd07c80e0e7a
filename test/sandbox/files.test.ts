import { startSandbox, type Sandbox } from '../../sandbox';
import { request } from '../harness/sandboxClient';

let sandbox: Sandbox;
let url: string;

beforeAll(async () => {
	sandbox = await startSandbox();
	url = `${sandbox.url}/files/kling/1-1.mp4`;
});
afterEach(() => sandbox.reset());
afterAll(async () => await sandbox.close());

async function bytesOf(init: RequestInit = {}, from = url) {
	const response = await fetch(from, init);
	return { response, bytes: Buffer.from(await response.arrayBuffer()) };
}

/** Types and sizes of an MP4's boxes. */
function boxesOf(bytes: Buffer): Array<[string, number]> {
	const boxes: Array<[string, number]> = [];
	for (let at = 0; at < bytes.length;) {
		const short = bytes.readUInt32BE(at);
		const size = short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short;
		boxes.push([bytes.toString('latin1', at + 4, at + 8), size]);
		at += size;
	}
	return boxes;
}

test('a video is a small MP4 with its length, type and tag', async () => {
	const { response, bytes } = await bytesOf();
	expect(response.status).toBe(200);
	expect(response.headers.get('content-type')).toBe('video/mp4');
	expect(response.headers.get('content-length')).toBe(String(bytes.length));
	expect(response.headers.get('accept-ranges')).toBe('bytes');
	expect(response.headers.get('etag')).toMatch(/^"\w+"$/);
	expect(boxesOf(bytes).map(([type]) => type)).toEqual(
		expect.arrayContaining(['ftyp', 'moov', 'mdat']),
	);
	expect(bytes.length).toBeLessThan(20_000);
});

test('parts of it come as asked', async () => {
	const { bytes: whole } = await bytesOf();
	const last = whole.length - 1;
	const cases: Array<[string, number, number]> = [
		['bytes=0-99', 0, 99],
		['bytes=100-', 100, last],
		['bytes=-10', last - 9, last],
		[`bytes=5-${last + 1000}`, 5, last],
	];
	for (const [range, start, end] of cases) {
		const { response, bytes } = await bytesOf({ headers: { range } });
		expect(response.status).toBe(206);
		expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end}/${whole.length}`);
		expect(bytes.equals(whole.subarray(start, end + 1))).toBe(true);
	}
	const beyond = await bytesOf({ headers: { range: `bytes=${whole.length}-` } });
	expect(beyond.response.status).toBe(416);
	expect(beyond.response.headers.get('content-range')).toBe(`bytes */${whole.length}`);
});

test('HEAD tells the length without the bytes', async () => {
	const { response, bytes } = await bytesOf({ method: 'HEAD' });
	expect(Number(response.headers.get('content-length'))).toBeGreaterThan(1000);
	expect(bytes).toHaveLength(0);
});

test('a big video is still an MP4, padded with a free box', async () => {
	const { bytes } = await bytesOf({}, `${sandbox.url}/files/big.mp4?megabytes=3`);
	expect(bytes).toHaveLength(3 * 1024 * 1024);
	expect(boxesOf(bytes).at(-1)?.[0]).toBe('free');
});

test('a video of 500 MB is streamed without being held in memory', async () => {
	const response = await fetch(`${sandbox.url}/files/big.mp4?megabytes=500`);
	const before = process.memoryUsage();
	let size = 0;
	let highest = 0;
	for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
		size += chunk.length;
		const { rss } = process.memoryUsage();
		highest = Math.max(highest, rss - before.rss);
	}
	expect(size).toBe(500 * 1024 * 1024);
	expect(highest).toBeLessThan(200 * 1024 * 1024);
}, 30_000);

test('a key that is sent along is recorded', async () => {
	await bytesOf({ headers: { authorization: 'Bearer leaked' } });
	expect(sandbox.requests).toMatchObject([
		{ provider: 'kling', operation: 'download', headers: { authorization: 'Bearer leaked' } },
	]);
});

test('a download can break off, be expired, be slow or fail', async () => {
	const match = { operation: 'download' } as const;
	sandbox.addFault({ kind: 'truncated', match, times: 1 });
	await expect(bytesOf()).rejects.toThrow();
	sandbox.addFault({ kind: 'expired', match, times: 1 });
	const expired = await request(url);
	expect([expired.status, expired.text]).toEqual([403, expect.stringContaining('<Error>')]);
	sandbox.addFault({ kind: 'expired', status: 404, match, times: 1 });
	expect((await request(url)).status).toBe(404);
	sandbox.addFault({ kind: 'slow', delayMs: 10, match, times: 1 });
	const started = performance.now();
	expect((await bytesOf()).bytes.length).toBeGreaterThan(1000);
	expect(performance.now() - started).toBeGreaterThan(80);
	sandbox.addFault({ kind: 'status', status: 502, match, times: 1 });
	expect((await request(url)).status).toBe(502);
	sandbox.addFault({ kind: 'resetBefore', match, times: 1 });
	await expect(bytesOf()).rejects.toThrow();
});

test('sample images are photos, unless they do not exist', async () => {
	for (const [name, type] of [
		['portrait.jpg', 'image/jpeg'],
		['second.jpg', 'image/jpeg'],
		['pet.png', 'image/png'],
	]) {
		const { response, bytes } = await bytesOf({}, `${sandbox.url}/_sandbox/images/${name}`);
		expect(response.headers.get('content-type')).toBe(type);
		expect(bytes.length).toBeLessThan(20_000);
	}
	expect((await request(`${sandbox.url}/_sandbox/images/unreachable.jpg`)).status).toBe(404);
});
