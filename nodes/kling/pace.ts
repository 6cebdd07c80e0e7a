import { delayBeforeRetry, longestHintMs, type Clock } from './clock';
import { behaviourOf, type Failure, type Outcome } from './failure';

/** The first pause after "no free slot"; later ones grow with the time already waited. */
const firstProbeMs = 500;
/**
 * The share of the time waited so far after which a slot is tried again. A free slot is then found at
 * most a fifth too late, and a wait of five minutes costs about 30 requests.
 */
const probeShare = 0.2;
const longestProbeMs = 30_000;

interface AdmissionLimits {
	/** Maximum number of creates in flight. */
	concurrency: number;
	/** By {@link Clock.elapsed}; nothing is sent after it. */
	deadline: number;
	/** Whether one create that is refused for good ends the run. */
	stopsAtRefusal?: boolean;
}

/**
 * Decides how many creates are in flight. It starts at the maximum, halves when the provider says that
 * requests come too fast or breaks down, drops to one when the account has no free slot, and grows with
 * every accepted create. The same setting is thus fast with a provider that has no limits and polite with
 * one that has.
 */
export class Admission {
	/** Why nothing more is sent, if a failure is the reason. */
	stoppedBy: Failure | null = null;
	private window: number;
	/** Below this, each accepted create widens the window by one; above it, by a fraction. */
	private threshold: number;
	private inFlight = 0;
	private pausedUntil = 0;
	/** Requests sent before the last shrinking do not shrink the window again. */
	private shrunkAt = 0;
	private refusalsInRow = 0;
	private refusedSince: number | null = null;
	private fullSince: number | null = null;
	private readonly waiting: Array<() => void> = [];

	constructor(
		private readonly limits: AdmissionLimits,
		private readonly clock: Clock,
		private readonly signal?: AbortSignal,
	) {
		this.window = limits.concurrency;
		this.threshold = limits.concurrency;
	}

	/** From now on nothing more is sent; what is in flight runs to its end. */
	stop(cause: Failure): void {
		this.stoppedBy ??= cause;
		this.wake();
	}

	/**
	 * Sends when there is room, and again if the provider only refused for now.
	 *
	 * @returns the last outcome, or null if nothing was sent: stopped, cancelled, or out of time.
	 */
	async pass<T>(send: () => Promise<Outcome<T>>): Promise<Outcome<T> | null> {
		let last: Outcome<T> | null = null;
		while (await this.enter()) {
			const startedAt = this.clock.elapsed();
			try {
				last = await send();
				if (!this.judge(last, startedAt)) return last;
			} finally {
				// After the verdict, which the others wait for, and also if something is thrown, or they
				// would wait forever.
				this.inFlight--;
				this.wake();
			}
		}
		return last;
	}

	private async enter(): Promise<boolean> {
		for (;;) {
			const now = this.clock.elapsed();
			if (this.stoppedBy || this.signal?.aborted || now >= this.limits.deadline) return false;
			if (now < this.pausedUntil) {
				const until = Math.min(this.pausedUntil, this.limits.deadline);
				await this.clock.sleep(until - now, this.signal);
			} else if (this.inFlight < Math.floor(this.window)) {
				this.inFlight++;
				return true;
			} else {
				await new Promise<void>((resolve) => this.waiting.push(resolve));
			}
		}
	}

	/** Whether the same request should be sent again. */
	private judge(outcome: Outcome<unknown>, startedAt: number): boolean {
		if (outcome.ok) {
			this.answered();
			this.fullSince = null;
			const growth = this.window < this.threshold ? 1 : 1 / this.window;
			this.window = Math.min(this.limits.concurrency, this.window + growth);
			return false;
		}
		const { failure } = outcome;
		const { create, patienceMs = 0, fatal, passing } = behaviourOf(failure);
		if (create === 'whenFree') return this.pauseUntilFree(failure);
		if (create === 'later') return this.slowDown(failure, patienceMs, startedAt);
		// Here and not in the caller, or the next item would be sent first.
		if (fatal || (create === 'refused' && this.limits.stopsAtRefusal)) this.stop(failure);
		if (passing) this.shrinkWindow(startedAt);
		else this.answered();
		return false;
	}

	/** The provider is up and judges requests. */
	private answered(): void {
		this.refusalsInRow = 0;
		this.refusedSince = null;
	}

	private pauseUntilFree(failure: Failure): true {
		this.answered();
		const now = this.clock.elapsed();
		this.fullSince ??= now;
		this.window = 1;
		const gap = Math.max(firstProbeMs, (now - this.fullSince) * probeShare);
		const jitter = 0.9 + this.clock.random() * 0.2;
		const hint = Math.min(failure.retryAfterMs ?? 0, longestHintMs);
		this.pauseUntil(now + Math.max(Math.min(gap, longestProbeMs) * jitter, hint));
		return true;
	}

	private slowDown(failure: Failure, patienceMs: number, startedAt: number): boolean {
		const now = this.clock.elapsed();
		this.refusedSince ??= now;
		if (this.shrinkWindow(startedAt)) {
			this.refusalsInRow++;
			const chance = () => this.clock.random();
			this.pauseUntil(now + delayBeforeRetry(this.refusalsInRow, failure.retryAfterMs, chance));
		}
		const isOver = now - this.refusedSince >= patienceMs;
		if (isOver) this.stop(failure);
		return !isOver;
	}

	/**
	 * Halves the window.
	 *
	 * @returns false for a request from a burst that was refused as a whole: only its first refusal counts
	 */
	private shrinkWindow(startedAt: number): boolean {
		if (startedAt < this.shrunkAt || startedAt < this.pausedUntil) return false;
		this.shrunkAt = this.clock.elapsed();
		this.threshold = Math.max(1, this.window / 2);
		this.window = this.threshold;
		return true;
	}

	private pauseUntil(moment: number): void {
		this.pausedUntil = Math.max(this.pausedUntil, moment);
	}

	private wake(): void {
		for (const resume of this.waiting.splice(0)) resume();
	}
}

/** Runs the work for each entry, at most `atOnce` at a time, starting them in order. Rejects when one does. */
export async function inParallel<T>(
	entries: readonly T[],
	atOnce: number,
	work: (entry: T, index: number) => Promise<void>,
): Promise<void> {
	let next = 0;
	const worker = async () => {
		while (next < entries.length) {
			const index = next++;
			await work(entries[index], index);
		}
	};
	await Promise.all(Array.from({ length: Math.min(atOnce, entries.length) }, worker));
}
