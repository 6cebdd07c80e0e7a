import { sleep } from 'n8n-workflow';
import { readAccount, redactionOf } from '../kling/account';
import { Client } from '../kling/client';
import type { Clock } from '../kling/clock';
import type { Provider } from '../kling/providers/index';
import { errorOf, problemOf } from './output';
import type {
	IDataObject,
	IExecuteFunctions,
	IHttpRequestOptions,
	ILoadOptionsFunctions,
	IN8nHttpFullResponse,
	IPollFunctions,
	IWebhookFunctions,
} from 'n8n-workflow';
import type { Account, Redaction } from '../kling/account';
import { failureWithoutResponse, type Failure, type Send } from '../kling/failure';
import type { ApiRequest, HttpResponse } from '../kling/http';
import { parseJson } from '../kling/http';
import { answerIn, anyStatus, noResponseOf, type Answer, type Sent } from './network';

/** What one run of a node works with. */
export interface Session {
	account: Account;
	provider: Provider;
	client: Client;
	clock: Clock;
	/** Aborts when the execution is stopped. */
	signal: AbortSignal | undefined;
}

/**
 * Opens the provider that the node's credential names.
 *
 * @throws NodeOperationError if the credential is not complete; nothing was sent then
 */
export async function openSession(context: RequestContext): Promise<Session> {
	const account = accountOf(context, await context.getCredentials(credentialName));
	const { provider } = account;
	const signal = cancelSignalOf(context);
	const client = new Client(provider, transportOf(context, account), systemClock, signal);
	return { account, provider, client, clock: systemClock, signal };
}

function accountOf(context: RequestContext, credential: unknown): Account {
	try {
		return readAccount(credential);
	} catch (thrown) {
		throw errorOf(context.getNode(), problemOf(thrown));
	}
}

/** In milliseconds: n8n's `sleep` cannot be interrupted, and 2.40 has no `sleepWithAbort`. */
const slice = 500;
/** In milliseconds: a longer Node.js timer fires at once. */
const longestTimer = 2 ** 31 - 1;

/** Real time. */
export const systemClock: Clock = {
	now: () => Date.now(),
	elapsed: () => performance.now(),
	random: () => Math.random(),
	async sleep(ms, signal) {
		// Not by the time of day: setting the clock back would make a second last an hour.
		const end = performance.now() + ms;
		for (let left = ms; left > 0 && !signal?.aborted; left = end - performance.now()) {
			await sleep(Math.min(left, signal ? slice : longestTimer));
		}
	},
};

/** The parts of n8n from which requests are made. */
type RequestContext =
	IExecuteFunctions | ILoadOptionsFunctions | IPollFunctions | IWebhookFunctions;

export const credentialName = 'klingEffectsApi';

/** Carries the provider's time to the credential, which signs with it and removes the header again. */
export const providerTimeHeader = 'x-kling-effects-provider-time';

/**
 * Bytes, after decompression. A full page of a list has half a megabyte; gzip can blow up one megabyte to
 * a thousand.
 */
const largestResponse = 10 * 1024 * 1024;

/**
 * Sends requests with n8n's helper, once each. Any HTTP status is a response, because n8n 1.123 drops the
 * headers of responses that it throws, and because it would send a request again after a 401. No redirect
 * is followed: n8n passes the Authorization header on to other origins. Responses are read as a stream
 * with a maximum size and a deadline: n8n's own limits are an infinite size and an idle time-out.
 */
export function transportOf(context: RequestContext, account: Account): Send {
	const redaction = redactionOf(account);
	return async (request) => {
		const cancelled = cancelSignalOf(context);
		return await untilDeadline(request.timeoutMs, cancelled, async (ending, deadline) => {
			try {
				const options = optionsOf(request, account, ending);
				const response: Answer = await context.helpers.httpRequestWithAuthentication
					.call(endingWith(context, ending.signal), credentialName, options)
					.catch(answerIn);
				if (isFromProxy(response, options.url)) return proxyFailureOf(response);
				return responseOf(response, await textOf(response.body, ending), redaction);
			} catch (thrown) {
				return noResponseOf(thrown, deadline, cancelled);
			}
		});
	};
}

/** Runs `work` until a deadline, until the execution is stopped, or until `work` ends it. */
export async function untilDeadline<T>(
	ms: number,
	cancelled: AbortSignal | undefined,
	work: (ending: AbortController, deadline: AbortSignal) => Promise<T>,
): Promise<T> {
	const deadline = AbortSignal.timeout(ms);
	const ending = new AbortController();
	const end = () => ending.abort();
	const signals = [deadline, cancelled];
	for (const signal of signals) {
		if (signal?.aborted) end();
		signal?.addEventListener('abort', end);
	}
	try {
		return await work(ending, deadline);
	} finally {
		// A deadline with a listener keeps its request in memory until it fires.
		for (const signal of signals) signal?.removeEventListener('abort', end);
	}
}

/** n8n replaces the signal of a request with that of the execution. */
function endingWith(context: RequestContext, signal: AbortSignal): RequestContext {
	return Object.create(context, {
		getExecutionCancelSignal: { value: () => signal },
	}) as RequestContext;
}

function optionsOf(
	request: ApiRequest,
	account: Account,
	{ signal }: AbortController,
): IHttpRequestOptions {
	const headers: IDataObject =
		request.providerTime === undefined ? {} : { [providerTimeHeader]: request.providerTime };
	return {
		method: request.method,
		url: `${account.baseUrl}${request.path}`,
		headers,
		...(request.query ? { qs: request.query } : {}),
		...(request.body ? { body: request.body as IDataObject } : {}),
		json: true,
		encoding: 'stream',
		timeout: request.timeoutMs,
		abortSignal: signal,
		returnFullResponse: true,
		ignoreHttpStatusErrors: anyStatus,
		disableFollowRedirect: true,
	};
}

/**
 * Whether a proxy answered instead of the provider, and definitely passed nothing on. Status 407 always
 * comes from a proxy (RFC 9110, 15.5.8). n8n (1.123 and 2.41) reaches https addresses through
 * https-proxy-agent 7: if the proxy refuses to connect, that agent replays the proxy's response on a
 * socket that was never connected, so nothing was written to it. A proxy for http addresses gets the
 * whole address as the path (RFC 9112, 3.2.2), and its response looks like the provider's: only a page
 * with status 403 counts as the proxy's own, since a 502 may come after it passed the request on.
 */
export function isFromProxy({ statusCode, headers, body, request }: Answer, url: string): boolean {
	if (statusCode === 407) return true;
	const { req, socket } = Object(body) as { req?: Sent } & Sent;
	if (url.startsWith('https:')) {
		const connection = request?.socket ?? socket;
		return connection?.bytesWritten === 0 && !connection.encrypted;
	}
	const isByProxy = (request ?? req)?.path?.startsWith('http:') ?? false;
	return isByProxy && statusCode === 403 && !/json/i.test(String(headers?.['content-type']));
}

/** What a proxy's refusal means; a status of 500 or more means that the proxy itself got no connection. */
function proxyFailureOf({ statusCode, body }: Answer): Failure {
	(body as { destroy?(): void } | undefined)?.destroy?.();
	const kind = statusCode >= 500 ? 'proxyWithoutConnection' : 'proxyRefused';
	return { ...failureWithoutResponse(kind), httpStatus: statusCode };
}

/** The body as text; null if it is too large to be read. */
async function textOf(body: unknown, ending: AbortController): Promise<string | null> {
	// Not a stream if n8n itself simulates the provider, as its evaluations of agents do.
	if (!isStream(body)) {
		const isText = typeof body === 'string' || Buffer.isBuffer(body);
		return isText ? body.toString() : (JSON.stringify(body) ?? '');
	}
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of body) {
		size += chunk.length;
		if (size > largestResponse) {
			// First, so that the connection ends too, not just the reading.
			ending.abort();
			return null;
		}
		chunks.push(chunk);
	}
	return Buffer.concat(chunks)
		.toString('utf8')
		.replace(/^\ufeff/, '');
}

function isStream(body: unknown): body is AsyncIterable<Buffer> {
	return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

function responseOf(
	{ statusCode, headers }: IN8nHttpFullResponse,
	text: string | null,
	redaction: Redaction,
): HttpResponse {
	const entries = Object.entries(headers ?? {});
	const named = Object.fromEntries(
		entries.map(([name, value]) => [name.toLowerCase(), String(value)]),
	);
	const json = text === null ? undefined : parseJson(text);
	// In one go; a header line has no line break.
	const { value, source } = redaction.json(
		{ headers: named, json },
		`${JSON.stringify(named)}\n${text ?? ''}`,
	);
	return {
		kind: 'response',
		status: statusCode,
		headers: value.headers,
		text: source.slice(source.indexOf('\n') + 1),
		at: Date.now(),
		json: value.json,
		...(text === null ? { tooLarge: true } : {}),
	};
}

/** The signal that aborts when the execution is stopped; there is none outside executions. */
function cancelSignalOf(context: RequestContext): AbortSignal | undefined {
	return 'getExecutionCancelSignal' in context ? context.getExecutionCancelSignal() : undefined;
}
