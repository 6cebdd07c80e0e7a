import { delayBeforeRetry, type Clock } from '../../kling/clock';

const ownCallTimeoutMs = 30_000;
const probeTimeoutMs = 5_000;

/** Calls an address of this n8n. An object, so that tests can replace it with their own n8n. */
export const postToOwnAddress = {
	/**
	 * Not with n8n's helper: it would keep all of the execution's data in memory until the deadline, and
	 * refuses n8n's own address if n8n protects its network.
	 *
	 * @returns the HTTP status, 0 if there was none
	 */
	async post(url: string, body: string, headers: Record<string, string>): Promise<number> {
		return await fetch(url, {
			method: 'POST',
			body,
			headers: { 'content-type': 'application/json', ...headers },
			signal: AbortSignal.timeout(ownCallTimeoutMs),
		}).then(
			async (response) => {
				await response.body?.cancel();
				return response.status;
			},
			() => 0,
		);
	},

	/**
	 * Whether such a call reaches n8n, which answers 404 or 409 if it wakes nothing. Node's `fetch` uses
	 * no proxy, and a status of 403, 407 or 5xx comes from something in between.
	 */
	async isReached(url: string): Promise<boolean> {
		const status = await fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) }).then(
			async (response) => {
				await response.body?.cancel();
				return response.status;
			},
			() => 0,
		);
		return status > 0 && status < 500 && status !== 403 && status !== 407;
	},
};

/** The statuses of our own replies: they tell the caller here, and a provider that repeats, what to do. */
export const answers = { woken: 200, stillAsleep: 202, notSigned: 401, notLookedAt: 503 } as const;

/** The header that identifies these calls. */
export const tokenHeader = 'x-kling-effects-token';

/** How long after the deadline n8n ends the wait, if it is still not ended by then. */
export const lastResortMs = 120_000;
const mostSoon = 3;

/** What it takes to end a wait. Nothing more is kept, because it stays in memory until the deadline. */
export interface WakeAddress {
	resumeUrl: string;
	/** Tells `webhook` which calls are the node's own. */
	token: string;
	/** Milliseconds since 1970. */
	deadline: number;
}

/**
 * The node's own callbacks to its sleeping execution. All they say is “look now”: `webhook` does the
 * looking, whoever calls. They live in this process; when it is gone, only the provider's callbacks and
 * n8n's own time-out remain.
 */
export class SelfCalls {
	private isCalling = false;
	/** Calls since the execution fell asleep, or since the provider's last callback. */
	private calls = 0;

	/**
	 * @param storedBy when n8n has certainly stored the execution as waiting; until then it refuses
	 * callbacks
	 */
	constructor(
		private readonly address: WakeAddress,
		private readonly clock: Clock,
		private readonly storedBy = 0,
	) {
		void this.callAtDeadline();
	}

	/** Calls after about 3, 6 and 12 seconds, then at growing intervals until the provider answers. */
	async callSoon(): Promise<void> {
		this.calls = 0;
		if (this.isCalling) return;
		this.isCalling = true;
		for (let status = 0; this.calls < mostSoon || status !== answers.stillAsleep; this.calls++) {
			await this.pauseAfter(this.calls + 3);
			if (this.clock.now() >= this.address.deadline) break;
			status = await this.call();
			if (this.isDone(status)) break;
		}
		this.isCalling = false;
	}

	private async callAtDeadline(): Promise<void> {
		const { deadline } = this.address;
		await this.clock.sleep(Math.max(0, deadline - this.clock.now()));
		for (let tries = 1; this.clock.now() < deadline + lastResortMs; tries++) {
			if (this.isDone(await this.call())) return;
			await this.pauseAfter(tries);
		}
	}

	private async call(): Promise<number> {
		const { resumeUrl, token } = this.address;
		return await postToOwnAddress.post(resumeUrl, '{}', { [tokenHeader]: token });
	}

	/** Whether the execution is awake or over: n8n then answers 404 or 409. */
	private isDone(status: number): boolean {
		if (status === answers.woken) return true;
		return (status === 404 || status === 409) && this.clock.now() >= this.storedBy;
	}

	private async pauseAfter(tries: number): Promise<void> {
		await this.clock.sleep(delayBeforeRetry(tries, null, () => this.clock.random()));
	}
}
