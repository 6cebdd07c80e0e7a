import { createHash } from 'node:crypto';

import { Callbacks } from './callbacks';
import { Clips } from './clips';
import { Faults } from './faults';
import { RateLimiter } from './limits';
import { providers } from './providers';
import type { AcceptedTask, Call, Context, Provider, SandboxSettings } from './providers/provider';
import { Refusal } from './refusal';
import { TaskStore, withoutUndefined, type Task } from './tasks';
import type { ActiveOptions, ProviderName, RequestRecord } from './types';

/** Everything a sandbox knows. */
export class State implements Context {
	readonly options: ActiveOptions;
	readonly store: TaskStore;
	readonly limiter: RateLimiter;
	readonly faults = new Faults();
	readonly requests: RequestRecord[] = [];
	readonly callbacks: Callbacks;
	readonly clips = new Clips();
	readonly providers: Provider[];
	readonly mounts: Array<Provider['mounts'][number] & { provider: Provider }>;
	/** Set once the port is known. */
	url = '';

	constructor({ extraProviders = [], ...options }: SandboxSettings) {
		this.providers = [...providers, ...extraProviders];
		this.mounts = this.providers.flatMap((provider) =>
			provider.mounts.map((mount) => ({ ...mount, provider })),
		);
		this.options = { ...defaultOptions(), ...withoutUndefined(options) };
		this.store = new TaskStore(this.options);
		this.limiter = new RateLimiter(() => this.options.now());
		this.callbacks = new Callbacks(this.options, (name) => this.provider(name).callbacks?.(this));
	}

	provider(name: ProviderName): Provider {
		const provider = this.providers.find((one) => one.name === name);
		if (!provider) throw new Error(`There is no provider ${name}`);
		return provider;
	}

	accept(call: Call, { images = [], ...accepted }: AcceptedTask): Task {
		const { caller, region } = call;
		if (!caller) throw new Refusal(1001);
		const { name, newTaskId } = this.provider(call.provider);
		if (caller.keyName === 'noBalance') throw new Refusal(1102);
		const { parallelTasks = Infinity } = this.options;
		if (parallelTasks !== Infinity && this.store.countUnfinished(name, region) >= parallelTasks) {
			throw new Refusal(1303);
		}
		const task = this.store.create({
			...accepted,
			provider: name,
			region,
			taskId: newTaskId(this.options),
			keyName: caller.keyName,
			images: images.map(nameOfImage),
		});
		if (this.options.clips === 'made' && task.outcome === 'succeed') {
			this.clips.order(task.taskId, task.effectScene, images, this.url);
		}
		this.callbacks.watch(task);
		return task;
	}

	clear(): void {
		this.store.clear();
		this.faults.clear();
		this.limiter.clear();
		this.callbacks.clear();
		this.clips.clear();
		this.requests.length = 0;
	}
}

/** An address as it is; of a file, as its base64 text has no name, what tells it from others. */
function nameOfImage(image: string): string {
	return /^https?:/i.test(image) ? image : createHash('sha256').update(image).digest('hex');
}

function defaultOptions(): ActiveOptions {
	return {
		port: 0,
		taskSeconds: 2,
		latencyMs: 0,
		clips: 'ready',
		kkiaiShape: 'kling',
		kkiaiExternalIdLookup: false,
		cometExternalIdLookup: false,
		modellixPath: 'newest',
		listOrder: 'newestFirst',
		largestPage: 500,
		largerPages: 'refused',
		lastPage: 1000,
		listIgnoresPageNum: false,
		emptyList: 'array',
		watermarkUrls: false,
		listDelayMs: 0,
		stateLagMs: 0,
		dateSkewsMs: [0],
		numericIds: false,
		gatewaysShowKlingsId: false,
		duplicateLookupDelayMs: 0,
		failScenes: [],
		callbacks: 'on',
		callbackRepeatsMs: [],
		now: Date.now,
	};
}
