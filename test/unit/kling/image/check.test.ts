import { readFileSync } from 'node:fs';
import { checkFileSize, checkImage, imageLimits } from '../../../../nodes/kling/image/check';
import { foreignTypeOf } from '../../../../nodes/kling/image/type';
import { InputError } from '../../../../nodes/kling/input';
import { attempt } from '../../../fixtures/attempt';
import {
	afterSoi,
	chunksOf,
	exifSegment,
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
} from '../../../fixtures/images';

const label = 'the file "cat.jpg" in field "data"';
const size = { width: 640, height: 427 };

function problemOf(bytes: Uint8Array): { message: string; description: string } {
	const checked = attempt(() => checkImage(Buffer.from(bytes), label));
	if (checked.ok) throw new Error('was accepted');
	return checked.problem;
}

/** Where the coded picture ends; viewers can do without what follows. */
function dataEndOf(file: Buffer): number {
	if (!file.subarray(0, 8).equals(pngSignature)) return file.length;
	const chunks = chunksOf(file);
	const last = chunks.map(({ type }) => type).lastIndexOf('IDAT');
	const lengths = chunks.slice(0, last + 1).map(({ data }) => data.length + 12);
	const checksums = 8;
	return 8 + lengths.reduce((sum, length) => sum + length) - checksums;
}

function imageOf(bytes: Buffer): unknown {
	return checkImage(bytes, label);
}

describe('reading real files', () => {
	const files = Object.entries({ ...jpegs, ...pngs });

	test.each(files)('agrees with sharp about %s', async (_, make) => {
		const file = await make();
		const { format, ...sides } = (await oracle(file))!;
		expect(imageOf(file)).toEqual({ type: format.toUpperCase(), ...sides });
	});

	test.each(files)('finds out that %s is cut off, wherever that happens', async (_, make) => {
		const file = await make();
		const cutOff = /^The file "cat.jpg" in field "data" is a (JPEG|PNG) image that is cut off/;
		const headers = Array.from({ length: Math.min(300, file.length) }, (_byte, at) => at);
		const steps = Array.from({ length: 20 }, (_step, at) => Math.floor((file.length * at) / 20));
		const ends = Array.from({ length: 12 }, (_step, at) => file.length - 1 - at * 3);
		const dataEnd = dataEndOf(file);
		for (const length of [...headers, ...steps, ...ends, dataEnd - 1]) {
			if (length >= dataEnd) continue;
			if (length < 8) expect(() => checkImage(file.subarray(0, length), label)).toThrow(InputError);
			else expect(problemOf(file.subarray(0, length)).message).toMatch(cutOff);
		}
	});

	test.each(Object.entries(pngs))(
		'accepts %s like every viewer, if its pixels are there but its end is not',
		async (_, make) => {
			const file = await make();
			const end = dataEndOf(file);
			for (const length of [end, end + 6, end + 10, file.length - 1]) {
				expect(imageOf(file.subarray(0, length))).toMatchObject(size);
			}
		},
	);

	test.each(files)('accepts bytes after the end of %s', async (_, make) => {
		const file = await make();
		const thumbnail = await plain({ width: 64, height: 48 }).jpeg().toBuffer();
		const video = Buffer.from('\0\0\0\x18ftypmp42\xff\xda\xff\0', 'latin1');
		for (const tail of [Buffer.alloc(1), Buffer.from('\r\n'), thumbnail, video]) {
			expect(imageOf(Buffer.concat([file, tail]))).toMatchObject(size);
		}
	});

	test('reads a view into a larger buffer without looking outside it', async () => {
		const file = afterSoi(await jpegs['a baseline JPEG']!(), exifSegment(6));
		const pool = Buffer.concat([Buffer.alloc(13), file, Buffer.alloc(7)]);
		const view = pool.subarray(13, 13 + file.length);
		expect(imageOf(view)).toMatchObject(size);
		expect(problemOf(view.subarray(0, file.length - 1)).message).toContain('cut off');
	});
});

describe('a JPEG', () => {
	test.each([1, 6, 8])(
		'with EXIF orientation %i is checked by the sides that it stores',
		async (tag) => {
			const file = afterSoi(await picture().jpeg().toBuffer(), exifSegment(tag));
			expect(await oracle(file)).toMatchObject(size);
			expect(imageOf(file)).toMatchObject(size);
		},
	);

	test('is never mistaken for the thumbnails before its frame', async () => {
		const thumbnail = await plain({ width: 160, height: 120 }).jpeg().toBuffer();
		const file = afterSoi(
			await picture().jpeg({ progressive: true }).toBuffer(),
			exifSegment(8, thumbnail),
			segment(0xe0, Buffer.concat([Buffer.from('JFXX\0\x10'), thumbnail])),
			segment(0xed, Buffer.concat([Buffer.from('Photoshop 3.0\0'), thumbnail])),
		);
		expect(await oracle(file)).toMatchObject(size);
		expect(imageOf(file)).toMatchObject(size);
		const half = file.subarray(0, file.length / 2);
		expect(problemOf(half).message).toContain('cut off');
	});

	test('may contain application segments of any kind, comments and fill bytes', async () => {
		const jpeg = await picture().jpeg().toBuffer();
		const all = Array.from({ length: 16 }, (_, index) =>
			segment(0xe0 + index, Buffer.from('\xff\xc0\0\x11\x08\0\x10\0\x10', 'latin1')),
		);
		const comment = segment(0xfe, Buffer.alloc(65_533, 0xff));
		const fill = Buffer.from('00ff0012ffffff', 'hex');
		const at = segmentAt(jpeg, 0xc0);
		const filled = Buffer.concat([jpeg.subarray(0, at), fill, jpeg.subarray(at)]);
		for (const file of [afterSoi(jpeg, ...all, comment), filled]) {
			expect(imageOf(file)).toMatchObject(size);
		}
	});

	test('without a frame, or with a side of 0, is refused as damaged', async () => {
		const jpeg = await picture().jpeg().toBuffer();
		const at = segmentAt(jpeg, 0xc0);
		const next = at + 2 + jpeg.readUInt16BE(at + 2);
		const frameless = Buffer.concat([jpeg.subarray(0, at), jpeg.subarray(next)]);
		const flat = Buffer.from(jpeg);
		flat.writeUInt16BE(0, at + 5);
		for (const file of [frameless, flat]) {
			expect(problemOf(file).message).toContain('is a damaged JPEG image: its size is missing');
		}
	});
});

describe('a PNG', () => {
	test.each(['iend-crc-wrong', 'no-iend'])(
		'that is complete except for its last chunk: %s',
		(name) => {
			const file = readFileSync(`test/fixtures/${name}.png`);
			expect(imageOf(file)).toEqual({ type: 'PNG', width: 320, height: 320 });
		},
	);

	test('whose last chunk is damaged in any way is accepted, one that lacks a piece of its pixels is not', async () => {
		const chunks = chunksOf(await picture().png().toBuffer());
		const data = Buffer.concat(
			chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data),
		);
		const others = chunks.filter(({ type }) => !/IDAT|IEND/.test(type));
		const halves = [data.subarray(0, 5_000), data.subarray(5_000)];
		const pixels = halves.map((half) => ({ type: 'IDAT', data: half }));
		const whole = pngOf([...others, ...pixels]);
		for (const end of [
			'',
			'00000000',
			'0000000049454e44',
			'0000000149454e44ae426082',
			'ff'.repeat(12),
		]) {
			expect(imageOf(Buffer.concat([whole, Buffer.from(end, 'hex')]))).toMatchObject(size);
		}
		const half = pngOf([...others, pixels[0]!]);
		expect(problemOf(half).message).toContain('cut off');
		expect(problemOf(Buffer.concat([half, Buffer.from('IEND')])).message).toContain('cut off');
	});

	test('without a header is refused as damaged', async () => {
		const [, ...others] = chunksOf(await picture().png().toBuffer());
		expect(problemOf(pngOf(others)).message).toContain('is a damaged PNG image');
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
	])('checks %i × %i pixels: accepted is %s', async (width, height, accepted) => {
		const source = plain({ width, height });
		for (const file of [await source.jpeg().toBuffer(), await source.png().toBuffer()]) {
			expect(attempt(() => checkImage(file, label)).ok).toBe(accepted);
			expect(await oracle(file)).toMatchObject({ width, height });
		}
	});

	test('are given with the file and its size in pixels', async () => {
		const small = await plain({ width: 299, height: 640 }).jpeg().toBuffer();
		expect(problemOf(small)).toEqual({
			message:
				'The file "cat.jpg" in field "data" is 299 × 640 pixels. ' +
				'Kling needs at least 300 pixels on each side',
			description: 'Use a larger image, or enlarge it, for example with the Edit Image node.',
		});
	});

	test('are given with the ratio, never rounded down to the limit', async () => {
		const wide = await plain({ width: 751, height: 300 }).png().toBuffer();
		expect(problemOf(wide).message).toBe(
			'The file "cat.jpg" in field "data" is 751 × 300 pixels, a ratio of 2.51:1. ' +
				'Kling accepts 1:2.5 to 2.5:1',
		);
		const tall = await plain({ width: 300, height: 751 }).png().toBuffer();
		expect(problemOf(tall).message).toContain('300 × 751 pixels, a ratio of 1:2.51.');
	});

	test('let exactly 10 MB pass, however it is measured', async () => {
		const jpeg = await picture().jpeg().toBuffer();
		const png = await picture().png().toBuffer();
		const max = imageLimits.maxBytes;
		expect(max).toBe(10_485_760);
		for (const length of [max - 1, max]) {
			const trailing = Buffer.concat([jpeg], length);
			for (const file of [padJpeg(jpeg, length), padPng(png, length), trailing]) {
				expect(imageOf(file)).toMatchObject(size);
			}
		}
		const message = 'The file "cat.jpg" in field "data" is 10.01 MB. Kling accepts at most 10 MB';
		expect(problemOf(padJpeg(jpeg, max + 1)).message).toBe(message);
		expect(problemOf(padPng(png, max + 1)).message).toBe(message);
		expect(() => checkFileSize(max + 1, label)).toThrow(message);
		expect(() => checkFileSize(max, label)).not.toThrow();
		expect(() => checkFileSize(NaN, label)).not.toThrow();
	});
});

describe('files that are not JPEG or PNG', () => {
	const isoFile = (brand: string): Buffer =>
		Buffer.from(`\0\0\0\x20ftyp${brand}\0\0\0\0`, 'latin1');
	const text = (content: string): Buffer => Buffer.from(content, 'latin1');
	const asText = 'a file that was read as text, which has damaged it';

	test.each<[string, () => Promise<Buffer> | Buffer]>([
		['a WebP image', () => picture().webp().toBuffer()],
		['a GIF image', () => picture().gif().toBuffer()],
		['a TIFF or camera raw image', () => picture().tiff().toBuffer()],
		['an AVIF image', () => plain({ width: 300, height: 300 }).avif({ effort: 0 }).toBuffer()],
		['a HEIC image', () => isoFile('heic')],
		['a HEIC image', () => isoFile('mif1')],
		['a HEIC image', () => isoFile('msf1')],
		['an MP4 or QuickTime video', () => isoFile('isom')],
		['an MP4 or QuickTime video', () => isoFile('qt  ')],
		['a BMP image', () => text('BM\x36\x10\x0e\0\0\0\0\0\x36\0\0\0\x28\0\0\0')],
		['a JPEG XL image', () => text('\xff\x0a\x00\x10')],
		['a JPEG 2000 image', () => text('\0\0\0\x0cjP  \r\n\x87\n')],
		['a JPEG 2000 image', () => text('\xff\x4f\xff\x51\0\x2f')],
		['an icon (ICO)', () => text('\0\0\x01\0\x01\0\x20\x20')],
		['a cursor (CUR)', () => text('\0\0\x02\0\x01\0\x20\x20')],
		['a program', () => text('\x7fELF\x02\x01\x01\0')],
		['an audio file', () => text('ID3\x04\0\0')],
		['a web page (HTML)', () => Buffer.from('\ufeff<!doctype html>', 'utf16le')],
		['a web page (HTML)', () => Buffer.from('<html>', 'utf16le')],
		['a web page (HTML)', () => Buffer.from('\ufeff<html>', 'utf16le').swap16()],
		['text', () => Buffer.from('\ufeffcat', 'utf16le')],
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
		['base64 text rather than an image', () => text('"data:image/jpeg;base64,/9j/4AAQ"')],
		[asText, async () => Buffer.from((await picture().jpeg().toBuffer()).toString('utf8'))],
		[asText, async () => Buffer.from((await picture().jpeg().toBuffer()).toString('latin1'))],
		[asText, async () => Buffer.from((await picture().png().toBuffer()).toString('utf8'))],
		[asText, async () => Buffer.from((await picture().png().toBuffer()).toString('latin1'))],
		[asText, () => text('\x89PNG\n\x1a\n\0\0\0\rIHDR')],
		['text', () => text('cat')],
	])('are named: %s', async (what, make) => {
		expect(problemOf(await make()).message).toBe(
			`The file "cat.jpg" in field "data" is ${what}. Kling accepts JPEG and PNG only`,
		);
	});

	test('are refused with what to do about it', async () => {
		expect(problemOf(await picture().webp().toBuffer()).description).toBe(
			'Convert it first, for example with the Edit Image node.',
		);
		expect(problemOf(text('<html>')).description).toContain('expired link');
	});

	test.each<[string, Buffer]>([
		['unknown bytes', text('\x00\x01\x02\x03')],
		['the first two bytes of a JPEG', text('\xff\xd8')],
		['half a PNG signature', pngSignature.subarray(0, 4)],
		['a JPEG behind a line break', text('\n\xff\xd8\xff\xe0\0\0')],
	])('are refused even if unknown: %s', (_, file) => {
		expect(problemOf(file).message).toContain('is neither a JPEG nor a PNG image.');
	});

	test('are refused when they are empty', () => {
		expect(problemOf(new Uint8Array()).message).toBe(
			'The file "cat.jpg" in field "data" is empty (0 bytes)',
		);
	});
});

test('refusals are headings with advice, in words that n8n asks for', async () => {
	const jpeg = await picture().jpeg().toBuffer();
	const files = [
		Buffer.alloc(0),
		Buffer.alloc(9),
		Buffer.from('<html>'),
		jpeg.subarray(0, 900),
		pngOf(chunksOf(await picture().png().toBuffer()).slice(1)),
		await plain({ width: 20, height: 20 }).png().toBuffer(),
		await plain({ width: 2000, height: 300 }).png().toBuffer(),
		padJpeg(jpeg, imageLimits.maxBytes + 1),
	];
	for (const file of files) {
		const { message, description } = problemOf(file);
		expect(`${message} ${description}`).not.toMatch(/error|fail|invalid|problem|mistake/i);
		expect(message).toMatch(/^The file "cat.jpg" in field "data" .*[^.]$/);
		expect(description).toMatch(/^[A-Z].*\.$/);
	}
});

test.each([
	['crx ', 'camera raw'],
	['M4A ', 'audio'],
])('%s is %s', (brand, what) => {
	expect(foreignTypeOf(Buffer.from(`\0\0\0\x18ftyp${brand}\0\0\0\x01`, 'latin1'))?.what).toContain(
		what,
	);
});
