import { Container } from '@n8n/di';
import { BinaryDataService } from 'n8n-core';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { photos, TestBed } from '../../harness/callbackBed';
import { byId, single } from '../../harness/workbench';
import { withInstantClock } from '../../harness/setup';
import { runNode, useBinaryMode } from '../../../tools/engine';
import { HostileServer, type Behaviour } from '../../promises/hostile/server';

/** The option Max File Size (MB), against servers that send more than it allows. */

const megabyte = 1024 ** 2;
const clip = readFileSync('sandbox/assets/clip.mp4');
/** A video of this many bytes: after the clip, a box of padding that goes to the end (size 0). */
const mp4 = (bytes: number) =>
	Buffer.concat([clip, Buffer.from('\0\0\0\0free', 'latin1')], Math.ceil(bytes));
const head = clip.subarray(0, 32);
const type = { 'content-type': 'video/mp4' };
const advice =
	/^The task itself is done and paid for\. Raise Max File Size \(MB\) under Options and run Get with its task ID, or fetch the video from http:\/\/\S+\/video \(task 1\)$/;

const server = HostileServer.prepare();
const time = withInstantClock();

const finished = () => {
	const videos = [{ url: `${server.url}/video` }];
	return { task_id: '1', task_status: 'succeed', task_result: { videos } };
};

async function run(video: Behaviour, parameters: Record<string, unknown>, settings = {}) {
	server.behaviour = (request, response) =>
		request.url === '/video'
			? video(request, response)
			: void response.end(JSON.stringify({ code: 0, data: finished() }));
	const credential = server.credential('kling');
	const result = await runNode({ parameters, credential, settings });
	const fetched = server.requests.filter((line) => line === 'GET /video').length;
	return { ...result, fetched };
}

const get = (maxFileSize?: unknown, more = {}) => ({
	operation: 'get',
	taskId: byId('1'),
	downloadVideo: true,
	options: maxFileSize === undefined ? {} : { maxFileSize },
	...more,
});

/** In pieces and without Content-Length, as fast as it is read. */
function inChunks(bytes: number, written = { bytes: 0 }): Behaviour {
	return (_request, response) => {
		response.writeHead(200, type);
		const body = mp4(bytes);
		const more = (): void => {
			if (response.destroyed) return;
			const chunk = body.subarray(written.bytes, written.bytes + 65_536);
			if (chunk.length === 0) return void response.end();
			written.bytes += chunk.length;
			response.write(chunk, () => setImmediate(more));
		};
		more();
	};
}

const whole =
	(bytes: number): Behaviour =>
	(_request, response: ServerResponse) =>
		void response.writeHead(200, { ...type, 'content-length': bytes }).end(mp4(bytes));

describe.each(['default', 'filesystem'] as const)('with files in mode %s', (mode) => {
	beforeAll(async () => await useBinaryMode(mode));

	test.each([
		['announced', whole(megabyte)],
		['in chunks', inChunks(megabyte)],
	])('a video of exactly that size is stored whole: %s', async (_name, behaviour) => {
		const { items, error } = await run(behaviour, get(1));
		expect(error).toBeUndefined();
		const stored = await Container.get(BinaryDataService).getAsBuffer(items[0].binary!.data);
		expect(stored.equals(mp4(megabyte))).toBe(true);
	});

	test.each([
		['announced', whole(megabyte + 1)],
		['in chunks', inChunks(megabyte + 1)],
	])('one byte more is reported, and not fetched again: %s', async (_name, behaviour) => {
		const { items, error, fetched } = await run(behaviour, get(1));
		expect(items).toEqual([]);
		expect(error?.message).toBe('The video is larger than 1 MB');
		expect(error?.description).toMatch(advice);
		expect(fetched).toBe(1);
	});

	test('a video that grows beyond it is not read to its end', async () => {
		const written = { bytes: 0 };
		const { error } = await run(inChunks(64 * megabyte, written), get('0.5'));
		expect(error?.message).toBe('The video is larger than 0.5 MB');
		expect(written.bytes).toBeLessThan(16 * megabyte);
	});
});

test('without the option, more than 1024 MB are not read', async () => {
	const announce: Behaviour = (_request, response) =>
		void response.writeHead(200, { ...type, 'content-length': 1024 * megabyte + 1 }).write(head);
	for (const options of [undefined, '', null]) {
		const { error } = await run(announce, get(options));
		expect(error?.message).toBe('The video is larger than 1024 MB');
	}
});

test('applies to Create too', async () => {
	const parameters = { ...single, waitForCompletion: true, downloadVideo: true };
	const small = await run(whole(megabyte), { ...parameters, options: { maxFileSize: 1 } });
	expect(small.items[0].binary?.data).toBeDefined();
	const large = await run(whole(megabyte), { ...parameters, options: { maxFileSize: 0.9 } });
	expect(large.error?.message).toBe('The video is larger than 0.9 MB');
	expect(large.error?.description).toMatch(advice);
});

test('with “Continue” the item keeps the task ID and the link; the error output has both in its message', async () => {
	const [regular, errorOutput] = [
		await run(whole(megabyte), get(0.5), { onError: 'continueRegularOutput' }),
		await run(whole(megabyte), get(0.5), { onError: 'continueErrorOutput' }),
	];
	expect(regular.json).toEqual([
		{
			error: 'The video is larger than 0.5 MB',
			message: expect.stringMatching(advice),
			details: expect.objectContaining({ taskId: '1', videoUrl: `${server.url}/video` }),
		},
	]);
	expect(errorOutput.errorItems[0].json.message).toMatch(advice);
});

describe('an invalid size is reported before anything is sent', () => {
	test.each([0, -1, 'large', ' ', {}, [], true, 'Infinity'])('%j', async (maxFileSize) => {
		const unasked: Behaviour = (_request, response) => void response.end();
		for (const parameters of [
			{ ...single, waitForCompletion: true, downloadVideo: true, options: { maxFileSize } },
			get(maxFileSize),
		]) {
			server.requests = [];
			const { error } = await run(unasked, parameters);
			expect(error?.message).toBe('Max File Size (MB) must be a number greater than 0');
			expect(server.requests).toEqual([]);
		}
	});

	test('but it does not count if no video is downloaded', async () => {
		const { json } = await run(whole(1000), get(-1, { downloadVideo: false }));
		expect(json[0]).toMatchObject({ taskId: '1', videoUrl: `${server.url}/video` });
	});
});

describe('after a sleep', () => {
	const bed = TestBed.prepare();
	beforeEach(() => time.restore());

	test('a woken execution respects it', async () => {
		const items = photos('a', 'b');
		for (const { json } of items) json.image += '?megabytes=2';
		const options = { waitUsing: 'callback', timeout: 30, maxFileSize: '={{ $itemIndex + 1 }}' };
		const settings = { onError: 'continueRegularOutput' as const };
		const id = await bed.start(items, { downloadVideo: true, options }, { settings });
		bed.finish('succeed', 0, 1);
		await bed.callBack();
		const [large, small] = bed.n8n.output(id);
		expect(large.json).toMatchObject({
			error: 'The video is larger than 1 MB',
			details: { taskId: bed.taskIds[0], videoUrl: expect.stringContaining('http') },
		});
		expect(small.binary?.data).toBeDefined();
	});
});
