import type { Clock } from '../../nodes/kling/clock';
import { systemClock } from '../../nodes/n8n/session';
import type { Sandbox } from '../../sandbox';

/** Time that passes only during sleeps. */
export interface InstantClock extends Clock {
	/** Milliseconds of every sleep, in order. */
	readonly sleeps: number[];
	/** What `random` gives. */
	chance: number;
}

export function instantClock(start = Date.now()): InstantClock {
	let time = start;
	const clock: InstantClock = {
		sleeps: [],
		chance: 0.5,
		now: () => time,
		elapsed: () => time,
		random: () => clock.chance,
		async sleep(ms) {
			clock.sleeps.push(ms);
			time += ms;
			await new Promise(setImmediate);
		},
	};
	return clock;
}

/**
 * Gives the nodes, and the sandbox with them, an instant clock: a wait of minutes takes no time, and
 * its delays can be looked at. Nothing else of n8n or of the nodes is replaced.
 *
 * @returns the clock, and what puts the system's back
 */
export function useInstantClock(sandbox?: Sandbox): { clock: InstantClock; restore: () => void } {
	const clock = instantClock();
	const system = { ...systemClock };
	Object.assign(systemClock, {
		now: () => clock.now(),
		elapsed: () => clock.elapsed(),
		sleep: async (ms: number) => await clock.sleep(ms),
		random: () => clock.random(),
	} satisfies Clock);
	const sandboxNow = sandbox?.options.now;
	if (sandbox) sandbox.options.now = () => clock.now();
	return {
		clock,
		restore() {
			Object.assign(systemClock, system);
			if (sandbox && sandboxNow) sandbox.options.now = sandboxNow;
		},
	};
}
