import type { Dated } from '../../../nodes/kling/client';
import {
	failureWithoutResponse,
	failed,
	success,
	type Failure,
	type Outcome,
} from '../../../nodes/kling/failure';
import { recordOf } from '../../../nodes/kling/task';
import type { TaskRecord, TaskStatus } from '../../../nodes/kling/task';
import { watchAccount } from '../../../nodes/kling/watch/list';
import type { PollTime } from '../../../nodes/kling/watch/source';
import { readState, type AccountState, type TaskEvent } from '../../../nodes/kling/watch/state';

/** A model of a provider and of n8n in which everything is known, to judge what the trigger emits. */

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

export type Order = 'newest' | 'newestStamp' | 'oldest' | 'random' | 'updated';

/** How the provider lists and dates tasks. */
export interface Habits {
	order: Order;
	/** The largest page that it gives. */
	largestPage: number;
	/** Milliseconds to which `created_at` is cut. */
	createdGrain: number;
	/** Milliseconds to which `updated_at` is cut. */
	updatedGrain: number;
	/** Whether its responses say what time it is. */
	namesTime: boolean;
	/** Milliseconds by which its servers are ahead of the true time; each request goes to one by chance. */
	servers: number[];
	/** Milliseconds by which a server may lag behind in what it knows. */
	staleness: number;
	/** How many of 100 requests fail. */
	failures: number;
	/** Milliseconds by which the clock that responses tell, or n8n's, is ahead of the one that dates tasks. */
	clockAhead: number;
}

/** A task as it truly is. Times are true times. */
export interface ModelTask {
	id: string;
	createdAt: number;
	endsAt: number;
	outcome: 'succeed' | 'failed';
	/** Milliseconds by which its server dates its creation late (or early). */
	createdSkew: number;
	updatedSkew: number;
	/** Milliseconds from its creation until the list shows it. */
	lag: number;
	/** Which dates the provider gives it. */
	dates: 'both' | 'updated' | 'created' | 'none';
	place: number;
	prefix: string;
	vanishedAt: number;
}

export const trouble: Failure = {
	...failureWithoutResponse('providerDown'),
	httpStatus: 503,
	body: 'empty',
};
const unknownTask: Failure = { ...trouble, kind: 'notFound', httpStatus: 404, body: 'json' };

export class World {
	/** True time. */
	now = 1_790_000_000_000;
	/** Milliseconds by which n8n's clock is ahead of the true time; somebody may set it. */
	n8nAhead = 0;
	readonly tasks: ModelTask[] = [];
	readonly lastPage = 1_000;
	requests = 0;
	/** Tasks that responses have carried. */
	rows = 0;
	/** What happens before the request with that number of the poll under way. */
	before: (request: number) => void = () => undefined;
	/** Which requests of the poll under way fail. */
	fails: (request: number, page: number | null) => boolean = () => false;
	/** Called when something came back. */
	onResponse: (isGood: boolean) => void = () => undefined;
	private count = 0;

	constructor(
		readonly habits: Habits,
		private readonly chance: () => number,
	) {}

	get largestPage(): number {
		return this.habits.largestPage;
	}

	add(fields: Partial<ModelTask> = {}): ModelTask {
		const createdAt = fields.createdAt ?? this.now;
		const task: ModelTask = {
			id: String(831_922_345_000 + ++this.count),
			createdAt,
			endsAt: createdAt + 5 * minute,
			outcome: 'succeed',
			createdSkew: 0,
			updatedSkew: 0,
			lag: 0,
			dates: 'both',
			place: this.chance(),
			prefix: '',
			vanishedAt: Infinity,
			...fields,
		};
		this.tasks.push(task);
		return task;
	}

	beginPoll(): void {
		this.requests = 0;
		this.rows = 0;
	}

	async listOnce(page: number, pageSize: number): Promise<Dated<TaskRecord[]>> {
		return this.respond(page, (at) => {
			const start = (page - 1) * pageSize;
			const rows = this.listed(at).slice(start, start + pageSize);
			this.rows += rows.length;
			return success(rows.map((task) => this.record(task, at)));
		});
	}

	async getOnce(taskId: string): Promise<Dated<TaskRecord>> {
		return this.respond(null, (at) => {
			const task = this.tasks.find(({ id }) => id === taskId);
			return task && isShown(task, at) ? success(this.record(task, at)) : failed(unknownTask);
		});
	}

	/**
	 * @param page null for a single task
	 * @param read what the server knows, as of a moment
	 */
	private respond<T>(page: number | null, read: (at: number) => Outcome<T>): Dated<T> {
		this.requests++;
		this.now += 300;
		this.before(this.requests);
		const { servers, namesTime, staleness, failures, clockAhead } = this.habits;
		const server = servers[Math.floor(this.chance() * servers.length)];
		const told = namesTime ? cut(this.now + server, second) : this.now + this.n8nAhead;
		const clock = told + clockAhead;
		const isBad = this.chance() * 100 < failures || this.fails(this.requests, page);
		this.onResponse(!isBad);
		if (isBad) return { ...failed(trouble), providerTime: clock };
		return { ...read(this.now - staleness * this.chance()), providerTime: clock };
	}

	private listed(at: number): ModelTask[] {
		const keys: Record<Order, (task: ModelTask) => number> = {
			newest: (task) => -task.createdAt,
			newestStamp: (task) => -this.createdStamp(task),
			oldest: (task) => task.createdAt,
			random: (task) => task.place,
			updated: (task) => -this.updatedStamp(task, at),
		};
		const key = keys[this.habits.order];
		return this.tasks
			.filter((task) => isShown(task, at))
			.sort((a, b) => key(a) - key(b) || a.place - b.place);
	}

	private createdStamp({ createdAt, createdSkew }: ModelTask): number {
		return cut(createdAt + createdSkew, this.habits.createdGrain);
	}

	private updatedStamp(task: ModelTask, at: number): number {
		const changed = at >= task.endsAt ? task.endsAt : task.createdAt;
		return cut(changed + task.updatedSkew, this.habits.updatedGrain);
	}

	private record(task: ModelTask, at: number): TaskRecord {
		const status: TaskStatus = at >= task.endsAt ? task.outcome : 'processing';
		const { dates } = task;
		const iso = (stamp: number) => new Date(stamp).toISOString();
		const isCreated = dates === 'both' || dates === 'created';
		const isUpdated = dates === 'both' || dates === 'updated';
		return recordOf('kling', {
			taskId: task.id,
			externalTaskId: `${task.prefix}${task.id}`,
			status,
			createdAt: isCreated ? iso(this.createdStamp(task)) : null,
			updatedAt: isUpdated ? iso(this.updatedStamp(task, at)) : null,
		});
	}
}

function isShown({ createdAt, lag, vanishedAt }: ModelTask, at: number): boolean {
	return createdAt + lag <= at && at < vanishedAt;
}

function cut(time: number, grain: number): number {
	return Math.floor(time / grain) * grain;
}

/** What a poll may do. */
export interface PollTerms {
	/** Requests after which the poll's time is over. */
	requests?: number;
	/** Whether this poll is the activation's, after which n8n saves whatever there is. */
	isActivation?: boolean;
}

/**
 * The trigger in an n8n that keeps static data in memory, and saves it only with an emit and once
 * after activation (seen on n8n 1.123 and 2.40). What n8n itself can lose, a crash between saving
 * the data and storing the execution, is not modelled.
 */
export class Runner {
	readonly emitted: string[] = [];
	/** True time of the first response of the activation; Infinity before. */
	activatedAt = Infinity;
	/** How many tasks there were when it was activated. */
	tasksAtActivation = 0;
	/** True time of the first response after the events were changed; Infinity before. */
	switchedAt = Infinity;
	state: AccountState | null = null;
	failures = 0;
	largestState = 0;
	private saved = 'null';

	constructor(
		readonly world: World,
		public events: TaskEvent[] = ['succeed', 'failed'],
		readonly prefix?: string,
	) {}

	async poll({ requests = Infinity, isActivation = false }: PollTerms = {}): Promise<string[]> {
		const { world } = this;
		const start = world.now;
		const isFirst = this.state === null;
		world.beginPoll();
		let isHeard = false;
		world.onResponse = (isGood) => {
			if (this.switchedAt === -Infinity) this.switchedAt = world.now;
			if (!isGood || !isFirst || isHeard) return;
			isHeard = true;
			this.activatedAt = world.now;
			this.tasksAtActivation = world.tasks.length;
		};
		const time: PollTime = {
			get isLeft() {
				return world.requests === 0 || world.requests < requests;
			},
			ask: async (request) => await request(),
			pause: async (tries) => void (world.now += tries * second),
		};
		const terms = { scope: 'test', events: this.events, externalTaskIdPrefix: this.prefix };
		const result = await watchAccount(world, this.state, terms, time);
		world.now = Math.max(world.now, start + 1);
		if (result.failure) this.failures++;
		// n8n does not activate a workflow whose first poll throws.
		if (result.failure && result.isFirst) return [];
		this.keep(result.state, result.emitted.length > 0 || isActivation);
		const ids = result.emitted.map(({ task }) => task.taskId);
		this.emitted.push(...ids);
		return ids;
	}

	private keep(state: AccountState, isSaved: boolean): void {
		const text = JSON.stringify(state);
		this.state = readState(JSON.parse(text), 'account', 'test');
		if (Object.keys(this.state.wanted).length === 0)
			throw new Error(`The state cannot be read again: ${text}`);
		this.largestState = Math.max(this.largestState, text.length);
		if (isSaved) this.saved = text;
	}

	/** n8n ends and starts again, or the workflow is edited: either way the saved data is loaded. */
	restart(): void {
		this.state = JSON.parse(this.saved) as AccountState | null;
	}

	/** The user changes Trigger On. */
	switchTo(events: TaskEvent[]): void {
		this.restart();
		this.events = events;
		this.switchedAt = -Infinity;
	}

	/** The tasks that it follows. */
	get open(): string[] {
		return (this.state?.open ?? []).map(([id]) => id);
	}

	/** How many ended tasks it remembers. */
	get remembered(): number {
		return Object.values(this.state?.seen ?? {}).join('').length / 8;
	}

	get stateBytes(): number {
		return JSON.stringify(this.state).length;
	}
}
