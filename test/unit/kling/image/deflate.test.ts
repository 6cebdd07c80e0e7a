import fc from 'fast-check';
import { constants, deflateSync } from 'node:zlib';
import { isWholeZlib } from '../../../../nodes/kling/image/deflate';
import { randomCases } from '../../../harness/randomCases';

const runs = { numRuns: 300 };
/** Bytes that repeat, so that all kinds of codes occur. */
const content = fc
	.array(
		fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 60 })),
		{
			minLength: 1,
			maxLength: 40,
		},
	)
	.map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array(times).fill(bytes))));
const how = fc.record({
	level: fc.integer({ min: 0, max: 9 }),
	strategy: fc.constantFrom(
		constants.Z_DEFAULT_STRATEGY,
		constants.Z_FIXED,
		constants.Z_HUFFMAN_ONLY,
		constants.Z_RLE,
	),
});
const checksum = 4;

test('complete compressed data is recognized, with its checksum or without', () => {
	fc.assert(
		fc.property(content, how, (bytes, options) => {
			const data = deflateSync(bytes, options);
			expect(isWholeZlib(data)).toBe(true);
			expect(isWholeZlib(data.subarray(0, -checksum))).toBe(true);
		}),
		runs,
	);
});

test('compressed data cut anywhere is recognized', () => {
	fc.assert(
		fc.property(content, how, fc.nat(), (bytes, options, place) => {
			const data = deflateSync(bytes, options).subarray(0, -checksum);
			expect(isWholeZlib(data.subarray(0, place % data.length))).toBe(false);
		}),
		runs,
	);
});

test('any bytes come to a result', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
			expect(typeof isWholeZlib(bytes)).toBe('boolean');
		}),
		{ numRuns: randomCases(3_000, 'FUZZ_RUNS') },
	);
});
