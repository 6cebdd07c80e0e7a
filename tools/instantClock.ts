import type { Clock } from '../nodes/kling/clock';

/** A clock that never waits: time passes only in a sleep, and each is recorded. */
export interface InstantClock extends Clock {
	/** Milliseconds of every sleep, in order. */
	readonly sleeps: number[];
	/** What `random` gives. */
	chance: number;
}

/** An endless wait would hold up the tests. */
const mostSleeps = 100_000;

/** @param setBackMs how far the time of day is set back in each sleep, as `elapsed` never is */
export function instantClock(start = Date.now(), { setBackMs = 0 } = {}): InstantClock {
	let time = start;
	const clock: InstantClock = {
		sleeps: [],
		chance: 0.5,
		now: () => time - clock.sleeps.length * setBackMs,
		elapsed: () => time,
		random: () => clock.chance,
		async sleep(ms) {
			if (clock.sleeps.length === mostSleeps) throw new Error('too many sleeps');
			clock.sleeps.push(ms);
			time += ms;
			await new Promise(setImmediate);
		},
	};
	return clock;
}
