import type { IncomingHttpHeaders } from 'node:http';

import type { CallbackStyle } from '../callbacks';
import type { Caller } from '../keys';
import type { RateLimiter } from '../limits';
import type { Task, TaskDraft, TaskStore } from '../tasks';
import type {
	ActiveOptions,
	ProviderName,
	SandboxKeys,
	SandboxOperation,
	SandboxOptions,
	SandboxRegion,
} from '../types';
import type { Answer } from '../wire';

/** A request to a provider's API. */
export interface Call {
	provider: ProviderName;
	method: string;
	/** Path after the provider's prefix, without the query. */
	path: string;
	query: URLSearchParams;
	headers: IncomingHttpHeaders;
	/** Parsed JSON; undefined if there is none. */
	body: unknown;
	region: SandboxRegion;
	/** What the route's path captured, URL-decoded. */
	params: string[];
	/** Whose key it carries; only public routes see it undefined. */
	caller?: Caller;
}

/** A create that passed every check of its own provider. */
export interface AcceptedTask extends Omit<
	TaskDraft,
	'provider' | 'region' | 'keyName' | 'taskId' | 'images'
> {
	/** Its photos, as URLs or base64: clips are made from them, then they are forgotten. */
	images?: string[];
}

/** What the sandbox offers to providers. */
export interface Context {
	readonly options: ActiveOptions;
	readonly store: TaskStore;
	/** For limits of single endpoints; the account's own is checked before a route is called. */
	readonly limiter: RateLimiter;
	/** URL of the sandbox, without a slash at the end. */
	readonly url: string;
	/**
	 * Checks balance and parallel tasks, in this order (docs/providers.md section 1.7), then makes and
	 * charges the task.
	 *
	 * @throws Refusal 1102 or 1303
	 */
	accept(call: Call, task: AcceptedTask): Task;
}

/** An endpoint. */
export interface Route {
	method: 'GET' | 'POST';
	/** Matched against the whole path after the prefix. */
	path: RegExp;
	operation: SandboxOperation;
	/** Whether it answers without a key; the others are authenticated first. */
	isPublic?: boolean;
	/** Whether it exists under the current options; always, if absent. */
	exists?(options: ActiveOptions): boolean;
	/** May throw a Refusal. */
	answer(call: Call, context: Context): Answer | Promise<Answer>;
}

/** A provider: its file, and one line in `providers/index.ts` (or `extraProviders`). */
export interface Provider {
	readonly name: ProviderName;
	readonly displayName: string;
	/** The path prefixes it answers under, with the keys of the account there. The first is its usual one. */
	readonly mounts: Array<{ prefix: string; region: SandboxRegion; keys: SandboxKeys }>;
	readonly routes: Route[];
	/** Who sent the request; throws a Refusal 1000 to 1004. */
	authenticate(call: Call, context: Context): Caller;
	/** Its envelope for a Kling code, with its HTTP status. */
	refuse(code: number, context: Context, message?: string): Answer;
	/** Its answer where there is no route. */
	unknownRoute(call: Call, context: Context): Answer;
	newTaskId(options: ActiveOptions): string;
	/** How it calls back; absent if it does not. */
	callbacks?(context: Context): CallbackStyle;
}

/** The options for starting a sandbox. */
export interface SandboxSettings extends SandboxOptions {
	/** Providers besides the five, each in the form of a file in `providers/`. */
	extraProviders?: Provider[];
}
