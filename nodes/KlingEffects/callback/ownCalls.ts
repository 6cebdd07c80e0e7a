import { delayBeforeRetry, type Clock } from '../../kling/clock';
import { signedHeaders } from '../../kling/webhookSignature';
import { postToOwnAddress } from '../../n8n/resume';
import type { Wait } from './wait';

/**
 * The node's own callbacks to its sleeping execution. They say nothing but “look now”: `webhook`
 * does the looking, whoever calls. They live in this process; when it is gone, the provider's
 * callbacks and n8n's own time-out are left.
 */

/** How `webhook` answers, so that the callers here, and a provider that repeats, know what to do. */
export const answers = { woken: 200, stillAsleep: 202, notSigned: 401, notLookedAt: 503 } as const;

/** Milliseconds after the deadline at which n8n ends the wait, if nobody has done so by then. */
export const lastResortMs = 120_000;
/** Milliseconds in which n8n surely has stored a sleeping execution as waiting. */
const storedWithinMs = 15_000;
/** Milliseconds after falling asleep: n8n refuses a callback that comes before it has stored the execution. */
const firstCallsMs = [5_000, storedWithinMs];
/** Looks that a callback causes while its task is still open: it can be ahead of the task's state. */
const mostLooks = 3;

export interface Caller {
	/** Nothing more of it: what is held here stays in memory until the deadline. */
	wait: Pick<Wait, 'resumeUrl' | 'deadline'>;
	/** What callbacks are signed with; null when they are not. */
	secret(): Promise<string | null>;
	clock: Clock;
}

/** Calls soon after falling asleep, and at the deadline. */
export async function callWhileAsleep(caller: Caller): Promise<void> {
	const { wait, clock } = caller;
	const since = clock.now();
	for (const ms of firstCallsMs) {
		if (since + ms >= wait.deadline) break;
		await sleepUntil(since + ms, clock);
		if ((await call(caller)) === answers.woken) return;
	}
	await callAtDeadline(caller);
}

/** Calls at the deadline, until the execution is awake. */
export async function callAtDeadline(caller: Caller): Promise<void> {
	const { wait, clock } = caller;
	const since = clock.now();
	await sleepUntil(wait.deadline, clock);
	for (let tries = 1; clock.now() < wait.deadline + lastResortMs; tries++) {
		const status = await call(caller);
		if (status === answers.woken || isOver(status, since, clock)) return;
		await clock.sleep(delayBeforeRetry(tries, null, () => clock.random()));
	}
}

/** Calls again after a look that brought no end: a few times for an open task, without end for one that could not be asked for. */
export async function callAgain(caller: Caller): Promise<void> {
	const { wait, clock } = caller;
	const since = clock.now();
	for (let tries = 2, looks = 0; looks < mostLooks; tries++) {
		await clock.sleep(delayBeforeRetry(tries, null, () => clock.random()));
		if (clock.now() >= wait.deadline) return;
		const status = await call(caller);
		if (status === answers.woken || isOver(status, since, clock)) return;
		if (status === answers.stillAsleep) looks++;
	}
}

/** n8n answers so for an execution that is over or awake, and for one that it has not stored yet. */
function isOver(status: number, since: number, clock: Clock): boolean {
	return (status === 404 || status === 409) && clock.now() >= since + storedWithinMs;
}

async function sleepUntil(time: number, clock: Clock): Promise<void> {
	await clock.sleep(Math.max(0, time - clock.now()));
}

async function call({ wait, secret, clock }: Caller): Promise<number> {
	const body = '{}';
	const key = await secret().catch(() => null);
	const headers = key === null ? {} : signedHeaders(key, body, clock.now());
	return await postToOwnAddress.post(wait.resumeUrl, body, headers);
}
