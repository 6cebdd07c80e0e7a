import { deflateSync } from 'node:zlib';
import { checkImage, imageLimits, readImageFacts } from '../../nodes/kling/image';
import {
	afterHeader,
	afterSoi,
	asApng,
	chunk,
	chunksOf,
	decodes,
	exifBlock,
	exifSegment,
	flatPng,
	headerChunk,
	jpegs,
	oracle,
	padJpeg,
	padPng,
	picture,
	plain,
	pngOf,
	pngs,
	pngSignature,
	segment,
	segmentAt,
	withRestartInterval,
} from '../fixtures/images';

const label = 'the file "cat.jpg" in field "data"';

function problemOf(bytes: Uint8Array): { message: string; description: string } {
	const checked = checkImage(bytes, label);
	if (checked.ok) throw new Error('was accepted');
	return checked.problem;
}

describe('reading real files', () => {
	const files = Object.entries({ ...jpegs, ...pngs });

	test.each(files)('agrees with sharp about %s', async (_, make) => {
		const file = await make();
		expect(await decodes(file)).toBe(true);
		expect(readImageFacts(file)).toEqual({ ...(await oracle(file)), bytes: file.length });
		expect(checkImage(file, label)).toEqual({ ok: true, value: readImageFacts(file) });
	});

	test.each(files)('finds out that %s is cut off, wherever that happens', async (_, make) => {
		const file = await make();
		const cutOff = /^The file "cat.jpg" in field "data" is a (JPEG|PNG) image that is cut off/;
		const headers = Array.from({ length: Math.min(300, file.length) }, (_byte, at) => at);
		const steps = Array.from({ length: 60 }, (_step, at) => Math.floor((file.length * at) / 60));
		for (const length of [...headers, ...steps, file.length - 2, file.length - 1]) {
			const start = file.subarray(0, length);
			expect(readImageFacts(start)).toBeNull();
			if (length > 8) expect(problemOf(start).message).toMatch(cutOff);
		}
	});

	test.each(files)('accepts bytes behind the end of %s', async (_, make) => {
		const file = await make();
		const thumbnail = await plain({ width: 64, height: 48 }).jpeg().toBuffer();
		for (const tail of [Buffer.alloc(1), Buffer.from('\r\n'), thumbnail]) {
			const longer = Buffer.concat([file, tail]);
			expect(readImageFacts(longer)).toEqual({
				...(await oracle(file)),
				bytes: file.length + tail.length,
			});
		}
	});

	test('reads a view into a larger buffer without looking outside of it', async () => {
		const file = afterSoi(await jpegs['a baseline JPEG']!(), exifSegment(6));
		const pool = Buffer.concat([Buffer.alloc(13), file, Buffer.alloc(7)]);
		const view = new Uint8Array(pool.buffer, pool.byteOffset + 13, file.length);
		expect(readImageFacts(view)).toMatchObject({ width: 427, height: 640, bytes: file.length });
		expect(readImageFacts(view.subarray(0, file.length - 1))).toBeNull();
	});
});

describe('JPEG', () => {
	test.each([1, 2, 3, 4, 5, 6, 7, 8])('shows EXIF orientation %i as a viewer does', async (tag) => {
		const jpeg = await picture().jpeg().toBuffer();
		const turned = { width: 427, height: 640 };
		for (const little of [false, true]) {
			const file = afterSoi(jpeg, exifSegment(tag, undefined, little));
			const shown = tag >= 5 ? turned : { width: 640, height: 427 };
			expect(await oracle(file)).toMatchObject(shown);
			expect(readImageFacts(file)).toMatchObject(shown);
		}
	});

	test.each([0, 9, 0xffff])(
		'ignores the EXIF orientation %i, which does not exist',
		async (tag) => {
			const file = afterSoi(await picture().jpeg().toBuffer(), exifSegment(tag));
			expect(readImageFacts(file)).toMatchObject({ width: 640, height: 427 });
		},
	);

	test('uses the first of two EXIF blocks', async () => {
		const jpeg = await picture().jpeg().toBuffer();
		const file = afterSoi(jpeg, exifSegment(6), exifSegment(1));
		expect(await oracle(file)).toMatchObject({ width: 427, height: 640 });
		expect(readImageFacts(file)).toMatchObject({ width: 427, height: 640 });
	});

	test('never takes a thumbnail before the frame for the picture', async () => {
		const thumbnail = await plain({ width: 160, height: 120 }).jpeg().toBuffer();
		const jpeg = await picture().jpeg({ progressive: true }).toBuffer();
		const photoshop = Buffer.concat([Buffer.from('Photoshop 3.0\0'), thumbnail]);
		const file = afterSoi(
			jpeg,
			exifSegment(8, thumbnail),
			segment(0xe0, Buffer.concat([Buffer.from('JFXX\0\x10'), thumbnail])),
			segment(0xed, photoshop),
		);
		expect(await oracle(file)).toMatchObject({ width: 427, height: 640 });
		expect(readImageFacts(file)).toMatchObject({ width: 427, height: 640 });
	});

	test('steps over application segments of any kind, and comments', async () => {
		const jpeg = await picture().jpeg().toBuffer();
		const all = Array.from({ length: 16 }, (_, index) =>
			segment(0xe0 + index, Buffer.from('\xff\xc0\0\x11\x08\0\x10\0\x10', 'latin1')),
		);
		const empty = segment(0xfe, Buffer.alloc(0));
		const full = segment(0xfe, Buffer.alloc(65_533, 0xff));
		const file = afterSoi(jpeg, ...all, empty, full);
		expect(readImageFacts(file)).toMatchObject({ width: 640, height: 427 });
	});

	test('forgives fill bytes and stray bytes before a marker, as libjpeg does', async () => {
		const jpeg = await picture().jpeg().toBuffer();
		const at = segmentAt(jpeg, 0xc0);
		const parts = [jpeg.subarray(0, at), Buffer.from('00ff0012ffffff', 'hex'), jpeg.subarray(at)];
		const file = Buffer.concat(parts);
		expect(await oracle(file)).toMatchObject({ width: 640, height: 427 });
		expect(readImageFacts(file)).toMatchObject({ width: 640, height: 427 });
	});

	test('accepts fill bytes between coded data and its end mark', async () => {
		const jpeg = await picture().jpeg().toBuffer();
		const fill = Buffer.from('ffffff', 'hex');
		const file = Buffer.concat([jpeg.subarray(0, -2), fill, jpeg.subarray(-2)]);
		expect(readImageFacts(file)).toMatchObject({ width: 640, height: 427 });
	});

	test('refuses a file without a frame header', async () => {
		const jpeg = await picture().jpeg().toBuffer();
		const at = segmentAt(jpeg, 0xc0);
		const next = at + 2 + jpeg.readUInt16BE(at + 2);
		const file = Buffer.concat([jpeg.subarray(0, at), jpeg.subarray(next)]);
		expect(readImageFacts(file)).toBeNull();
		expect(problemOf(file).message).toContain('starts as a JPEG image, but its data is damaged');
		expect(readImageFacts(Buffer.from('ffd8ffd9', 'hex'))).toBeNull();
	});

	test('refuses headers without a picture behind them', async () => {
		const jpeg = await picture().jpeg().toBuffer();
		const scan = segmentAt(jpeg, 0xda);
		const behind = scan + 2 + jpeg.readUInt16BE(scan + 2);
		const eoi = Buffer.from('ffd9', 'hex');
		for (const kept of [jpeg.subarray(0, scan), jpeg.subarray(0, behind)]) {
			expect(readImageFacts(Buffer.concat([kept, eoi]))).toBeNull();
		}
		const smallest = withRestartInterval();
		expect(readImageFacts(smallest)).not.toBeNull();
		const tooLittle = Buffer.concat([jpeg.subarray(0, behind), Buffer.alloc(535), eoi]);
		expect(readImageFacts(tooLittle)).toBeNull();
		const enough = Buffer.concat([jpeg.subarray(0, behind), Buffer.alloc(540), eoi]);
		expect(readImageFacts(enough)).toMatchObject({ width: 640, height: 427 });
	});

	test.each([
		['lossless', 0, 0xc3],
		['arithmetic-coded', 0, 0xc9],
		['12-bit', 4, 12],
	])('refuses %s frames with advice of their own', async (_, offset, value) => {
		const file = Buffer.from(await picture().jpeg().toBuffer());
		const at = segmentAt(file, 0xc0);
		file[offset === 0 ? at + 1 : at + offset] = value;
		expect(readImageFacts(file)).toBeNull();
		expect(problemOf(file).message).toContain('is an uncommon kind of JPEG');
	});

	test.each([
		['no width', 7, [0, 0]],
		['no height', 5, [0, 0]],
		['more columns than libjpeg reads', 7, [0xff, 0xdd]],
		['two components', 9, [2]],
		['a sampling factor of 0', 11, [0x01]],
		['a sampling factor of 5', 11, [0x15]],
		['a quantisation table 4', 12, [4]],
		['a length too short for its components', 3, [14]],
	])('refuses a frame header with %s, like libjpeg', async (_, offset, values) => {
		const file = Buffer.from(await picture().jpeg().toBuffer());
		Buffer.from(values).copy(file, segmentAt(file, 0xc0) + offset);
		expect(await decodes(file)).toBe(false);
		expect(readImageFacts(file)).toBeNull();
	});

	test('refuses a frame of two components, which has no agreed colours', async () => {
		const file = withRestartInterval();
		const at = segmentAt(file, 0xc0);
		const frame = Buffer.from('ffc0000e0801ab028002011100021100', 'hex');
		const changed = Buffer.concat([file.subarray(0, at), frame, file.subarray(at + 13)]);
		expect(readImageFacts(changed)).toBeNull();
		frame[9] = 3;
		const three = Buffer.concat([frame, Buffer.from('031100', 'hex')]);
		three[3] = 17;
		const sound = Buffer.concat([file.subarray(0, at), three, file.subarray(at + 13)]);
		expect(readImageFacts(sound)).toMatchObject({ width: 640, height: 427 });
	});

	test.each([
		['a second frame header', segment(0xc0, Buffer.from('080010001001011100', 'hex'))],
		['a second start', Buffer.from('ffd8', 'hex')],
		['a restart interval of three bytes', segment(0xdd, Buffer.alloc(3))],
		['a Huffman table that overruns', segment(0xc4, Buffer.alloc(17, 1))],
		['a cut quantisation table', segment(0xdb, Buffer.alloc(30))],
		['a marker from the reserved range', segment(0x30, Buffer.alloc(4))],
		['a segment length below two', Buffer.from('ffdb0001', 'hex')],
	])('refuses a file with %s', async (_, inserted) => {
		const file = afterSoi(await picture().jpeg().toBuffer(), inserted);
		expect(await decodes(file)).toBe(false);
		expect(readImageFacts(file)).toBeNull();
	});

	test.each([
		['of a component that the frame does not have', 5, 0x77],
		['of no component', 4, 0],
	])('refuses a scan %s', async (_, offset, value) => {
		const file = Buffer.from(await picture().jpeg().toBuffer());
		file[segmentAt(file, 0xda) + offset] = value;
		expect(await decodes(file)).toBe(false);
		expect(readImageFacts(file)).toBeNull();
	});
});

describe('PNG', () => {
	const size = { width: 640, height: 427 };
	const end = { type: 'IEND', data: Buffer.alloc(0) };

	test('turns the picture as an eXIf chunk before its pixels says, and ignores one behind', async () => {
		const png = await picture().png().toBuffer();
		const exif = { type: 'eXIf', data: exifBlock(6) };
		const before = afterHeader(png, exif);
		expect(await oracle(before)).toMatchObject({ width: 427, height: 640 });
		expect(readImageFacts(before)).toMatchObject({ width: 427, height: 640 });
		const behind = pngOf([...chunksOf(png).slice(0, -1), exif, end]);
		expect(await oracle(behind)).toMatchObject(size);
		expect(readImageFacts(behind)).toMatchObject(size);
	});

	test('ignores an eXIf chunk with a wrong check sum, and accepts the file', async () => {
		const png = await picture().png().toBuffer();
		const exif = chunk({ type: 'eXIf', data: exifBlock(6) });
		exif[exif.length - 1]! ^= 1;
		const file = Buffer.concat([png.subarray(0, 33), exif, png.subarray(33)]);
		expect(readImageFacts(file)).toMatchObject(size);
	});

	test.each([
		['a wrong check sum of the header', 29],
		['another width than the check sum was made for', 19],
		['a damaged byte in the pixels', 5000],
	])('refuses %s', async (_, at) => {
		const file = Buffer.from(await picture().png().toBuffer());
		file[at]! ^= 1;
		expect(await decodes(file)).toBe(false);
		expect(readImageFacts(file)).toBeNull();
		expect(problemOf(file).message).toContain('starts as a PNG image, but its data is damaged');
	});

	test.each([
		['no width', { width: 0, height: 427 }, {}],
		['a height beyond 31 bits', { width: 640, height: 0x80000000 }, {}],
		['colour type 5', size, { colourType: 5 }],
		['16-bit palette', size, { colourType: 3, depth: 16 }],
		['4-bit colour', size, { depth: 4 }],
		['an unknown compression', size, { rest: [1, 0, 0] }],
		['an unknown filter', size, { rest: [0, 1, 0] }],
		['an unknown interlacing', size, { rest: [0, 0, 2] }],
		['a palette that never comes', size, { colourType: 3 }],
	])('refuses a header with %s, like libpng', async (_, sides, fields) => {
		const chunks = chunksOf(await picture().png().toBuffer()).filter(({ type }) => type !== 'PLTE');
		const file = pngOf([headerChunk(sides, fields), ...chunks.slice(1)]);
		expect(await oracle(file)).toBeNull();
		expect(readImageFacts(file)).toBeNull();
	});

	test('refuses more palette entries than its pixels can name, like libpng', async () => {
		const [, ...others] = chunksOf(await picture().png({ palette: true }).toBuffer());
		expect(others[0]).toMatchObject({ type: 'PLTE', data: { length: 768 } });
		const file = pngOf([headerChunk(size, { colourType: 3, depth: 4 }), ...others]);
		expect(await oracle(file)).toBeNull();
		expect(readImageFacts(file)).toBeNull();
	});

	test('refuses chunks that are missing, misplaced or of an unknown critical type', async () => {
		const png = await picture().png().toBuffer();
		const chunks = chunksOf(png);
		const [header, ...others] = chunks;
		const broken = {
			'no end': chunks.slice(0, -1),
			'no pixels': chunks.filter(({ type }) => type !== 'IDAT'),
			'something before the header': [{ type: 'tEXt', data: Buffer.from('a\0b') }, ...chunks],
			'two headers': [header!, ...chunks],
			'unknown critical chunk': [header!, { type: 'ABCD', data: Buffer.alloc(3) }, ...others],
			'empty unknown critical chunk': [header!, { type: 'ABCD', data: Buffer.alloc(0) }, ...others],
			'a chunk type with a digit': [header!, { type: 'a1Cd', data: Buffer.alloc(3) }, ...others],
			'a header of 14 bytes': [
				{ type: 'IHDR', data: Buffer.concat([header!.data, Buffer.alloc(1)]) },
				...others,
			],
			'a palette of 4 bytes': [header!, { type: 'PLTE', data: Buffer.alloc(4) }, ...others],
		};
		const accepted = Object.entries(broken).filter(([, parts]) => readImageFacts(pngOf(parts)));
		expect(accepted.map(([name]) => name)).toEqual([]);
		expect(readImageFacts(pngOf(chunks))).toMatchObject(size);
	});

	test('refuses pixels that can never fill the size in the header', async () => {
		const chunks = chunksOf(flatPng({ width: 300, height: 300 }));
		const file = pngOf([headerChunk({ width: 9000, height: 9000 }), ...chunks.slice(1)]);
		expect(readImageFacts(file)).toBeNull();
		expect(problemOf(file).message).toContain('cut off');
	});

	test('accepts the emptiest picture that deflate can make', () => {
		const file = flatPng({ width: 3000, height: 3000 });
		expect(readImageFacts(file)).toMatchObject({ width: 3000, height: 3000 });
	});

	test('refuses sides that libpng does not read', () => {
		const rows = { type: 'IDAT', data: deflateSync(Buffer.alloc(2 * 125_002)) };
		const sides = [1_000_000, 1_000_001];
		const read = sides.map((width) => {
			const header = headerChunk({ width, height: 2 }, { depth: 1, colourType: 0 });
			return readImageFacts(pngOf([header, rows, end]))?.width;
		});
		expect(read).toEqual([1_000_000, undefined]);
	});

	test('refuses a bare signature', () => {
		expect(readImageFacts(pngSignature)).toBeNull();
	});

	test('refuses an APNG whose frame data is cut off', async () => {
		const file = asApng(await picture().png().toBuffer(), size);
		expect(readImageFacts(file.subarray(0, -5000))).toBeNull();
	});
});

describe('the limits of Kling', () => {
	test.each([
		[300, 300, true],
		[301, 301, true],
		[299, 299, false],
		[299, 400, false],
		[400, 299, false],
		[300, 749, true],
		[300, 750, true],
		[300, 751, false],
		[749, 300, true],
		[750, 300, true],
		[751, 300, false],
		[1003, 2507, true],
		[1003, 2508, false],
	])('judges %i × %i pixels: accepted is %s', async (width, height, accepted) => {
		const source = plain({ width, height });
		for (const file of [await source.jpeg().toBuffer(), await source.png().toBuffer()]) {
			expect(checkImage(file, label).ok).toBe(accepted);
			expect(await oracle(file)).toMatchObject({ width, height });
		}
	});

	test('names the file, its size in pixels and the limit', async () => {
		const small = await plain({ width: 299, height: 640 }).jpeg().toBuffer();
		expect(problemOf(small)).toEqual({
			message:
				'The file "cat.jpg" in field "data" is 299 × 640 pixels. ' +
				'Kling needs at least 300 pixels on each side.',
			description: 'Use a larger image, or enlarge it, for example with the Edit Image node.',
		});
	});

	test('names the file, its ratio and the limit, never rounded down to the limit', async () => {
		const wide = await plain({ width: 751, height: 300 }).png().toBuffer();
		expect(problemOf(wide).message).toBe(
			'The file "cat.jpg" in field "data" is 751 × 300 pixels, a ratio of 2.51:1. ' +
				'Kling accepts 1:2.5 to 2.5:1.',
		);
		const tall = await plain({ width: 300, height: 751 }).png().toBuffer();
		expect(problemOf(tall).message).toContain('300 × 751 pixels, a ratio of 1:2.51.');
	});

	test('measures the picture as displayed', async () => {
		const wide = await plain({ width: 751, height: 300 }).jpeg().toBuffer();
		expect(problemOf(afterSoi(wide, exifSegment(6))).message).toContain('300 × 751 pixels');
	});

	test('accepts 10 MB to the byte, however they come about', async () => {
		const jpeg = await picture().jpeg().toBuffer();
		const png = await picture().png().toBuffer();
		const max = imageLimits.maxBytes;
		expect(max).toBe(10_485_760);
		for (const length of [max - 1, max]) {
			const trailing = Buffer.concat([jpeg], length);
			for (const file of [padJpeg(jpeg, length), padPng(png, length), trailing]) {
				const value = { width: 640, height: 427, bytes: length };
				expect(checkImage(file, label)).toMatchObject({ ok: true, value });
			}
		}
		const message = 'The file "cat.jpg" in field "data" is 10.01 MB. Kling accepts at most 10 MB.';
		expect(problemOf(padJpeg(jpeg, max + 1)).message).toBe(message);
		expect(problemOf(padPng(png, max + 1)).message).toBe(message);
		expect(readImageFacts(padJpeg(jpeg, max + 1))).toMatchObject({ bytes: max + 1 });
	});
});

describe('files that are no JPEG or PNG', () => {
	const isoFile = (brand: string): Buffer =>
		Buffer.from(`\0\0\0\x20ftyp${brand}\0\0\0\0`, 'latin1');
	const text = (content: string): Buffer => Buffer.from(content, 'latin1');

	it.each<[string, () => Promise<Buffer> | Buffer]>([
		['a WebP image', () => picture().webp().toBuffer()],
		['a GIF image', () => picture().gif().toBuffer()],
		['a TIFF or camera raw image', () => picture().tiff().toBuffer()],
		['an AVIF image', () => plain({ width: 300, height: 300 }).avif({ effort: 0 }).toBuffer()],
		['a HEIC image', () => isoFile('heic')],
		['a HEIC image', () => isoFile('mif1')],
		['an MP4 video', () => isoFile('isom')],
		['a QuickTime video', () => isoFile('qt  ')],
		['a BMP image', () => text('BM\x36\x10\x0e\0\0\0\0\0\x36\0\0\0\x28\0\0\0')],
		['a JPEG XL image', () => text('\xff\x0a\x00\x10')],
		['a PDF document', () => text('%PDF-1.7\n%\xe2\xe3\xcf\xd3')],
		['a ZIP archive', () => text('PK\x03\x04\x14\0')],
		['a web page (HTML)', () => text('\xef\xbb\xbf\n<!DOCTYPE html><html></html>')],
		['a web page (HTML)', () => text('<!-- 404 --><html></html>')],
		['an SVG drawing', () => text('<svg xmlns="http://www.w3.org/2000/svg"/>')],
		['an SVG drawing', () => text('<?xml version="1.0"?>\n<svg width="300"/>')],
		['an XML document', () => text('<?xml version="1.0"?><Code>AccessDenied</Code>')],
		['JSON text', () => text('{"code":404}')],
		['base64 text rather than an image', () => text('iVBORw0KGgoAAAANSUhEUg==')],
		['base64 text rather than an image', () => text('data:image/jpeg;base64,/9j/4AAQ')],
		['text', () => text('cat')],
	])('are named: %s', async (what, make) => {
		const file = await make();
		expect(problemOf(file).message).toBe(
			`The file "cat.jpg" in field "data" is ${what}. Kling accepts JPEG and PNG only.`,
		);
		expect(readImageFacts(file)).toBeNull();
	});

	test('are refused with what to do about it', async () => {
		expect(problemOf(await picture().webp().toBuffer()).description).toBe(
			'Convert it first, for example with the Edit Image node.',
		);
		expect(problemOf(text('<html>')).description).toContain('expired link');
	});

	it.each<[string, Buffer]>([
		['unknown bytes', text('\x00\x01\x02\x03')],
		['the first two bytes of a JPEG', text('\xff\xd8')],
		['half a PNG signature', pngSignature.subarray(0, 4)],
		['a JPEG behind a line break', text('\n\xff\xd8\xff\xe0\0\0')],
	])('are refused even when nobody knows them: %s', (_, file) => {
		expect(problemOf(file).message).toContain('is neither a JPEG nor a PNG image.');
	});

	test('are refused when they are empty', () => {
		expect(problemOf(new Uint8Array()).message).toBe(
			'The file "cat.jpg" in field "data" is empty (0 bytes).',
		);
	});

	test('are named by kind rather than by size, when they are too large as well', () => {
		const video = Buffer.concat([isoFile('mp42')], imageLimits.maxBytes + 1);
		expect(problemOf(video).message).toContain('is an MP4 video');
	});
});

describe('the words', () => {
	test('never hold what n8n asks nodes not to say', async () => {
		const jpeg = await picture().jpeg().toBuffer();
		const uncommon = Buffer.from(jpeg);
		uncommon[segmentAt(uncommon, 0xc0) + 1] = 0xc9;
		const files = [
			Buffer.alloc(0),
			Buffer.alloc(9),
			Buffer.from('<html>'),
			jpeg.subarray(0, 900),
			afterSoi(jpeg, Buffer.from('ffd8', 'hex')),
			uncommon,
			await plain({ width: 20, height: 20 }).png().toBuffer(),
			await plain({ width: 2000, height: 300 }).png().toBuffer(),
			padJpeg(jpeg, imageLimits.maxBytes + 1),
		];
		for (const file of files) {
			const { message, description } = problemOf(file);
			expect(`${message} ${description}`).not.toMatch(/error|fail|invalid|problem|mistake/i);
			expect(message).toMatch(/^The file "cat.jpg" in field "data" .*\.$/);
			expect(description).toMatch(/^[A-Z].*\.$/);
		}
	});
});
