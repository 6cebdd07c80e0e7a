import { requestIdOf, retryAfterMs, type HttpResponse } from '../../../nodes/kling/http';

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
