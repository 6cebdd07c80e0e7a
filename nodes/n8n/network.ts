import type { IHttpRequestOptions, IN8nHttpFullResponse } from 'n8n-workflow';
import { failureWithoutResponse, type Failure } from '../kling/failure';

/** What n8n and Node.js call a request that ended before there was a connection, as regular expressions. */
const unconnected = [
	// Any code will do: the system refuses, has no route or no port, or gave up waiting.
	'connect E[A-Z]+',
	// A TLS connection that ended in the middle of its handshake.
	'before secure TLS connection was established',
	// https-proxy-agent 7.
	'ended before receiving CONNECT response',
	// n8n 2.40's protection against requests into its own network (SsrfBlockedIpError, SsrfBlockedHostnameError).
	'request was blocked because',
].join('|');

/**
 * Codes of Node.js, axios and `fetch` that mean that no byte of the request reached the provider. A lost
 * route or a time-out can also happen while waiting for the response, so there the code alone proves nothing.
 */
const neverArrived = new RegExp(
	`ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ERR_INVALID_URL|ERR_INVALID_CHAR|UND_ERR_CONNECT_TIMEOUT|${unconnected}`,
);

/**
 * Codes with which Node.js refuses a certificate, before anything is sent (Node.js, “TLS (SSL)”, X509
 * certificate error codes).
 */
const untrusted =
	/\b(CERT_\w+|ERR_TLS_CERT\w*|\w*SELF_SIGNED\w*|UNABLE_TO_(?:GET|VERIFY|DECRYPT|DECODE)\w+|(?:INVALID|HOSTNAME)_\w+|PATH_LENGTH_EXCEEDED)\b/;

/** The failure of a request without a response. */
export function noResponseOf(
	thrown: unknown,
	deadline: AbortSignal,
	cancelled: AbortSignal | undefined,
): Failure {
	const codes = codesOf(thrown).join(' ');
	const isCancelled = codes.includes('ERR_CANCELED') && !deadline.aborted;
	if (cancelled?.aborted || isCancelled) return failureWithoutResponse('cancelled');
	const code = untrustedCodeOf(thrown);
	if (code !== null) return { ...failureWithoutResponse('untrusted'), code };
	if (neverArrived.test(codes)) return failureWithoutResponse('unreachable');
	const isLate = deadline.aborted || /ECONNABORTED|ETIMEDOUT/.test(codes);
	return failureWithoutResponse('noResponse', isLate ? 'no answer in time' : null);
}

/** Node.js's code for a certificate that it does not trust; null for anything else. */
export function untrustedCodeOf(thrown: unknown): string | null {
	return untrusted.exec(codesOf(thrown).join(' '))?.[1] ?? null;
}

/** Whether n8n 2.40's protection stopped a request: see {@link neverArrived}. */
export function isBlocked(thrown: unknown): boolean {
	return codesOf(thrown).includes('request was blocked because');
}

/** None if a status shows that there was a response: it can speak of someone else's connection. */
function codesOf(thrown: unknown): string[] {
	const found = reasonsIn(thrown);
	return found.some((one) => /^[1-5]\d\d$/.test(one)) ? [] : found;
}

/** n8n buries the network's code at several depths, which differ between 1.123 and 2.40. */
function reasonsIn(thrown: unknown, depth = 0): string[] {
	if (typeof thrown !== 'object' || thrown === null || depth > 4) return [];
	const error = thrown as Record<string, unknown>;
	const { code, syscall, message, messages, cause, errors, errorResponse } = error;
	const own = [code, error.httpCode, error.status, error.statusCode].filter(
		(value) => typeof value === 'string' || typeof value === 'number',
	);
	const words = [syscall, code, message, messages].join(' ');
	const told = words.match(new RegExp(unconnected, 'g')) ?? [];
	// Node.js tries all addresses of a host, and lists why none could be connected.
	const tried: unknown[] = Array.isArray(errors) ? errors : [];
	const isTried = tried.every((one) => Object(one).syscall === 'connect');
	const causes = [cause, errorResponse, ...(isTried ? tried : [])];
	return [...own.map(String), ...told, ...causes.flatMap((one) => reasonsIn(one, depth + 1))];
}

/** What Node.js reports about a request that was sent. */
export interface Sent {
	socket?: { encrypted?: boolean; bytesWritten?: number };
	path?: string;
}

/** A response, and the request that it belongs to, if known. */
export type Answer = IN8nHttpFullResponse & { request?: Sent };

/**
 * Any status is a response. A proxy's refusals are left to n8n 2.40 to throw, because only then does it
 * show the request (axios's `request`); n8n 1.123 has no exceptions, but returns it with the body's
 * stream. {@link answerIn} unifies both.
 */
export const anyStatus: IHttpRequestOptions['ignoreHttpStatusErrors'] = {
	ignore: true,
	except: [403, 407, 502, 503, 504],
};

/**
 * The response in what a request with {@link anyStatus} threw.
 *
 * @throws the same if there is none in it
 */
export function answerIn(thrown: unknown): Answer {
	const answer = thrownAnswer(thrown) ?? thrownAnswer((thrown as Error | null)?.cause);
	if (answer) return answer;
	throw thrown;
}

function thrownAnswer(thrown: unknown): Answer | null {
	const { request, response } = Object(thrown) as {
		request?: Sent;
		response?: { status?: unknown; statusText?: string; headers?: object; data?: unknown };
	};
	if (typeof response?.status !== 'number' || response.data === undefined) return null;
	return {
		statusCode: response.status,
		headers: { ...response.headers },
		body: response.data as IN8nHttpFullResponse['body'],
		request,
	};
}
