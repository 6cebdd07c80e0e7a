import { subscribe } from 'node:diagnostics_channel';
import type { Clock } from '../../nodes/kling/clock';
import { systemClock } from '../../nodes/n8n/session';

/** Real milliseconds after which a request that is never answered no longer holds up time. */
const patienceMs = 10_000;

/** Requests that this process has under way, as Node.js itself tells. */
let underWay = 0;
subscribe('http.client.request.start', () => void underWay++);
subscribe('http.client.response.finish', () => void underWay--);
subscribe('http.client.request.error', () => void underWay--);

interface Sleeper {
	at: number;
	wake(): void;
}

/**
 * Time that moves on only when a test says so. Sleepers wake in the order of time, each when
 * what the one before has caused is done, requests over real sockets included.
 */
export class SteppedClock implements Clock {
	private sleepers: Sleeper[] = [];
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

	/** Lets so many milliseconds pass. */
	async advance(ms: number): Promise<void> {
		const end = this.time + ms;
		for (;;) {
			await calm();
			const next = this.sleepers.reduce<Sleeper | null>(
				(first, one) => (first === null || one.at < first.at ? one : first),
				null,
			);
			if (next === null || next.at > end) break;
			this.sleepers.splice(this.sleepers.indexOf(next), 1);
			this.time = Math.max(this.time, next.at);
			next.wake();
		}
		this.time = end;
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

	/** No sleeper wakes up again, as in a process that has died. */
	stop(): void {
		this.sleepers = [];
	}

	/** Gives the nodes this clock; returns what gives the system's back. */
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

/** Waits until no request is under way and all that follows from the last one has been done. */
async function calm(): Promise<void> {
	const start = performance.now();
	for (let quiet = 0; quiet < 4; quiet++) {
		await new Promise<void>((resolve) => setImmediate(resolve));
		if (underWay > 0 && performance.now() - start < patienceMs) quiet = 0;
	}
}
