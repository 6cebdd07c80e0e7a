import type { WatchState } from '../kling/watch/state';

/**
 * A temporary failure of provider or network is shown after more than this many failed polls in a row, or
 * after this many milliseconds: with one poll a day, five polls would be five days.
 */
const mostQuietPolls = 5;
const longestQuietMs = 900_000;

/** How far a poll may exceed its budget: one request that times out after 30 s, and a little more. */
const graceMs = 60_000;

/** What two states of a node are compared by. */
type PolledState = Pick<WatchState, 'scope' | 'polls' | 'heardAt'>;

/** What this process knows about a node's polls. */
interface NodePolls {
	/** The lock of the current poll. */
	lock: PollLock | null;
	/** Where that poll reads and writes its state. */
	holder: object | null;
	/** Until when it holds the lock. */
	until: number;
	/** Failures in a row, and when the first one came. */
	failures: number;
	failingSince: number;
	/** The state left by the last poll. */
	last: PolledState | null;
	/** The state left by the last poll without an emit, and the polls n8n's state had counted by then. */
	quiet: { state: PolledState; from: number } | null;
}

/** The polls of all nodes with one id: one node under each of its names, or two nodes. */
interface PollsOfId {
	byName: Map<string, NodePolls>;
	/** The node's name in the last poll that started. */
	begun: string;
	/** The node's name in the last poll that left a state. */
	kept: string;
	/** Whether two nodes share the id: n8n 1 accepts such a workflow, and n8n 2 runs a stored one. */
	areTwins: boolean;
}

/** A poll that is about to start. */
export interface PollClaim {
	/** Identifies the node, whatever its name. */
	key: string;
	name: string;
	/** The static data. n8n makes a new object when it activates a workflow, also after an edit. */
	holder: object;
	/** Monotonic milliseconds, unaffected by clock changes. */
	now: number;
	/** A poll that runs longer than this, plus some grace, loses its lock. */
	budgetMs: number;
	/** Whether n8n's durable scheduler runs it, which gives each poll its own object. */
	isScheduled: boolean;
}

/** What one poll of one trigger node holds while it runs. */
class PollLock {
	/** How many polls n8n's state has counted. */
	private from = 0;

	constructor(
		private readonly polls: NodePolls,
		private readonly claim: PollClaim,
		private readonly ofId: PollsOfId,
		/** What was known under the node's previous name. */
		private readonly renamedFrom: NodePolls | undefined,
		/** Whether it is the poll with which n8n activates the workflow. */
		readonly isActivation: boolean,
	) {}

	/** Whether no later poll has replaced this one. */
	get isValid(): boolean {
		return this.polls.lock === this;
	}

	/**
	 * The state to continue with: n8n's, or one left by an earlier poll in this process. With durable
	 * cursors, n8n 2.41 drops the state of an activation that emits nothing, and of any poll that throws;
	 * otherwise it stores states under the node's name, so that a renamed node finds none, or an old one.
	 * The provider's time at the last response is kept in any case.
	 *
	 * @param stored the state n8n has
	 * @param scope see {@link WatchState}
	 */
	recall(stored: unknown, scope: string): unknown {
		const { polls } = this;
		const { quiet } = polls;
		const before = this.renamedFrom?.last;
		const last = before ?? polls.last;
		const isAbout = (state: unknown): state is PolledState =>
			(state as PolledState | undefined)?.scope === scope;
		this.from = isAbout(stored) ? stored.polls : 0;
		if (isAbout(before) && before.polls > this.from) return before;
		// Nothing was emitted since n8n stored this state, so it is safe to continue from the later one.
		if (quiet && isAbout(quiet.state) && quiet.from === this.from) return quiet.state;
		polls.quiet = null;
		if (!isAbout(stored) || !isAbout(last)) return stored;
		return { ...stored, heardAt: Math.max(stored.heardAt, last.heardAt) };
	}

	/** Remembers the state left by the poll. */
	keep(state: PolledState, hasEmitted: boolean): void {
		this.polls.last = state;
		this.ofId.kept = this.claim.name;
		if (!hasEmitted) this.polls.quiet = { state, from: this.from };
	}

	/** @returns whether this node's polls have failed for so long that it should be shown */
	countFailure(hasFailed: boolean): boolean {
		const { now } = this.claim;
		const { polls } = this;
		polls.failures = hasFailed ? polls.failures + 1 : 0;
		if (polls.failures <= 1) polls.failingSince = now;
		return polls.failures > mostQuietPolls || now - polls.failingSince >= longestQuietMs;
	}

	release(): void {
		if (this.isValid) this.polls.lock = null;
	}
}

/**
 * Lets one poll of a node run at a time: n8n (1.123 and 2.41) starts the next poll while the previous one
 * is still running. Lives in memory, as overlapping polls do.
 */
export class PollLocks {
	private readonly nodes = new Map<string, PollsOfId>();

	/**
	 * @returns null while another poll holds the lock. An activation takes it over: after an edit, n8n
	 *   1.123 continues with data that lacks what the running poll will find, and 2.41 discards it
	 */
	claim(claim: PollClaim): PollLock | null {
		const { key, name, holder, now, budgetMs, isScheduled } = claim;
		const ofId: PollsOfId = this.nodes.get(key) ?? {
			byName: new Map(),
			begun: name,
			kept: name,
			areTwins: false,
		};
		this.nodes.set(key, ofId);
		const none = { lock: null, last: null, quiet: null, holder: null };
		// Durable cursors belong to the node's id, so what n8n dropped counts under each name.
		const polls: NodePolls = ofId.byName.get(isScheduled ? ofId.kept : name) ?? {
			...none,
			until: 0,
			failures: 0,
			failingSince: now,
		};
		ofId.byName.set(name, polls);
		// A renamed node is activated again, with new data; one that keeps its old data has a twin.
		if (ofId.begun !== name && polls.holder === holder) ofId.areTwins = true;
		const isActivation = polls.holder !== holder && !isScheduled;
		if (polls.lock && !isActivation && now < polls.until) return null;
		// Until it has left a state under its new name: n8n can activate it again before that.
		const isRenamed = ofId.kept !== name && !ofId.areTwins && !isScheduled;
		const renamedFrom = isRenamed ? ofId.byName.get(ofId.kept) : undefined;
		// Its old poll must not emit what the renamed node will. One that never ended may be a twin's
		// first poll.
		if (renamedFrom?.last) renamedFrom.lock = null;
		ofId.begun = name;
		polls.lock = new PollLock(polls, claim, ofId, renamedFrom, isActivation);
		polls.holder = holder;
		polls.until = now + budgetMs + graceMs;
		return polls.lock;
	}
}
