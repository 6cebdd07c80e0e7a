import type { Failure } from '../failure';
import { createdMs, updatedMs, type TaskRecord } from '../task';
import { byEnd, keptWhileFirstMs, Ledger, type WatchTerms } from './ledger';
import { lookAtEach, type PollTime, type Round, type Source } from './source';
import { freshState, type Pass, type WatchState } from './state';

/**
 * Milliseconds by which a creation may be dated early, or be listed late, against others: so long a
 * stretch before the newest creation is read anew in each poll.
 */
export const marginMs = 600_000;
/**
 * Milliseconds that count as passed between two polls at most, well below the margin: n8n's clock can
 * be set ahead, and the margin must not be used up by that.
 */
const longestStepMs = 300_000;
/** The first reading goes back so far for tasks that still run, where the list is newest first … */
export const firstReachMs = 86_400_000;
/** … but at least over so many pages. */
export const firstPages = 5;
/** A further page is worth its request while it may spare so many looks at single tasks. */
const worthPage = 10;

/**
 * One poll over the account's list: finds the tasks that ended since the state was written, and
 * what the state becomes. Each page is dealt with by itself, so a failure in the middle loses and
 * repeats nothing; the watermark moves only when the list was read to the end that matters.
 *
 * @param stored null for the first poll, which emits nothing but follows what runs
 */
export async function watchAccount(
	source: Source,
	stored: WatchState | null,
	terms: WatchTerms,
	time: PollTime,
	pageSize: number = source.largestPage,
): Promise<Round> {
	const state = stored ?? freshState(terms.scope, terms.events);
	const reading = new Reading(state, terms, () => time.now(), pageSize, source.lastPage);
	let failure: Failure | null = null;
	while (!failure && reading.wantsPage && time.isLeft) {
		const outcome = await time.ask(async () => await source.listOnce(reading.nextPage, pageSize));
		if (outcome.ok) reading.note(outcome.value);
		else failure = outcome.failure;
	}
	if (reading.isComplete) await lookAtRest(reading, source, time);
	const emitted = [...reading.ledger.emitted].sort(byEnd);
	// Pages behind the end that matters are read to save looks at single tasks.
	return reading.isComplete
		? { emitted, state: reading.completeState(), failure: null, unknown: [] }
		: { emitted, state: reading.partialState(failure), failure, unknown: [] };
}

/** Looks at the open tasks that the pages did not show. One that cannot be looked at has its turn again. */
async function lookAtRest(reading: Reading, source: Source, time: PollTime): Promise<void> {
	const { ledger } = reading;
	await lookAtEach(reading.notShown, source, time, {
		found: (_taskId, record) => reading.noteOne(record),
		missing: (taskId) => ledger.noteMissing(taskId),
		postpone: (taskId) => ledger.postpone(taskId),
	});
}

/** A reading of the list, page by page, maybe begun in an earlier poll. */
class Reading {
	readonly ledger: Ledger;
	/** Whether everything that can matter was read. */
	isComplete = false;
	private isAtEnd = false;
	private pass: Pass;
	private newest: number | null;
	private newestAt: number;
	private readonly readAt: number;
	/** How many open tasks the last page has shown. */
	private shownOpen = 0;

	constructor(
		private readonly state: WatchState,
		private readonly terms: WatchTerms,
		private readonly now: () => number,
		private readonly pageSize: number,
		private readonly lastPage: number,
	) {
		this.ledger = new Ledger(state, terms);
		this.readAt = now();
		this.pass = state.pass ?? beginPass(this.readAt);
		this.newest = state.newest;
		this.newestAt = state.newestAt + leapSince(state.readAt, this.readAt);
	}

	get nextPage(): number {
		return this.pass.page;
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

	note(records: TaskRecord[]): void {
		const { open } = this.ledger;
		this.shownOpen = records.filter(({ task }) => open.has(task.taskId)).length;
		this.pass = continuePass(this.pass, records, this.state.top);
		for (const record of records) this.noteNewest(record);
		for (const record of records) this.noteOne(record);
		this.isAtEnd = records.length < this.pageSize || this.pass.page > this.lastPage;
		this.isComplete ||= this.isAtEnd || this.isCovered();
	}

	noteOne(record: TaskRecord): void {
		this.ledger.note(record, this.newest ?? 0);
	}

	private noteNewest({ task }: TaskRecord): void {
		// A date in the future must not carry the watermark past what is still to come.
		const now = this.now();
		const created = Math.min(createdMs(task), now);
		if (created <= (this.newest ?? 0)) return;
		this.newest = created;
		this.newestAt = now;
	}

	/** Whether nothing of interest can stand on a later page. */
	private isCovered(): boolean {
		const { lastCreated, lastUpdated, page } = this.pass;
		if (lastCreated === null) return false;
		if (this.state.isFirst) {
			return page > firstPages && lastCreated < (this.newest ?? 0) - firstReachMs;
		}
		const { since, seenUntil } = this.state;
		if (since === null || lastCreated >= since) return false;
		// Where the pages are in order of the last change too, that can be the true order.
		return lastUpdated === null || lastUpdated < (seenUntil ?? since);
	}

	/** What is known when everything that can matter was read. */
	completeState(): WatchState {
		const { state, ledger } = this;
		const seen = this.seen();
		const settled = lowest(this.newest, seen);
		// A task that slipped to a page already read, because one vanished, is met by the next reading.
		const since = highest(state.since, state.isFirst ? settled : state.next);
		if (since !== null) ledger.done.forget(since);
		return ledger.toState({
			events: [...this.terms.events],
			isFirst: false,
			since,
			next: highest(since, settled),
			seenUntil: highest(state.seenUntil, state.isFirst ? seen : state.nextSeenUntil),
			nextSeenUntil: highest(state.nextSeenUntil, seen),
			newest: this.newest,
			newestAt: this.newestAt,
			readAt: this.readAt,
			top: this.pass.top,
			pass: null,
		});
	}

	/**
	 * What is known in the middle of a reading. After a failure the next poll begins with the first
	 * page again: a page that never comes must not hide the newest ones.
	 */
	partialState(failure: Failure | null): WatchState {
		const { state, ledger, terms } = this;
		if (state.isFirst && this.newest !== null) ledger.done.forget(this.newest - keptWhileFirstMs);
		return ledger.toState({
			// An event that is new stays so until everything was seen once.
			events: state.events.filter((event) => terms.events.includes(event)),
			newest: this.newest,
			newestAt: this.newestAt,
			readAt: this.readAt,
			pass: failure ? null : this.pass,
		});
	}

	/**
	 * All that the provider dates before this was to be seen when the reading began: its clock then
	 * stood at least at the newest creation, plus the time since that was seen first (or less, when
	 * it was seen after the beginning). n8n's clock serves for differences only. That it may jump is
	 * why creations count as settled no further than to the newest one.
	 */
	private seen(): number | null {
		if (this.newest === null) return null;
		return this.newest + (this.pass.startedAt - this.newestAt) - marginMs;
	}
}

/** Milliseconds by which n8n's clock went on further than a poll's pause is believed to be. */
function leapSince(readAt: number | null, now: number): number {
	return readAt === null ? 0 : Math.max(0, now - readAt - longestStepMs);
}

function lowest(a: number | null, b: number | null): number | null {
	return a === null || b === null ? null : Math.min(a, b);
}

function highest(a: number | null, b: number | null): number | null {
	if (a === null || b === null) return a ?? b;
	return Math.max(a, b);
}

function beginPass(now: number): Pass {
	return { page: 1, startedAt: now, top: null, lastCreated: Infinity, lastUpdated: Infinity };
}

/** @param top the newest creation that was there before: a list that is newest first begins there */
function continuePass(pass: Pass, records: TaskRecord[], top: number | null): Pass {
	const created = records.map(({ task }) => createdMs(task));
	const highestOfPage = created.length > 0 ? created.reduce((a, b) => Math.max(a, b)) : null;
	const beginsOld = pass.page === 1 && top !== null && (highestOfPage ?? 0) < top;
	return {
		page: pass.page + 1,
		startedAt: pass.startedAt,
		top: highest(pass.top, highestOfPage),
		lastCreated: beginsOld ? null : lastInOrder(pass.lastCreated, created),
		lastUpdated: lastInOrder(
			pass.lastUpdated,
			records.map(({ task }) => updatedMs(task)),
		),
	};
}

/** From so many neighbours on, chance cannot make an unordered page look ordered. */
const enoughPairs = 100;

/**
 * The last stamp, when all are newest first after the one before them; null otherwise. In a long
 * page a quarter of the neighbours may be in the wrong order by less than the margin, as they are
 * where several servers date tasks.
 */
function lastInOrder(before: number | null, stamps: number[]): number | null {
	if (before === null || stamps.length === 0 || stamps.includes(0)) return null;
	const rises = stamps.map((stamp, index) => stamp - (stamps[index - 1] ?? before));
	const wrong = rises.filter((rise) => rise > 0);
	const tolerated = stamps.length >= enoughPairs ? stamps.length / 4 : 0;
	if (wrong.length > tolerated || wrong.some((rise) => rise > marginMs)) return null;
	return stamps[stamps.length - 1];
}
