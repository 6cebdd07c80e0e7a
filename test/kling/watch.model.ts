import { failed, success, type Failure, type Outcome } from '../../nodes/kling/failure';
import { recordOf, taskOf } from '../../nodes/kling/task';
import { type TaskRecord, type TaskStatus } from '../../nodes/kling/task';
import {
	type PollTime,
	readState,
	watchAccount,
	type TaskEvent,
	type WatchState,
} from '../../nodes/kling/watch';

/** A provider and an n8n that are known to the last detail, to judge what the trigger emits. */

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

export type Order = 'newest' | 'newestStamp' | 'oldest' | 'random' | 'updated';

/** How the provider lists and dates tasks. */
export interface Habits {
	order: Order;
	pageSize: number;
	/** Milliseconds to which `created_at` is cut. */
	createdGrain: number;
	/** Milliseconds to which `updated_at` is cut. */
	updatedGrain: number;
	/** Milliseconds by which the provider's clock is ahead of the true time. */
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
	place: number;
	prefix: string;
	vanishedAt: number;
}

export const trouble: Failure = {
	kind: 'providerDown',
	providerMessage: null,
	code: null,
	httpStatus: 503,
	requestId: null,
	retryAfterMs: null,
	body: 'empty',
};
const unknownTask: Failure = { ...trouble, kind: 'notFound', httpStatus: 404, body: 'json' };

export class World {
	/** True time. */
	now = 1_790_000_000_000;
	/** Milliseconds by which n8n's clock is ahead of the true time; somebody may set it. */
	n8nAhead = 0;
	readonly tasks: ModelTask[] = [];
	requests = 0;
	/** What happens before the request with that number of the poll under way. */
	before: (request: number) => void = () => undefined;
	/** Which requests of the poll under way meet trouble. */
	fails: (request: number) => boolean = () => false;
	private count = 0;

	constructor(
		readonly habits: Habits,
		private readonly chance: () => number,
	) {}

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
			place: this.chance(),
			prefix: '',
			vanishedAt: Infinity,
			...fields,
		};
		this.tasks.push(task);
		return task;
	}

	isEnded(task: ModelTask, at = this.now): boolean {
		return at >= task.endsAt;
	}

	beginPoll(): void {
		this.requests = 0;
	}

	readonly largestPage = 500;
	readonly lastPage = 1000;

	async listOnce(page: number, pageSize: number): Promise<Outcome<TaskRecord[]>> {
		if (this.meetsTrouble()) return failed(trouble);
		const start = (page - 1) * pageSize;
		return success(
			this.listed()
				.slice(start, start + pageSize)
				.map((task) => this.record(task)),
		);
	}

	async getOnce(taskId: string): Promise<Outcome<TaskRecord>> {
		if (this.meetsTrouble()) return failed(trouble);
		const task = this.tasks.find(({ id }) => id === taskId);
		return task && this.isShown(task) ? success(this.record(task)) : failed(unknownTask);
	}

	private meetsTrouble(): boolean {
		this.requests++;
		this.now += 300;
		this.before(this.requests);
		return this.fails(this.requests);
	}

	private isShown(task: ModelTask): boolean {
		return task.createdAt + task.lag <= this.now && this.now < task.vanishedAt;
	}

	private listed(): ModelTask[] {
		const { order } = this.habits;
		const shown = this.tasks.filter((task) => this.isShown(task));
		const keys: Record<Order, (task: ModelTask) => number> = {
			newest: (task) => -task.createdAt,
			newestStamp: (task) => -this.createdStamp(task),
			oldest: (task) => task.createdAt,
			random: (task) => task.place,
			updated: (task) => -this.updatedStamp(task),
		};
		return shown.sort((a, b) => keys[order](a) - keys[order](b) || a.place - b.place);
	}

	private createdStamp({ createdAt, createdSkew }: ModelTask): number {
		return cut(createdAt + this.habits.clockAhead + createdSkew, this.habits.createdGrain);
	}

	private updatedStamp(task: ModelTask): number {
		const changed = this.isEnded(task) ? task.endsAt : task.createdAt;
		return cut(changed + this.habits.clockAhead + task.updatedSkew, this.habits.updatedGrain);
	}

	private record(task: ModelTask): TaskRecord {
		const status: TaskStatus = this.isEnded(task) ? task.outcome : 'processing';
		return recordOf(
			taskOf('kling', {
				taskId: task.id,
				externalTaskId: `${task.prefix}${task.id}`,
				status,
				createdAt: new Date(this.createdStamp(task)).toISOString(),
				updatedAt: new Date(this.updatedStamp(task)).toISOString(),
			}),
			[],
			{},
		);
	}
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
	/** When the first reading was complete; Infinity before. */
	firstReadAt = Infinity;
	/** When the first poll began; Infinity before. */
	activatedAt = Infinity;
	state: WatchState | null = null;
	failures = 0;
	private saved = 'null';

	constructor(
		readonly world: World,
		public events: TaskEvent[] = ['succeed', 'failed'],
		readonly prefix?: string,
	) {}

	async poll({ requests = Infinity, isActivation = false }: PollTerms = {}): Promise<string[]> {
		const { world } = this;
		const start = world.now;
		if (this.activatedAt === Infinity) this.activatedAt = start;
		world.beginPoll();
		const time: PollTime = {
			now: () => world.now + world.n8nAhead,
			get isLeft() {
				return world.requests === 0 || world.requests < requests;
			},
			ask: async (request) => await request(),
		};
		const terms = { scope: 'test', events: this.events, externalTaskIdPrefix: this.prefix };
		const round = await watchAccount(world, this.state, terms, time, world.habits.pageSize);
		world.now = Math.max(world.now, start + 1);
		if (round.failure) this.failures++;
		const isThrown = round.failure && this.state === null;
		if (!isThrown) this.keep(round.state, round.emitted.length > 0 || isActivation);
		const ids = round.emitted.map(({ task }) => task.taskId);
		this.emitted.push(...ids);
		return ids;
	}

	private keep(state: WatchState, isSaved: boolean): void {
		const text = JSON.stringify(state);
		this.state = readState(JSON.parse(text), 'test');
		if (this.state === null) throw new Error(`The state cannot be read again: ${text}`);
		if (!this.state.isFirst) this.firstReadAt = Math.min(this.firstReadAt, this.world.now);
		if (isSaved) this.saved = text;
	}

	/** n8n ends and starts again. */
	restart(): void {
		this.state = readState(JSON.parse(this.saved), 'test');
	}

	get stateBytes(): number {
		return JSON.stringify(this.state).length;
	}
}
