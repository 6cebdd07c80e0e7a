import type {
	ActiveOptions,
	Charge,
	ProviderName,
	SandboxRegion,
	SandboxStatus,
	SandboxTask,
} from './types';

type TaskFields = Omit<SandboxTask, 'status' | 'updatedAt'>;

/** A task. It has no timer: where it stands follows from the clock at each request. */
export class Task implements SandboxTask {
	readonly provider!: ProviderName;
	readonly region!: SandboxRegion;
	readonly taskId!: string;
	readonly externalTaskId!: string | null;
	readonly effectScene!: string;
	readonly images!: string[];
	readonly keyName!: string;
	readonly createdAt!: number;
	processingAt!: number;
	finishedAt!: number;
	outcome!: 'succeed' | 'failed';
	message!: string;
	readonly videoCount!: number;
	readonly videoSeconds!: number;
	readonly megabytes!: number;
	readonly callbackUrl!: string | null;
	readonly params!: unknown;
	/** Place in a list whose order is random. */
	readonly shuffle = Math.random();

	readonly #now: () => number;

	constructor(fields: TaskFields, now: () => number) {
		Object.assign(this, fields);
		this.#now = now;
	}

	get status(): SandboxStatus {
		const now = this.#now();
		if (now >= this.finishedAt) return this.outcome;
		return now >= this.processingAt ? 'processing' : 'submitted';
	}

	get updatedAt(): number {
		const now = this.#now();
		if (now >= this.finishedAt) return this.finishedAt;
		return now >= this.processingAt ? this.processingAt : this.createdAt;
	}

	get isOver(): boolean {
		return this.#now() >= this.finishedAt;
	}

	/** The task as it was some time ago. */
	before(ms: number): Task {
		const { ...fields } = this;
		return new Task(fields as TaskFields, () => this.#now() - ms);
	}

	toJSON(): Record<string, unknown> {
		const { shuffle: _, ...fields } = this;
		return { ...fields, status: this.status, updatedAt: this.updatedAt };
	}
}

/** One account: a provider's, in one region. All its keys see the same tasks and share limits. */
class Account {
	readonly byExternalId = new Map<string, Task>();
	readonly #unfinished = new Set<Task>();
	/** When the next of the unfinished tasks ends; nothing needs counting before. */
	#nextEnd = Infinity;
	#byTime: Task[] = [];
	#shuffled: Task[] = [];
	#timeIsStale = false;
	#shuffleIsStale = false;

	add(task: Task): void {
		const last = this.#byTime.at(-1);
		if (last && last.createdAt > task.createdAt) this.#timeIsStale = true;
		this.#byTime.push(task);
		this.#shuffled.push(task);
		this.#shuffleIsStale = true;
		if (task.externalTaskId !== null) this.byExternalId.set(task.externalTaskId, task);
		this.#unfinished.add(task);
		this.noteEnd(task);
	}

	/** Keeps track of when a task ends, also when that changes. */
	noteEnd(task: Task): void {
		this.#nextEnd = Math.min(this.#nextEnd, task.finishedAt);
	}

	countUnfinished(now: number): number {
		if (now < this.#nextEnd) return this.#unfinished.size;
		this.#nextEnd = Infinity;
		for (const task of this.#unfinished) {
			if (task.isOver) this.#unfinished.delete(task);
			else this.noteEnd(task);
		}
		return this.#unfinished.size;
	}

	page(order: ActiveOptions['listOrder'], start: number, size: number): Task[] {
		if (order === 'random') return this.#inShuffledOrder().slice(start, start + size);
		const tasks = this.#inTimeOrder();
		if (order === 'oldestFirst') return tasks.slice(start, start + size);
		const end = Math.max(0, tasks.length - start);
		return tasks.slice(Math.max(0, end - size), end).reverse();
	}

	// Sorting waits for the next reading, and is nearly free when almost nothing moved.
	#inTimeOrder(): Task[] {
		if (this.#timeIsStale) this.#byTime.sort((a, b) => a.createdAt - b.createdAt);
		this.#timeIsStale = false;
		return this.#byTime;
	}

	#inShuffledOrder(): Task[] {
		if (this.#shuffleIsStale) this.#shuffled.sort((a, b) => a.shuffle - b.shuffle);
		this.#shuffleIsStale = false;
		return this.#shuffled;
	}
}

/** What a provider knows of a task it is about to accept. */
export interface TaskDraft {
	provider: ProviderName;
	region: SandboxRegion;
	taskId: string;
	externalTaskId: string | null;
	effectScene: string;
	images: string[];
	keyName: string;
	callbackUrl: string | null;
	/** Why it will fail; null when it will succeed. */
	failure: string | null;
	seconds?: number;
	videoCount?: number;
	videoSeconds?: number;
	megabytes?: number;
	params: unknown;
}

/** All tasks and charges of a sandbox. */
export class TaskStore {
	readonly tasks: Task[] = [];
	readonly charges: Charge[] = [];
	readonly #byId = new Map<string, Task>();
	readonly #accounts = new Map<string, Account>();

	constructor(private readonly options: ActiveOptions) {}

	/** Makes and charges a task. */
	create(draft: TaskDraft): Task {
		const now = this.options.now();
		const { failure, seconds = this.options.taskSeconds, ...fields } = draft;
		const task = this.#add({
			videoCount: 1,
			videoSeconds: 5,
			megabytes: 0,
			...withoutUndefined(fields),
			createdAt: now,
			processingAt: now + seconds * 500,
			finishedAt: now + seconds * 1000,
			outcome: failure === null ? 'succeed' : 'failed',
			message: failure ?? '',
		} as TaskFields);
		const { provider, taskId, externalTaskId, effectScene, images, keyName } = task;
		this.charges.push({ provider, taskId, externalTaskId, effectScene, images, at: now, keyName });
		return task;
	}

	/** Adds a task as it is, without a charge. */
	seed(provider: ProviderName, task: Partial<SandboxTask>, newId: () => string): Task {
		const now = this.options.now();
		const { status = 'succeed', updatedAt, ...fields } = withoutUndefined(task);
		const isOpen = status === 'submitted' || status === 'processing';
		const createdAt = fields.createdAt ?? now - this.options.taskSeconds * 1000;
		// No later than now, or the task would not have the status it is given.
		const changedAt = Math.min(updatedAt ?? createdAt, now);
		const startedAt = isOpen ? changedAt : createdAt;
		return this.#add({
			region: 'global',
			taskId: fields.taskId ?? newId(),
			externalTaskId: null,
			effectScene: 'color_mixing',
			images: [],
			keyName: 'seed',
			outcome: status === 'failed' ? 'failed' : 'succeed',
			message: status === 'failed' ? 'Image pixel is invalid' : '',
			videoCount: 1,
			videoSeconds: 5,
			megabytes: 0,
			callbackUrl: null,
			params: null,
			...fields,
			provider,
			createdAt,
			processingAt: fields.processingAt ?? (status === 'submitted' ? Infinity : startedAt),
			finishedAt: fields.finishedAt ?? (isOpen ? Infinity : changedAt),
		});
	}

	/** A task by the provider's own id. */
	byId(provider: ProviderName, region: SandboxRegion, taskId: string): Task | undefined {
		const task = this.#byId.get(taskId);
		const isIts = task?.provider === provider && task.region === region;
		return isIts ? this.#asShown(task) : undefined;
	}

	/** A task by its external id, once `duplicateLookupDelayMs` have passed. */
	byExternalId(provider: ProviderName, region: SandboxRegion, id: string): Task | undefined {
		const task = this.#account(provider, region).byExternalId.get(id);
		if (!task) return undefined;
		const settled = task.createdAt + this.options.duplicateLookupDelayMs <= this.options.now();
		return settled ? this.#asShown(task) : undefined;
	}

	/** Whether the external id was used before, even if a look-up does not find it yet. */
	isUsed(provider: ProviderName, region: SandboxRegion, externalTaskId: string): boolean {
		return this.#account(provider, region).byExternalId.has(externalTaskId);
	}

	countUnfinished(provider: ProviderName, region: SandboxRegion): number {
		return this.#account(provider, region).countUnfinished(this.options.now());
	}

	/** A page of an account's tasks; `start` counts from 0. */
	page(provider: ProviderName, region: SandboxRegion, start: number, size: number): Task[] {
		const { listOrder, listDelayMs } = this.options;
		const account = this.#account(provider, region);
		if (listDelayMs === 0) {
			return account.page(listOrder, start, size).map((task) => this.#asShown(task));
		}
		const until = this.options.now() - listDelayMs;
		const listed = account.page(listOrder, 0, Infinity).filter((one) => one.createdAt <= until);
		return listed.slice(start, start + size).map((task) => this.#asShown(task));
	}

	#asShown(task: Task): Task {
		const { stateLagMs } = this.options;
		return stateLagMs === 0 ? task : task.before(stateLagMs);
	}

	/** Ends a task now, regardless of what was planned for it. */
	finish(taskId: string, status: 'succeed' | 'failed', message?: string): Task {
		const task = this.#byId.get(taskId);
		if (!task) throw new Error(`There is no task ${taskId}`);
		const now = this.options.now();
		task.processingAt = Math.min(task.processingAt, now);
		task.finishedAt = now;
		task.outcome = status;
		task.message = message ?? (status === 'failed' ? 'Image pixel is invalid' : '');
		this.#account(task.provider, task.region).noteEnd(task);
		return task;
	}

	/** A task of any provider by its id. */
	find(taskId: string): Task | undefined {
		return this.#byId.get(taskId);
	}

	clear(): void {
		this.tasks.length = 0;
		this.charges.length = 0;
		this.#byId.clear();
		this.#accounts.clear();
	}

	#add(fields: TaskFields): Task {
		const task = new Task(fields, () => this.options.now());
		this.tasks.push(task);
		this.#byId.set(task.taskId, task);
		this.#account(task.provider, task.region).add(task);
		return task;
	}

	#account(provider: ProviderName, region: SandboxRegion): Account {
		const name = `${provider}:${region}`;
		let account = this.#accounts.get(name);
		if (!account) {
			account = new Account();
			this.#accounts.set(name, account);
		}
		return account;
	}
}

/** The same fields without those that are undefined. */
export function withoutUndefined<T extends object>(fields: T): T {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
