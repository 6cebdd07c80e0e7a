/** One request to a provider, relative to its base URL. */
export interface ApiRequest {
	method: 'GET' | 'POST';
	/** Starts with a slash; segments are already URL-encoded. */
	path: string;
	query?: Record<string, string | number>;
	body?: Record<string, unknown>;
	/** The timeout for the response. */
	timeoutMs: number;
	/** The provider's clock, from the date of its last response; a signature is then made for that time. */
	providerTime?: string;
}

/** What came back over HTTP, whatever its status. */
export interface HttpResponse {
	kind: 'response';
	status: number;
	/** Lower-case names. */
	headers: Record<string, string>;
	text: string;
	/** When it arrived, in milliseconds since 1970. */
	at: number;
	/** The parsed body, or undefined if it is not JSON. */
	json: unknown;
	/** Whether the body was too large to be read. */
	tooLarge?: boolean;
}

/** A response whose body is a JSON object; adapters get no other. */
export type JsonResponse = HttpResponse & { json: Record<string, unknown> };

export function isJson(response: HttpResponse): response is JsonResponse {
	return asObject(response.json) !== null;
}

const requestIdHeaders = [
	'x-request-id',
	'request-id',
	'x-oneapi-request-id',
	'x-trace-id',
	'cf-ray',
];

/** The id by which the provider's support can find this request, if the response has one. */
export function requestIdOf(response: HttpResponse): string | null {
	const inBody = asObject(response.json)?.request_id;
	if (isRequestId(inBody)) return inBody;
	// new-api gateways (CometAPI, KKIAI) put it into the message text: docs/providers.md sections 2 and 3.
	const inText = /\(request id: ([\w-]{1,128})\)/i.exec(response.text)?.[1];
	if (inText) return inText;
	return requestIdHeaders.map((name) => response.headers[name]).find(isRequestId) ?? null;
}

function isRequestId(value: unknown): value is string {
	return typeof value === 'string' && /^[\w.:/+=-]{1,128}$/.test(value);
}

/** A response dated further ahead of n8n's clock has a wrong date. */
const farAheadMs = 7 * 86_400_000;

/**
 * The provider's time, in milliseconds since 1970; n8n's time if the response has none, or one so far
 * ahead that tasks ending in the next weeks would count as over.
 */
export function providerTimeOf({ headers, at }: HttpResponse): number {
	const told = Date.parse(headers.date ?? '') || at;
	return told > at + farAheadMs ? at : told;
}

/** How long the provider asks the caller to wait, unbounded, in milliseconds; null if it says nothing. */
export function retryAfterMs(response: HttpResponse): number | null {
	const { headers } = response;
	// By the provider's clock if known: n8n's machine may be minutes off.
	const at = providerTimeOf(response);
	if (headers['retry-after']) {
		const seconds = Number(headers['retry-after']);
		if (!Number.isNaN(seconds)) return positive(seconds * 1000);
		return positive(Date.parse(headers['retry-after']) - at);
	}
	// Modellix: seconds since 1970 (docs/providers.md section 4). Only a refusal has it as a hint.
	if (response.status === 429 && headers['x-ratelimit-reset']) {
		const reset = Number(headers['x-ratelimit-reset']);
		return positive(reset > 1e9 ? reset * 1000 - at : reset * 1000);
	}
	return null;
}

function positive(milliseconds: number): number | null {
	return Number.isFinite(milliseconds) && milliseconds >= 0 ? milliseconds : null;
}

/** The value as an object with keys, or null. */
export function asObject(value: unknown): Record<string, unknown> | null {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
		? (value as Record<string, unknown>)
		: null;
}
