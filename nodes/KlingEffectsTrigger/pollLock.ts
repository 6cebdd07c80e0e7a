/** What one poll of one trigger node holds while it runs. */
export interface PollLock {
	/** Whether this poll has not been replaced by a later one. */
	readonly isValid: boolean;
	/** @returns how many polls in a row have met a failure, with this one, and for how many milliseconds */
	noteFailure(): { polls: number; forMs: number };
	noteSuccess(): void;
	release(): void;
}

interface Entry {
	/** Counts the polls. */
	number: number;
	/** What the poll under way reads and writes its state in. */
	holder: object;
	/** Until when the poll under way holds the lock; 0 when none does. */
	until: number;
	failures: number;
	/** When the first of these failures came. */
	failingSince: number;
}

/** Milliseconds that a poll may take beyond its budget: one request that is given up after 30 s, and a little more. */
const graceMs = 60_000;

/**
 * Lets one poll of a node run at a time: n8n (1.123 and 2.40) begins the next poll while the one
 * before still runs, with the same static data. Lives in memory, as overlapping polls do.
 */
export class PollLocks {
	private readonly entries = new Map<string, Entry>();

	/**
	 * @param key names the node
	 * @param holder the static data. When the workflow is edited while a poll runs, n8n 1.123 activates
	 *   it anew with data of its own, without what that poll will find: the new poll takes its place
	 * @param now milliseconds
	 * @param budgetMs after this and some grace, a poll that did not end loses its lock
	 * @returns null while another poll holds the lock
	 */
	acquire(key: string, holder: object, now: number, budgetMs: number): PollLock | null {
		const entry = this.entries.get(key) ?? {
			number: 0,
			holder,
			until: 0,
			failures: 0,
			failingSince: now,
		};
		if (now < entry.until && entry.holder === holder) return null;
		this.entries.set(key, entry);
		const number = ++entry.number;
		entry.until = now + budgetMs + graceMs;
		entry.holder = holder;
		return {
			get isValid() {
				return entry.number === number;
			},
			noteFailure() {
				if (entry.failures === 0) entry.failingSince = now;
				return { polls: ++entry.failures, forMs: now - entry.failingSince };
			},
			noteSuccess() {
				entry.failures = 0;
			},
			release() {
				if (entry.number === number) entry.until = 0;
			},
		};
	}
}
