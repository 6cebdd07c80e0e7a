import { matches } from '../filters';
import { createdMs, isFinal, updatedMs, type Task, type TaskRecord } from '../task';
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

/** What became of the tasks that were read: which to emit, which to go on following. */
export class Ledger {
	/** Ended tasks to emit. */
	readonly emitted: TaskRecord[] = [];
	/** The open tasks; those looked at in this poll stand at the end. */
	readonly open: Set<string>;
	readonly seen: SeenTasks;
	/** Ids of the tasks that this poll has looked at. */
	readonly shown = new Set<string>();
	private readonly missing: Map<string, number>;
	private readonly wanted: WatchState['wanted'] = {};
	/** The events that became wanted with the response that is being noted. */
	private justWanted: readonly TaskEvent[] = [];
	/** The provider's clock. */
	private now = 0;

	constructor(
		state: WatchState,
		private readonly terms: WatchTerms,
	) {
		this.open = new Set(state.open);
		this.seen = new SeenTasks(state.seen);
		this.missing = new Map(Object.entries(state.missing));
		for (const event of terms.events) this.wanted[event] = state.wanted[event];
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
		if (this.seen.has(taskId)) return;
		if (!isFinal(status)) {
			const isTooOld = createdMs(task) > 0 && createdMs(task) < this.now - keptMs;
			if (!isTooOld && this.open.size < mostOpen) this.open.add(taskId);
			return;
		}
		if (!wasOpen && !this.isNews(task, since)) return;
		this.seen.add(taskId, rememberedUntil(task, this.now));
		// What the first response shows as ended had ended before it.
		const isBefore = this.justWanted.includes(status as TaskEvent);
		if (!isBefore && !(wasOpen && this.hasEndedBefore(task, -marginMs))) this.emit(record);
	}

	/** Whether an ended task that nobody saw running has not been handled. */
	private isNews(task: Task, since: number | null): boolean {
		const created = createdMs(task);
		const stamp = created || endMs(task);
		// A task without any date may be old: the first reading meets those, and emits none.
		if (stamp === 0) return this.noteUndated(task, since !== null);
		const wantedSince = this.wanted[task.status as TaskEvent];
		if (wantedSince === undefined) return false;
		const ended = endMs(task) || created;
		const isPast = ended < Math.max(wantedSince - marginMs, this.now - keptMs);
		return !isPast && (since === null || stamp >= since);
	}

	private noteUndated({ taskId }: Task, isEmitted: boolean): boolean {
		if (this.seen.lasting >= mostUndated) return false;
		if (!isEmitted) this.seen.add(taskId, 0);
		return isEmitted;
	}

	/**
	 * Notes a task that was asked for by a given id, which can be its external one.
	 *
	 * @param isPast whether to suppress the event
	 */
	noteGiven(id: string, record: TaskRecord, isPast: boolean): void {
		this.show(id);
		if (!isFinal(record.task.status)) {
			this.open.add(id);
			return;
		}
		const ids = [id, record.task.taskId];
		const isNew = !ids.some((each) => this.seen.has(each));
		for (const each of ids) this.seen.add(each, 0);
		if (isNew && !isPast) this.emit(record);
	}

	/**
	 * Whether a task surely ended before its event was wanted.
	 *
	 * @param laterMs milliseconds by which that moment is taken to be later
	 */
	hasEndedBefore(task: Task, laterMs: number): boolean {
		const wantedSince = this.wanted[task.status as TaskEvent] ?? 0;
		return endMs(task) > 0 && endMs(task) < wantedSince + laterMs;
	}

	/** @returns whether the task was open */
	private show(taskId: string): boolean {
		this.shown.add(taskId);
		this.missing.delete(taskId);
		return this.open.delete(taskId);
	}

	private emit(record: TaskRecord): void {
		if (this.terms.events.includes(record.task.status as TaskEvent)) this.emitted.push(record);
	}

	/**
	 * Notes an open task that the provider does not know.
	 *
	 * @returns whether it is given up now
	 */
	noteMissing(taskId: string): boolean {
		const misses = (this.missing.get(taskId) ?? 0) + 1;
		this.open.delete(taskId);
		this.missing.delete(taskId);
		if (misses >= mostMisses) return true;
		this.open.add(taskId);
		this.missing.set(taskId, misses);
		return false;
	}

	/** Puts an open task that could not be read behind the others. */
	postpone(taskId: string): void {
		if (this.open.delete(taskId)) this.open.add(taskId);
	}

	/** What both kinds of state hold. */
	toState(): Pick<WatchState, 'wanted' | 'open' | 'missing' | 'seen'> {
		const open = [...this.open];
		const missing = open.flatMap((id) =>
			this.missing.has(id) ? [[id, this.missing.get(id)]] : [],
		);
		return {
			wanted: { ...this.wanted },
			open,
			missing: Object.fromEntries(missing) as WatchState['missing'],
			seen: this.seen.toJSON(),
		};
	}
}

/** When a task ended, in milliseconds since 1970 on the provider's clock; 0 where it is not dated. */
export function endMs(task: Task): number {
	// A provider that does not date ends repeats the creation; one that dates by the day is earlier still.
	return task.updatedAt !== null && updatedMs(task) > createdMs(task) ? updatedMs(task) : 0;
}

/**
 * Until when an ended task is remembered, as a server that lags behind may show it as running once
 * more; 0 for always, where it has no date.
 */
function rememberedUntil(task: Task, now: number): number {
	const created = createdMs(task);
	const isDated = created > 0 || endMs(task) > 0;
	return isDated ? Math.max(created, endMs(task) || now) : 0;
}

/** Oldest end first. Tasks whose ends have the same time come in the order of their creation. */
export function byEnd(a: TaskRecord, b: TaskRecord): number {
	return (
		updatedMs(a.task) - updatedMs(b.task) ||
		createdMs(a.task) - createdMs(b.task) ||
		(a.task.taskId < b.task.taskId ? -1 : 1)
	);
}
