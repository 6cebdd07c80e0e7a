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

/** With this many digits, an integer may exceed what a JavaScript number can hold. */
const longFrom = 16;
/** No provider nests deeper than 10; walking a deeper value could overflow the stack. */
const deepest = 200;

/**
 * Parses JSON without losing digits: integers of 16 or more digits become strings. Kling's task ids have
 * 18 to 19 digits (docs/providers.md 1.3), and if a gateway sent one as a number, it would otherwise
 * become another task's id. Takes linear time: no regular expression walks the text. (On Node.js 20, a
 * reviver does not get a number's source text.)
 *
 * @returns undefined if the text is not JSON, or nested too deeply
 */
export function parseJson(text: string): unknown {
	try {
		const safe = withLongIntegersAsTexts(text);
		// A text in a number's place could turn invalid JSON into valid JSON.
		const value: unknown = JSON.parse(text);
		return safe === text ? value : JSON.parse(safe);
	} catch {
		return undefined;
	}
}

/** @throws RangeError if it is nested too deeply */
function withLongIntegersAsTexts(json: string): string {
	let safe = '';
	let copied = 0;
	let depth = 0;
	for (let at = 0; at < json.length; at++) {
		const char = json[at];
		if (char === '"') at = endOfText(json, at);
		else if (char === '{' || char === '[') depth++;
		else if (char === '}' || char === ']') depth--;
		else if (char === '-' || isDigit(json, at)) {
			const end = endOfNumber(json, at);
			if (isLongInteger(json.slice(at, end))) {
				safe += `${json.slice(copied, at)}"${json.slice(at, end)}"`;
				copied = end;
			}
			at = end - 1;
		}
		if (depth > deepest) throw new RangeError('nested too deeply');
	}
	return copied === 0 ? json : safe + json.slice(copied);
}

/** Where the closing quotation mark is. */
function endOfText(json: string, start: number): number {
	let at = start + 1;
	while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
	return at;
}

/** Where the number ends, with all its parts: digits after a point are not an integer. */
function endOfNumber(json: string, start: number): number {
	let at = start + 1;
	while (isDigit(json, at) || '.eE+-'.includes(json[at] ?? ' ')) at++;
	return at;
}

function isLongInteger(number: string): boolean {
	return number.replace('-', '').length >= longFrom && !/[.eE]/.test(number);
}

function isDigit(json: string, at: number): boolean {
	return json[at] >= '0' && json[at] <= '9';
}

const longest = 300;
/** How many characters are read: enough to remove keys from what is shown. */
export const longestRead = 1_000_000;

/** Terminal control sequences (ECMA-48), such as colors and links: they start with a control character. */
const steering = /(?:[^\P{Cc}\s]\[|\u009b)[0-?]*[ -/]*[@-~]|[^\P{Cc}\s]\]\P{Cc}*\p{Cc}?\\?/gu;
/** Invisible characters, and those that change the direction of what follows. */
const invisible =
	/[^\P{Cc}\s]|[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/**
 * One line of visible characters, without angle brackets: n8n's editor shows descriptions and hints as HTML.
 */
export function plainText(text: string): string {
	return text
		.replace(steering, '')
		.replace(invisible, '')
		.replace(/\s+/g, ' ')
		.replace(/</g, '‹')
		.replace(/>/g, '›')
		.trim();
}

/** A {@link plainText} as HTML: in a URL such as `?a=1&copy=2`, HTML would see an entity. */
export function asHtml(text: string): string {
	return plainText(text).replace(
		/&(?=#|[a-z\d]+;|amp|lt|gt|quot|copy|reg|sect|para|times|not|deg|yen|cent|pound|curren|micro|divide|shy|eth|uml)/gi,
		'&amp;',
	);
}

/**
 * A provider's text, ready to be shown: a short {@link plainText} without picture data or keys that it
 * repeats. Null if nothing is left.
 */
export function shownText(text: unknown): string | null {
	if (typeof text !== 'string') return null;
	const line = plainText(text.slice(0, longestRead))
		.replace(/[A-Za-z0-9+/_=.-]{60,}/g, '…')
		.replace(/\b(sk|Bearer)[-\s][\w.*-]{6,}/g, '…');
	if (line === '') return null;
	return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
