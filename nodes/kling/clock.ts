/** Time and chance, given from outside so that tests need not wait. */
export interface Clock {
	/** Milliseconds since 1970, by a clock that can be set back or forward. */
	now(): number;
	/** Monotonic milliseconds, unaffected by clock changes: for all that waits or ends in time. */
	elapsed(): number;
	/** Resolves after that many milliseconds, or within about a second of `signal` aborting. Never rejects. */
	sleep(ms: number, signal?: AbortSignal): Promise<void>;
	/** A number from 0 (inclusive) to 1 (exclusive). */
	random(): number;
}

/** The longest wait that a provider's hint may ask for. */
export const longestHintMs = 60_000;
/** "Retry after 0 seconds" would be a storm of requests. */
const shortestHintMs = 500;
/** Consecutive hints to honour; a provider that keeps refusing is left alone for longer. */
const hintsBelieved = 3;
const firstDelayMs = 1_000;
const longestDelayMs = 30_000;

/**
 * How long to wait before asking again: the provider's hint first, within bounds, and up to a tenth
 * later; else 1 s doubled with each try up to 30 s, of which the last half is left to chance. Many
 * executions that were refused together thus do not come back together.
 *
 * @param tries how many tries were already made, from 1
 */
export function delayBeforeRetry(
	tries: number,
	hintMs: number | null,
	random: () => number,
): number {
	if (hintMs === null) return backOff(tries, random);
	const hinted = Math.min(Math.max(hintMs, shortestHintMs), longestHintMs) * (1 + random() / 10);
	return tries > hintsBelieved ? Math.max(hinted, backOff(tries - hintsBelieved, random)) : hinted;
}

function backOff(tries: number, random: () => number): number {
	const full = Math.min(longestDelayMs, firstDelayMs * 2 ** (tries - 1));
	return full * (0.5 + random() / 2);
}
