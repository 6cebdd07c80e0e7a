import { asObject, type JsonResponse } from '../http';
import { failureOf, kindOfStatus, type Failure, type FailureKind } from '../failure';
import { parseJson } from '../http';
import { failureOfKling, klingOptions, klingRequests } from './kling';
import type { CredentialCheck, Provider } from './provider';
import { bearer, kindOfText, saysSuccess, type RefusalTexts } from './toolkit';

/**
 * How gateways of the new-api family refuse (docs/providers.md sections 2 and 3): as
 * `{"error": {message, type, code}}`, as `{code: "word", message, data: null}`, or in Kling's own
 * envelope, which they pass on.
 */

/** Words in `code` or `type` that say more than the HTTP status. */
const codes: ReadonlyArray<{ code: RegExp; below?: number; kind: FailureKind }> = [
	// Definite refusals: nothing was passed on (docs/providers.md G5, G9 and N10).
	{ code: /model_not_found|convert_request_failed/i, kind: 'notOffered' },
	// A 500 whose code is invalid_request is the caller's mistake (docs/providers.md G6).
	{ code: /^invalid_request\b(?!_error)/i, kind: 'badRequest' },
	{ code: /quota|insufficient|balance_not/i, kind: 'accountEmpty' }, // docs/providers.md N9
	{ code: /not_(exist|found)/i, below: 500, kind: 'notFound' }, // docs/providers.md N6
];

/** Texts, for when the code says nothing. */
const texts: RefusalTexts = [
	[/^no available channel\b/i, 'notOffered'], // docs/providers.md G5 and N10
	[/^invalid url \(/i, 'notOffered'], // docs/providers.md N11
	[/^model \S+ has not been priced\b/i, 'notOffered'], // docs/providers.md G8
];

/**
 * The refusal of such a gateway. Its message can itself be the body of a refusal passed on from the next
 * system (docs/providers.md N8): then that one counts.
 */
function readFailure(response: JsonResponse): Failure | null {
	const own = ownFailure(response);
	const inner = own && innerBody(response.json);
	if (!own || !inner) return own;
	const status = response.status < 300 ? 400 : response.status;
	const error = asObject(inner.error);
	// The gateway mistook the next system's success for a refusal: there may be a task.
	if (!error && saysSuccess(inner.code)) return failureOf(response, 'unreadable');
	return ownFailure({ ...response, status, json: inner }) ?? own;
}

function innerBody({ error, message, msg }: Record<string, unknown>) {
	const text = asObject(error)?.message ?? message ?? msg;
	return typeof text === 'string' ? asObject(parseJson(text)) : null;
}

function ownFailure(response: JsonResponse): Failure | null {
	const { json: body } = response;
	const error = response.status < 300 ? null : asObject(body.error);
	if (error) {
		const { code, type, message } = error;
		return failureOf(response, kindOf(response.status, [code, type], message), {
			message,
			code: code || type,
		});
	}
	const { code, message } = body;
	if (typeof code !== 'string' || /^\d+$/.test(code)) return failureOfKling(response);
	if (response.status < 300 && saysSuccess(code)) return null;
	return failureOf(response, kindOf(response.status, [code], message), { code, message });
}

function kindOf(status: number, words: unknown[], message: unknown): FailureKind {
	const said = words.filter((word) => typeof word === 'string');
	const row = codes.find(
		({ code, below = Infinity }) => status < below && said.some((word) => code.test(word)),
	);
	// A refusal in the body of a 2xx is still a refusal.
	const byStatus = status < 300 ? 'badRequest' : kindOfStatus(status);
	return row?.kind ?? kindOfText(texts, message) ?? byStatus;
}

/** What both gateways have in common. */
export const gateway = {
	authorize: bearer,
	externalId: 'unverified',
	takes: klingOptions,
	...klingRequests('/kling/v1/videos/effects'),
	readFailure,
} satisfies Partial<Provider>;

/** The gateways' check: the list of models, refused with an error of this type. */
export function modelsCheck(errorType: string): CredentialCheck {
	return { path: '/v1/models', refusals: [{ key: 'error.type', value: errorType }] };
}
