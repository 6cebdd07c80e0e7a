import type { Client, Dated } from '../client';
import { delayBeforeRetry, type Clock } from '../clock';
import { behaviourOf, type Failure } from '../failure';
import { inParallel } from '../pace';
import type { TaskPage } from '../providers/provider';
import type { TaskRecord } from '../task';
import type { Ledger } from './ledger';
import type { WatchState } from './state';

/** Where tasks are read from: a {@link Client}, or a model of one. */
export type Source = Pick<Client, 'listOnce' | 'getOnce' | 'largestPage' | 'lastPage'>;

/** The result of one poll. */
export interface PollResult<State = WatchState> {
	/** Ended tasks, oldest end first, already marked as handled in `state`. */
	emitted: TaskRecord[];
	/** Safe to store, even if the poll had a failure. */
	state: State;
	/** What kept the poll from seeing everything; null if nothing did. */
	failure: Failure | null;
	/** Whether nothing was known and no page has been read since: a failure is then shown. */
	isFirst: boolean;
}

/** Time for what n8n does with the items after the poll, in milliseconds. */
const reserveMs = 1_000;

/** One poll's time. A request starts only if one twice as slow as the slowest so far would end in time. */
export class Budget {
	private slowestMs = 0;
	private readonly end: number;
	private hasAsked = false;

	constructor(
		private readonly clock: Clock,
		budgetMs: number,
	) {
		this.end = clock.elapsed() + budgetMs;
	}

	/** Always true for the first request, or with a short budget nothing would ever be done. */
	get isLeft(): boolean {
		return !this.hasAsked || this.clock.elapsed() + 2 * this.slowestMs < this.end - reserveMs;
	}

	/** Makes a request and records how long it took. */
	async ask<T>(request: () => Promise<T>): Promise<T> {
		this.hasAsked = true;
		const start = this.clock.elapsed();
		const response = await request();
		this.slowestMs = Math.max(this.slowestMs, this.clock.elapsed() - start);
		return response;
	}

	/** Waits before a request is repeated, longer with each try. */
	async pause(tries: number): Promise<void> {
		await this.clock.sleep(delayBeforeRetry(tries, null, () => this.clock.random()));
	}
}

/** What a poll needs from its {@link Budget}. */
export type PollTime = Pick<Budget, 'isLeft' | 'ask' | 'pause'>;

/** Parallel requests for single tasks. */
const looksAtOnce = 4;

/** How many single tasks a poll reads. */
interface LookLimits {
	/** At most; the others get their turn in the next poll. */
	most: number;
	/** After this many reads without a usable response, the rest wait for the next poll. */
	mostFailed: number;
}
const usualLooks: LookLimits = { most: 100, mostFailed: 3 };

/** How often one poll requests a page in the middle of a pass. */
const pageTries = 3;

/** Requests a page of the list; retries a failure in the middle, which would otherwise waste the pass. */
export async function askPage(
	source: Source,
	page: number,
	size: number,
	time: PollTime,
): Promise<Dated<TaskPage>> {
	for (let tries = 1; ; tries++) {
		const outcome = await time.ask(async () => await source.listOnce(page, size));
		if (outcome.ok || page === 1 || tries === pageTries) return outcome;
		const { passing, concerns } = behaviourOf(outcome.failure);
		if (!passing || concerns === 'all' || !time.isLeft) return outcome;
		await time.pause(tries);
	}
}

/**
 * Reads tasks one by one, as many as the poll's time and the limits allow. Missing and unreadable ones
 * are counted in the ledger; a task that was found goes to `record`.
 *
 * @returns the failure, if no read got a usable response or none can; otherwise null
 */
export async function lookAtEach(
	taskIds: readonly string[],
	source: Pick<Source, 'getOnce'>,
	time: PollTime,
	ledger: Ledger,
	record: (taskId: string, record: TaskRecord) => void,
	{ most, mostFailed }: LookLimits = usualLooks,
): Promise<Failure | null> {
	const failures: Failure[] = [];
	let responses = 0;
	await inParallel(taskIds.slice(0, most), looksAtOnce, async (taskId) => {
		if (failures.length >= mostFailed || failures.some(concernsAll) || !time.isLeft) return;
		const outcome = await time.ask(async () => await source.getOnce(taskId));
		ledger.hear(outcome.providerTime);
		if (!outcome.ok && behaviourOf(outcome.failure).concerns !== 'task') {
			ledger.postpone(taskId);
			failures.push(outcome.failure);
			return;
		}
		responses++;
		if (outcome.ok) record(taskId, outcome.value);
		else ledger.countMiss(taskId);
	});
	const lasting = failures.find((failure) => !behaviourOf(failure).passing);
	return lasting ?? (responses === 0 ? (failures[0] ?? null) : null);
}

function concernsAll(failure: Failure): boolean {
	return behaviourOf(failure).concerns === 'all';
}
