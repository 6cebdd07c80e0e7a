import type { ApiRequest, JsonResponse } from '../http';
import type { Failure } from '../failure';
import type { ProviderName, TaskRecord } from '../task';

/**
 * How far an external task id can be trusted at a provider.
 * - `lookup`: a task can be found by it, and a second one with the same id is refused.
 * - `unverified`: the field is taken, but nothing documents a look-up; a task that is found is
 *   real, one that is not found proves nothing.
 * - `none`: the provider has no such field.
 */
export type ExternalIdSupport = 'lookup' | 'unverified' | 'none';

/** What proves who sends a request. */
export type Secret =
	{ kind: 'key'; key: string } | { kind: 'signed'; accessKey: string; secretKey: string };

/** A free request that shows whether a key works: only a good key is answered with a `data` key. */
export interface CredentialCheck {
	path: string;
	query?: Record<string, string | number>;
	/** Values at a dotted path of the answer's body that mean a refused key, and what to say then. */
	refusals: ReadonlyArray<{ key: string; value: unknown; message?: string }>;
}

/** One page of a list. */
export interface TaskPage {
	/** The rows that could be read. */
	records: TaskRecord[];
	/** How many rows it has, with those that could not be read. */
	rows: number;
}

/** The account's list of tasks. */
export interface TaskList {
	/** The largest page that can be asked for. */
	readonly largestPage: number;
	/** The last page that can be asked for; pages count from 1. */
	readonly lastPage: number;
	request(page: number, pageSize: number): ApiRequest;
	/** Null where the page is in no form that the provider documents, and where none of its rows can be read. */
	read(response: JsonResponse): TaskPage | null;
}

/** What a Create asks for besides its images. Absent options are not sent. */
export interface Order {
	/** The name that providers want. */
	effectScene: string;
	callbackUrl?: string;
	/** Seconds. */
	duration?: number;
	externalTaskId?: string;
	mode?: string;
	modelName?: string;
	/** What else the provider takes: it goes beside what the node sets, and never in its place. */
	additionalFields?: Record<string, unknown>;
}

/** The options of an order that only some providers take. */
export type OrderOption = Exclude<keyof Order, 'effectScene' | 'additionalFields'>;

/** A complete order, ready to send. */
export interface OrderWithImages extends Order {
	/**
	 * One image for a single effect, two (left, right) for a dual one. Each is an http(s) URL or bare
	 * base64, checked already.
	 */
	images: string[];
}

/**
 * Everything that the package knows about one provider. A new provider is one file that exports one
 * of these, and a line in `providers/index.ts`.
 */
export interface Provider {
	readonly name: ProviderName;
	readonly displayName: string;
	/**
	 * The provider's own base URL, without a trailing slash.
	 *
	 * @param settings `region` is `global` or `china`; only providers that are `regional` have more than one
	 */
	defaultBaseUrl(settings: { region?: string }): string;
	/** Where its keys are made, for people: a page of its console, and the console's address. */
	readonly keysPage: { name: string; url: string };
	/** What stands before every path, unless the base URL ends in a version itself (`/v1`). */
	readonly versionPath?: string;
	/** Whether it is Kling itself, which has the scenes of its own lists and no others. */
	readonly isKling?: boolean;
	/** Whether there is a console of its own, with its own keys and address, in China. */
	readonly regional?: boolean;
	/** Whether there are signatures: of requests, with an access key and a secret key, and of callbacks. */
	readonly signs?: boolean;
	/**
	 * The headers that carry or prove the secret.
	 *
	 * @param now milliseconds since 1970, by the provider's clock where it is known
	 */
	authorize(secret: Secret, now: number): Record<string, string>;
	readonly externalId: ExternalIdSupport;
	/** The options of a create that the provider documents. */
	readonly takes: readonly OrderOption[];
	/** How long a finished video can be fetched, in words; null where the provider does not say. */
	readonly retention: string | null;
	/** The keys that can hold the id in the provider's own task object, which items show when Simplify is off. */
	readonly idKeys: readonly string[];
	readonly check: CredentialCheck;
	/** Whether the provider says that it charges nothing for tasks that fail. */
	readonly failuresAreFree?: boolean;
	/** What to do about a code of this provider, where that is more than the kind of failure says. */
	readonly advice?: ReadonlyMap<string, string>;

	/**
	 * The requests that create this task, in the order to try them: each further one only after a
	 * 404, which certainly created nothing.
	 */
	createRequests(order: OrderWithImages): ApiRequest[];
	getRequest(taskId: string): ApiRequest;
	/** Absent where a provider has no external task id. */
	findByExternalIdRequest?(externalTaskId: string): ApiRequest;
	/** Absent where a provider has no list. */
	readonly list?: TaskList;

	/** Whether a refusal came from a signature whose time was off, so that a new one can mend it. */
	isStaleSignature?(failure: Failure): boolean;
	/** The refusal that a response stands for, or null when it should hold a result. */
	readFailure(response: JsonResponse): Failure | null;
	/**
	 * The task of a read, or of a create; null where it is in no form that the provider documents. Of a
	 * create the id alone suffices, which the caller reads itself.
	 */
	readTask(response: JsonResponse): TaskRecord | null;
}
