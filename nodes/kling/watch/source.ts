import type { Client, Dated } from '../client';
import { delayBeforeRetry, type Clock } from '../clock';
import { behaviourOf, concernsTaskAlone, type Failure } from '../failure';
import { inParallel } from '../inParallel';
import type { TaskRecord } from '../task';

/** What tasks are read from: a {@link Client}, or a model of one. */
export type Source = Pick<Client, 'listOnce' | 'getOnce' | 'largestPage' | 'lastPage'>;

/** The result of one poll. */
export interface PollResult<State> {
	/** Ended tasks, oldest end first. They are already marked as handled in `state`. */
	emitted: TaskRecord[];
	/** Safe to store, also when the poll met a failure. */
	state: State;
	/** What kept the poll from seeing everything; null when nothing did. */
	failure: Failure | null;
}

/** One poll's time. */
export interface PollTime {
	/** Whether one more request may begin. */
	readonly isLeft: boolean;
	/** Makes a request and notes how long it took. */
	ask<T>(request: () => Promise<T>): Promise<T>;
	/** Waits before a request is made again, later with each try. */
	pause(tries: number): Promise<void>;
}

/** A poll's time by n8n's clock. A request is begun only when one twice as slow as the slowest would end in time. */
export class Budget implements PollTime {
	private slowestMs = 0;
	private readonly end: number;
	private asked = 0;

	constructor(
		private readonly clock: Clock,
		budgetMs: number,
	) {
		this.end = clock.now() + budgetMs;
	}

	/** Always true for the first request, or a short budget would mean that nothing is ever done. */
	get isLeft(): boolean {
		return this.asked === 0 || this.clock.now() + 2 * this.slowestMs < this.end - reserveMs;
	}

	async ask<T>(request: () => Promise<T>): Promise<T> {
		this.asked++;
		const start = this.clock.now();
		const response = await request();
		this.slowestMs = Math.max(this.slowestMs, this.clock.now() - start);
		return response;
	}

	async pause(tries: number): Promise<void> {
		await this.clock.sleep(delayBeforeRetry(tries, null, () => this.clock.random()));
	}
}

/** Milliseconds for what n8n does with the items after the poll. */
const reserveMs = 1_000;

/** Requests for single tasks under way at once. */
const looksAtOnce = 4;
/** Single tasks that one poll looks at, at most; the others have their turn in the next poll. */
export const mostLooks = 100;
/** After this many reads without a usable response, the rest waits for the next poll. */
const mostFailedLooks = 3;
/** How often a page in the middle of a pass is asked for in one poll. */
const pageTries = 3;

/** Asks for a page of the list; again after a failure in the middle, where the pass would otherwise be lost. */
export async function askPage(
	source: Source,
	{ page, size }: { page: number; size: number },
	time: PollTime,
): Promise<Dated<TaskRecord[]>> {
	for (let tries = 1; ; tries++) {
		const outcome = await time.ask(async () => await source.listOnce(page, size));
		if (outcome.ok || page === 1 || tries === pageTries) return outcome;
		const { passing, concerns } = behaviourOf(outcome.failure);
		if (!passing || concerns === 'all' || !time.isLeft) return outcome;
		await time.pause(tries);
	}
}

/** What to do with the responses to looks at single tasks. */
interface Looking {
	found(taskId: string, record: TaskRecord, providerTime: number): void;
	/** The provider does not know the task. */
	missing?(taskId: string): void;
	/** There was no usable response. */
	postpone?(taskId: string): void;
}

/**
 * Looks at tasks one by one, as many as the poll's time and `most` allow.
 *
 * @returns the failure, when no read brought a usable response or none can; null otherwise
 */
export async function lookAtEach(
	taskIds: readonly string[],
	source: Pick<Source, 'getOnce'>,
	time: PollTime,
	looking: Looking,
	most = mostLooks,
): Promise<Failure | null> {
	const failures: Failure[] = [];
	let responses = 0;
	let isStopped = false;
	await inParallel(taskIds.slice(0, most), looksAtOnce, async (taskId) => {
		if (isStopped || !time.isLeft) return;
		const outcome = await time.ask(async () => await source.getOnce(taskId));
		if (!outcome.ok && !concernsTaskAlone(outcome.failure)) {
			looking.postpone?.(taskId);
			failures.push(outcome.failure);
			isStopped ||=
				behaviourOf(outcome.failure).concerns === 'all' || failures.length >= mostFailedLooks;
			return;
		}
		responses++;
		if (outcome.ok) looking.found(taskId, outcome.value, outcome.providerTime);
		else looking.missing?.(taskId);
	});
	const lasting = failures.find((failure) => !behaviourOf(failure).passing);
	return lasting ?? (responses === 0 ? (failures[0] ?? null) : null);
}
