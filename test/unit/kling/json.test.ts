import fc from 'fast-check';
import { parseJson } from '../../../nodes/kling/http';
import { randomCases } from '../../harness/randomCases';

describe('reading JSON', () => {
	test('keeps every digit of a long task id that comes as a number', () => {
		expect(parseJson('{"task_id": 2032273960331935744}')).toEqual({
			task_id: '2032273960331935744',
		});
		expect(parseJson('[876543210987654321,-876543210987654321]')).toEqual([
			'876543210987654321',
			'-876543210987654321',
		]);
	});

	test('reads an amount that a computer added up as a number, not as an id', () => {
		expect(parseJson('{"cost":0.30000000000000004,"rate":-1.2345678901234567e-8}')).toEqual({
			cost: 0.30000000000000004,
			rate: -1.2345678901234567e-8,
		});
	});

	test('leaves short numbers, fractions and texts as they are', () => {
		const text =
			'{"a":1722769557708,"b":0.1234567890123456789,"c":"8765432109876543219","d":1e300}';
		expect(parseJson(text)).toEqual(JSON.parse(text));
	});

	test('does not touch digits inside a text, in any surroundings', () => {
		for (const text of [
			'a 12345678901234567890 b',
			'\\" 12345678901234567890',
			'{"x":1234567890123456789}',
		]) {
			const json = JSON.stringify({ text });
			expect(parseJson(json)).toEqual({ text });
		}
	});

	test.each(['', '<html>', '{"a":', 'undefined', '{a:1}'])('%j is not JSON', (text) => {
		expect(parseJson(text)).toBeUndefined();
	});
});

/** Any JSON value, plus integers that are too long for a JavaScript number. */
type Tree = string | number | boolean | null | bigint | Tree[] | { [key: string]: Tree };
const longInteger = fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n });
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
	tree: fc.oneof(
		{ maxDepth: 5, withCrossShrink: true },
		fc.string(),
		fc.string({ unit: fc.constantFrom('"', '\\', '1', '2345678901234567', '{', ',', '\n', 'é') }),
		fc.double({ noNaN: true, noDefaultInfinity: true }),
		fc.maxSafeInteger(),
		longInteger,
		fc.constantFrom(true, false, null),
		fc.array(tie('tree'), { maxLength: 5 }),
		fc.dictionary(fc.oneof(fc.string(), longInteger.map(String)), tie('tree'), { maxKeys: 5 }),
	),
}));

function written(value: Tree, blank: string): string {
	if (typeof value === 'bigint') return String(value);
	if (typeof value !== 'object' || value === null) return JSON.stringify(value);
	const items = Array.isArray(value)
		? value.map((one) => written(one, blank))
		: Object.entries(value).map(
				([key, one]) => `${JSON.stringify(key)}${blank}:${blank}${written(one, blank)}`,
			);
	const [open, close] = Array.isArray(value) ? '[]' : '{}';
	return `${open}${blank}${items.join(`${blank},${blank}`)}${blank}${close}`;
}

/** What JSON.parse makes of a tree, apart from its long integers. */
function read(value: Tree): unknown {
	const isLong = (text: string) => /^-?\d{16,}$/.test(text);
	if (typeof value === 'bigint' || typeof value === 'number') {
		const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value);
		return isLong(text) ? text : JSON.parse(text);
	}
	if (typeof value !== 'object' || value === null) return value;
	if (Array.isArray(value)) return value.map(read);
	const entries = Object.entries(value).map(([key, one]) => [key, read(one)] as const);
	const object: Record<string, unknown> = {};
	// As JSON.parse does it, for which "__proto__" is a key like any other.
	for (const [key, one] of entries) {
		Object.defineProperty(object, key, {
			value: one,
			enumerable: true,
			configurable: true,
			writable: true,
		});
	}
	return object;
}

describe('beside JSON.parse', () => {
	test('reads the same of every value, and each long integer to its last digit', () => {
		fc.assert(
			fc.property(tree, fc.constantFrom('', ' ', '\n\t'), (value, blank) => {
				expect(parseJson(written(value, blank))).toEqual(read(value));
			}),
			{ numRuns: randomCases(3_000, 'FUZZ_RUNS') },
		);
	});

	test('accepts exactly the same texts as JSON, after any change to one', () => {
		const piece = fc.constantFrom(
			...['"', '\\', '{', '}', '[', ']', ',', ':', '-', '.', 'e', '+', '0', ' ', 'true', '\\"'],
			'12345678901234567',
			'0123456789012345678',
		);
		fc.assert(
			fc.property(tree, fc.nat({ max: 99 }), fc.nat({ max: 3 }), piece, (value, at, cut, added) => {
				const text = written(value, '');
				const from = Math.floor((text.length * at) / 100);
				const changed = `${text.slice(0, from)}${added}${text.slice(from + cut)}`;
				let isJson = true;
				try {
					JSON.parse(changed);
				} catch {
					isJson = false;
				}
				expect([changed, parseJson(changed) !== undefined]).toEqual([changed, isJson]);
			}),
			{ numRuns: randomCases(5_000, 'FUZZ_RUNS') },
		);
	});
});

test('JSON nested 200 deep is read; anything deeper would overflow the code that walks it', () => {
	const nested = (depth: number) => '[1,'.repeat(depth) + '1' + ']'.repeat(depth);
	expect(parseJson(nested(200))).toEqual(JSON.parse(nested(200)));
	expect(parseJson(nested(201))).toBeUndefined();
	expect(parseJson(`[${nested(100)},${nested(100)}]`)).toBeDefined();
	expect(parseJson('['.repeat(5_000_000))).toBeUndefined();
});

test.each([
	['a text of escaped quotes', JSON.stringify({ text: '"'.repeat(5_000_000) })],
	['a text that never ends', `{"text":"${'\\"'.repeat(5_000_000)}`],
	['one long text', JSON.stringify('A'.repeat(10_000_000))],
	['short texts', `[${'"a",'.repeat(2_500_000)}1]`],
	['digits', '1'.repeat(10_000_000)],
	['opening brackets', '['.repeat(10_000_000)],
	['long task ids', `[${'842163450012345678,'.repeat(500_000)}1]`],
])('10 MB of %s are read in seconds', (_name, text) => {
	const before = performance.now();
	parseJson(text);
	expect(performance.now() - before).toBeLessThan(10_000);
});
