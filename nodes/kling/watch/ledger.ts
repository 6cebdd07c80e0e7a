import { createdMs, isFinal, matches, updatedMs, type Task, type TaskRecord } from '../task';
import { marginMs } from './order';
import { SeenTasks } from './seenTasks';
import { mostOpen, type TaskEvent, type WatchState } from './state';

/** Which tasks and events are wanted. */
export interface WatchFilter {
	/** See {@link WatchState.scope}. */
	scope: string;
	events: readonly TaskEvent[];
	externalTaskIdPrefix?: string;
}

/**
 * An open task is dropped once the provider has said this many times in a row, over at least this many
 * milliseconds, that it does not know it: it may be wrong about that for some hours.
 */
export const mostMisses = 10;
export const longestMissingMs = 86_400_000;
/** How many ended tasks without any date are remembered; of the rest, only those seen running are emitted. */
const mostUndated = 1_000;
/** How many past tasks a first reading remembers until it is settled: their dates may change. */
const mostPast = 5_000;
/**
 * A task that runs for longer is dropped, and one that ended longer ago is not emitted, in milliseconds.
 * Kling keeps results for 30 days (docs/providers.md 1.8).
 */
export const keptMs = 30 * 86_400_000;

/** What became of the tasks that were read: which to emit, and which to keep following. */
export class Ledger {
	/** Whether nothing was known before this poll. */
	readonly isFirst: boolean;
	/** The open tasks, as in the state; those read in this poll are at the end. */
	readonly open: Set<string>;
	/** The tasks that were open before this poll and that it has not read. */
	readonly pending: Set<string>;
	readonly seen: SeenTasks;
	/** The provider's clock, as of the last response. */
	now: number;
	private readonly polls: number;
	private activatedAt: number | null;
	private readonly missing: Map<string, [times: number, since: number]>;
	private readonly wanted: WatchState['wanted'] = {};
	/** The events wanted since the response that is being recorded. */
	private justWanted: readonly TaskEvent[] = [];
	private readonly toEmit: TaskRecord[] = [];

	constructor(
		state: WatchState,
		private readonly filter: WatchFilter,
	) {
		this.isFirst = state.activatedAt === null;
		this.polls = state.polls;
		this.activatedAt = state.activatedAt;
		this.now = state.heardAt;
		this.open = new Set(state.open);
		this.pending = new Set(this.open);
		this.missing = new Map(Object.entries(state.missing));
		this.seen = new SeenTasks(state.seen);
		for (const event of filter.events) this.wanted[event] = state.wanted[event];
	}

	/** Ended tasks to emit, oldest end first. */
	get emitted(): TaskRecord[] {
		return [...this.toEmit].sort(byEnd);
	}

	/** When the first of the events became wanted. */
	get wantedSince(): number {
		return Math.min(...Object.values(this.wanted));
	}

	/** Takes the time from a response, before its tasks are recorded. Null if there was no response. */
	hear(providerTime: number | null): void {
		if (providerTime === null) return;
		this.now = providerTime;
		this.activatedAt ??= providerTime;
		this.justWanted = this.filter.events.filter((event) => this.wanted[event] === undefined);
		for (const event of this.justWanted) this.wanted[event] = providerTime;
	}

	/**
	 * Records a task as the provider showed it.
	 *
	 * @param since see {@link AccountState.settled}
	 */
	record(record: TaskRecord, since: number | null): void {
		const { task } = record;
		const { taskId, status } = task;
		if (!matches(task, { externalTaskIdPrefix: this.filter.externalTaskIdPrefix })) return;
		const stamp = createdMs(task) || endMs(task) || Infinity;
		const hasEnded = isFinal(status);
		const wasOpen = this.show(taskId);
		// A server that lags behind may show a handled task as running.
		const isSettled = !wasOpen && since !== null && stamp < since;
		if (isSettled || this.seen.has(taskId)) return;
		const tooOld = this.now - keptMs;
		if (!hasEnded) {
			if (stamp >= tooOld && this.open.size < mostOpen) this.open.add(taskId);
			return;
		}
		// Without an end date, a task seen running ended now; any other may have ended at its creation.
		const ended = endMs(task) || (!wasOpen && createdMs(task)) || this.now;
		const wantedSince = this.wanted[status as TaskEvent] ?? Infinity;
		const isPast = ended < Math.max(wantedSince - marginMs, tooOld);
		const isUndated = stamp === Infinity;
		// A task that the first response shows as ended had ended before it.
		const isBefore = this.justWanted.includes(status as TaskEvent);
		const isFirstReading = since === null && this.seen.size < mostPast;
		if (isPast && !isUndated && !isBefore && !isFirstReading) return;
		const isFull = isUndated && this.seen.lasting >= mostUndated;
		if (!isFull) this.seen.add(taskId, stamp);
		// A task without any date may be old: the first reading sees those, and emits none.
		const mayBeOld = isUndated && !wasOpen && (since === null || isFull);
		if (!isPast && !mayBeOld && !isBefore) this.toEmit.push(record);
	}

	/** Records a task requested by a given id, which may be its external id. */
	recordGiven(id: string, record: TaskRecord): void {
		const { task } = record;
		const isNewId = !this.isFirst && !this.pending.has(id);
		this.show(id);
		if (!isFinal(task.status)) {
			this.open.add(id);
			return;
		}
		const isSeen = this.seen.has(task.taskId);
		this.seen.add(task.taskId, Infinity);
		const wantedSince = this.wanted[task.status as TaskEvent];
		if (isSeen || wantedSince === undefined) return;
		const end = endMs(task);
		const isBefore = this.isFirst && this.justWanted.includes(task.status as TaskEvent);
		const isUndated = end === 0;
		const isPast = isUndated ? this.isFirst : isBefore || end < wantedSince - marginMs;
		if (isNewId || !isPast) this.toEmit.push(record);
	}

	/** @returns whether the task was open */
	private show(taskId: string): boolean {
		this.pending.delete(taskId);
		this.missing.delete(taskId);
		return this.open.delete(taskId);
	}

	/** Counts how often the provider does not know an open task. */
	countMiss(taskId: string): void {
		const [times, since] = this.missing.get(taskId) ?? [0, this.now];
		this.show(taskId);
		if (times + 1 >= mostMisses && this.now - since >= longestMissingMs) return;
		this.open.add(taskId);
		this.missing.set(taskId, [times + 1, since]);
	}

	/** Moves an open task that could not be read behind the others. */
	postpone(taskId: string): void {
		this.open.delete(taskId);
		this.open.add(taskId);
	}

	/** What both kinds of state contain. */
	toState(): Omit<WatchState, 'version' | 'scope' | 'watch'> {
		const { activatedAt, now: heardAt, filter, wanted } = this;
		// Without a response, an event that was switched on is wanted since the last response.
		const known = filter.events.map((event) => [event, wanted[event] ?? heardAt] as const);
		return {
			polls: this.polls + 1,
			activatedAt,
			heardAt,
			wanted: activatedAt === null ? {} : Object.fromEntries(known),
			open: [...this.open],
			missing: Object.fromEntries(this.missing),
			seen: this.seen.toJSON(),
		};
	}
}

/** When a task ended, in milliseconds since 1970 on the provider's clock; 0 if it has no date. */
function endMs(task: Task): number {
	// A provider that does not date ends repeats the creation time; one that dates by day is even earlier.
	return task.updatedAt !== null && updatedMs(task) > createdMs(task) ? updatedMs(task) : 0;
}

/** Oldest end first. Tasks that ended at the same time come in the order of creation. */
export function byEnd(a: TaskRecord, b: TaskRecord): number {
	return (
		updatedMs(a.task) - updatedMs(b.task) ||
		createdMs(a.task) - createdMs(b.task) ||
		(a.task.taskId < b.task.taskId ? -1 : 1)
	);
}
