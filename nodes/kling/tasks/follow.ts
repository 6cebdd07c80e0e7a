import type { Client } from '../client';
import type { Clock } from '../clock';
import type { Failure, Outcome } from '../failure';
import { largestPage } from '../providers/provider';
import { isFinal, type TaskRecord } from '../task';

/** From so many open tasks on, the account's list is read instead of each task. */
const listFrom = 10;
/** Looks at single tasks under way at once. */
const looksAtOnce = 10;

export interface FollowLimits {
	/** Milliseconds since 1970. */
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
	dependencies: { client: Client; clock: Clock; signal?: AbortSignal },
): Promise<Followed[]> {
	const { clock, signal } = dependencies;
	const round = new Round(records, dependencies.client);
	let pause = limits.firstLookMs;
	while (round.isOpen() && !signal?.aborted) {
		await clock.sleep(Math.max(0, Math.min(pause, limits.deadline - clock.now())), signal);
		if (signal?.aborted) break;
		await round.look();
		if (clock.now() >= limits.deadline) break;
		pause = limits.intervalMs * (0.9 + clock.random() * 0.2);
	}
	return round.result();
}

/** The tasks of one wait. */
class Round {
	private readonly entries: Followed[];
	/** Set once the list turned out not to show these tasks. */
	private isListUseless = false;

	constructor(
		records: readonly TaskRecord[],
		private readonly client: Client,
	) {
		this.entries = records.map((record) => ({
			record,
			timedOut: !isFinal(record.task.status),
			missedLooks: 0,
			lastFailure: null,
		}));
	}

	isOpen(): boolean {
		return this.entries.some(({ timedOut }) => timedOut);
	}

	result(): Followed[] {
		return this.entries;
	}

	async look(): Promise<void> {
		const open = this.entries.filter(({ timedOut }) => timedOut);
		const hasList = Boolean(this.client.provider.listRequest) && !this.isListUseless;
		const rest = hasList && open.length >= listFrom ? await this.lookAtList(open) : open;
		await inParallel(rest, looksAtOnce, async (entry) => {
			note(entry, await this.client.look(entry.record.task.taskId));
		});
	}

	/** @returns the tasks that the newest pages do not show, to be looked at one by one */
	private async lookAtList(open: Followed[]): Promise<Followed[]> {
		const shown = new Map<string, TaskRecord>();
		for (let page = 1; page <= Math.ceil(open.length / largestPage); page++) {
			const outcome = await this.client.lookAtPage(page);
			if (!outcome.ok) {
				for (const entry of open) note(entry, outcome);
				return [];
			}
			for (const record of outcome.value) shown.set(record.task.taskId, record);
			if (outcome.value.length < largestPage) break;
		}
		const missing = open.filter((entry) => !shown.has(entry.record.task.taskId));
		for (const entry of open) {
			const record = shown.get(entry.record.task.taskId);
			if (record) note(entry, { ok: true, value: record });
		}
		// The order of the list is not documented: it may begin with the oldest tasks of the account.
		this.isListUseless = missing.length > open.length / 2;
		return missing;
	}
}

function note(entry: Followed, outcome: Outcome<TaskRecord>): void {
	if (!outcome.ok) {
		entry.missedLooks++;
		entry.lastFailure = outcome.failure;
		return;
	}
	const before = entry.record.task;
	const { task } = outcome.value;
	entry.record = {
		...outcome.value,
		task: {
			...task,
			effectScene: task.effectScene ?? before.effectScene,
			externalTaskId: task.externalTaskId ?? before.externalTaskId,
			createdAt: task.createdAt ?? before.createdAt,
		},
	};
	entry.timedOut = !isFinal(task.status);
}

/** Runs the work for each entry, so many at once, in order of the entries. Rejects when one does. */
export async function inParallel<T>(
	entries: readonly T[],
	atOnce: number,
	work: (entry: T, index: number) => Promise<void>,
): Promise<void> {
	let next = 0;
	const worker = async () => {
		while (next < entries.length) {
			const index = next++;
			await work(entries[index], index);
		}
	};
	await Promise.all(Array.from({ length: Math.min(atOnce, entries.length) }, worker));
}
