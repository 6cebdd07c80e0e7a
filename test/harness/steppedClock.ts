import { subscribe } from 'node:diagnostics_channel';
import type { Clock } from '../../nodes/kling/clock';
import { systemClock } from '../../nodes/n8n/session';

/** Real milliseconds after which a request without a response no longer holds up time. */
const patienceMs = 10_000;

/** Requests in progress in this process, according to Node.js. */
let underWay = 0;
subscribe('http.client.request.start', () => void underWay++);
subscribe('http.client.response.finish', () => void underWay--);
subscribe('http.client.request.error', () => void underWay--);

/**
 * After this many real milliseconds and event loop turns, whatever holds a running clock counts as
 * hanging, and time continues. The turns, because a busy machine can pause the process for long.
 */
const hangingMs = 15;
const hangingTurns = 300;

interface Sleeper {
	at: number;
	wake(): void;
}

/**
 * Time that only moves when a test says so. Sleepers wake in order of time, each once everything caused
 * by the previous one is done, including requests over real sockets.
 */
export class SteppedClock implements Clock {
	protected sleepers: Sleeper[] = [];
	/** What `random` gives. */
	chance = 0.5;

	constructor(private time = 1_795_000_000_000) {}

	now = (): number => this.time;
	elapsed = (): number => this.time;
	random = (): number => this.chance;

	async sleep(ms: number, signal?: AbortSignal): Promise<void> {
		if (signal?.aborted) return;
		await new Promise<void>((resolve) => {
			const sleeper = { at: this.time + Math.max(0, ms), wake: resolve };
			this.sleepers.push(sleeper);
			signal?.addEventListener('abort', () => resolve(), { once: true });
		});
	}

	/** Lets this many milliseconds pass. */
	async advance(ms: number): Promise<void> {
		const end = this.time + ms;
		do await calm();
		while (this.wakeNext(end));
		this.time = end;
	}

	/** Wakes the next sleeper; of several, the one that went to sleep first. */
	protected wakeNext(end = Infinity): boolean {
		const next = this.sleepers.reduce<Sleeper | null>(
			(first, one) => (first === null || one.at < first.at ? one : first),
			null,
		);
		if (next === null || next.at > end) return false;
		this.sleepers.splice(this.sleepers.indexOf(next), 1);
		this.time = Math.max(this.time, next.at);
		next.wake();
		return true;
	}

	/** Time passes until the work is done. */
	async during<T>(work: Promise<T>): Promise<T> {
		let isDone = false;
		const done = () => {
			isDone = true;
		};
		work.then(done, done);
		await calm();
		while (!isDone) await this.advance(this.untilNext());
		return await work;
	}

	private untilNext(): number {
		if (this.sleepers.length === 0) return 0;
		return Math.max(0, Math.min(...this.sleepers.map(({ at }) => at)) - this.time);
	}

	/** No sleeper wakes again, as in a dead process. */
	stop(): void {
		this.sleepers = [];
	}

	/** Gives the nodes this clock; returns a function that restores the system's. */
	install(): () => void {
		const system = { ...systemClock };
		const { now, elapsed, random } = this;
		Object.assign(systemClock, {
			now,
			elapsed,
			random,
			sleep: async (ms: number, signal?: AbortSignal) => await this.sleep(ms, signal),
		});
		return () => Object.assign(systemClock, system);
	}
}

/** Waits until no request is in progress and everything that follows from the last one is done. */
async function calm(): Promise<void> {
	const start = performance.now();
	for (let quiet = 0; quiet < 4; quiet++) {
		await turn();
		if (underWay > 0 && performance.now() - start < patienceMs) quiet = 0;
	}
}

/**
 * A stepped clock that moves by itself as soon as nothing else is going on, so that hours pass in
 * milliseconds and in the same order as in real time.
 */
export class RunningClock extends SteppedClock {
	/** The milliseconds of every sleep, in the order of the calls. */
	readonly sleeps: number[] = [];
	private held = 0;
	private isPumping = false;
	private isStopped = false;

	constructor(
		override readonly random: () => number = () => 0.5,
		start?: number,
	) {
		super(start);
	}

	override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
		this.sleeps.push(ms);
		if (ms <= 0 || signal?.aborted) return;
		const slept = super.sleep(ms, signal);
		this.pump();
		await slept;
	}

	/** Time stands still while this is in progress: a request over a real socket. */
	async hold<T>(work: () => Promise<T>): Promise<T> {
		this.held++;
		try {
			return await work();
		} finally {
			this.held--;
			this.pump();
		}
	}

	override stop(): void {
		super.stop();
		this.isStopped = true;
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
		const start = performance.now();
		let turns = 0;
		do {
			await turn();
			await turn();
			turns += 2;
		} while (this.held > 0 && (turns < hangingTurns || performance.now() - start < hangingMs));
		this.wakeNext();
	}
}

async function turn(): Promise<void> {
	await new Promise<void>((resolve) => setImmediate(resolve));
}
