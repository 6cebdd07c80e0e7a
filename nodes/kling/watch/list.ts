import type { Dated } from '../client';
import type { Failure } from '../failure';
import type { TaskPage } from '../providers/provider';
import { createdMs, type TaskRecord } from '../task';
import { keptMs, Ledger, type WatchFilter } from './ledger';
import { isOldestBelow, marginMs, type Probe } from './order';
import {
	AlikePages,
	beginPass,
	continuePass,
	isAsBefore,
	isNewestFirst,
	stampsOf,
	type ListPass,
} from './pass';
import { askPage, lookAtEach, type PollResult, type PollTime, type Source } from './source';
import { mostSeen, readState, type AccountState } from './state';

/** How long before the activation a running task is met in a newest-first list, in milliseconds. */
const firstReachMs = 86_400_000;
/** Tasks on an idle poll's page: at least this many, and this many more than expected. */
const smallPage = 20;
const spareRows = 10;
/** n8n's minimum time between two polls, in milliseconds. */
const shortestIntervalMs = 60_000;
/**
 * The page size in every other reading, as a fraction of the largest: the golden ratio keeps its page
 * breaks as far as possible from those of the previous one.
 */
const otherPart = 0.618;
/** A list in no order is settled after this many readings: in two, a row can slip across a page break. */
const readingsInNoOrder = 3;

/**
 * One poll over the account's list: finds the tasks that ended since the state was written, and the new
 * state. Each page is handled by itself, so a failure in the middle loses and repeats nothing; the
 * watermark moves only once the list was read as far as it matters. In the first poll, ended tasks are
 * ignored, and running ones are followed.
 *
 * @param stored the state of the previous poll, if there was one
 */
export async function watchList(
	source: Source,
	stored: unknown,
	filter: WatchFilter,
	time: PollTime,
): Promise<PollResult<AccountState>> {
	const state = readState(stored, 'account', filter.scope);
	return await new ListPoll(source, state, filter, time).run();
}

class ListPoll {
	private readonly ledger: Ledger;
	private settled: AccountState['settled'];
	private top: number | null;
	private beside: number;
	private whole: AccountState['whole'];
	/** The pass over the list, maybe from an earlier poll; null once all that matters was read. */
	private pass: ListPass | null;
	private hasRead = false;
	private readonly alike = new AlikePages();
	/** Whether this poll can read deeper pages. */
	private canProbe = true;

	constructor(
		private readonly source: Source,
		private readonly state: AccountState,
		filter: WatchFilter,
		private readonly time: PollTime,
	) {
		this.ledger = new Ledger(state, filter);
		this.settled = state.settled;
		this.top = state.top;
		this.beside = state.beside;
		this.whole = state.whole;
		this.pass = this.storedPass ?? beginPass(this.usualSize);
	}

	async run(): Promise<PollResult<AccountState>> {
		const { ledger, source, time } = this;
		let failure: Failure | null = null;
		// A page that keeps failing must not hide the newest ones: after it failed, a poll starts with those.
		if (this.pass?.isStuck) {
			const outcome = await this.readPage(1, this.pass.size);
			if (!outcome.ok) failure = outcome.failure;
		}
		while (!failure && this.pass && time.isLeft) {
			const outcome = await this.readPage(this.pass.page, this.pass.size);
			if (outcome.ok) await this.goOn(this.pass, outcome.value);
			else failure = outcome.failure;
		}
		// Tasks deep in a list that cannot be read that far are still looked at.
		if (this.hasRead && ledger.pending.size > 0) {
			await lookAtEach([...ledger.pending], source, time, ledger, (_taskId, record) =>
				ledger.record(record, this.settled.since),
			);
		}
		const { emitted } = ledger;
		const isFirst = ledger.isFirst && !this.hasRead;
		return { emitted, state: this.toState(failure), failure, isFirst };
	}

	/** Requests a page and records its tasks. */
	private async readPage(page: number, size: number): Promise<Dated<TaskPage>> {
		const { ledger } = this;
		const outcome = await askPage(this.source, page, size, this.time);
		// An event that was switched on is wanted from now on, even if nothing can be read.
		ledger.hear(outcome.providerTime);
		if (!outcome.ok) return outcome;
		this.hasRead = true;
		this.alike.add(outcome.value.records);
		for (const record of outcome.value.records) ledger.record(record, this.settled.since);
		if (ledger.seen.size > mostSeen) {
			const forgotten = ledger.seen.forgetOldest(mostSeen);
			this.settled = { ...this.settled, since: Math.max(this.settled.since ?? 0, forgotten) };
		}
		return outcome;
	}

	/** Continues after a page: with the next one, with larger ones, or with the end of the pass. */
	private async goOn(read: ListPass, { records, rows }: TaskPage): Promise<void> {
		const { page, size } = read;
		const { now } = this.ledger;
		const pass = continuePass(read, records, { now, beside: this.countBeside(records) });
		if (this.isEnd(read, rows, pass.top) || (await this.isOver(pass))) return this.complete(pass);
		if (page === 1 && rows < size)
			this.pass = { ...pass, size: this.sizeOfCut(records), cutAt: rows };
		// A page full of news: larger pages reach the end sooner.
		else this.pass = page === 1 && size < this.largeSize ? beginPass(this.largeSize) : pass;
	}

	/**
	 * Whether the list ends with a page. Fewer rows than requested prove nothing: the provider may limit the
	 * rows per page, or leave some out. Then the next page tells.
	 */
	private isEnd({ page, size, cutAt }: ListPass, rows: number, top: number | null): boolean {
		const { whole } = this;
		const { now } = this.ledger;
		if (rows === 0 && page === 2 && cutAt !== null) this.whole = { rows: cutAt, top, at: now };
		// Unless new tasks come first, they may be behind a page that looks unchanged.
		const isRecent = whole !== null && (this.top !== null || now < whole.at + marginMs);
		const isWhole = isRecent && page === 1 && rows === whole.rows && top === whole.top;
		const isLast = page >= this.source.lastPage || this.alike.areAll;
		return rows === 0 || (rows < size && isWhole) || isLast;
	}

	/** Whether the list is newest first, and no later page can contain anything of interest. */
	private async isOver(pass: ListPass): Promise<boolean> {
		const since = this.settled.since ?? this.ledger.wantedSince - firstReachMs;
		const { order } = pass;
		if (!order || !isNewestFirst(pass, this.top) || (order.lowest ?? Infinity) >= since)
			return false;
		if (isAsBefore(pass, this.top)) return true;
		if (!this.canProbe) return false;
		const { lastPage } = this.source;
		const isOrdered = await isOldestBelow(order, pass.page, lastPage, async (page) => {
			return await this.probe(page, pass.size);
		});
		this.canProbe = isOrdered !== null;
		if (isOrdered === false) pass.order = null;
		return isOrdered === true;
	}

	private async probe(page: number, size: number): Promise<Probe | null> {
		if (!this.time.isLeft) return null;
		const outcome = await askPage(this.source, page, size, this.time);
		if (!outcome.ok) return null;
		const { records, rows } = outcome.value;
		return { stamps: stampsOf(records), isEmpty: rows === 0 };
	}

	/** Rows that the next poll's first page must contain although they are not followed. */
	private countBeside(records: readonly TaskRecord[]): number {
		const since = this.settled.next ?? Infinity;
		const { open } = this.ledger;
		return records.filter(({ task }) => createdMs(task) >= since && !open.has(task.taskId)).length;
	}

	/** The pass that an earlier poll started. A short list that may not have been complete is read again. */
	private get storedPass(): ListPass | null {
		const { pass } = this.state;
		const isTiny = pass?.page === 2 && pass.size < smallPage && pass.cutAt !== null;
		return isTiny ? null : pass;
	}

	/** As many as are running or arrived recently, if the list is known to start with them. */
	private get usualSize(): number {
		const { since, next } = this.settled;
		if (this.top === null || since === null) return this.largeSize;
		const { open, now } = this.ledger;
		const known = this.beside + open.size;
		// Those expected until the next poll, at the rate at which the others came.
		const interval = Math.max((next ?? since) - since, shortestIntervalMs);
		const expected = known * (1 + Math.min(interval / (now - since), 1)) + spareRows;
		return Math.min(Math.max(smallPage, Math.ceil(expected)), this.source.largestPage);
	}

	/**
	 * The page size for a pass of several pages. A row can slip across a page break, and would do so
	 * again in the next pass if the break were in the same place.
	 */
	private get largeSize(): number {
		const { largestPage } = this.source;
		return this.settled.size === largestPage ? Math.ceil(largestPage * otherPart) : largestPage;
	}

	/** The same if the provider limits the tasks per page; each task counts once. */
	private sizeOfCut(records: readonly TaskRecord[]): number {
		const { size } = new Set(records.map(({ task }) => task.taskId));
		return this.settled.size === size ? Math.ceil(size * otherPart) : size;
	}

	/**
	 * Ends a pass. While pages are read, a task can slip to one already read: because another vanished,
	 * or because it ended and one server already knows. So the next pass settles what one has found; for
	 * a list in no order, a later pass that starts when all servers know.
	 */
	private complete(pass: ListPass): void {
		const { settled } = this;
		const { startedAt, size } = pass;
		const { now } = this.ledger;
		const wasNewestFirst = this.top !== null;
		this.top = isNewestFirst(pass, this.top) ? pass.top : null;
		this.beside = pass.beside;
		let { since } = settled;
		const readings = settled.readings + 1;
		const isRead = readings >= readingsInNoOrder && startedAt >= settled.nextAt + marginMs;
		// An order proven only by this reading does not make the earlier ones more reliable.
		if ((wasNewestFirst && this.top !== null) || settled.next === null || isRead) {
			if (settled.next !== null) since = Math.max(since ?? 0, settled.next);
			// Tasks newer than the newest known creation are not settled, whatever the clocks say.
			const next = Math.min(startedAt - marginMs, pass.top ?? 0);
			this.settled = { since, next, nextAt: now, readings: 1, size };
		} else {
			since ??= startedAt - keptMs;
			// A wrong date must not delay it for days.
			this.settled = { ...settled, since, nextAt: Math.min(settled.nextAt, now), readings, size };
		}
		if (since !== null) this.ledger.seen.forget(since);
		this.pass = since === null ? beginPass(this.largeSize) : null;
	}

	/** @param failure of the next page */
	private toState(failure: Failure | null): AccountState {
		const { settled, top, beside, whole, pass } = this;
		const stored = pass && { ...pass, isStuck: failure !== null && pass.page > 1 };
		const found = { settled, top, beside, whole, pass: stored };
		return { ...this.state, ...this.ledger.toState(), ...found };
	}
}
