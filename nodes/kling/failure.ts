import { requestIdOf, retryAfterMs, type ApiRequest, type HttpResponse } from './http';
import { longestRead, shownText } from './shownText';

/** Why a request brought no result. What each kind means for a retry stands in {@link behaviours}. */
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

/** Everything that is decided by the kind of a failure alone. */
interface Behaviour {
	/**
	 * What it means for a create that met it.
	 * - `refused`: surely no task was made, and the same request would be refused again.
	 * - `later`: surely no task was made; the same request may be accepted at a slower pace, so it is sent
	 *   again, for `patienceMs`.
	 * - `whenFree`: surely no task was made; it is sent again until a task of the account has ended.
	 * - `exists`: a task with this external id exists already.
	 * - `unclear`: a task may have been made, and charged.
	 */
	create: 'refused' | 'later' | 'whenFree' | 'exists' | 'unclear';
	/**
	 * Milliseconds without one create accepted after which the run gives up. Gateways say 429 for "too
	 * fast" and for "no free slot" alike (docs/providers.md sections 2 to 5), and a slot frees after some 5
	 * minutes (section 1.8); an address that cannot be reached is most often a wrong one.
	 */
	patienceMs?: number;
	/** Whether every other create of the run would meet the same, so that none should be sent any more. */
	fatal: boolean;
	/**
	 * Whether a read may have another result a little later: then it is asked again. What does not
	 * pass needs a person to act, so the trigger tells it at once.
	 */
	passing: boolean;
	/**
	 * What it says about reads of other tasks: nothing, because it is about this `task`; nothing
	 * sure, because it befell this `request`; or that `all` would meet the same for now.
	 */
	concerns: 'task' | 'request' | 'all';
	/**
	 * What the provider means by it in answer to a call that cannot meet this kind: a create asks for no
	 * task, so what is not found is a model or the address; a read makes none that could exist twice.
	 */
	readAs?: { create?: FailureKind; read?: FailureKind };
}

const aboutTask: Behaviour = { create: 'refused', fatal: false, passing: false, concerns: 'task' };
const aboutAccount: Behaviour = { ...aboutTask, concerns: 'all' };
const fatal: Behaviour = { ...aboutAccount, fatal: true };
const tooEarly: Behaviour = { create: 'later', fatal: false, passing: true, concerns: 'all' };
const unclear: Behaviour = { create: 'unclear', fatal: false, passing: true, concerns: 'request' };

/** The one place for rules about failures; a new rule is a new column. */
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
	// Refuses a create, and names a task.
	contradictory: unclear,
	// Answers a read with a different task than the one requested.
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
	// Those that are found cost nothing, so the other items are still looked at.
	maxTasks: aboutTask,
};

/** The row of {@link behaviours} for a failure. */
export function behaviourOf({ kind }: Failure): Behaviour {
	return behaviours[kind];
}

/** One request's failure, as facts. Texts for people are made from it in `messages.ts`. */
export interface Failure {
	kind: FailureKind;
	/** The provider's own words, shortened; null when it said nothing readable. */
	providerMessage: string | null;
	/** The code in the body, as the provider spells it. */
	code: string | null;
	httpStatus: number | null;
	requestId: string | null;
	/** The pause that the provider asks for, unbounded. */
	retryAfterMs: number | null;
	/** The beginning of a body that could not be read, as fit to be shown as the provider's words. */
	excerpt: string | null;
	/** What looks like a task id in the answer to a create that is unclear. */
	possibleIds: string[];
	/** What the body was: a refusal in HTML comes from something in between, not from the API itself. */
	body: 'json' | 'html' | 'empty' | 'text' | 'tooLarge' | 'none';
}

/**
 * Sends a request, once. Without a response only an `unreachable` provider surely never got it (name
 * not found, connection refused): a POST that may have arrived may have been paid.
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

/** With escaped quotes too: a gateway can hold the next system's body as a text. */
const taskIdAfterKey = /\\?"task_?id\\?"\s*:\s*(?:\\?")?([\w.:-]{1,128})/gi;
const idAfterKey = /\\?"id\\?"\s*:\s*(?:\\?")?([\w.:-]{1,128})/gi;
/** Kling's ids and its gateways': 18 and 19 digits (docs/providers.md K17, G1). */
const longNumber = /(?<![\w.-])(\d{16,20})(?![\w.-])/g;

function possibleIdsIn(response: HttpResponse): string[] {
	return idsIn(response, [taskIdAfterKey, idAfterKey, longNumber]);
}

/** The ids that a response calls those of tasks, in the words of all providers, at any depth. */
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

/** A failure that comes without a response. */
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

/** What an HTTP status says where the body says nothing of use. */
export function kindOfStatus(status: number): FailureKind {
	// "See other" is the answer to a request that was carried out (RFC 9110, 15.4.4).
	if (status === 303) return 'unreadable';
	if (status >= 300 && status < 400) return 'redirected';
	if (status === 401) return 'keyRefused';
	if (status === 402) return 'accountEmpty';
	if (status === 403) return 'notAllowed';
	if (status === 404) return 'notFound';
	if (status === 429) return 'tooManyRequests';
	// 408: the provider gave up reading or processing, which can be after it took the task.
	if (status >= 500 || status === 408) return 'providerDown';
	if (status >= 400) return 'badRequest';
	return 'unreadable';
}
