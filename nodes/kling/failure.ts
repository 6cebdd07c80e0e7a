import { requestIdOf, retryAfterMs, type ApiRequest, type HttpResponse } from './http';
import { longestRead, shownText } from './http';

/** Why a request brought no result. {@link behaviours} says what each kind means for a retry. */
export type FailureKind =
	| 'keyRefused'
	| 'accountEmpty'
	| 'accountBlocked'
	| 'notAllowed'
	| 'badRequest'
	| 'contentRefused'
	| 'notFound'
	| 'notOffered'
	| 'duplicateExternalId'
	| 'tooManyRequests'
	| 'noFreeSlot'
	| 'providerDown'
	| 'redirected'
	| 'unreadable'
	| 'contradictory'
	| 'otherTask'
	| 'otherExecution'
	| 'noResponse'
	| 'unreachable'
	| 'untrusted'
	| 'proxyRefused'
	| 'proxyWithoutConnection'
	| 'cancelled'
	| 'imageGone'
	| 'maxTasks';

/** Everything that the kind of a failure decides. */
interface Behaviour {
	/**
	 * What it means for the create that got it.
	 * - `refused`: definitely no task was created, and the same request would be refused again.
	 * - `later`: definitely no task was created; the same request may be accepted at a slower pace, so it
	 *   is sent again, for `patienceMs`.
	 * - `whenFree`: definitely no task was created; it is sent again until a task of the account has ended.
	 * - `exists`: a task with this external id already exists.
	 * - `unclear`: a task may have been created, and charged.
	 */
	create: 'refused' | 'later' | 'whenFree' | 'exists' | 'unclear';
	/**
	 * How long a run goes on without a single accepted create, in milliseconds. Gateways use 429 both for
	 * "too fast" and for "no free slot" (docs/providers.md sections 2 to 5), and a slot becomes free
	 * after about 5 minutes (section 1.8); an address that cannot be reached is usually wrong.
	 */
	patienceMs?: number;
	/** Whether every other create of the run would fail the same way, so that no more should be sent. */
	fatal: boolean;
	/**
	 * Whether a read may succeed a little later: then it is repeated. Anything else needs a person to
	 * act, so the trigger reports it at once.
	 */
	passing: boolean;
	/**
	 * What it says about reads of other tasks: nothing, because it is about this `task`; nothing certain,
	 * because it is about this `request`; or that `all` would fail the same way for now.
	 */
	concerns: 'task' | 'request' | 'all';
	/**
	 * What the provider means if a call cannot have this kind of failure: a create requests no task, so
	 * what was not found is a model or the address; a read creates none that could already exist.
	 */
	readAs?: { create?: FailureKind; read?: FailureKind };
}

const aboutTask: Behaviour = { create: 'refused', fatal: false, passing: false, concerns: 'task' };
const aboutAccount: Behaviour = { ...aboutTask, concerns: 'all' };
const fatal: Behaviour = { ...aboutAccount, fatal: true };
const tooEarly: Behaviour = { create: 'later', fatal: false, passing: true, concerns: 'all' };
const unclear: Behaviour = { create: 'unclear', fatal: false, passing: true, concerns: 'request' };

/** The only place for rules about failures; a new rule is a new column. */
export const behaviours: Record<FailureKind, Behaviour> = {
	keyRefused: fatal,
	accountEmpty: fatal,
	accountBlocked: fatal,
	notAllowed: aboutAccount,
	badRequest: aboutTask,
	contentRefused: aboutTask,
	notFound: { ...aboutTask, readAs: { create: 'notOffered' } },
	notOffered: aboutAccount,
	duplicateExternalId: { ...aboutTask, create: 'exists', readAs: { read: 'badRequest' } },
	tooManyRequests: { ...tooEarly, patienceMs: 600_000 },
	noFreeSlot: { ...tooEarly, create: 'whenFree', concerns: 'request' },
	providerDown: unclear,
	redirected: aboutAccount,
	unreadable: unclear,
	// A create was refused, but the response names a task.
	contradictory: unclear,
	// A read returned a different task than the one requested.
	otherTask: unclear,
	// The id that the node makes belongs to a task of an earlier execution.
	otherExecution: aboutTask,
	noResponse: unclear,
	unreachable: { ...tooEarly, patienceMs: 10_000 },
	untrusted: fatal,
	proxyRefused: fatal,
	proxyWithoutConnection: { ...tooEarly, patienceMs: 3_000 },
	cancelled: { create: 'unclear', fatal: true, passing: false, concerns: 'all' },
	imageGone: aboutTask,
	// Items whose tasks are found cost nothing, so the other items are still looked up.
	maxTasks: aboutTask,
};

/** The row of {@link behaviours} for a failure. */
export function behaviourOf({ kind }: Failure): Behaviour {
	return behaviours[kind];
}

/** One request's failure, as facts. Texts for people are made from it in `messages.ts`. */
export interface Failure {
	kind: FailureKind;
	/** The provider's own words, shortened; null if it said nothing readable. */
	providerMessage: string | null;
	/** The code in the body, as the provider spells it. */
	code: string | null;
	httpStatus: number | null;
	requestId: string | null;
	/** The pause requested by the provider, unbounded. */
	retryAfterMs: number | null;
	/** The start of a body that could not be read, cleaned up like the provider's words. */
	excerpt: string | null;
	/** What looks like task ids in an unclear response to a create. */
	possibleIds: string[];
	/** The kind of body: a refusal in HTML comes from something in between, not from the API itself. */
	body: 'json' | 'html' | 'empty' | 'text' | 'tooLarge' | 'none';
}

/**
 * Sends a request, once. Without a response, only an `unreachable` provider certainly never got it (name
 * not found, connection refused): a POST that may have arrived may have been paid for.
 */
export type Send = (request: ApiRequest) => Promise<HttpResponse | Failure>;

/** A value, or why there is none. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export function success<T>(value: T): Outcome<T> {
	return { ok: true, value };
}

export function failed(failure: Failure): { ok: false; failure: Failure } {
	return { ok: false, failure };
}

/** The failure that an HTTP response means. */
export function failureOf(
	response: HttpResponse,
	kind: FailureKind,
	said: { message?: unknown; code?: unknown } = {},
): Failure {
	return {
		kind,
		providerMessage: shownText(said.message),
		code: codeOf(said.code),
		excerpt: kind === 'unreadable' ? shownText(response.text) : null,
		possibleIds: behaviours[kind].create === 'unclear' ? possibleIdsIn(response) : [],
		httpStatus: response.status,
		requestId: requestIdOf(response),
		retryAfterMs: retryAfterMs(response),
		body: bodyOf(response),
	};
}

function codeOf(code: unknown): string | null {
	return shownText(typeof code === 'number' ? String(code) : code)?.slice(0, 60) ?? null;
}

/** With escaped quotes too: a gateway can quote the next system's body as text. */
const taskIdAfterKey = /\\?"task_?id\\?"\s*:\s*(?:\\?")?([\w.:-]{1,128})/gi;
const idAfterKey = /\\?"id\\?"\s*:\s*(?:\\?")?([\w.:-]{1,128})/gi;
/** Kling's ids and its gateways': 18 and 19 digits (docs/providers.md K17, G1). */
const longNumber = /(?<![\w.-])(\d{16,20})(?![\w.-])/g;

function possibleIdsIn(response: HttpResponse): string[] {
	return idsIn(response, [taskIdAfterKey, idAfterKey, longNumber]);
}

/** What a response calls task ids, by all providers' names, at any depth. */
export function taskIdsIn(response: HttpResponse): string[] {
	return idsIn(response, [taskIdAfterKey]);
}

function idsIn({ text }: HttpResponse, patterns: RegExp[]): string[] {
	const seen = text.slice(0, longestRead);
	const ids = patterns.flatMap((pattern) => [...seen.matchAll(pattern)].map(([, id]) => id));
	return [...new Set(ids)]
		.filter((id) => !/^(null|none|undefined|true|false|0)$/i.test(id))
		.slice(0, 3);
}

function bodyOf(response: HttpResponse): Failure['body'] {
	if (response.json !== undefined) return 'json';
	if (response.tooLarge) return 'tooLarge';
	if (response.text.trim() === '') return 'empty';
	return /^\s*<(!doctype|html|head|body|\?xml)/i.test(response.text) ? 'html' : 'text';
}

/** A failure without a response. */
export function failureWithoutResponse(
	kind: FailureKind,
	providerMessage: string | null = null,
): Failure {
	return {
		kind,
		providerMessage,
		code: null,
		httpStatus: null,
		requestId: null,
		retryAfterMs: null,
		excerpt: null,
		possibleIds: [],
		body: 'none',
	};
}

/** What an HTTP status means if the body says nothing useful. */
export function kindOfStatus(status: number): FailureKind {
	// "See other" is the response to a request that was carried out (RFC 9110, 15.4.4).
	if (status === 303) return 'unreadable';
	if (status >= 300 && status < 400) return 'redirected';
	if (status === 401) return 'keyRefused';
	if (status === 402) return 'accountEmpty';
	if (status === 403) return 'notAllowed';
	if (status === 404) return 'notFound';
	if (status === 429) return 'tooManyRequests';
	// 408: the provider gave up reading or processing, maybe after it had accepted the task.
	if (status >= 500 || status === 408) return 'providerDown';
	if (status >= 400) return 'badRequest';
	return 'unreadable';
}
