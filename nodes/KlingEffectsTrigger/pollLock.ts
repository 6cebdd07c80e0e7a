/**
 * A passing failure of provider or network is shown once it has spoiled more than this many polls in a
 * row, or has lasted this many milliseconds: with one poll a day, five polls would be five days.
 */
const mostQuietPolls = 5;
const longestQuietMs = 900_000;

/** Milliseconds that a poll may take beyond its budget: one request that is given up after 30 s, and a little more. */
const graceMs = 60_000;

/** What is known of a node's polls. */
interface NodePolls {
	/** The lock of the poll under way. */
	lock: PollLock | null;
	/** What that poll reads and writes its state in. */
	holder: object;
	/** Until when it holds the lock. */
	until: number;
	/** Failures in a row, and when the first of them came. */
	failures: number;
	failingSince: number;
}

/** What one poll of one trigger node holds while it runs. */
export class PollLock {
	constructor(
		private readonly polls: NodePolls,
		private readonly now: number,
	) {}

	/** Whether this poll has not been replaced by a later one. */
	get isValid(): boolean {
		return this.polls.lock === this;
	}

	/** @returns whether the polls of this node have failed for so long that it should be shown */
	note(hasFailed: boolean): boolean {
		const { polls, now } = this;
		polls.failures = hasFailed ? polls.failures + 1 : 0;
		if (polls.failures <= 1) polls.failingSince = now;
		return polls.failures > mostQuietPolls || now - polls.failingSince >= longestQuietMs;
	}

	release(): void {
		if (this.isValid) this.polls.lock = null;
	}
}

/**
 * Lets one poll of a node run at a time: n8n (1.123 and 2.40) begins the next poll while the one
 * before still runs, with the same static data. Lives in memory, as overlapping polls do.
 */
export class PollLocks {
	private readonly nodes = new Map<string, NodePolls>();

	/**
	 * @param key names the node
	 * @param holder the static data. When the workflow is edited while a poll runs, n8n 1.123 activates
	 *   it anew with data of its own, without what that poll will find: the new poll takes its place
	 * @param now milliseconds, by a clock that nobody sets
	 * @param budgetMs after this and some grace, a poll that did not end loses its lock
	 * @returns null while another poll holds the lock
	 */
	acquire(key: string, holder: object, now: number, budgetMs: number): PollLock | null {
		const unknown = { lock: null, holder, until: 0, failures: 0, failingSince: now };
		const polls: NodePolls = this.nodes.get(key) ?? unknown;
		if (polls.lock && polls.holder === holder && now < polls.until) return null;
		this.nodes.set(key, polls);
		polls.lock = new PollLock(polls, now);
		polls.holder = holder;
		polls.until = now + budgetMs + graceMs;
		return polls.lock;
	}
}
