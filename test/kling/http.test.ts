import fc from 'fast-check';
import { parseJson, requestIdOf, retryAfterMs, type HttpResponse } from '../../nodes/kling/http';

const at = Date.parse('2026-11-21T08:00:00Z');
const response = (fields: Partial<HttpResponse> = {}): HttpResponse => ({
	kind: 'response',
	status: 200,
	headers: {},
	text: '',
	at,
	json: undefined,
	...fields,
});

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

	test('takes an amount that a computer added up for the number it is, not for an id', () => {
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

	test('does not touch digits inside a text, whatever stands around them', () => {
		for (const text of [
			'a 12345678901234567890 b',
			'\\" 12345678901234567890',
			'{"x":1234567890123456789}',
		]) {
			const json = JSON.stringify({ text });
			expect(parseJson(json)).toEqual({ text });
		}
	});

	test('reads anything that JSON can say as JSON.parse does, where numbers are short', () => {
		fc.assert(
			fc.property(fc.jsonValue(), (value) => {
				const text = JSON.stringify(value);
				const numbers = text.replace(/"(?:[^"\\]|\\.)*"/g, '').match(/[\d.eE+-]+/g) ?? [];
				fc.pre(!numbers.some((number) => /^-?\d{16,}$/.test(number)));
				expect(parseJson(text)).toEqual(JSON.parse(text));
			}),
			{ numRuns: 300 },
		);
	});

	test.each(['', '<html>', '{"a":', 'undefined', '{a:1}'])('%j is no JSON', (text) => {
		expect(parseJson(text)).toBeUndefined();
	});
});

describe('the request id', () => {
	test.each([
		['the body', { json: { request_id: 'b-1' }, headers: { 'x-request-id': 'h-1' } }, 'b-1'],
		['the text of a gateway', { text: 'quota (request id: 2026ab-c)' }, '2026ab-c'],
		["new-api's header", { headers: { 'x-oneapi-request-id': 'o-1' } }, 'o-1'],
		["a proxy's header", { headers: { 'cf-ray': 'ray-1' } }, 'ray-1'],
		['nowhere', { json: { request_id: '' } }, null],
	])('is taken from %s', (_name, fields, id) => expect(requestIdOf(response(fields))).toBe(id));
});

describe('how long a provider asks to wait', () => {
	test.each([
		['seconds', 200, { 'retry-after': '7' }, 7_000],
		['a date', 503, { 'retry-after': 'Sat, 21 Nov 2026 08:00:30 GMT' }, 30_000],
		['milliseconds', 429, { 'retry-after-ms': '250' }, 250],
		['seconds since 1970 (Modellix)', 429, { 'x-ratelimit-reset': String(at / 1000 + 5) }, 5_000],
		['seconds from now', 429, { 'x-ratelimit-reset': '5' }, 5_000],
		['a reset with an answer that is none', 200, { 'x-ratelimit-reset': '5' }, null],
		['a date that has passed', 503, { 'retry-after': 'Sat, 21 Nov 2026 07:00:00 GMT' }, null],
		['nonsense', 503, { 'retry-after': 'soon' }, null],
		['nothing', 429, {}, null],
	])('%s', (_name, status, headers, expected) => {
		expect(retryAfterMs(response({ status, headers: headers as Record<string, string> }))).toBe(
			expected,
		);
	});
});

test('an answer that holds a text of megabytes is read all the same', () => {
	const text = 'A'.repeat(14_000_000);
	const json = parseJson(`{"text":"${text}","task_id":842163450012345678}`) as Record<
		string,
		string
	>;
	expect(json.text).toHaveLength(text.length);
	expect(json.task_id).toBe('842163450012345678');
});
