import type { Client } from './client';
import { delayBeforeRetry, type Clock } from './clock';
import { behaviourOf, failed, type Failure, type Outcome } from './failure';
import { inParallel } from './inParallel';
import { filledIn, isFinal, type TaskRecord } from './task';

/** From so many open tasks on, the account's list is read instead of each task. */
const listFrom = 10;
/** Looks at single tasks under way at once. */
const looksAtOnce = 10;
/** After so many lists in a row that did not come, the tasks are looked at one by one. */
const mostBadLists = 2;
/** Milliseconds after the deadline in which the last round may still ask; slow answers end it. */
const lastRoundMs = 10_000;

export interface FollowLimits {
	/** By {@link Clock.elapsed}. */
	deadline: number;
	intervalMs: number;
	/** Milliseconds until the first look. A new task cannot be done at once; one that is asked for by id can. */
	firstLookMs: number;
}

/** What is known of a task when the wait is over. */
export interface Followed {
	record: TaskRecord;
	/** True when the wait ended before the task did. */
	timedOut: boolean;
	/** How many looks brought no state. They never end a wait. */
	missedLooks: number;
	lastFailure: Failure | null;
}

/**
 * Follows tasks together until all are final, the deadline comes, or the execution is cancelled.
 * What the provider answers in between is no reason to give up: the tasks are paid for.
 *
 * @returns one entry per record, in the same order
 */
export async function follow(
	records: readonly TaskRecord[],
	limits: FollowLimits,
	{ client, clock, signal }: FollowDependencies,
): Promise<Followed[]> {
	const wait = new TaskWait(records, client);
	const isOver = () => Boolean(signal?.aborted) || clock.elapsed() >= limits.deadline + lastRoundMs;
	let pause = limits.firstLookMs;
	while (wait.isOpen() && !signal?.aborted) {
		await clock.sleep(Math.max(0, Math.min(pause, limits.deadline - clock.elapsed())), signal);
		if (signal?.aborted) break;
		await wait.look(isOver);
		if (clock.elapsed() >= limits.deadline) break;
		pause = wait.pauseAfter(limits.intervalMs, () => clock.random());
	}
	return wait.result();
}

interface FollowDependencies {
	client: Client;
	clock: Clock;
	signal?: AbortSignal;
}

/** A task of a wait. */
interface Entry extends Followed {
	/** When it was last asked for, counted in rounds, so that a round that breaks off is fair. */
	askedIn: number;
}

/** The tasks of one wait. */
class TaskWait {
	private readonly entries: Entry[];
	/** Set once the list turned out not to show these tasks. */
	private isListUseless = false;
	/** Lists in a row that did not come. */
	private badLists = 0;
	private rounds = 0;
	/** Rounds in a row that the provider refused or left unanswered. */
	private badRounds = 0;
	/** The failure of this round after which the provider is not asked any further in it. */
	private obstacle: Failure | null = null;

	constructor(
		records: readonly TaskRecord[],
		private readonly client: Client,
	) {
		this.entries = records.map((record) => ({
			record,
			timedOut: !isFinal(record.task.status),
			missedLooks: 0,
			lastFailure: null,
			askedIn: 0,
		}));
	}

	isOpen(): boolean {
		return this.entries.some(({ timedOut }) => timedOut);
	}

	result(): Followed[] {
		return this.entries.map(({ askedIn: _, ...followed }) => followed);
	}

	/** The interval, give or take a tenth; longer when the provider asks for it or is in trouble. */
	pauseAfter(intervalMs: number, random: () => number): number {
		const usual = intervalMs * (0.9 + random() * 0.2);
		if (!this.obstacle) return usual;
		return Math.max(usual, delayBeforeRetry(this.badRounds, this.obstacle.retryAfterMs, random));
	}

	async look(isOver: () => boolean): Promise<void> {
		this.rounds++;
		this.obstacle = null;
		const open = this.entries
			.filter(({ timedOut }) => timedOut)
			.sort((a, b) => a.askedIn - b.askedIn);
		const hasList = Boolean(this.client.provider.list) && !this.isListUseless;
		const rest = hasList && open.length >= listFrom ? await this.lookAtList(open) : open;
		await inParallel(rest, looksAtOnce, async (entry) => await this.lookAt(entry, isOver));
		this.badRounds = this.obstacle ? this.badRounds + 1 : 0;
	}

	private async lookAt(entry: Entry, isOver: () => boolean): Promise<void> {
		if (this.obstacle) return note(entry, failed(this.obstacle));
		if (isOver()) return;
		entry.askedIn = this.rounds;
		const outcome = await this.client.getOnce(entry.record.task.taskId);
		note(entry, outcome);
		if (!outcome.ok && concernsAll(outcome.failure)) this.obstacle = outcome.failure;
	}

	/** @returns the tasks that the newest pages do not show, to be looked at one by one */
	private async lookAtList(open: Entry[]): Promise<Entry[]> {
		const shown = new Map<string, TaskRecord>();
		const { largestPage } = this.client;
		for (let page = 1; page <= Math.ceil(open.length / largestPage); page++) {
			const outcome = await this.client.listOnce(page);
			if (!outcome.ok) {
				this.noteList(outcome.failure);
				break;
			}
			this.badLists = 0;
			for (const record of outcome.value) shown.set(record.task.taskId, record);
			if (outcome.value.length < largestPage) break;
		}
		return this.notePages(open, shown);
	}

	/** A list that does not come does not keep the tasks from being looked at one by one. */
	private noteList(failure: Failure): void {
		this.badLists++;
		if (!behaviourOf(failure).passing || this.badLists >= mostBadLists) {
			this.isListUseless = true;
		}
		if (concernsAll(failure) || !this.isListUseless) this.obstacle = failure;
	}

	private notePages(open: Entry[], shown: Map<string, TaskRecord>): Entry[] {
		for (const entry of open) {
			const record = shown.get(entry.record.task.taskId);
			if (record) note(entry, { ok: true, value: record });
		}
		const missing = open.filter((entry) => !shown.has(entry.record.task.taskId));
		// The order of the list is not documented: it may begin with the oldest tasks of the account.
		if (this.badLists === 0) this.isListUseless = missing.length > open.length / 2;
		return missing;
	}
}

/** Whether the next look of a round would meet the same. */
function concernsAll(failure: Failure): boolean {
	return behaviourOf(failure).concerns === 'all';
}

function note(entry: Followed, outcome: Outcome<TaskRecord>): void {
	if (!outcome.ok) {
		entry.missedLooks++;
		entry.lastFailure = outcome.failure;
		return;
	}
	const before = entry.record.task;
	const known = filledIn(outcome.value, before);
	// A gateway may answer with an id of another system, which cannot be asked for here.
	entry.record = { ...known, task: { ...known.task, taskId: before.taskId } };
	entry.timedOut = !isFinal(known.task.status);
}
