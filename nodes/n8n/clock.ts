import { sleep } from 'n8n-workflow';
import type { Clock } from '../kling/clock';

/** Milliseconds: n8n's `sleep` cannot be interrupted, and 2.40 has no `sleepWithAbort`. */
const slice = 500;
/** Milliseconds: a longer timer of Node.js ends at once. */
const longestTimer = 2 ** 31 - 1;

/** Real time. */
export const systemClock: Clock = {
	now: () => Date.now(),
	elapsed: () => performance.now(),
	random: () => Math.random(),
	async sleep(ms, signal) {
		// Not by the time of day: a clock that is set back would make a second last an hour.
		const end = performance.now() + ms;
		for (let left = ms; left > 0 && !signal?.aborted; left = end - performance.now()) {
			await sleep(Math.min(left, signal ? slice : longestTimer));
		}
	},
};
