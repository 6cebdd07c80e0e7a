import { delayBeforeRetry, longestHintMs, type Clock } from '../clock';
import type { Failure, Outcome } from '../failure';

/** The first pause after "no free place"; further ones grow with the time already waited. */
const firstProbeMs = 500;
/**
 * The share of the time waited so far after which a place is asked for again. A place that frees is
 * then found at most a fifth too late, and a wait of five minutes costs about 30 requests.
 */
const probeShare = 0.2;
const longestProbeMs = 30_000;
/** So many refusals in a row, with not one create accepted in between, and the items give up. */
const mostRefusalsInRow = { tooManyRequests: 10, unreachable: 3 };

export interface AdmissionLimits {
	/** The upper bound of creates in flight. */
	concurrency: number;
	/** Milliseconds since 1970, after which nothing is sent any more. */
	deadline: number;
}

/**
 * Decides how many creates are under way. It starts at the upper bound, halves when the provider
 * says that requests come too fast, goes down to one when the account has no free place, and grows
 * with every create that is accepted. One setting is so fast at a provider without limits and clean
 * at one with limits.
 */
export class Admission {
	private room: number;
	/** Below this, each accepted create adds one place; above it, a share of one. */
	private threshold: number;
	private inFlight = 0;
	private pausedUntil = 0;
	private refusalsInRow = 0;
	private fullSince: number | null = null;
	private isStopped = false;
	private readonly waiting: Array<() => void> = [];

	constructor(
		private readonly limits: AdmissionLimits,
		private readonly clock: Clock,
		private readonly signal?: AbortSignal,
	) {
		this.room = limits.concurrency;
		this.threshold = limits.concurrency;
	}

	/** From now on nothing more is sent; what is in flight ends as it does. */
	stop(): void {
		this.isStopped = true;
		this.wake();
	}

	/**
	 * Sends when there is room, and again when the provider refused for the moment only.
	 *
	 * @returns the last outcome, or null when nothing was sent: stopped, cancelled, or out of time.
	 */
	async pass<T>(send: () => Promise<Outcome<T>>): Promise<Outcome<T> | null> {
		let last: Outcome<T> | null = null;
		while (await this.enter()) {
			const startedAt = this.clock.now();
			last = await send();
			this.inFlight--;
			const again = last.ok ? this.accepted() : this.refused(last.failure, startedAt);
			this.wake();
			if (!again) return last;
		}
		return last;
	}

	private async enter(): Promise<boolean> {
		for (;;) {
			const now = this.clock.now();
			if (this.isStopped || this.signal?.aborted || now >= this.limits.deadline) return false;
			if (now < this.pausedUntil) {
				const pause = Math.min(this.pausedUntil, this.limits.deadline) - now;
				await this.clock.sleep(pause, this.signal);
			} else if (this.inFlight < Math.floor(this.room)) {
				this.inFlight++;
				return true;
			} else {
				await new Promise<void>((resolve) => this.waiting.push(resolve));
			}
		}
	}

	private accepted(): false {
		this.refusalsInRow = 0;
		this.fullSince = null;
		const growth = this.room < this.threshold ? 1 : 1 / this.room;
		this.room = Math.min(this.limits.concurrency, this.room + growth);
		return false;
	}

	/** Whether the same request should be sent again. */
	private refused(failure: Failure, startedAt: number): boolean {
		if (failure.kind === 'noFreeSlot') return this.pauseUntilFree(failure);
		if (failure.kind !== 'tooManyRequests' && failure.kind !== 'unreachable') return false;
		this.slowDown(failure, startedAt);
		return this.refusalsInRow < mostRefusalsInRow[failure.kind];
	}

	private pauseUntilFree(failure: Failure): true {
		const now = this.clock.now();
		this.fullSince ??= now;
		this.room = 1;
		const gap = Math.max(firstProbeMs, (now - this.fullSince) * probeShare);
		const jitter = 0.9 + this.clock.random() * 0.2;
		const hint = Math.min(failure.retryAfterMs ?? 0, longestHintMs);
		this.pauseUntil(now + Math.max(Math.min(gap, longestProbeMs) * jitter, hint));
		return true;
	}

	private slowDown(failure: Failure, startedAt: number): void {
		// Of a burst that was refused as one, only the first refusal counts.
		if (startedAt < this.pausedUntil) return;
		this.refusalsInRow++;
		this.threshold = Math.max(1, this.room / 2);
		this.room = this.threshold;
		const chance = () => this.clock.random();
		const delay = delayBeforeRetry(this.refusalsInRow, failure.retryAfterMs, chance);
		this.pauseUntil(this.clock.now() + delay);
	}

	private pauseUntil(moment: number): void {
		this.pausedUntil = Math.max(this.pausedUntil, moment);
	}

	private wake(): void {
		for (const resume of this.waiting.splice(0)) resume();
	}
}
