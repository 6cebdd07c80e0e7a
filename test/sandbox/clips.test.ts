import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';

import { startSandbox, type Sandbox } from '../../sandbox';
import { readyClip } from '../../sandbox/clips';
import { framesOf } from '../../sandbox/clips/frames';
import { pictureOn, type Picture } from '../../sandbox/clips/picture';
import { clientOf, creates } from '../harness/sandboxClient';
import { withSandbox } from '../harness/setup';

let sandbox: Sandbox;
withSandbox((started) => (sandbox = started), { clips: 'made', taskSeconds: 0 });

/** A photo in one color, as base64; with noise it is the hardest to encode. */
async function photo(background: string, isNoisy = false): Promise<string> {
	const picture = isNoisy
		? sharp({
				create: {
					...{ width: 480, height: 640, channels: 3, background },
					noise: { type: 'gaussian', mean: 128, sigma: 60 },
				},
			})
		: sharp({ create: { width: 480, height: 640, channels: 3, background } });
	return (await picture.jpeg().toBuffer()).toString('base64');
}

/** Creates a Kling AI task and returns the video named in its response. */
async function videoOf(effectScene: string, images: string[]): Promise<Buffer> {
	const kling = clientOf(sandbox, 'kling');
	const input = images.length > 1 ? { images } : { image: images[0] };
	const created = await kling.post(creates.kling.path, { effect_scene: effectScene, input });
	const { json } = await kling.get(`${creates.kling.path}/${created.json.data.task_id}`);
	const response = await fetch(json.data.task_result.videos[0].url);
	return Buffer.from(await response.arrayBuffer());
}

interface Box {
	type: string;
	start: number;
	end: number;
}

function boxesOf(bytes: Buffer, start = 0, end = bytes.length): Box[] {
	const boxes: Box[] = [];
	for (let at = start; at < end; at = boxes.at(-1)!.end) {
		const type = bytes.toString('latin1', at + 4, at + 8);
		boxes.push({ type, start: at, end: at + bytes.readUInt32BE(at) });
	}
	return boxes;
}

/** The content of a box by the names of those around it. */
function boxAt(bytes: Buffer, ...path: string[]): Buffer {
	let place = { start: 0, end: bytes.length };
	for (const type of path) {
		const box = boxesOf(bytes, place.start, place.end).find((one) => one.type === type);
		if (!box) throw new Error(`There is no ${type} in ${path.join('/')}`);
		place = { start: box.start + 8, end: box.end };
	}
	return bytes.subarray(place.start, place.end);
}

const table = ['moov', 'trak', 'mdia', 'minf', 'stbl'];

test('a photo becomes an H.264 video of 3 to 5 seconds that players can begin at once', async () => {
	const clip = await videoOf('pet_dance', [await photo('#a06040')]);
	expect(clip.equals(readyClip)).toBe(false);
	expect(boxesOf(clip).map(({ type }) => type)).toEqual(['ftyp', 'moov', 'mdat']);
	const head = boxAt(clip, 'moov', 'mvhd');
	const seconds = head.readUInt32BE(16) / head.readUInt32BE(12);
	expect(seconds).toBeGreaterThanOrEqual(3);
	expect(seconds).toBeLessThanOrEqual(5);
	const entry = boxAt(clip, ...table, 'stsd');
	const avcC = entry.subarray(entry.indexOf('avcC') + 4);
	const baseline = 66;
	expect(avcC[1]).toBe(baseline);
});

test('each chunk of its table lies in its frames, where a slice or a set of parameters begins', async () => {
	const clip = await videoOf('pet_dance', [await photo('#a06040')]);
	const frames = boxesOf(clip).find(({ type }) => type === 'mdat')!;
	const offsets = boxAt(clip, ...table, 'stco');
	const count = offsets.readUInt32BE(4);
	expect(count).toBeGreaterThan(0);
	for (let index = 0; index < count; index += 1) {
		const at = offsets.readUInt32BE(8 + index * 4);
		expect(at).toBeGreaterThanOrEqual(frames.start + 8);
		expect(at + 4 + clip.readUInt32BE(at)).toBeLessThanOrEqual(frames.end);
		const type = clip[at + 4] & 31;
		expect([1, 5, 7, 8]).toContain(type);
	}
});

test('it has at most 500 kB, even of a photo that is nothing but noise', async () => {
	const clip = await videoOf('bouncy_dance', [await photo('#808080', true)]);
	expect(clip.equals(readyClip)).toBe(false);
	expect(clip.length).toBeLessThanOrEqual(500_000);
}, 60_000);

test('it is made once for a photo and a scene, and differs for another photo or scene', async () => {
	const [red, blue] = [await photo('#a06040'), await photo('#3030c0')];
	const [first, again, otherPhoto, otherScene] = await Promise.all([
		videoOf('pet_dance', [red]),
		videoOf('pet_dance', [red]),
		videoOf('pet_dance', [blue]),
		videoOf('birthday_board', [red]),
	]);
	expect(again.equals(first)).toBe(true);
	expect(otherPhoto.equals(first)).toBe(false);
	expect(otherScene.equals(first)).toBe(false);
}, 60_000);

test('the sandbox answers while a clip is made', async () => {
	const seen: string[] = [];
	const video = videoOf('bouncy_dance', [await photo('#208040')]).then(() => seen.push('clip'));
	while (sandbox.requests.at(-1)?.operation !== 'download') await new Promise(setImmediate);
	await fetch(`${sandbox.url}/_sandbox/state`).then(() => seen.push('state'));
	await video;
	expect(seen).toEqual(['state', 'clip']);
});

describe('a photo by its URL', () => {
	let server: Server;
	let requests = 0;
	let local: string;
	let bytes: Buffer;
	beforeAll(async () => {
		bytes = Buffer.from(await photo('#209080'), 'base64');
		server = createServer((request, response) => {
			requests += 1;
			if (request.url === '/moved.jpg') {
				return void response.writeHead(302, { location: '/photo.jpg' }).end();
			}
			if (request.url !== '/photo.jpg') return void response.end('This is no photo');
			response.end(bytes);
		});
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		local = `http://localhost:${(server.address() as AddressInfo).port}`;
	});
	afterAll(() => void server.close());

	test('is read from this machine', async () => {
		const clip = await videoOf('pet_dance', [`${local}/photo.jpg`]);
		expect(clip.equals(await videoOf('pet_dance', [bytes.toString('base64')]))).toBe(true);
		expect(clip.equals(readyClip)).toBe(false);
		expect(requests).toBe(1);
	});

	test.each([
		['of the internet', () => 'https://example.com/a.jpg'],
		['that is no photo', () => `${local}/page.html`],
		['that is moved elsewhere', () => `${local}/moved.jpg`],
		['where no server answers', () => 'http://127.0.0.1:9/a.jpg'],
	])('%s gives the ready clip', async (_, url) => {
		expect((await videoOf('pet_dance', [url()])).equals(readyClip)).toBe(true);
	});

	test("can be one of the sandbox's own, and two make one clip", async () => {
		const images = ['portrait.jpg', 'second.jpg'].map(
			(name) => `${sandbox.url}/_sandbox/images/${name}`,
		);
		const clip = await videoOf('hug_pro', images);
		expect(clip.equals(readyClip)).toBe(false);
	});
});

test('of more photos than it makes clips of at a time, the last have the ready clip', async () => {
	const busy = await startSandbox({ clips: 'made', taskSeconds: 0 });
	const kling = clientOf(busy, 'kling');
	const images = Array.from(
		{ length: 40 },
		async (_, index) => await photo(`rgb(${index * 6}, 9, 9)`),
	);
	const ids: string[] = [];
	for (const image of await Promise.all(images)) {
		const body = { effect_scene: 'pet_dance', input: { image } };
		ids.push((await kling.post(creates.kling.path, body)).json.data.task_id);
	}
	const last = await fetch(`${busy.url}/files/kling/${ids.at(-1)}-1.mp4`);
	expect(Buffer.from(await last.arrayBuffer()).equals(readyClip)).toBe(true);
	await busy.close();
});

test('without the option all videos are the ready clip', async () => {
	const plain = await startSandbox({ taskSeconds: 0 });
	const body = { effect_scene: 'pet_dance', input: { image: await photo('#a06040') } };
	const created = await clientOf(plain, 'kling').post(creates.kling.path, body);
	const video = await fetch(`${plain.url}/files/kling/${created.json.data.task_id}-1.mp4`);
	expect(Buffer.from(await video.arrayBuffer()).equals(readyClip)).toBe(true);
	await plain.close();
});

describe('what a clip shows', () => {
	const bytesOf = async (background: string) => Buffer.from(await photo(background), 'base64');
	/** Some frames of a clip, spread over its time. */
	async function framesAt(photos: Buffer[], scene: string, times: number[]): Promise<Picture[]> {
		const { width, height, count, draw } = await framesOf(photos, scene);
		return times.map((time) =>
			pictureOn(Uint8Array.from(draw(Math.round(time * (count - 1)))), width, height),
		);
	}
	const redOf = ({ v, width }: Picture, x: number, y: number, height: number) =>
		v[Math.floor((y * height) / 2) * (width / 2) + Math.floor((x * width) / 2)];

	test('is the photo, in its own shape, moving', async () => {
		const stripes = `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="600"><rect width="900" height="600" fill="#fff"/><rect x="440" width="20" height="600" fill="#000"/></svg>`;
		const bytes = await sharp(Buffer.from(stripes)).png().toBuffer();
		const [start, middle] = await framesAt([bytes], 'pet_dance', [0, 0.07]);
		expect(start.width / start.height).toBeCloseTo(1.5, 1);
		const darkest = ({ y, width, height }: Picture) => {
			const row = y.subarray(
				Math.floor(height * 0.42) * width,
				Math.floor(height * 0.42 + 1) * width,
			);
			return row.indexOf(Math.min(...row));
		};
		expect(Math.abs(darkest(start) - start.width / 2)).toBeLessThan(8);
		expect(Math.abs(darkest(middle) - darkest(start))).toBeGreaterThan(8);
	});

	test('are both photos, apart first and side by side then', async () => {
		const photos = [await bytesOf('#d02020'), await bytesOf('#2020d0')];
		const [start, end] = await framesAt(photos, 'hug_pro', [0, 1]);
		const { height } = start;
		const [left, right] = [redOf(end, 0.4, 0.4, height), redOf(end, 0.6, 0.4, height)];
		expect(left).toBeGreaterThan(right + 80);
		expect(redOf(start, 0.1, 0.4, height)).toBeGreaterThan(left - 12);
		expect(redOf(start, 0.4, 0.4, height)).toBeLessThan(left - 50);
	});

	test.each(['pet_dance', 'pet_skateboard', 'happy_birthday'])(
		'%s moves all the time, and no two frames far',
		async (scene) => {
			const bytes = await sharp(
				Buffer.from(
					'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"><rect width="400" height="400" fill="#ddd"/><circle cx="200" cy="170" r="80" fill="#222"/></svg>',
				),
			)
				.png()
				.toBuffer();
			const { count, draw } = await framesOf([bytes], scene);
			let before = Uint8Array.from(draw(0));
			let still = 0;
			for (let index = 1; index < count; index += 1) {
				const now = Uint8Array.from(draw(index));
				const { abs } = Math;
				let changed = 0;
				for (let at = 0; at < now.length; at += 5) changed += abs(now[at] - before[at]);
				if (changed === 0) still += 1;
				expect((changed * 5) / now.length).toBeLessThan(25);
				before = now;
			}
			expect(still).toBeLessThan(count / 10);
		},
	);

	test('has the title at the bottom and "simulated" in a corner', async () => {
		const [frame] = await framesAt([await bytesOf('#000000')], 'pet_dance', [0]);
		const { y, width, height } = frame;
		const brightest = (x: [number, number], rows: [number, number]) => {
			let most = 0;
			for (let row = Math.floor(rows[0] * height); row < rows[1] * height; row += 1) {
				for (let column = Math.floor(x[0] * width); column < x[1] * width; column += 1) {
					most = Math.max(most, y[row * width + column]);
				}
			}
			return most;
		};
		expect(brightest([0.2, 0.8], [0.85, 1])).toBeGreaterThan(200);
		expect(brightest([0.6, 1], [0, 0.12])).toBeGreaterThan(200);
		expect(brightest([0, 1], [0.2, 0.8])).toBeLessThan(60);
	});
});
