import type {
	IDataObject,
	IExecuteFunctions,
	IHttpRequestOptions,
	ILoadOptionsFunctions,
	IN8nHttpFullResponse,
	IPollFunctions,
	IWebhookFunctions,
} from 'n8n-workflow';
import type { Account } from '../kling/account';
import {
	parseJson,
	type ApiRequest,
	type NoResponse,
	type HttpResult,
	type Send,
} from '../kling/http';

/** The parts of n8n from which requests are made. */
export type RequestContext =
	| IExecuteFunctions
	| ILoadOptionsFunctions
	| IPollFunctions
	| IWebhookFunctions;

/** A shorter text is no key, and can be part of an id or an address. */
const shortestSecret = 8;

export const credentialName = 'klingEffectsApi';

/** Carries the provider's clock to the credential, which signs with it and takes it out again. */
export const providerTimeHeader = 'x-kling-effects-provider-time';

/**
 * Sends requests with n8n's helper, once each. Any HTTP status is an answer, because n8n 1.123 gives
 * no headers of the answers that it throws, and because it would send a request again after a 401.
 * No redirect is followed: n8n hands the Authorization header on to other origins.
 */
export function transportOf(context: RequestContext, account: Account): Send {
	return async (request) => {
		const options = optionsOf(request, account);
		return await context.helpers.httpRequestWithAuthentication
			.call(context, credentialName, options)
			.then((response: IN8nHttpFullResponse) => responseOf(response, account))
			.catch((thrown: unknown) => noResponseOf(thrown, cancelSignalOf(context)));
	};
}

function optionsOf(request: ApiRequest, account: Account): IHttpRequestOptions {
	const headers: IDataObject =
		request.providerTime === undefined ? {} : { [providerTimeHeader]: request.providerTime };
	return {
		method: request.method,
		url: `${account.baseUrl}${request.path}`,
		headers,
		...(request.query ? { qs: request.query } : {}),
		...(request.body ? { body: request.body as IDataObject } : {}),
		json: true,
		// As text: n8n's own parsing would lose the last digits of long ids.
		encoding: 'text',
		timeout: request.timeoutMs,
		returnFullResponse: true,
		ignoreHttpStatusErrors: true,
		disableFollowRedirect: true,
	};
}

function responseOf(response: IN8nHttpFullResponse, account: Account): HttpResult {
	const body = typeof response.body === 'string' ? response.body : textOf(response.body);
	const text = withoutSecrets(body, account);
	return {
		kind: 'response',
		status: response.statusCode,
		headers: Object.fromEntries(
			Object.entries(response.headers ?? {}).map(([name, value]) => [
				name.toLowerCase(),
				String(value),
			]),
		),
		text,
		at: Date.now(),
		json: parseJson(text),
	};
}

/** A provider may repeat a key in what it says, and what it says is shown. */
function withoutSecrets(text: string, { secret }: Account): string {
	const secrets = secret.kind === 'key' ? [secret.key] : [secret.secretKey, secret.accessKey];
	return secrets
		.filter(({ length }) => length >= shortestSecret)
		.reduce((rest, one) => rest.replaceAll(one, '…'), text);
}

function textOf(body: unknown): string {
	return body === undefined || body === null ? '' : JSON.stringify(body);
}

/**
 * Codes of Node.js and axios that mean that no byte of the request reached the provider. A route can
 * also be lost while the answer is awaited, so there the code alone says nothing.
 */
const neverArrived =
	/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|connect E(HOST|NET)UNREACH|ERR_INVALID_URL|CERT|SELF_SIGNED|UNABLE_TO_/;

function noResponseOf(thrown: unknown, signal: AbortSignal | undefined): NoResponse {
	const codes = codesOf(thrown).join(' ');
	if (signal?.aborted || codes.includes('ERR_CANCELED')) {
		return { kind: 'noResponse', mayHaveArrived: true, reason: 'cancelled' };
	}
	if (neverArrived.test(codes)) {
		return { kind: 'noResponse', mayHaveArrived: false, reason: 'unreachable' };
	}
	const reason = /ECONNABORTED|ETIMEDOUT/.test(codes) ? 'timedOut' : 'connectionLost';
	return { kind: 'noResponse', mayHaveArrived: true, reason };
}

/** n8n hides the network's code at several depths, different in 1.123 and 2.40. */
function codesOf(thrown: unknown, depth = 0): string[] {
	if (typeof thrown !== 'object' || thrown === null || depth > 4) return [];
	const { code, httpCode, syscall, messages, cause, errorResponse } = thrown as Record<
		string,
		unknown
	>;
	const own = [code, httpCode].filter((value) => typeof value === 'string');
	const words = [syscall, code, messages].join(' ');
	const connecting = words.match(/connect E(?:HOST|NET)UNREACH/g) ?? [];
	return [
		...own,
		...connecting,
		...codesOf(cause, depth + 1),
		...codesOf(errorResponse, depth + 1),
	];
}

/** The signal that aborts when the execution is stopped; there is none outside of executions. */
export function cancelSignalOf(context: RequestContext): AbortSignal | undefined {
	return 'getExecutionCancelSignal' in context ? context.getExecutionCancelSignal() : undefined;
}
