import fc from 'fast-check';
import { checkImage } from '../../nodes/kling/image/check';
import { InputError } from '../../nodes/kling/input';
import { attempt } from '../fixtures/attempt';
import {
	afterHeader,
	afterSoi,
	asApng,
	exifBlock,
	exifSegment,
	flatPng,
	oracle,
	padJpeg,
	picture,
	plain,
	pngSignature,
	segmentAt,
	withRestartInterval,
} from '../fixtures/images';
import { randomCases } from '../harness/randomCases';

const runs = randomCases(2_000, 'FUZZ_RUNS');
const small = { width: 310, height: 304 };
const label = 'the file';

let seeds: Buffer[] = [];
beforeAll(async () => {
	const thumbnail = await plain({ width: 16, height: 8 }).jpeg().toBuffer();
	const png = await picture(small).png().toBuffer();
	seeds = [
		await picture(small).jpeg().toBuffer(),
		await picture(small).jpeg({ progressive: true }).toBuffer(),
		await picture(small).toColourspace('cmyk').jpeg().toBuffer(),
		withRestartInterval(small),
		afterSoi(await picture(small).jpeg().toBuffer(), exifSegment(6, thumbnail)),
		png,
		await picture(small).png({ palette: true, progressive: true }).toBuffer(),
		asApng(png, small),
		afterHeader(png, { type: 'eXIf', data: exifBlock(8) }),
	];
});

/** Positions as a share of the file, more often among its first bytes, where the headers are. */
const place = fc.noBias(fc.nat({ max: 999 })).map((thousandths) => (thousandths / 1000) ** 3);
const byte = fc.oneof(
	fc.integer({ min: 0, max: 255 }),
	fc.constantFrom(0, 1, 2, 0xff, 0xc0, 0xc2, 0xc4, 0xd8, 0xd9, 0xda, 0xdb, 0xe1),
);
/** Some bytes of the file are replaced by others. */
const mutation = fc.record({
	share: place,
	removed: fc.noBias(fc.nat({ max: 40 })),
	added: fc.array(byte, { maxLength: 12 }),
});

describe('for any bytes', () => {
	test('a check comes to a result, with sides or with a text', () => {
		let read = 0;
		fc.assert(
			fc.property(
				fc.nat({ max: 8 }),
				fc.array(mutation, { minLength: 1, maxLength: 4 }),
				(seed, mutations) => {
					let file = seeds[seed]!;
					for (const { share, removed, added } of mutations) {
						const at = Math.floor(share * file.length);
						const parts = [file.subarray(0, at), Buffer.from(added), file.subarray(at + removed)];
						file = Buffer.concat(parts);
					}
					const checked = attempt(() => checkImage(file, label));
					if (!checked.ok) return expect(checked.problem.message).toMatch(/^The file is /);
					read++;
					expect(checked.value.width).toBeGreaterThanOrEqual(300);
					expect(checked.value.height).toBeGreaterThanOrEqual(300);
				},
			),
			{ numRuns: runs },
		);
		expect(read).toBeGreaterThan(runs / 50);
	}, 120_000);

	test('a changed byte in the headers never gives sides that sharp does not see', async () => {
		const whole = (await Promise.all(seeds.map(oracle))).map((facts) => facts !== null);
		expect(whole).not.toContain(false);
		for (const file of [seeds[0]!, seeds[4]!]) {
			const end = Math.min(segmentAt(file, 0xda) + 14, file.length);
			for (let at = 2; at < end; at++) {
				const copy = Buffer.from(file);
				copy[at]! ^= 1 << (at % 8);
				const checked = attempt(() => checkImage(copy, label));
				const seen = await oracle(copy);
				if (!checked.ok || seen === null) continue;
				const { width, height } = checked.value;
				expect({ at, width, height }).toEqual({ at, width: seen.width, height: seen.height });
			}
		}
	}, 60_000);

	test('random bytes behind a signature are never an image', () => {
		const prefix = fc.constantFrom(
			Buffer.alloc(0),
			Buffer.from('ffd8ff', 'hex'),
			Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'),
			Buffer.from('ffd8ffc0000b080010001001011100', 'hex'),
			pngSignature,
			Buffer.concat([pngSignature, Buffer.from('0000000d49484452', 'hex')]),
			flatPng({ width: 40, height: 24 }).subarray(0, 33),
		);
		fc.assert(
			fc.property(prefix, fc.uint8Array({ maxLength: 400 }), (start, rest) => {
				expect(() => checkImage(Buffer.concat([start, rest]), label)).toThrow(InputError);
			}),
			{ numRuns: runs },
		);
	});

	test('a check takes linear time', async () => {
		const jpeg = await picture(small).jpeg().toBuffer();
		const scan = segmentAt(jpeg, 0xda) + 14;
		const bytes = 10_000_000;
		const filled = (start: Uint8Array, pattern: string): Buffer =>
			Buffer.concat([start, Buffer.alloc(bytes, pattern, 'hex')]);
		const header = flatPng(small).subarray(0, 33);
		const files = {
			'fill bytes': filled(jpeg.subarray(0, scan), 'ff'),
			'stuffed zeros': filled(jpeg.subarray(0, scan), 'ff00'),
			'smallest segments': filled(jpeg.subarray(0, 2), 'ffe10002'),
			'empty EXIF blocks': filled(jpeg.subarray(0, 2), 'ffe10008457869660000'),
			'smallest chunks': filled(header, '000000007478547400000000'),
			'empty eXIf chunks': filled(header, '000000006558496600000000'),
			'one large chunk': filled(header, '00ffffff74785474'),
			comments: padJpeg(jpeg, bytes),
			'opening brackets': Buffer.alloc(bytes, '<!--'),
		};
		for (const [name, file] of Object.entries(files)) {
			const before = performance.now();
			attempt(() => checkImage(file, label));
			expect([name, performance.now() - before < 5000]).toEqual([name, true]);
		}
	}, 60_000);
});
