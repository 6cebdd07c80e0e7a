import type { IncomingHttpHeaders } from 'node:http';

/** The five providers, by the words the credential's `provider` property uses. */
export type SandboxProvider = 'kling' | 'cometApi' | 'kkiai' | 'modellix' | 'apiModels';

/** A provider of a sandbox: one of the five, or one that its settings bring. */
export type ProviderName = SandboxProvider | (string & {});

/** Kling's two consoles; the gateways only have `global`. */
export type SandboxRegion = 'global' | 'china';

/** Status words as Kling spells them (Kling's effects page). Gateways translate them on the way out. */
export type SandboxStatus = 'submitted' | 'processing' | 'succeed' | 'failed';

/** What a request is for. `check` proves a key, `account` tells a balance; both are free. */
export type SandboxOperation = 'create' | 'get' | 'list' | 'check' | 'account' | 'download';

/** Behaviour of a sandbox. All of it may be changed while the sandbox runs. */
export interface SandboxOptions {
	/** TCP port on 127.0.0.1; 0 takes a free one. Cannot be changed later. */
	port?: number;
	/** Seconds from acceptance to the end of a task; half of them in `submitted`. */
	taskSeconds?: number;
	/** Milliseconds added to every answer of a provider's API. */
	latencyMs?: number;
	/**
	 * What videos show: a small clip that is `ready`, or one `made` of the task's photos, which takes a
	 * second or two of a thread of its own. Photos of the internet are not fetched.
	 */
	clips?: 'ready' | 'made';
	/** Requests per second and account; more are answered with 1302 or the gateway's own 429. */
	requestsPerSecond?: number;
	/** Unfinished tasks per account; more are refused with 1303 or the gateway's own 429. */
	parallelTasks?: number;
	/** Which of the answer shapes of its family KKIAI shows (docs/providers.md section 3). */
	kkiaiShape?: 'kling' | 'wrapper' | 'short' | 'openai';
	/** Whether Kling's videos have a `watermark_url`; lately only those that were asked for one (K16). */
	watermarkUrls?: boolean;
	/** Whether KKIAI's get finds external task ids (claimed for text2video only). */
	kkiaiExternalIdLookup?: boolean;
	/** Whether CometAPI's get finds external task ids (unverified). */
	cometExternalIdLookup?: boolean;
	/** Which of Modellix's three create paths exists (docs/providers.md section 4). */
	modellixPath?: 'newest' | 'middle' | 'oldest';
	/** Order of Kling's list, which Kling does not document. `random` is stable between pages. */
	listOrder?: 'newestFirst' | 'oldestFirst' | 'random';
	/** Largest `pageSize` of Kling's list. */
	largestPage?: number;
	/** What becomes of a larger one: refused, as documented, or silently reduced to the largest. */
	largerPages?: 'refused' | 'cut';
	/** Last `pageNum` of Kling's list. */
	lastPage?: number;
	/** What `data` is in a list of nothing: siblings of effects have an array, or nothing at all (K10). */
	emptyList?: 'array' | 'null' | 'absent';
	/** Whether Kling's list always shows its first page, ignoring `pageNum`. */
	listIgnoresPageNum?: boolean;
	/** Milliseconds until a new task shows up in Kling's list. */
	listDelayMs?: number;
	/**
	 * Milliseconds that get and list lie behind: a callback may tell of an end that they do not show
	 * yet.
	 */
	stateLagMs?: number;
	/** What the Date header adds to the sandbox's clock, in ms; answers take turns, as servers behind one address do. */
	dateSkewsMs?: number[];
	/** Whether ids of 16 and more digits are sent as JSON numbers. */
	numericIds?: boolean;
	/** Whether gateways show Kling's own id of a task, which they do not find, in what they get (G1, G3). */
	gatewaysShowKlingsId?: boolean;
	/** Milliseconds after acceptance during which a look-up by external task id finds nothing. */
	duplicateLookupDelayMs?: number;
	/** Scenes whose tasks end failed; for images that are sent as base64. */
	failScenes?: string[];
	/** Whether callbacks are sent: as documented, never, or each one twice. */
	callbacks?: 'on' | 'off' | 'twice';
	/** Signs Kling's callbacks (Standard Webhooks); `whsec_` and base64, as Kling's console gives it. */
	webhookSecret?: string;
	/** Milliseconds before each repeated callback of a provider that repeats; overrides its own. */
	callbackRetryMs?: number[];
	/** Milliseconds after which a callback is sent again although it was accepted. */
	callbackRepeatsMs?: number[];
	/** The sandbox's clock in ms: task progress, JWT checks, rates and the Date header follow it. */
	now?: () => number;
}

/** Options with their defaults filled in. */
export type ActiveOptions = Omit<
	Required<SandboxOptions>,
	'requestsPerSecond' | 'parallelTasks' | 'webhookSecret' | 'callbackRetryMs'
> &
	Pick<SandboxOptions, 'requestsPerSecond' | 'parallelTasks' | 'webhookSecret' | 'callbackRetryMs'>;

/** A task as the sandbox keeps it. `status` and `updatedAt` are computed from the clock. */
export interface SandboxTask {
	readonly provider: ProviderName;
	readonly region: SandboxRegion;
	readonly taskId: string;
	readonly externalTaskId: string | null;
	readonly effectScene: string;
	/** What it is made of, as in {@link Charge}; none for a seeded task. */
	readonly images: string[];
	/** Name of the key the task was created with. */
	readonly keyName: string;
	/** When the task was accepted, in ms. */
	readonly createdAt: number;
	/** When it goes from submitted to processing, in ms. */
	readonly processingAt: number;
	/** When it ends, in ms; Infinity for a task that waits for `finish`. */
	readonly finishedAt: number;
	/** How it ends (or ended). */
	readonly outcome: 'succeed' | 'failed';
	/** Reason of a failure; empty otherwise. */
	readonly message: string;
	/** Videos it results in. */
	readonly videoCount: number;
	/** Length of each video in seconds, as asked for. */
	readonly videoSeconds: number;
	/** Size of each video file; 0 for the small clip. */
	readonly megabytes: number;
	readonly callbackUrl: string | null;
	/** The create body without its images; null for a seeded task. */
	readonly params: unknown;
	readonly status: SandboxStatus;
	/** Time of the last change of status, in ms. */
	readonly updatedAt: number;
}

/** An accepted create, in other words: money that will be spent, once the task completes (K33). */
export interface Charge {
	provider: ProviderName;
	taskId: string;
	externalTaskId: string | null;
	effectScene: string;
	/** What the task is made of: addresses as they are, files as the SHA-256 of their base64 text. */
	images: string[];
	at: number;
	keyName: string;
}

/** A request as it arrived. Control requests are not recorded. */
export interface RequestRecord {
	/** Null for the sample images. */
	provider: ProviderName | null;
	operation: SandboxOperation | null;
	method: string;
	/** Path with the provider's prefix and the query. */
	path: string;
	/** Header names in lower case. */
	headers: IncomingHttpHeaders;
	/** Parsed JSON, or the text; texts above 100,000 characters are shortened. */
	body: unknown;
	/** HTTP status of the answer; 0 as long as none was sent, or if it never was. */
	status: number;
	at: number;
}

/** A callback as it was sent. */
export interface CallbackRecord {
	provider: ProviderName;
	taskId: string;
	url: string;
	/** HTTP status of the receiver; 0 if it could not be reached. */
	status: number;
	at: number;
	headers: Record<string, string>;
	body: unknown;
}

/** What a fault does to the request it hits. */
export type FaultKind =
	/** The connection is cut before anything is processed: no task, no charge. */
	| 'resetBefore'
	/** Processed in full, then the connection is cut: a lost answer. */
	| 'resetAfter'
	/** Never answered. With `accept` it is processed, `delayMs` after it arrived. */
	| 'hang'
	/** Processed at once, answered `delayMs` later. */
	| 'delay'
	/** `status`, `headers` and `body` are the answer. */
	| 'status'
	/** The provider's own envelope for Kling's `code`, or the gateway's equivalent. */
	| 'code'
	/** A web page. */
	| 'html'
	/** No body at all. */
	| 'empty'
	/** A body that breaks off in the middle of its JSON. */
	| 'malformedJson'
	/** Valid JSON that is none of the provider's envelopes. */
	| 'unknownShape'
	/** Content-Length says more than is sent before the connection is cut. */
	| 'truncated'
	/** `status` (302 by default) to `location`. */
	| 'redirect'
	/** Downloads: the XML with which storage answers an expired link, 403 unless `status` is given. */
	| 'expired'
	/** Downloads: `delayMs` before each chunk of 1 kB. */
	| 'slow';

/** Something that goes wrong. Faults are tried in the order they were added; one fires per request. */
export interface Fault {
	kind: FaultKind;
	/** Which requests it hits; all requests if absent. */
	match?: {
		provider?: ProviderName;
		method?: string;
		operation?: SandboxOperation;
		/** Tested on the path with prefix and query; a string is the source of a RegExp. */
		path?: RegExp | string;
	};
	/** How often it fires; always by default. */
	times?: number;
	/** How many matching requests pass first. */
	skip?: number;
	/** Chance to fire, 0 to 1. */
	probability?: number;
	/** Source of chance, 0 to 1; Math.random by default. */
	random?: () => number;
	/** Whether the request is processed although its answer is replaced. */
	accept?: boolean;
	/** Milliseconds to wait before the fault acts (`slow`: before each chunk). */
	delayMs?: number;
	/** HTTP status of the replaced answer. */
	status?: number;
	headers?: Record<string, string>;
	/** Body of `status`: text as it is, anything else as JSON. */
	body?: unknown;
	/** Kling's code for `code`: 1000 to 5002. */
	code?: number;
	/** Message for `code`; the provider's usual one by default. */
	message?: string;
	/** Target of `redirect`. */
	location?: string;
}

/** Keys a provider knows. A key's name tells what state its account is in. */
export interface SandboxKeys {
	/** Works. */
	main: string;
	/** Valid, but its account cannot pay. */
	noBalance: string;
	/** Valid, but without the right to the effects API. */
	noRights: string;
}

/** Access keys and their secrets. */
export interface SandboxAccessKeys {
	main: { accessKey: string; secretKey: string };
	noBalance: { accessKey: string; secretKey: string };
	noRights: { accessKey: string; secretKey: string };
}

/** A running sandbox. */
export interface Sandbox {
	/** `http://127.0.0.1:PORT`, without a slash at the end. */
	readonly url: string;
	readonly options: ActiveOptions;
	/** All its providers, the five first. */
	readonly providers: Array<{ name: ProviderName; displayName: string }>;
	readonly keys: Record<SandboxProvider, SandboxKeys> & {
		klingChina: SandboxKeys;
		klingAccess: SandboxAccessKeys;
		klingChinaAccess: SandboxAccessKeys;
	};
	readonly charges: Charge[];
	readonly requests: RequestRecord[];
	readonly tasks: SandboxTask[];
	readonly callbackLog: CallbackRecord[];
	/** What a credential's `baseUrl` should be. */
	baseUrl(provider: ProviderName, region?: SandboxRegion): string;
	/** Data of a `klingEffectsApi` credential that works; `overrides.region` picks matching keys. */
	credential(provider: ProviderName, overrides?: Record<string, unknown>): Record<string, unknown>;
	/** The same for Kling with access key and secret key. */
	accessKeyCredential(overrides?: Record<string, unknown>): Record<string, unknown>;
	/** Adds a fault; the function returned takes it away again. */
	addFault(fault: Fault): () => void;
	clearFaults(): void;
	/**
	 * Puts history in directly, without charges. A task without `status` has succeeded; one that is
	 * `submitted` or `processing` stays so until `finish`, unless `finishedAt` is given.
	 */
	seedTasks(provider: ProviderName, tasks: Array<Partial<SandboxTask>>): void;
	/** Ends a task now. */
	finish(taskId: string, status: 'succeed' | 'failed', message?: string): void;
	/** Sends a callback now, in any state of the task: early, repeated or forged with `body`. */
	sendCallback(taskId: string, body?: unknown): Promise<CallbackRecord>;
	/** Forgets tasks, charges, requests, faults, callbacks and rates; keeps the options. */
	reset(): void;
	close(): Promise<void>;
}
