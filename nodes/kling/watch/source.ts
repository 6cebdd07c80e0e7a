import type { Client } from '../client';
import { behaviourOf, concernsTaskAlone, type Failure, type Outcome } from '../failure';
import type { TaskRecord } from '../task';
import { inParallel } from '../inParallel';
import type { WatchState } from './state';

/** Where tasks are looked at: a {@link Client}, or a model of one. */
export interface Source extends Pick<Client, 'largestPage' | 'lastPage'> {
	listOnce(page: number, pageSize: number): Promise<Outcome<TaskRecord[]>>;
	getOnce(taskId: string): Promise<Outcome<TaskRecord>>;
}

/** What came of one poll. */
export interface Round {
	/** Ended tasks, oldest end first. They are already taken for dealt with in `state`. */
	emitted: TaskRecord[];
	/** Safe to store, also when the poll met a failure. */
	state: WatchState;
	/** What kept the poll from seeing everything; null when nothing did. */
	failure: Failure | null;
	/** The given ids that the provider did not know in this poll. */
	unknown: string[];
}

/** One poll's time. */
export interface PollTime {
	/** n8n's clock, in milliseconds since 1970. */
	now(): number;
	/** Whether one more request may begin. */
	readonly isLeft: boolean;
	/** Makes a request and takes notice of how long it took. */
	ask<T>(request: () => Promise<T>): Promise<T>;
}

/** A poll's time by the clock. A request is begun only when one twice as slow as the slowest would end in time. */
export class Budget implements PollTime {
	private slowestMs = 0;
	private readonly end: number;
	private asked = 0;

	/** @param now n8n's clock, in milliseconds */
	constructor(
		readonly now: () => number,
		budgetMs: number,
	) {
		this.end = now() + budgetMs;
	}

	/** Always true for the first request, or a short budget would mean that nothing is ever done. */
	get isLeft(): boolean {
		return this.asked === 0 || this.now() + 2 * this.slowestMs < this.end - reserveMs;
	}

	async ask<T>(request: () => Promise<T>): Promise<T> {
		this.asked++;
		const start = this.now();
		const answer = await request();
		this.slowestMs = Math.max(this.slowestMs, this.now() - start);
		return answer;
	}
}

/** Milliseconds for what n8n does with the items after the poll. */
const reserveMs = 1_000;

/** Requests for single tasks under way at once. */
const looksAtOnce = 4;
/** Single tasks that one poll looks at, at most; the others have their turn in the next poll. */
export const mostLooks = 100;
/** After so many looks without an answer of use, the rest waits for the next poll. */
const mostFailedLooks = 3;

/** What to do with the answers to looks at single tasks. */
export interface Looking {
	found(taskId: string, record: TaskRecord): void;
	/** The provider does not know the task. */
	missing(taskId: string): void;
	/** There was no answer of use. */
	postpone(taskId: string): void;
}

/**
 * Looks at tasks one by one, as many as the poll's time and {@link mostLooks} allow.
 *
 * @returns the failure, when no look brought an answer or none can; null otherwise
 */
export async function lookAtEach(
	taskIds: readonly string[],
	source: Pick<Source, 'getOnce'>,
	time: PollTime,
	looking: Looking,
): Promise<Failure | null> {
	const failures: Failure[] = [];
	let answers = 0;
	let isStopped = false;
	await inParallel(taskIds.slice(0, mostLooks), looksAtOnce, async (taskId) => {
		if (isStopped || !time.isLeft) return;
		const outcome = await time.ask(async () => await source.getOnce(taskId));
		if (!outcome.ok && !concernsTaskAlone(outcome.failure)) {
			looking.postpone(taskId);
			failures.push(outcome.failure);
			isStopped ||=
				behaviourOf(outcome.failure).concerns === 'all' || failures.length >= mostFailedLooks;
			return;
		}
		answers++;
		if (outcome.ok) looking.found(taskId, outcome.value);
		else looking.missing(taskId);
	});
	const lasting = failures.find((failure) => !behaviourOf(failure).passing);
	return lasting ?? (answers === 0 ? (failures[0] ?? null) : null);
}
