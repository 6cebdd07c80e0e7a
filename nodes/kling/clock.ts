/** Time and chance, injected so that tests need not wait. */
export interface Clock {
	/** Milliseconds since 1970, by a clock that can be changed. */
	now(): number;
	/** Monotonic milliseconds, unaffected by clock changes: for waits and deadlines. */
	elapsed(): number;
	/** Resolves after that many milliseconds, or within about a second of `signal` aborting. Never rejects. */
	sleep(ms: number, signal?: AbortSignal): Promise<void>;
	/** A number from 0 (inclusive) to 1 (exclusive). */
	random(): number;
}

/** The longest wait that a provider's hint may request. */
export const longestHintMs = 60_000;
/** "Retry after 0 seconds" would be a storm of requests. */
const shortestHintMs = 500;
/** Consecutive hints to honor; a provider that keeps refusing is left alone for longer. */
const hintsBelieved = 3;
const firstDelayMs = 1_000;
const longestDelayMs = 30_000;

/**
 * How long to wait before the next try: the provider's hint first, within bounds and up to a tenth
 * longer; otherwise 1 s doubled with each try up to 30 s, the last half of it random. That way, many
 * executions refused together do not come back together.
 *
 * @param tries how many tries have been made, from 1
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
