import type { WatchState } from '../kling/watch/state';

/**
 * A passing failure of provider or network is shown once it has spoiled more than this many polls in a
 * row, or has lasted this many milliseconds: with one poll a day, five polls would be five days.
 */
const mostQuietPolls = 5;
const longestQuietMs = 900_000;

/** Milliseconds that a poll may take beyond its budget: one request that is given up after 30 s, and a little more. */
const graceMs = 60_000;

/** What two states of a node are compared by. */
type PolledState = Pick<WatchState, 'scope' | 'polls' | 'heardAt'>;

/** What this process knows of a node's polls. */
interface NodePolls {
	/** The lock of the poll under way. */
	lock: PollLock | null;
	/** What that poll reads and writes its state in. */
	holder: object | null;
	/** Until when it holds the lock. */
	until: number;
	/** Failures in a row, and when the first of them came. */
	failures: number;
	failingSince: number;
	/** What the last poll left. */
	last: PolledState | null;
	/** What the last one left that emitted nothing, and how many polls n8n's state had counted by then. */
	quiet: { state: PolledState; from: number } | null;
}

/** The polls of the nodes that have one id: of one node under each of its names, or of two nodes. */
interface PollsOfId {
	byName: Map<string, NodePolls>;
	/** The name of the last poll that began. */
	begun: string;
	/** The name of the last poll that left a state. */
	kept: string;
	/** Whether two nodes share the id: n8n 1 accepts such a workflow, and n8n 2 runs a stored one. */
	areTwins: boolean;
}

/** A poll that is about to begin. */
export interface PollClaim {
	/** Names the node, whatever it is called. */
	key: string;
	name: string;
	/** The static data. n8n makes a new object when it activates a workflow, also after an edit. */
	holder: object;
	/** Monotonic milliseconds, unaffected by clock changes. */
	now: number;
	/** After this and some grace, a poll that has not ended loses its lock. */
	budgetMs: number;
	/** Whether n8n's durable scheduler runs it, which gives each poll an object of its own. */
	isScheduled: boolean;
}

/** What one poll of one trigger node holds while it runs. */
class PollLock {
	/** How many polls the state of n8n has counted. */
	private from = 0;

	constructor(
		private readonly polls: NodePolls,
		private readonly claim: PollClaim,
		private readonly ofId: PollsOfId,
		/** What was known under the name that the node had before. */
		private readonly renamedFrom: NodePolls | undefined,
		/** Whether it is the poll with which n8n activates the workflow. */
		readonly isActivation: boolean,
	) {}

	/** Whether this poll has not been replaced by a later one. */
	get isValid(): boolean {
		return this.polls.lock === this;
	}

	/**
	 * The state to go on with: n8n's, or what an earlier poll of this process left. Where cursors are
	 * durable, n8n 2.41 drops what an activation leaves that emits nothing, and any poll that throws; else
	 * it keeps states by the node's name, so that a renamed node finds none, or an old one. What time it
	 * was for the provider at the last response is known in any case.
	 *
	 * @param stored what n8n has
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
		// Nothing was emitted since n8n had this state, so nothing can be lost by going on from the later one.
		if (quiet && isAbout(quiet.state) && quiet.from === this.from) return quiet.state;
		polls.quiet = null;
		if (!isAbout(stored) || !isAbout(last)) return stored;
		return { ...stored, heardAt: Math.max(stored.heardAt, last.heardAt) };
	}

	/** Remembers what the poll left. */
	keep(state: PolledState, hasEmitted: boolean): void {
		this.polls.last = state;
		this.ofId.kept = this.claim.name;
		if (!hasEmitted) this.polls.quiet = { state, from: this.from };
	}

	/** @returns whether the polls of this node have failed for so long that it should be shown */
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
 * Lets one poll of a node run at a time: n8n (1.123 and 2.41) begins the next poll while the one
 * before still runs. Lives in memory, as overlapping polls do.
 */
export class PollLocks {
	private readonly nodes = new Map<string, PollsOfId>();

	/**
	 * @returns null while another poll holds the lock. An activation takes it over: after an edit, n8n
	 *   1.123 goes on with data without what the poll under way will find, and 2.41 discards that
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
		// Durable cursors belong to the node's id, so what n8n dropped counts under each of its names.
		const polls: NodePolls = ofId.byName.get(isScheduled ? ofId.kept : name) ?? {
			...none,
			until: 0,
			failures: 0,
			failingSince: now,
		};
		ofId.byName.set(name, polls);
		// A node that was renamed is activated again, with new data; one that goes on with its old data has a twin.
		if (ofId.begun !== name && polls.holder === holder) ofId.areTwins = true;
		const isActivation = polls.holder !== holder && !isScheduled;
		if (polls.lock && !isActivation && now < polls.until) return null;
		// Until it has left a state under its new name: n8n can activate it again meanwhile.
		const isRenamed = ofId.kept !== name && !ofId.areTwins && !isScheduled;
		const renamedFrom = isRenamed ? ofId.byName.get(ofId.kept) : undefined;
		// Its old poll must not emit what the renamed node will. One that never ended may be a twin's first.
		if (renamedFrom?.last) renamedFrom.lock = null;
		ofId.begun = name;
		polls.lock = new PollLock(polls, claim, ofId, renamedFrom, isActivation);
		polls.holder = holder;
		polls.until = now + budgetMs + graceMs;
		return polls.lock;
	}
}
