import type { Clock } from '../../nodes/kling/clock';
import { systemClock } from '../../nodes/n8n/session';
import type { Sandbox } from '../../sandbox';
import { instantClock, type InstantClock } from '../../tools/instantClock';

export type { InstantClock };

/**
 * Gives the nodes, and the sandbox with them, an instant clock: a wait of minutes takes no time, and its
 * delays can be inspected. Nothing else in n8n or the nodes is replaced.
 *
 * @returns the clock, and a function that restores the system's
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
