import type { Clock } from '../../nodes/kling/clock';

interface Sleeper {
	at: number;
	/** The first to sleep wakes first, as with real timers. */
	order: number;
	resolve: () => void;
}

/** Real milliseconds after which what is still under way counts as hanging, and time moves on. */
const patienceMs = 15;

/**
 * A clock that jumps to the next sleeper as soon as nothing else is going on, so that hours pass in
 * milliseconds and in the same order as in real time. Requests over real sockets are told to it
 * with {@link VirtualClock.during}: time stands still while they are under way.
 */
export class VirtualClock implements Clock {
	/** The length of each sleep in ms, in the order of the calls. */
	readonly sleeps: number[] = [];
	private time: number;
	private count = 0;
	private busy = 0;
	private isPumping = false;
	private isStopped = false;
	private sleepers: Sleeper[] = [];

	constructor(
		readonly random: () => number = () => 0.5,
		start = 1_795_000_000_000,
	) {
		this.time = start;
	}

	now = (): number => this.time;
	elapsed = (): number => this.time;

	async sleep(ms: number, signal?: AbortSignal): Promise<void> {
		this.sleeps.push(ms);
		if (ms <= 0 || signal?.aborted) return;
		await new Promise<void>((resolve) => {
			const sleeper = { at: this.time + ms, order: this.count++, resolve };
			this.sleepers.push(sleeper);
			signal?.addEventListener('abort', () => resolve(), { once: true });
			this.pump();
		});
	}

	/** Time stands still while this is under way. */
	async during<T>(work: () => Promise<T>): Promise<T> {
		this.busy++;
		try {
			return await work();
		} finally {
			this.busy--;
			this.pump();
		}
	}

	/** No sleeper wakes up again, as in a process that has died. */
	stop(): void {
		this.isStopped = true;
		this.sleepers = [];
	}

	private pump(): void {
		if (this.isPumping || this.isStopped) return;
		this.isPumping = true;
		void this.run().finally(() => {
			this.isPumping = false;
			if (this.sleepers.length > 0) this.pump();
		});
	}

	private async run(): Promise<void> {
		await this.calm();
		const next = this.earliest();
		if (!next) return;
		this.sleepers.splice(this.sleepers.indexOf(next), 1);
		this.time = Math.max(this.time, next.at);
		next.resolve();
	}

	/** Waits until nothing is under way, or only what seems to hang. */
	private async calm(): Promise<void> {
		const start = performance.now();
		do {
			await turn();
			await turn();
		} while (this.busy > 0 && performance.now() - start < patienceMs);
	}

	private earliest(): Sleeper | undefined {
		return this.sleepers.reduce<Sleeper | undefined>(
			(best, one) =>
				!best || one.at < best.at || (one.at === best.at && one.order < best.order) ? one : best,
			undefined,
		);
	}
}

async function turn(): Promise<void> {
	await new Promise<void>((resolve) => setImmediate(resolve));
}

/** A clock that is set back an hour with each sleep. */
export function setBackWithEachSleep() {
	let time = 0;
	const slept: number[] = [];
	return {
		slept,
		now: () => 1_795_000_000_000 - slept.length * 3_600_000 + time,
		elapsed: () => time,
		random: () => 0.5,
		sleep: async (ms: number) => {
			// A wait that does not end would hold up the tests.
			if (slept.length === 1_000) throw new Error('too many sleeps');
			slept.push(ms);
			time += ms;
			await Promise.resolve();
		},
	};
}

/** Chance that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
	};
}
