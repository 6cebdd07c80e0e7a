import { matches } from '../filters';
import { createdMs, isFinal, updatedMs, type Task, type TaskRecord } from '../task';
import { Done, type TaskEvent, type WatchState } from './state';

/** What of the tasks is wanted. */
export interface WatchTerms {
	/** See {@link WatchState.scope}. */
	scope: string;
	events: readonly TaskEvent[];
	externalTaskIdPrefix?: string;
}

/** An open task is given up after so many answers in a row that the provider does not know it. */
export const mostMisses = 10;
/** Milliseconds: a task that runs for longer is given up. Kling keeps results for 30 days (docs/providers.md 1.8). */
export const longestRunMs = 30 * 86_400_000;

/** What became of the tasks that were looked at: which to emit, which to go on following. */
export class Ledger {
	/** Ended tasks to emit. */
	readonly emitted: TaskRecord[] = [];
	/** The open tasks; those looked at in this poll stand at the end. */
	readonly open: Set<string>;
	readonly done: Done;
	/** Ids of the tasks that this poll has looked at. */
	readonly shown = new Set<string>();
	private readonly missing: Map<string, number>;
	private readonly emits: ReadonlySet<string>;

	constructor(
		private readonly state: WatchState,
		private readonly terms: WatchTerms,
	) {
		this.open = new Set(state.open);
		this.done = new Done(state.done);
		this.missing = new Map(Object.entries(state.missing));
		// An event that was not wanted when the state was written: what ended until now is the past.
		this.emits = new Set(terms.events.filter((event) => state.events.includes(event)));
	}

	/**
	 * Takes notice of a task as the provider showed it.
	 *
	 * @param newest the newest creation listed so far, on the provider's clock
	 */
	note(record: TaskRecord, newest: number): void {
		const { task } = record;
		if (!matches(task, { externalTaskIdPrefix: this.terms.externalTaskIdPrefix })) return;
		const wasOpen = this.show(task.taskId);
		if (this.done.has(task.taskId)) return;
		if (isFinal(task.status)) this.noteEnd(record, wasOpen, newest);
		else if (!isGivenUp(task, newest)) this.open.add(task.taskId);
	}

	/**
	 * Takes notice of a task that was asked for by a given id, which can be its external one.
	 *
	 * @param isPast whether an end is none to emit
	 */
	noteGiven(id: string, record: TaskRecord, isPast: boolean): void {
		this.show(id);
		if (!isFinal(record.task.status)) {
			this.open.add(id);
			return;
		}
		this.done.add(id, 0);
		if (!isPast) this.emit(record);
	}

	/** @returns whether the task was open */
	private show(taskId: string): boolean {
		this.shown.add(taskId);
		this.missing.delete(taskId);
		return this.open.delete(taskId);
	}

	private noteEnd(record: TaskRecord, wasOpen: boolean, newest: number): void {
		const { task } = record;
		const stamp = stampOf(task);
		if (!wasOpen && this.isSettled(stamp, newest)) return;
		// A server of the provider that lags behind may show an old task as running once more.
		this.done.add(task.taskId, wasOpen && stamp > 0 ? Math.max(stamp, newest) : stamp);
		if (wasOpen || !this.state.isFirst) this.emit(record);
	}

	private emit(record: TaskRecord): void {
		if (this.emits.has(record.task.status)) this.emitted.push(record);
	}

	private isSettled(stamp: number, newest: number): boolean {
		if (stamp === 0) return false;
		// What the first reading meets is the past anyway: only the last day needs to be remembered.
		const since = this.state.isFirst ? newest - keptWhileFirstMs : this.state.since;
		return since !== null && stamp < since;
	}

	/**
	 * Takes notice of an open task that the provider does not know.
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

	/** Puts an open task that could not be looked at behind the others. */
	postpone(taskId: string): void {
		if (this.open.delete(taskId)) this.open.add(taskId);
	}

	/** The state after this poll, with the given changes. */
	toState(changes: Partial<WatchState>): WatchState {
		return {
			...this.state,
			...changes,
			open: [...this.open],
			missing: Object.fromEntries([...this.missing].filter(([id]) => this.open.has(id))),
			done: this.done.toJSON(),
		};
	}
}

/** Milliseconds. */
export const keptWhileFirstMs = 86_400_000;

function isGivenUp(task: Task, newest: number): boolean {
	const created = createdMs(task);
	return created > 0 && created < newest - longestRunMs;
}

/** When a task was created; when it ended, where that is all that is known; 0 when nothing is. */
function stampOf(task: Task): number {
	return createdMs(task) || updatedMs(task);
}

/** Oldest end first. Tasks whose ends have the same time come in the order of their creation. */
export function byEnd(a: TaskRecord, b: TaskRecord): number {
	return (
		updatedMs(a.task) - updatedMs(b.task) ||
		createdMs(a.task) - createdMs(b.task) ||
		(a.task.taskId < b.task.taskId ? -1 : 1)
	);
}
