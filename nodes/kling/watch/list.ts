import type { Dated } from '../client';
import type { Failure } from '../failure';
import type { TaskRecord } from '../task';
import { keptMs, Ledger, type WatchTerms } from './ledger';
import { beginPass, continuePass, isNewestFirst, marginMs, type ListPass } from './pass';
import { askPage, lookAtEach, type PollResult, type PollTime, type Source } from './source';
import { mostSeen, readState, type AccountState } from './state';

/** Milliseconds: where the list is newest first, how far before the activation tasks are met that still run. */
const firstReachMs = 86_400_000;
/** Tasks in the page of an idle poll: at least this many, and this many more than expected. */
const smallPage = 20;
const spareRows = 10;

/**
 * One poll over the account's list: finds the tasks that ended since the state was written, and
 * what the state becomes. Each page is handled by itself, so a failure in the middle loses and
 * repeats nothing; the watermark moves only when the list was read to the end that matters. In the
 * first poll, what is shown as ended is the past, and what runs is followed.
 *
 * @param stored the state of the poll before, if there was one
 */
export async function watchAccount(
	source: Source,
	stored: unknown,
	terms: WatchTerms,
	time: PollTime,
): Promise<PollResult<AccountState>> {
	const state = readState(stored, 'account', terms.scope);
	return await new AccountPoll(source, state, terms, time).run();
}

class AccountPoll {
	private readonly ledger: Ledger;
	private settled: AccountState['settled'];
	private top: number | null;
	/** The pass over the list, which an earlier poll may have begun; null once all that matters was read. */
	private pass: ListPass | null;
	private hasRead = false;

	constructor(
		private readonly source: Source,
		private readonly state: AccountState,
		terms: WatchTerms,
		private readonly time: PollTime,
	) {
		this.ledger = new Ledger(state, terms);
		this.settled = state.settled;
		this.top = state.top;
		this.pass = state.pass ?? beginPass(this.usualSize);
	}

	async run(): Promise<PollResult<AccountState>> {
		const { ledger, source, time } = this;
		let failure: Failure | null = null;
		// A page that never comes must not hide the newest ones: after it failed, a poll begins with those.
		if (this.pass?.isStuck) {
			const outcome = await this.readPage(1, this.pass.size);
			if (!outcome.ok) failure = outcome.failure;
		}
		while (!failure && this.pass && time.isLeft) {
			const outcome = await this.readPage(this.pass.page, this.pass.size);
			if (outcome.ok)
				this.goOn(continuePass(this.pass, outcome.value, outcome.providerTime), outcome.value);
			else failure = outcome.failure;
		}
		// Tasks deep in a list that cannot be read so far are looked at all the same.
		if (this.hasRead) {
			await lookAtEach([...ledger.pending], source, time, ledger, (_taskId, record) =>
				ledger.note(record, this.settled.since),
			);
		}
		const { emitted } = ledger;
		const isFirst = ledger.isFirst && !this.hasRead;
		return { emitted, state: this.toState(failure), failure, isFirst };
	}

	/** Asks for a page and notes its tasks. */
	private async readPage(page: number, size: number): Promise<Dated<TaskRecord[]>> {
		const { ledger } = this;
		const outcome = await askPage(this.source, page, size, this.time);
		// An event that was switched on is wanted from now on, even when nothing can be read.
		ledger.noteTime(outcome.providerTime);
		if (!outcome.ok) return outcome;
		this.hasRead = true;
		for (const record of outcome.value) ledger.note(record, this.settled.since);
		if (ledger.seen.size > mostSeen) {
			const forgotten = ledger.seen.forgetOldest(mostSeen);
			this.settled = { ...this.settled, since: Math.max(this.settled.since ?? 0, forgotten) };
		}
		return outcome;
	}

	/** Goes on after a page: to the next one, to larger ones, or to the end of the pass. */
	private goOn(pass: ListPass, { length }: TaskRecord[]): void {
		const { largestPage, lastPage } = this.source;
		const isAtEnd = length < pass.size || pass.page > lastPage;
		if (isAtEnd || this.isCovered(pass)) this.complete(pass);
		// A page full of news: larger pages reach the end sooner.
		else this.pass = pass.size < largestPage ? beginPass(largestPage) : pass;
	}

	/** As many as are running or ended lately, where the list is known to begin with them. */
	private get usualSize(): number {
		const { largestPage } = this.source;
		if (this.top === null) return largestPage;
		const { seen, open } = this.ledger;
		return Math.min(Math.max(smallPage, seen.size + open.size + spareRows), largestPage);
	}

	/** Whether no later page can hold anything of interest. */
	private isCovered(pass: ListPass): boolean {
		const since = this.settled.since ?? this.ledger.activatedAt - firstReachMs;
		return isNewestFirst(pass, this.top) && (pass.order?.lowest ?? Infinity) < since;
	}

	/**
	 * Ends a pass. While pages are read, a task can slip to one already read: because another vanished,
	 * or because it ended and one server knows that already. So what one pass has found is settled by
	 * the next, which for a list in no order begins when all servers know.
	 */
	private complete(pass: ListPass): void {
		const { settled } = this;
		const { startedAt } = pass;
		this.top = isNewestFirst(pass, this.top) ? pass.top : null;
		let { since } = settled;
		if (this.top !== null || startedAt >= settled.nextAt + marginMs) {
			if (settled.next !== null) since = Math.max(since ?? 0, settled.next);
			// What is created or listed later than the newest creation known is not settled, whatever the clocks say.
			const next = Math.min(startedAt - marginMs, pass.top ?? 0);
			this.settled = { since, next, nextAt: this.ledger.now };
		} else {
			since ??= startedAt - keptMs;
			this.settled = { ...settled, since };
		}
		if (since !== null) this.ledger.seen.forget(since);
		this.pass = since === null ? beginPass(this.source.largestPage) : null;
	}

	/** @param failure of the next page */
	private toState(failure: Failure | null): AccountState {
		const { settled, top, pass } = this;
		const stored = pass && { ...pass, isStuck: failure !== null && pass.page > 1 };
		return { ...this.state, ...this.ledger.toState(), settled, top, pass: stored };
	}
}
