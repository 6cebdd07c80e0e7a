import type { ApiRequest, JsonResponse } from '../http';
import type { Failure } from '../failure';
import type { ProviderName, TaskRecord } from '../task';

/**
 * How far a provider's external task ids can be trusted.
 * - `lookup`: a task can be found by it, and a second one with the same id is refused.
 * - `unverified`: the field is accepted, but no look-up is documented; finding a task proves something,
 *   not finding it proves nothing.
 * - `none`: the provider has no such field.
 */
export type ExternalIdSupport = 'lookup' | 'unverified' | 'none';

/** What proves who sends a request. */
export type Secret =
	{ kind: 'key'; key: string } | { kind: 'signed'; accessKey: string; secretKey: string };

/** A free request that shows whether a key works: only a good key gets a response with a `data` key. */
export interface CredentialCheck {
	path: string;
	query?: Record<string, string | number>;
	/** Values at a dotted path in the response body that mean a refused key, and what to say then. */
	refusals: ReadonlyArray<{ key: string; value: unknown; message?: string }>;
}

/** One page of a list. */
export interface TaskPage {
	/** The rows that could be read. */
	records: TaskRecord[];
	/** How many rows it has, including those that could not be read. */
	rows: number;
}

/** The account's list of tasks. */
export interface TaskList {
	/** The largest page size. */
	readonly largestPage: number;
	/** The last page that can be requested; pages count from 1. */
	readonly lastPage: number;
	request(page: number, pageSize: number): ApiRequest;
	/** Null if the page is in no documented form, or none of its rows can be read. */
	read(response: JsonResponse): TaskPage | null;
}

/** What a Create asks for besides its images. Absent options are not sent. */
export interface Order {
	/** The name that providers expect. */
	effectScene: string;
	callbackUrl?: string;
	/** Seconds. */
	duration?: number;
	externalTaskId?: string;
	mode?: string;
	modelName?: string;
	/** Anything else for the provider: added to what the node sets, never replacing it. */
	additionalFields?: Record<string, unknown>;
}

/** The options of an order that only some providers support. */
export type OrderOption = Exclude<keyof Order, 'effectScene' | 'additionalFields'>;

/** A complete order, ready to send. */
export interface OrderWithImages extends Order {
	/**
	 * One image for a single effect, two (left, right) for a dual one. Each is an http(s) URL or bare
	 * base64, already checked.
	 */
	images: string[];
}

/**
 * Everything that the package knows about one provider. A new provider is one file that exports this, and
 * a line in `providers/index.ts`.
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
	/** Where people create its keys: a page of its console, and the console's address. */
	readonly keysPage: { name: string; url: string };
	/** The prefix of every path, unless the base URL already ends in a version (`/v1`). */
	readonly versionPath?: string;
	/** Whether it is Kling itself, which only has the scenes of its own lists. */
	readonly isKling?: boolean;
	/** Whether it has a separate console for China, with its own keys and address. */
	readonly regional?: boolean;
	/** Whether it uses signatures: for requests, with an access key and a secret key, and for callbacks. */
	readonly signs?: boolean;
	/**
	 * The headers that carry or prove the secret.
	 *
	 * @param now milliseconds since 1970, by the provider's clock if known
	 */
	authorize(secret: Secret, now: number): Record<string, string>;
	readonly externalId: ExternalIdSupport;
	/** The options of a create that the provider documents. */
	readonly takes: readonly OrderOption[];
	/** How long a finished video can be fetched, in words; null if the provider does not say. */
	readonly retention: string | null;
	/** The keys that may hold the id in the provider's own task object, as in items with Simplify off. */
	readonly idKeys: readonly string[];
	readonly check: CredentialCheck;
	/** Whether the provider says that it charges nothing for tasks that fail. */
	readonly failuresAreFree?: boolean;
	/** What to do about a code of this provider, if there is more to say than for its kind of failure. */
	readonly advice?: ReadonlyMap<string, string>;

	/**
	 * The requests that create this task, in the order to try them: the next one only after a 404, which
	 * certainly created nothing.
	 */
	createRequests(order: OrderWithImages): ApiRequest[];
	getRequest(taskId: string): ApiRequest;
	/** Absent if the provider has no external task ids. */
	findByExternalIdRequest?(externalTaskId: string): ApiRequest;
	/** Absent if the provider has no list. */
	readonly list?: TaskList;

	/** Whether the refusal is due to a signature whose time was off, so that a new one can fix it. */
	isStaleSignature?(failure: Failure): boolean;
	/** The refusal in a response, or null if it should contain a result. */
	readFailure(response: JsonResponse): Failure | null;
	/**
	 * The task in the response to a read or a create; null if it is in no documented form. For a create,
	 * the id is enough, and the caller reads that itself.
	 */
	readTask(response: JsonResponse): TaskRecord | null;
}
