import type { Client } from './client';
import { delayBeforeRetry, type Clock } from './clock';
import { behaviourOf, type Failure } from './failure';
import { inParallel } from './pace';
import { isFinal, seenAgain, stillRuns, type TaskRecord } from './task';

/** With at least this many open tasks, the account's list is read instead of each task. */
const listFrom = 10;
/** How many single tasks are read at once. */
const looksAtOnce = 10;
/** After this many failed lists in a row, the tasks are read one by one. */
const mostBadLists = 2;
/** How long after the deadline the last round may still send requests; slow responses end it. */
const lastRoundMs = 10_000;

export interface FollowLimits {
	/** By {@link Clock.elapsed}. */
	deadline: number;
	intervalMs: number;
	/** The pause before the first look. A new task cannot be done at once; a task requested by id can. */
	firstLookMs: number;
}

/**
 * Follows tasks together until all are final, the deadline comes, or the execution is cancelled. No
 * response in between is a reason to give up: the tasks are paid for.
 *
 * @returns what is known about each in the end, in the same order
 */
export async function follow(
	records: readonly TaskRecord[],
	{ deadline, intervalMs, firstLookMs }: FollowLimits,
	{ client, clock, signal }: { client: Client; clock: Clock; signal?: AbortSignal },
): Promise<TaskRecord[]> {
	const entries = records.map((record) => ({ record }));
	const wait = new TaskWait(entries, client);
	const isOver = () => Boolean(signal?.aborted) || clock.elapsed() >= deadline + lastRoundMs;
	for (let rounds = 0; wait.open.size > 0 && !signal?.aborted; rounds++) {
		const random = () => clock.random();
		const pause = rounds === 0 ? firstLookMs : wait.pauseAfter(intervalMs, random);
		await clock.sleep(Math.max(0, Math.min(pause, deadline - clock.elapsed())), signal);
		if (signal?.aborted) break;
		await wait.look(isOver);
		if (clock.elapsed() >= deadline) break;
	}
	return entries.map(({ record }) => record);
}

/** Looks once at the tasks that are still running: a {@link follow} of a single round. */
export async function lookOnce(
	records: readonly TaskRecord[],
	session: Parameters<typeof follow>[2],
): Promise<TaskRecord[]> {
	const now = { deadline: session.clock.elapsed(), intervalMs: 0, firstLookMs: 0 };
	return await follow(records, now, session);
}

/** A task of a wait, in its last known state. */
interface Entry {
	record: TaskRecord;
}

/** The tasks of one wait. */
class TaskWait {
	/** What is still running. The last ones requested are at the end, so an interrupted round is fair. */
	readonly open: Set<Entry>;
	/** Set once the list turns out not to show these tasks. */
	private isListUseless = false;
	/** Failed lists in a row. */
	private badLists = 0;
	/** Rounds in a row that the provider refused or did not answer. */
	private badRounds = 0;
	/** The failure that ended this round early. */
	private obstacle: Failure | null = null;

	constructor(
		entries: Entry[],
		private readonly client: Client,
	) {
		this.open = new Set(entries.filter(stillRuns));
	}

	/** The interval, plus or minus a tenth; longer if the provider asks for it or is in trouble. */
	pauseAfter(intervalMs: number, random: () => number): number {
		const usual = intervalMs * (0.9 + random() * 0.2);
		if (!this.obstacle) return usual;
		return Math.max(usual, delayBeforeRetry(this.badRounds, this.obstacle.retryAfterMs, random));
	}

	async look(isOver: () => boolean): Promise<void> {
		this.obstacle = null;
		const open = [...this.open];
		const hasList = Boolean(this.client.provider.list) && !this.isListUseless;
		const rest = hasList && open.length >= listFrom ? await this.lookAtList(open) : open;
		await inParallel(rest, looksAtOnce, async (entry) => {
			if (this.obstacle || isOver()) return;
			this.open.delete(entry);
			this.open.add(entry);
			const outcome = await this.client.getOnce(entry.record.task.taskId);
			if (outcome.ok) this.note(entry, outcome.value);
			else if (behaviourOf(outcome.failure).concerns === 'all') this.obstacle = outcome.failure;
		});
		this.badRounds = this.obstacle ? this.badRounds + 1 : 0;
	}

	private note(entry: Entry, record: TaskRecord): void {
		entry.record = seenAgain(entry.record.task, record);
		if (isFinal(record.task.status)) this.open.delete(entry);
	}

	/** @returns the tasks that the newest pages do not show, to be read one by one */
	private async lookAtList(open: Entry[]): Promise<Entry[]> {
		const shown = new Map<string, TaskRecord>();
		const { largestPage } = this.client;
		for (let page = 1; page <= Math.ceil(open.length / largestPage); page++) {
			const outcome = await this.client.listOnce(page);
			if (!outcome.ok) {
				this.noteBadList(outcome.failure);
				break;
			}
			this.badLists = 0;
			const { records, rows } = outcome.value;
			for (const record of records) shown.set(record.task.taskId, record);
			if (rows < largestPage) break;
		}
		const missing = open.filter((entry) => {
			const record = shown.get(entry.record.task.taskId);
			if (record) this.note(entry, record);
			return !record;
		});
		// The order of the list is not documented: it may start with the account's oldest tasks.
		if (this.badLists === 0) this.isListUseless = missing.length > open.length / 2;
		return missing;
	}

	/** A failed list does not stop the tasks from being read one by one. */
	private noteBadList(failure: Failure): void {
		const { passing, concerns } = behaviourOf(failure);
		this.badLists++;
		this.isListUseless = !passing || this.badLists >= mostBadLists;
		if (concerns === 'all' || !this.isListUseless) this.obstacle = failure;
	}
}
