import type { Failure } from '../failure';
import type { TaskRecord } from '../task';
import { byEnd, keptMs, Ledger, type WatchTerms } from './ledger';
import { beginPass, continuePass, isNewestFirst, marginMs, type ListPass } from './pass';
import { askPage, lookAtEach, type PollResult, type PollTime, type Source } from './source';
import { freshAccount, mostSeen, type AccountState } from './state';

/** Milliseconds: where the list is newest first, how far the first pass goes back for tasks that still run. */
export const firstReachMs = 86_400_000;
/** Tasks in the page of an idle poll: at least this many, and this many more than expected. */
const smallPage = 20;
const spareRows = 10;
/** A further page is worth its request while it may save this many reads of single tasks. */
const worthPage = 10;

/**
 * One poll over the account's list: finds the tasks that ended since the state was written, and
 * what the state becomes. Each page is handled by itself, so a failure in the middle loses and
 * repeats nothing; the watermark moves only when the list was read to the end that matters.
 *
 * @param stored null for the first poll: what it shows as ended is the past, and what runs is followed
 */
export async function watchAccount(
	source: Source,
	stored: AccountState | null,
	terms: WatchTerms,
	time: PollTime,
): Promise<PollResult<AccountState>> {
	const reading = new Reading(stored ?? freshAccount(terms.scope), terms, source);
	let failure = reading.isStuck ? await lookAtNewest(reading, source, time) : null;
	while (!failure && reading.wantsPage && time.isLeft) {
		const outcome = await askPage(source, reading.pass, time);
		if (outcome.ok) reading.note(outcome.value, outcome.providerTime);
		else failure = reading.noteFailure(outcome.failure, outcome.providerTime);
	}
	// Tasks deep in a list that cannot be read so far are looked at all the same.
	if (reading.hasBegun) await lookAtRest(reading, source, time);
	const emitted = [...reading.ledger.emitted].sort(byEnd);
	// Pages behind the end that matters are read to save looks at single tasks.
	if (reading.isComplete) failure = null;
	return { emitted, state: reading.toState(failure), failure };
}

/** A page that never comes must not hide the newest ones: after it failed, a poll begins with those. */
async function lookAtNewest(
	reading: Reading,
	source: Source,
	time: PollTime,
): Promise<Failure | null> {
	const outcome = await askPage(source, { ...reading.pass, page: 1 }, time);
	if (!outcome.ok) return reading.noteFailure(outcome.failure, outcome.providerTime);
	reading.noteRecords(outcome.value, outcome.providerTime);
	return null;
}

/** Looks at the open tasks that the pages did not show. One that cannot be read gets its turn again. */
async function lookAtRest(reading: Reading, source: Source, time: PollTime): Promise<void> {
	const { ledger } = reading;
	await lookAtEach(reading.notShown, source, time, {
		found: (_taskId, record, providerTime) => reading.noteRecords([record], providerTime),
		missing: (taskId) => ledger.noteMissing(taskId),
		postpone: (taskId) => ledger.postpone(taskId),
	});
}

/** A poll's share of a pass over the list, which an earlier poll may have begun. */
class Reading {
	readonly ledger: Ledger;
	pass: ListPass;
	/** Whether everything that can matter was read. */
	isComplete = false;
	/** Whether this poll has read anything. */
	hasBegun = false;
	private settled: AccountState['settled'];
	private top: number | null;
	private isAtEnd = false;
	/** How many open tasks the last page has shown. */
	private shownOpen = 0;

	constructor(
		private readonly state: AccountState,
		terms: WatchTerms,
		private readonly list: Pick<Source, 'largestPage' | 'lastPage'>,
	) {
		this.ledger = new Ledger(state, terms);
		this.settled = state.settled;
		this.top = state.top;
		this.pass = state.pass ?? beginPass(this.usualSize);
	}

	get isStuck(): boolean {
		return this.pass.isStuck;
	}

	get wantsPage(): boolean {
		if (!this.isComplete) return true;
		return !this.isAtEnd && this.shownOpen >= worthPage && this.notShown.length > worthPage;
	}

	/** The open tasks that no page of this poll has shown. */
	get notShown(): string[] {
		const { open, shown } = this.ledger;
		return [...open].filter((taskId) => !shown.has(taskId));
	}

	/** Notes the next page of the pass. */
	note(records: TaskRecord[], providerTime: number): void {
		const { open } = this.ledger;
		this.shownOpen = records.filter(({ task }) => open.has(task.taskId)).length;
		this.pass = continuePass(this.pass, records, providerTime);
		this.noteRecords(records, providerTime);
		const { page, size } = this.pass;
		this.isAtEnd = records.length < size || page > this.list.lastPage;
		if (this.isComplete) return;
		if (this.isAtEnd || this.isCovered) this.complete();
		// A page full of news: larger pages reach the end sooner.
		else if (size < this.list.largestPage) this.pass = beginPass(this.list.largestPage);
	}

	/** Notes tasks, wherever they were shown. */
	noteRecords(records: TaskRecord[], providerTime: number): void {
		const { ledger, settled } = this;
		this.hasBegun = true;
		ledger.noteTime(providerTime);
		for (const record of records) ledger.note(record, settled.since);
		if (ledger.seen.size <= mostSeen) return;
		const since = highest(settled.since, ledger.seen.forgetOldest(mostSeen));
		this.settled = { ...settled, since };
	}

	/** An event that was switched on is wanted from now on, even when nothing can be read. */
	noteFailure(failure: Failure, providerTime: number): Failure {
		this.ledger.noteTime(providerTime);
		return failure;
	}

	/** As many as are running or ended lately, where the list is known to begin with them. */
	private get usualSize(): number {
		const { largestPage } = this.list;
		if (this.top === null) return largestPage;
		const { seen, open } = this.ledger;
		return Math.min(Math.max(smallPage, seen.size + open.size + spareRows), largestPage);
	}

	/** Whether no later page can hold anything of interest. */
	private get isCovered(): boolean {
		const { startedAt, order } = this.pass;
		if (order === null || order.lowest === null || !isNewestFirst(this.pass, this.top))
			return false;
		const since = this.settled.since ?? startedAt - firstReachMs;
		return order.lowest < Math.max(since, startedAt - keptMs);
	}

	private complete(): void {
		const { pass, settled, ledger } = this;
		this.top = isNewestFirst(pass, this.top) ? pass.top : null;
		const isSettled = this.isSettled;
		// What is created or listed later than the newest creation known is not settled, whatever the clocks say.
		const next = Math.min(pass.startedAt - marginMs, pass.top ?? 0);
		this.settled = isSettled
			? {
					since: highest(settled.since, pass.page === 2 ? next : settled.next),
					next: highest(settled.next, next),
					nextAt: pass.startedAt,
				}
			: { ...settled, since: settled.since ?? pass.startedAt - keptMs };
		const { since } = this.settled;
		this.isComplete = since !== null;
		if (since === null) this.pass = beginPass(this.list.largestPage);
		else ledger.seen.forget(since);
	}

	/**
	 * With several pages, a task can slip to one already read: because another vanished, or because it ended
	 * and one server knows that already. So a later pass has to meet it first, and a list in no order
	 * be read again when all servers know.
	 */
	private get isSettled(): boolean {
		const { pass, top, settled } = this;
		return pass.page === 2 || top !== null || pass.startedAt >= settled.nextAt + marginMs;
	}

	/** @param failure of the next page */
	toState(failure: Failure | null): AccountState {
		const pass = { ...this.pass, isStuck: failure !== null && this.pass.page > 1 };
		const { settled, top } = this;
		return {
			...this.state,
			...this.ledger.toState(),
			settled,
			top,
			pass: this.isComplete ? null : pass,
		};
	}
}

function highest(a: number | null, b: number | null): number | null {
	if (a === null || b === null) return a ?? b;
	return Math.max(a, b);
}
