import fc from 'fast-check';
import { checkImage, readImageFacts } from '../../nodes/kling/image';
import {
	afterHeader,
	afterSoi,
	asApng,
	type Chunk,
	chunksOf,
	exifBlock,
	exifSegment,
	flatPng,
	oracle,
	padJpeg,
	picture,
	plain,
	pngOf,
	pngSignature,
	segmentAt,
	withRestartInterval,
} from '../fixtures/images';

const RUNS = Number(process.env.FUZZ_RUNS ?? 5000);
const small = { width: 40, height: 24 };
const clock = { files: 0, spent: 0 };

/** Small files, so that a mutation is likely to meet a header. */
async function seedFiles(): Promise<Buffer[]> {
	const thumbnail = await plain({ width: 16, height: 8 }).jpeg().toBuffer();
	const png = await picture(small).png().toBuffer();
	return [
		await picture(small).jpeg().toBuffer(),
		await picture(small).jpeg({ progressive: true }).toBuffer(),
		await picture(small).toColourspace('cmyk').jpeg().toBuffer(),
		await picture(small).grayscale().jpeg().toBuffer(),
		withRestartInterval(small),
		afterSoi(await picture(small).jpeg().toBuffer(), exifSegment(6, thumbnail)),
		png,
		await picture(small).png({ palette: true }).toBuffer(),
		await picture(small, 4).png({ progressive: true }).toBuffer(),
		flatPng(small),
		asApng(png, small),
		afterHeader(png, { type: 'eXIf', data: exifBlock(8) }),
	];
}

type Mutation = (file: Buffer) => Buffer;

/** Positions as a share of the file, with a liking for its first bytes, where the headers are. */
const place = fc.oneof(
	fc.double({ min: 0, max: 1, noNaN: true }),
	fc.double({ min: 0, max: 0.2, noNaN: true }),
);
const byte = fc.oneof(
	fc.integer({ min: 0, max: 255 }),
	fc.constantFrom(0, 1, 2, 0xff, 0xc0, 0xc2, 0xc4, 0xd8, 0xd9, 0xda, 0xdb, 0xe1),
);
const index = (file: Buffer, share: number): number => Math.floor(share * file.length);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
	fc.tuple(place, byte).map(
		([share, value]): Mutation =>
			(file) => {
				const copy = Buffer.from(file);
				if (copy.length > 0) copy[Math.min(index(copy, share), copy.length - 1)] = value;
				return copy;
			},
	),
	fc.tuple(place, fc.array(byte, { maxLength: 12 })).map(
		([share, values]): Mutation =>
			(file) => {
				const at = index(file, share);
				return Buffer.concat([file.subarray(0, at), Buffer.from(values), file.subarray(at)]);
			},
	),
	fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(
		([share, count]): Mutation =>
			(file) => {
				const at = index(file, share);
				return Buffer.concat([file.subarray(0, at), file.subarray(at + count)]);
			},
	),
	fc.tuple(place, place, place).map(
		([from, to, target]): Mutation =>
			(file) => {
				const part = file.subarray(
					index(file, Math.min(from, to)),
					index(file, Math.max(from, to)),
				);
				const at = index(file, target);
				return Buffer.concat([file.subarray(0, at), part, file.subarray(at)]);
			},
	),
	place.map(
		(share): Mutation =>
			(file) =>
				file.subarray(0, index(file, share)),
	),
);

type ChunkMutation = (chunks: Chunk[]) => Chunk[];

/** Changes of a PNG that its check sums do not give away. */
const chunkMutation: fc.Arbitrary<ChunkMutation> = fc.oneof(
	fc.tuple(fc.nat(), mutation).map(
		([nth, mutate]): ChunkMutation =>
			(chunks) => {
				const target = nth % chunks.length;
				return chunks.map((old, at) => (at === target ? { ...old, data: mutate(old.data) } : old));
			},
	),
	fc.tuple(fc.nat({ max: 12 }), byte).map(
		([at, value]): ChunkMutation =>
			([header, ...others]) => {
				if (header === undefined || header.data.length <= at) return others;
				const data = Buffer.from(header.data);
				data[at] = value;
				return [{ ...header, data }, ...others];
			},
	),
	fc.tuple(fc.nat(), fc.nat()).map(
		([from, to]): ChunkMutation =>
			(chunks) => {
				const moved = chunks.at(from % chunks.length)!;
				const others = chunks.filter((one) => one !== moved);
				const target = to % (others.length + 1);
				return [...others.slice(0, target), moved, ...others.slice(target)];
			},
	),
	fc.tuple(fc.nat(), fc.constantFrom('IDAT', 'PLTE', 'tRNS', 'eXIf', 'iCCP', 'acTL', 'fcTL')).map(
		([nth, type]): ChunkMutation =>
			(chunks) => {
				const target = nth % chunks.length;
				return chunks.map((old, at) => (at === target ? { ...old, type } : old));
			},
	),
);

/** Our facts, having checked that the check says the same; the time is kept for the end. */
function timedFacts(file: Uint8Array): ReturnType<typeof readImageFacts> {
	const before = performance.now();
	const facts = readImageFacts(file);
	const checked = checkImage(file, 'the file');
	clock.spent += performance.now() - before;
	clock.files++;
	if (checked.ok) expect(checked.value).toEqual(facts);
	return facts;
}

async function expectNoWrongOk(file: Uint8Array): Promise<boolean> {
	const facts = timedFacts(file);
	if (facts === null) return false;
	expect({ ...(await oracle(file)), bytes: file.length }).toEqual(facts);
	return true;
}

describe('fuzzing', () => {
	let seeds: Buffer[] = [];
	beforeAll(async () => {
		seeds = await seedFiles();
	});

	test('starts from files that are read', async () => {
		for (const file of seeds) expect(await expectNoWrongOk(file)).toBe(true);
	});

	test('never says more of a mutated file than sharp confirms', async () => {
		let read = 0;
		await fc.assert(
			fc.asyncProperty(
				fc.nat({ max: 11 }),
				fc.array(mutation, { minLength: 1, maxLength: 4 }),
				async (seed, mutations) => {
					const file = mutations.reduce((bytes, mutate) => mutate(bytes), seeds[seed]!);
					if (await expectNoWrongOk(file)) read++;
				},
			),
			{ numRuns: RUNS },
		);
		expect(read).toBeGreaterThan(RUNS / 50);
	}, 300_000);

	test('never says more of a PNG with changed chunks and right check sums', async () => {
		let read = 0;
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 6, max: 11 }),
				fc.array(chunkMutation, { minLength: 1, maxLength: 3 }),
				async (seed, mutations) => {
					const chunks = mutations.reduce((all, mutate) => mutate(all), chunksOf(seeds[seed]!));
					if (await expectNoWrongOk(pngOf(chunks))) read++;
				},
			),
			{ numRuns: RUNS },
		);
		expect(read).toBeGreaterThan(RUNS / 50);
	}, 300_000);

	test('never says more of a single changed JPEG header byte than sharp confirms', async () => {
		for (const file of seeds.slice(0, 6)) {
			const end = Math.min(segmentAt(file, 0xda) + 14, file.length);
			for (let at = 2; at < end; at++) {
				const copy = Buffer.from(file);
				copy[at]! ^= 1 << at % 8;
				await expectNoWrongOk(copy);
			}
		}
	}, 60_000);

	test('never takes random bytes for an image', async () => {
		const prefix = fc.constantFrom(
			Buffer.alloc(0),
			Buffer.from('ffd8ff', 'hex'),
			Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'),
			Buffer.from('ffd8ffc0000b080010001001011100', 'hex'),
			pngSignature,
			Buffer.concat([pngSignature, Buffer.from('0000000d49484452', 'hex')]),
			flatPng(small).subarray(0, 33),
		);
		await fc.assert(
			fc.asyncProperty(
				prefix,
				fc.uint8Array({ maxLength: 400 }),
				async (start, rest) => void (await expectNoWrongOk(Buffer.concat([start, rest]))),
			),
			{ numRuns: RUNS },
		);
	}, 120_000);

	test('has taken less than 2 ms for a file, on average', () => {
		expect(clock.spent / clock.files).toBeLessThan(2);
	});

	test('needs time in proportion to the length only, whatever the bytes', async () => {
		const jpeg = await picture(small).jpeg().toBuffer();
		const scan = segmentAt(jpeg, 0xda) + 14;
		const bytes = 10 * 1024 * 1024;
		const filled = (start: Uint8Array, pattern: string): Buffer =>
			Buffer.concat([start, Buffer.alloc(bytes, pattern, 'hex')]);
		const header = flatPng(small).subarray(0, 33);
		const files = {
			'fill bytes': filled(jpeg.subarray(0, scan), 'ff'),
			'stuffed zeros': filled(jpeg.subarray(0, scan), 'ff00'),
			'restart markers': filled(jpeg.subarray(0, scan), 'ffd0'),
			'smallest segments': filled(jpeg.subarray(0, 2), 'ffe10002'),
			'smallest chunks': filled(header, '000000007478547400000000'),
			'one large chunk': filled(header, '00ffffff74785474'),
			comments: padJpeg(jpeg, bytes),
			'opening brackets': Buffer.alloc(bytes, '<!--'),
		};
		for (const [name, file] of Object.entries(files)) {
			const before = performance.now();
			readImageFacts(file);
			checkImage(file, 'the file');
			expect([name, performance.now() - before < 5000]).toEqual([name, true]);
		}
	}, 60_000);
});
