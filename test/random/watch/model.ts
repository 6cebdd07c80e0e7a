import { PollLocks } from '../../../nodes/KlingEffectsTrigger/pollLock';
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
import type { TaskPage } from '../../../nodes/kling/providers/provider';
import { watchList } from '../../../nodes/kling/watch/list';
import { SeenTasks } from '../../../nodes/kling/watch/seenTasks';
import type { PollTime } from '../../../nodes/kling/watch/source';
import { readState, type AccountState, type TaskEvent } from '../../../nodes/kling/watch/state';

/** A model of a provider and n8n in which everything is known, to check what the trigger emits. */

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

export type Order = 'newest' | 'newestStamp' | 'oldest' | 'random' | 'updated' | 'grouped';

/** How the provider lists and dates tasks. */
export interface Habits {
	order: Order;
	/** The largest page that can be asked for. */
	largestPage: number;
	/** The largest page that it returns, even if more is requested. */
	cap: number;
	/** Whether tasks left out of a page are also left out of the next one. */
	skipsWhatItCuts: boolean;
	/** Whether some tasks come twice in a page, so that pages differ in length. */
	doubles: boolean;
	/** Milliseconds to which `created_at` is cut. */
	createdGrain: number;
	/** Milliseconds to which `updated_at` is cut. */
	updatedGrain: number;
	/** Whether its responses have the time. */
	namesTime: boolean;
	/** How far its servers are ahead of the true time, in milliseconds; each request goes to a random one. */
	servers: number[];
	/** How far a server may lag behind, in milliseconds. */
	staleness: number;
	/** How many of 100 requests fail. */
	failures: number;
	/** Milliseconds by which the clock that responses tell, or n8n's, is ahead of the one that dates tasks. */
	clockAhead: number;
}

/** A task as it really is. Times are true times. */
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
	/** When the provider changes the date of its end, without anything else. */
	touchedAt: number;
}

export const trouble: Failure = {
	...failureWithoutResponse('providerDown'),
	httpStatus: 503,
	body: 'empty',
};
export const noResponse: Failure = failureWithoutResponse('noResponse');
const unknownTask: Failure = { ...trouble, kind: 'notFound', httpStatus: 404, body: 'json' };

export class World {
	/** True time. */
	now = 1_790_000_000_000;
	/** Milliseconds by which n8n's clock is ahead of the true time; it may be set. */
	n8nAhead = 0;
	readonly tasks: ModelTask[] = [];
	readonly lastPage = 1_000;
	requests = 0;
	/** Tasks that were in responses. */
	rows = 0;
	/** What happens before the request with that number in the current poll. */
	before: (request: number) => void = () => undefined;
	/** Which requests of the current poll fail. */
	fails: (request: number, page: number | null) => boolean = () => false;
	/** Which of those fail without any response. */
	isSilent: (request: number) => boolean = () => false;
	/** How far behind the server that answers a request is; random if not given. */
	lagOf: (request: number) => number | null = () => null;
	/** What else happens before a request is answered. */
	meanwhile: (request: number) => Promise<void> = async () => undefined;
	/** Called with every response, and where none came. */
	onResponse: (outcome: 'good' | 'bad' | 'none') => void = () => undefined;
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
			touchedAt: Infinity,
			...fields,
		};
		this.tasks.push(task);
		return task;
	}

	beginPoll(): void {
		this.requests = 0;
		this.rows = 0;
	}

	async listOnce(page: number, pageSize: number): Promise<Dated<TaskPage>> {
		return await this.respond(page, (at) => {
			const { cap, skipsWhatItCuts, doubles } = this.habits;
			const given = Math.min(pageSize, cap);
			const start = (page - 1) * (skipsWhatItCuts ? pageSize : given);
			const tasks = this.listed(at)
				.slice(start, start + given)
				.flatMap((task) => (doubles && Number(task.id) % 11 < 2 ? [task, task] : [task]));
			this.rows += tasks.length;
			return success({ records: tasks.map((task) => this.record(task, at)), rows: tasks.length });
		});
	}

	async getOnce(taskId: string): Promise<Dated<TaskRecord>> {
		return await this.respond(null, (at) => {
			const task = this.tasks.find(({ id }) => id === taskId);
			return task && isShown(task, at) ? success(this.record(task, at)) : failed(unknownTask);
		});
	}

	/**
	 * @param page null for a single task
	 * @param read what the server knows, as of a moment
	 */
	private async respond<T>(
		page: number | null,
		read: (at: number) => Outcome<T>,
	): Promise<Dated<T>> {
		const request = ++this.requests;
		await this.meanwhile(request);
		this.now += 300;
		this.before(request);
		const { servers, namesTime, staleness, failures, clockAhead } = this.habits;
		const server = servers[Math.floor(this.chance() * servers.length)];
		const told = namesTime ? cut(this.now + server, second) : this.now + this.n8nAhead;
		const clock = told + clockAhead;
		const isBad = this.chance() * 100 < failures || this.fails(request, page);
		const isSilent = isBad && this.isSilent(request);
		this.onResponse(isSilent ? 'none' : isBad ? 'bad' : 'good');
		if (isSilent) return { ...failed(noResponse), providerTime: null };
		if (isBad) return { ...failed(trouble), providerTime: clock };
		const lag = this.lagOf(request) ?? staleness * this.chance();
		return { ...read(this.now - lag), providerTime: clock };
	}

	private listed(at: number): ModelTask[] {
		const keys: Record<Order, (task: ModelTask) => number> = {
			newest: (task) => -task.createdAt,
			newestStamp: (task) => -this.createdStamp(task),
			oldest: (task) => task.createdAt,
			random: (task) => task.place,
			updated: (task) => -this.updatedStamp(task, at),
			grouped: (task) => groupOf(task, at) * 1e14 - task.createdAt,
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
		const ended = at >= task.touchedAt ? task.touchedAt : task.endsAt;
		const changed = at >= task.endsAt ? ended : task.createdAt;
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

/** Failed tasks first, as in a list grouped by status. */
function groupOf({ endsAt, outcome }: ModelTask, at: number): number {
	if (at < endsAt) return 2;
	return outcome === 'failed' ? 0 : 1;
}

function cut(time: number, grain: number): number {
	return Math.floor(time / grain) * grain;
}

/** What a poll may do. */
export interface PollTerms {
	/** The number of requests after which the poll's time is over. */
	requests?: number;
	/** Whether this is the activation's poll, after which n8n saves what there is. */
	isActivation?: boolean;
}

/** The node's names, in turn. */
type NodeName = 'Trigger' | 'Renamed';
/** Static data as n8n stores it: by the node's name. */
type StaticData = Partial<Record<NodeName, { watch?: unknown }>>;

/**
 * The trigger in n8n, without what n8n itself can lose: a crash between saving the data and storing the
 * execution. By default n8n keeps static data in memory, and saves it only with an emit and once after
 * activation (seen on n8n 1.123 and 2.41). With durable cursors, each poll gets a copy of the node's
 * data, which is stored unless the poll throws, or is the activation's and emits nothing.
 */
export class Runner {
	readonly emitted: string[] = [];
	/** True time of the first response of the activation; Infinity before. */
	activatedAt = Infinity;
	/** How many tasks there were when it was activated. */
	tasksAtActivation = 0;
	/** True time of the first poll after the events were changed; Infinity before. */
	switchedAt = Infinity;
	/** True time of the last response that was known then. */
	switchedSince = Infinity;
	/** The state left by the last poll. */
	state: AccountState | null = null;
	failures = 0;
	largestState = 0;
	/** Whether the list was ever treated as newest first. */
	isTakenForNewest = false;
	/** The tasks that it has seen running. */
	readonly followed = new Set<string>();
	private locks = new PollLocks();
	private name: NodeName = 'Trigger';
	private data: StaticData = {};
	private saved = '{}';
	/** Whether a poll has left a state: later polls are no longer the first, whatever n8n drops. */
	private isKept = false;
	/** Whether no poll has left a state since the events were changed. */
	private isSwitching = false;
	/** True time of the last response that n8n knows about, and that its saved state knows about. */
	private heardAt = Infinity;
	private savedHeardAt = Infinity;

	constructor(
		readonly world: World,
		public events: TaskEvent[] = ['succeed', 'failed'],
		readonly prefix?: string,
		readonly isDurable = false,
	) {}

	async poll({ requests = Infinity, isActivation = false }: PollTerms = {}): Promise<string[]> {
		const { world } = this;
		const live = (this.data[this.isDurable ? 'Trigger' : this.name] ??= {});
		const holder = this.isDurable ? structuredClone(live) : live;
		const lock = this.locks.claim({
			key: 'node',
			name: this.name,
			holder,
			now: world.now,
			budgetMs: 45_000,
			isScheduled: this.isDurable && !isActivation,
		});
		if (!lock) return [];
		const known = lock.recall(holder.watch, 'test');
		world.beginPoll();
		this.listen(!this.isKept);
		const filter = { scope: 'test', events: this.events, externalTaskIdPrefix: this.prefix };
		const result = await watchList(world, known, filter, timeFor(world, requests));
		world.now++;
		const { failure, isFirst, emitted } = result;
		if (failure) this.failures++;
		const isLong = lock.countFailure(failure !== null) && !lock.isActivation;
		const { isValid } = lock;
		lock.release();
		// n8n does not activate a workflow whose first poll throws.
		if (!isValid || (failure && isFirst)) return [];
		holder.watch = this.read(result.state);
		lock.keep(result.state, emitted.length > 0);
		this.isKept = true;
		this.isSwitching = false;
		const isQuiet = emitted.length === 0;
		const isDropped = isQuiet && (isActivation || (failure !== null && isLong));
		if (this.isDurable && !isDropped) live.watch = holder.watch;
		if (this.isDurable ? !isDropped : isActivation || !isQuiet) this.save();
		const ids = emitted.map(({ task }) => task.taskId);
		this.emitted.push(...ids);
		return ids;
	}

	/** Records when certain knowledge starts. */
	private listen(isFirst: boolean): void {
		const { world } = this;
		let isHeard = false;
		let hasSwitched = false;
		world.onResponse = (outcome) => {
			// A poll that an activation replaces leaves nothing, so the next one starts over.
			if (this.isSwitching && !hasSwitched) {
				hasSwitched = true;
				this.switchedAt = world.now;
				this.switchedSince = outcome === 'none' ? this.heardAt : world.now;
			}
			if (outcome !== 'none') this.heardAt = world.now;
			if (outcome !== 'good' || !isFirst || isHeard) return;
			isHeard = true;
			this.activatedAt = world.now;
			this.tasksAtActivation = world.tasks.length;
		};
	}

	private read(state: AccountState): AccountState {
		const text = JSON.stringify(state);
		this.state = readState(JSON.parse(text), 'account', 'test');
		if (this.state.activatedAt === null) throw new Error(`The state cannot be read again: ${text}`);
		this.largestState = Math.max(this.largestState, text.length);
		this.isTakenForNewest ||= this.state.top !== null;
		for (const id of this.state.open) this.followed.add(id);
		return this.state;
	}

	private save(): void {
		this.saved = JSON.stringify(this.data);
		this.savedHeardAt = this.heardAt;
	}

	/** Whether n8n has saved anything. */
	get isSaved(): boolean {
		return this.saved !== '{}';
	}

	/** n8n restarts: the saved data is loaded. */
	restart(): void {
		this.locks = new PollLocks();
		this.heardAt = this.savedHeardAt;
		this.load();
	}

	/** The workflow is edited: n8n continues, with the data that it has saved. */
	edit(): void {
		if (!this.isDurable) this.load();
	}

	private load(): void {
		this.data = JSON.parse(this.saved) as StaticData;
		this.state = (this.data[this.name]?.watch ?? null) as AccountState | null;
	}

	/** The user changes Trigger On. */
	switchTo(events: TaskEvent[]): void {
		this.edit();
		this.events = events;
		this.switchedAt = -Infinity;
		this.isSwitching = true;
	}

	/** The user gives the node its other name. */
	rename(): void {
		this.edit();
		this.name = this.name === 'Trigger' ? 'Renamed' : 'Trigger';
	}

	/** The tasks that it follows. */
	get open(): string[] {
		return this.state?.open ?? [];
	}

	/** How many ended tasks it remembers. */
	get remembered(): number {
		return this.state ? new SeenTasks(this.state.seen).size : 0;
	}

	get stateBytes(): number {
		return JSON.stringify(this.state).length;
	}
}

function timeFor(world: World, requests: number): PollTime {
	let asked = 0;
	return {
		get isLeft() {
			return asked === 0 || asked < requests;
		},
		ask: async (request) => {
			asked++;
			return await request();
		},
		pause: async (tries) => void (world.now += tries * second),
	};
}

/** A provider as it should be. */
export const plain: Habits = {
	order: 'newest',
	largestPage: 500,
	cap: Infinity,
	skipsWhatItCuts: false,
	doubles: false,
	createdGrain: 1,
	updatedGrain: 1,
	namesTime: true,
	servers: [0],
	staleness: 0,
	failures: 0,
	clockAhead: 0,
};

export function worldWith(habits: Partial<Habits> = {}): World {
	let state = 1;
	const chance = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
	return new World({ ...plain, ...habits }, chance);
}

/** This many ended tasks, one every `gap`, the last of them a few minutes ago. */
export function addHistory(world: World, count: number, gap = minute): void {
	for (let index = count; index > 0; index--) {
		world.add({ createdAt: world.now - hour - index * gap });
	}
}

/** A trigger whose first poll was a minute ago. */
export async function activated(world: World, events?: TaskEvent[]): Promise<Runner> {
	const runner = new Runner(world, events);
	await runner.poll({ isActivation: true });
	world.now += minute;
	return runner;
}
