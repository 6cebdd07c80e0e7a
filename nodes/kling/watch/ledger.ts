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
 * An open task is given up once the provider has answered this often in a row that it does not know
 * it, over this many milliseconds at least: it may be wrong about that for some hours.
 */
export const mostMisses = 10;
export const longestMissingMs = 86_400_000;
/** Ended tasks without any date that are remembered; with more, those that were not seen running are silent. */
const mostUndated = 1_000;
/** Ended tasks of the past that a first reading remembers until it is settled: their dates may change. */
const mostPast = 5_000;
/**
 * Milliseconds: a task that runs for longer is given up, and one that ended longer ago is not
 * emitted. Kling keeps results for 30 days (docs/providers.md 1.8).
 */
export const keptMs = 30 * 86_400_000;

/** What became of the tasks that were read: which to emit, which to go on following. */
export class Ledger {
	/** Whether nothing was known before this poll. */
	readonly isFirst: boolean;
	/** The open tasks, as in the state; those looked at in this poll stand at the end. */
	readonly open: Set<string>;
	/** The tasks that were open before this poll, and that it has not looked at. */
	readonly pending: Set<string>;
	readonly seen: SeenTasks;
	/** The provider's clock, as of the last response there was. */
	now: number;
	private readonly polls: number;
	private activatedAt: number | null;
	private readonly missing: Map<string, [times: number, since: number]>;
	private readonly wanted: WatchState['wanted'] = {};
	/** The events that became wanted with the response that is being recorded. */
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

	/** Takes over what time a response tells, before its tasks are recorded. Null where there was no response. */
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
		// A server that lags behind may show as running what has been handled.
		const isSettled = !wasOpen && since !== null && stamp < since;
		if (isSettled || this.seen.has(taskId)) return;
		const tooOld = this.now - keptMs;
		if (!hasEnded) {
			if (stamp >= tooOld && this.open.size < mostOpen) this.open.add(taskId);
			return;
		}
		// Where its end is not dated, one that ran has ended now, and another may have ended at its creation.
		const ended = endMs(task) || (!wasOpen && createdMs(task)) || this.now;
		const wantedSince = this.wanted[status as TaskEvent] ?? Infinity;
		const isPast = ended < Math.max(wantedSince - marginMs, tooOld);
		const isUndated = stamp === Infinity;
		// What the first response shows as ended had ended before it.
		const isBefore = this.justWanted.includes(status as TaskEvent);
		const isFirstReading = since === null && this.seen.size < mostPast;
		if (isPast && !isUndated && !isBefore && !isFirstReading) return;
		const isFull = isUndated && this.seen.lasting >= mostUndated;
		if (!isFull) this.seen.add(taskId, stamp);
		// A task without any date may be old: the first reading meets those, and emits none.
		const mayBeOld = isUndated && !wasOpen && (since === null || isFull);
		if (!isPast && !mayBeOld && !isBefore) this.toEmit.push(record);
	}

	/** Records a task that was asked for by a given id, which can be its external one. */
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

	/** Counts that the provider does not know an open task. */
	countMiss(taskId: string): void {
		const [times, since] = this.missing.get(taskId) ?? [0, this.now];
		this.show(taskId);
		if (times + 1 >= mostMisses && this.now - since >= longestMissingMs) return;
		this.open.add(taskId);
		this.missing.set(taskId, [times + 1, since]);
	}

	/** Puts an open task that could not be read behind the others. */
	postpone(taskId: string): void {
		this.open.delete(taskId);
		this.open.add(taskId);
	}

	/** What both kinds of state hold. */
	toState(): Omit<WatchState, 'version' | 'scope' | 'watch'> {
		const { activatedAt, now: heardAt, filter, wanted } = this;
		// Without a response, an event that was switched on is wanted since the last one there was.
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

/** When a task ended, in milliseconds since 1970 on the provider's clock; 0 where it is not dated. */
function endMs(task: Task): number {
	// A provider that does not date ends repeats the creation; one that dates by the day is earlier still.
	return task.updatedAt !== null && updatedMs(task) > createdMs(task) ? updatedMs(task) : 0;
}

/** Oldest end first. Tasks whose ends have the same time come in the order of their creation. */
export function byEnd(a: TaskRecord, b: TaskRecord): number {
	return (
		updatedMs(a.task) - updatedMs(b.task) ||
		createdMs(a.task) - createdMs(b.task) ||
		(a.task.taskId < b.task.taskId ? -1 : 1)
	);
}
