/** One poll of one trigger node. */
export interface Turn {
	/** Whether no later poll has taken the place of this one. */
	readonly isValid: boolean;
	/** @returns how many polls in a row have met a failure, with this one */
	noteFailure(): number;
	noteSuccess(): void;
	end(): void;
}

interface Entry {
	/** Counts the polls. */
	number: number;
	/** Until when the poll under way has the turn; 0 when none is. */
	until: number;
	failures: number;
}

/** Milliseconds that a poll may take beyond its budget: one request that is given up after 30 s, and some. */
const graceMs = 60_000;

/**
 * Lets one poll of a node run at a time: n8n (1.123 and 2.40) begins the next poll while the one
 * before still runs, with the same static data. Lives in memory, as overlapping polls do.
 */
export class Turns {
	private readonly entries = new Map<string, Entry>();

	/**
	 * @param key names the node
	 * @param now milliseconds
	 * @param budgetMs after this and some grace, a poll that did not end loses its turn
	 * @returns null while another poll has the turn
	 */
	begin(key: string, now: number, budgetMs: number): Turn | null {
		const entry = this.entries.get(key) ?? { number: 0, until: 0, failures: 0 };
		if (now < entry.until) return null;
		this.entries.set(key, entry);
		const number = ++entry.number;
		entry.until = now + budgetMs + graceMs;
		return {
			get isValid() {
				return entry.number === number;
			},
			noteFailure: () => ++entry.failures,
			noteSuccess: () => {
				entry.failures = 0;
			},
			end: () => {
				if (entry.number === number) entry.until = 0;
			},
		};
	}
}
