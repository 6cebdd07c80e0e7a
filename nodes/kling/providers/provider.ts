import type { ApiRequest, HttpResponse } from '../http';
import type { Failure, Outcome } from '../failure';
import type { OrderWithImages, OrderOption } from '../create/order';
import type { ProviderName, TaskRecord } from '../task';

/**
 * How far an external task id can be trusted at a provider.
 * - `lookup`: a task can be found by it, and a second one with the same id is refused.
 * - `unverified`: the field is taken, but nothing documents a look-up; a task that is found is
 *   real, one that is not found proves nothing.
 * - `none`: the provider has no such field.
 */
export type ExternalIdSupport = 'lookup' | 'unverified' | 'none';

/** The parts of a credential that decide where requests go. */
export interface ProviderSettings {
	/** The base URL as the user gave it; empty for the provider's own. */
	baseUrl?: string;
	/** Kling's console; other providers have one. */
	region?: string;
}

/** A request that shows whether a key works: free, and answered with a `data` key only for a good key. */
export interface CheckRequest {
	path: string;
	query?: Record<string, string | number>;
}

/**
 * Everything that the package knows about one provider. A new provider is one file that exports one
 * of these, and a line in `providers/index.ts`.
 */
export interface Provider {
	readonly name: ProviderName;
	readonly displayName: string;
	/** The provider's own base URL for these settings, without a trailing slash. */
	defaultBaseUrl(settings: ProviderSettings): string;
	/** Whether there are signatures: of requests, with an access key and a secret key, and of callbacks. */
	readonly signs?: boolean;
	readonly externalId: ExternalIdSupport;
	/** The options of a create that the provider documents. */
	readonly takes: readonly OrderOption[];
	/** How long a finished video can be fetched, in words; null where the provider does not say. */
	readonly retention: string | null;
	readonly check: CheckRequest;
	/** What to do about a code of this provider, where that is more than the kind of failure says. */
	readonly advice?: Readonly<Record<string, string>>;

	/**
	 * The requests that create this task, in the order to try them: each further one only after a
	 * 404, which certainly created nothing.
	 */
	createRequests(order: OrderWithImages): ApiRequest[];
	getRequest(taskId: string): ApiRequest;
	/** Absent where a provider has no external task id. */
	findByExternalIdRequest?(externalTaskId: string): ApiRequest;
	/** Absent where a provider has no list. Pages count from 1. */
	listRequest?(page: number, pageSize: number): ApiRequest;

	/** Whether a refusal came from a signature whose time was off, so that a new one can mend it. */
	isStaleSignature?(failure: Failure): boolean;
	/** The refusal that an answer stands for, or null when the answer should hold a result. */
	readFailure(response: HttpResponse): Failure | null;
	/** The created task. `effectScene` and `externalTaskId` are filled in by the caller. */
	readCreated(response: HttpResponse): Outcome<TaskRecord>;
	readTask(response: HttpResponse): Outcome<TaskRecord>;
	readList?(response: HttpResponse): Outcome<TaskRecord[]>;
}

/** The largest page that a list can be asked for (Kling's effects page: pageSize 1 to 500). */
export const largestPage = 500;
/** The last page that can be asked for (Kling's effects page: pageNum 1 to 1000). */
export const lastPage = 1000;

/** Milliseconds: a create can carry 20 MB of pictures, a read carries nothing. */
export const createTimeoutMs = 120_000;
export const readTimeoutMs = 30_000;
