import { createdMs, isFinal, matches, updatedMs, type Task, type TaskRecord } from '../task';
import { marginMs } from './pass';
import { SeenTasks } from './seenTasks';
import { mostOpen, type TaskEvent, type WatchState } from './state';

/** Which tasks and events are wanted. */
export interface WatchTerms {
	/** See {@link WatchState.scope}. */
	scope: string;
	events: readonly TaskEvent[];
	externalTaskIdPrefix?: string;
}

/** An open task is given up after the provider has answered this often in a row that it does not know it. */
export const mostMisses = 10;
/** Ended tasks without any date that are remembered; with more, those that nobody saw running are silent. */
export const mostUndated = 1_000;
/**
 * Milliseconds: a task that runs for longer is given up, and one that ended longer ago is not
 * emitted. Kling keeps results for 30 days (docs/providers.md 1.8).
 */
export const keptMs = 30 * 86_400_000;
/** Milliseconds: the clock of a response is read in whole seconds. */
const clockGrainMs = 1_000;

/** What became of the tasks that were read: which to emit, which to go on following. */
export class Ledger {
	/** Whether nothing was known before this poll. */
	readonly isFirst: boolean;
	/** The open tasks, as in the state; those looked at in this poll stand at the end. */
	readonly open: Map<string, number>;
	/** The tasks that were open before this poll, and that it has not looked at. */
	readonly pending: Set<string>;
	readonly seen: SeenTasks;
	private readonly toEmit: TaskRecord[] = [];
	private readonly wanted: WatchState['wanted'] = {};
	/** The events that became wanted with the response that is being noted. */
	private justWanted: readonly TaskEvent[] = [];
	/** The provider's clock, as of the last response. */
	now = 0;

	constructor(
		state: WatchState,
		private readonly terms: WatchTerms,
	) {
		this.isFirst = Object.keys(state.wanted).length === 0;
		this.open = new Map(state.open);
		this.pending = new Set(this.open.keys());
		this.seen = new SeenTasks(state.seen);
		for (const event of terms.events) this.wanted[event] = state.wanted[event];
	}

	/** Ended tasks to emit, oldest end first. */
	get emitted(): TaskRecord[] {
		return [...this.toEmit].sort(byEnd);
	}

	/** When the first of the events became wanted. */
	get activatedAt(): number {
		return Math.min(...Object.values(this.wanted));
	}

	/** Notes what time it is for the provider, before the tasks of that response are noted. */
	noteTime(providerTime: number): void {
		this.now = providerTime;
		this.justWanted = this.terms.events.filter((event) => this.wanted[event] === undefined);
		for (const event of this.justWanted) this.wanted[event] = providerTime;
	}

	/**
	 * Notes a task as the provider showed it.
	 *
	 * @param since see {@link AccountState.settled}
	 */
	note(record: TaskRecord, since: number | null): void {
		const { task } = record;
		const { taskId, status } = task;
		if (!matches(task, { externalTaskIdPrefix: this.terms.externalTaskIdPrefix })) return;
		const wasOpen = this.show(taskId);
		const stamp = createdMs(task) || endMs(task) || Infinity;
		// A server that lags behind may show as running what has been handled.
		const isSettled = !wasOpen && since !== null && stamp < since;
		if (isSettled || this.seen.has(taskId)) return;
		if (!isFinal(status)) {
			const isTooOld = stamp < this.now - keptMs;
			if (!isTooOld && this.open.size < mostOpen) this.open.set(taskId, 0);
			return;
		}
		// Where its end is not dated, one that ran has ended now, and another may have ended at its creation.
		const ended = endMs(task) || (!wasOpen && createdMs(task)) || this.now;
		const wantedSince = this.wanted[status as TaskEvent] ?? Infinity;
		const isPast = ended < Math.max(wantedSince - marginMs, this.now - keptMs);
		const isUndated = stamp === Infinity;
		if (isPast && !isUndated) return;
		const isFull = isUndated && this.seen.lasting >= mostUndated;
		if (!isFull) this.seen.add(taskId, stamp);
		// A task without any date may be old: the first reading meets those, and emits none.
		const mayBeOld = isUndated && !wasOpen && (since === null || isFull);
		// What the first response shows as ended had ended before it.
		const isBefore = this.justWanted.includes(status as TaskEvent);
		if (!isPast && !mayBeOld && !isBefore) this.toEmit.push(record);
	}

	/** Notes a task that was asked for by a given id, which can be its external one. */
	noteGiven(id: string, record: TaskRecord): void {
		const { task } = record;
		const isNewId = !this.isFirst && !this.pending.has(id);
		this.show(id);
		if (!isFinal(task.status)) {
			this.open.set(id, 0);
			return;
		}
		const isSeen = this.seen.has(task.taskId);
		this.seen.add(task.taskId, Infinity);
		const wantedSince = this.wanted[task.status as TaskEvent];
		if (isSeen || wantedSince === undefined) return;
		const end = endMs(task);
		const isPast = this.isFirst
			? end < wantedSince + clockGrainMs
			: !isNewId && end > 0 && end < wantedSince - marginMs;
		if (!isPast) this.toEmit.push(record);
	}

	/** @returns whether the task was open */
	private show(taskId: string): boolean {
		this.pending.delete(taskId);
		return this.open.delete(taskId);
	}

	/** Notes an open task that the provider does not know. */
	noteMissing(taskId: string): void {
		const misses = (this.open.get(taskId) ?? 0) + 1;
		this.show(taskId);
		if (misses < mostMisses) this.open.set(taskId, misses);
	}

	/** Puts an open task that could not be read behind the others. */
	postpone(taskId: string): void {
		const misses = this.open.get(taskId) ?? 0;
		this.open.delete(taskId);
		this.open.set(taskId, misses);
	}

	/** What both kinds of state hold. */
	toState(): Pick<WatchState, 'wanted' | 'open' | 'seen'> {
		return { wanted: this.wanted, open: [...this.open], seen: this.seen.toJSON() };
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
