import { createHmac, randomUUID } from 'node:crypto';

import type { Task } from './tasks';
import type { ActiveOptions, CallbackRecord, ProviderName } from './types';
import { pause } from './wire';

/** How a provider calls back. */
export interface CallbackStyle {
	/** Whether only the end of a task is reported, not its way there. */
	onlyAtEnd: boolean;
	/** Whether the provider can sign. */
	isSigned: boolean;
	/** Milliseconds before each repetition while the receiver does not answer 2xx. */
	retryMs: number[];
	payload(task: Task): unknown;
}

const tickMs = 20;
const timeoutMs = 10_000;

/** Sends callbacks when tasks change their status, and keeps a record of them. */
export class Callbacks {
	readonly log: CallbackRecord[] = [];
	/** Tasks still to be reported, with the last status that was. */
	readonly #waiting = new Map<Task, string>();
	#timer: NodeJS.Timeout | undefined;
	#generation = 0;

	constructor(
		private readonly options: ActiveOptions,
		private readonly styleOf: (provider: ProviderName) => CallbackStyle | undefined,
	) {}

	/** Follows a task that has a callback URL. */
	watch(task: Task): void {
		if (task.callbackUrl === null || !this.styleOf(task.provider)) return;
		this.#waiting.set(task, task.status === 'processing' ? 'processing' : 'submitted');
		// The sandbox's clock may be a test's own, so it is polled: a timer would follow real time.
		this.#timer ??= setInterval(() => this.#tick(), tickMs).unref();
	}

	/** Sends one callback now; `body` replaces the provider's own payload. */
	async send(task: Task, body?: unknown): Promise<CallbackRecord> {
		const style = this.styleOf(task.provider);
		const url = task.callbackUrl;
		if (!style || url === null) throw new Error(`Task ${task.taskId} has no callback`);
		const payload = body ?? style.payload(task);
		const text = JSON.stringify(payload);
		const headers: Record<string, string> = { 'content-type': 'application/json' };
		const secret = this.options.webhookSecret;
		if (style.isSigned && secret) {
			Object.assign(headers, signature(secret, text, this.options.now()));
		}
		const status = await post(url, headers, text);
		const { provider, taskId } = task;
		const at = this.options.now();
		const record = { provider, taskId, url, status, at, headers, body: payload };
		this.log.push(record);
		return record;
	}

	clear(): void {
		this.stop();
		this.log.length = 0;
	}

	/** Sends nothing more, repetitions included. */
	stop(): void {
		this.#generation += 1;
		this.#waiting.clear();
		if (this.#timer) clearInterval(this.#timer);
		this.#timer = undefined;
	}

	#tick(): void {
		for (const [task, reported] of this.#waiting) {
			const { status } = task;
			if (status === reported) continue;
			this.#waiting.set(task, status);
			if (task.isOver) this.#waiting.delete(task);
			else if (this.styleOf(task.provider)?.onlyAtEnd) continue;
			void this.#deliver(task);
			if (this.options.callbacks === 'twice') void this.#deliver(task);
		}
	}

	async #deliver(task: Task): Promise<void> {
		if (this.options.callbacks === 'off') return;
		const generation = this.#generation;
		// The payload is that of this moment, also when it is sent again later.
		const body = this.styleOf(task.provider)?.payload(task);
		const waits = this.options.callbackRetryMs ?? this.styleOf(task.provider)?.retryMs ?? [];
		for (const wait of [0, ...waits]) {
			await pause(wait);
			if (generation !== this.#generation) return;
			const { status } = await this.send(task, body);
			if (status >= 200 && status < 300) return await this.#repeat(task, body, generation);
		}
	}

	/** Sends again what was already accepted. */
	async #repeat(task: Task, body: unknown, generation: number): Promise<void> {
		for (const wait of this.options.callbackRepeatsMs) {
			await pause(wait);
			if (generation !== this.#generation) return;
			await this.send(task, body);
		}
	}
}

async function post(url: string, headers: Record<string, string>, body: string): Promise<number> {
	try {
		const signal = AbortSignal.timeout(timeoutMs);
		const response = await fetch(url, { method: 'POST', headers, body, signal });
		await response.arrayBuffer();
		return response.status;
	} catch {
		return 0;
	}
}

/** Headers of the Standard Webhooks scheme, which Kling follows (docs/providers.md section 1.6). */
function signature(secret: string, body: string, now: number): Record<string, string> {
	const id = `msg_${randomUUID()}`;
	const timestamp = String(Math.floor(now / 1000));
	const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
	const digest = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
	return {
		'webhook-id': id,
		'webhook-timestamp': timestamp,
		'webhook-signature': `v1,${digest}`,
	};
}
