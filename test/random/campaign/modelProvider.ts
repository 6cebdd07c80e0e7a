import type { Clock } from '../../../nodes/kling/clock';
import {
	failureWithoutResponse,
	failed,
	success,
	type Failure,
	type FailureKind,
	type Outcome,
} from '../../../nodes/kling/failure';

/** A failure where only the kind matters. */
export function failureOfKind(kind: FailureKind, more: Partial<Failure> = {}): Failure {
	return { ...failureWithoutResponse(kind), body: 'json', ...more };
}

export interface ModelOptions {
	latencyMs: number;
	/** How many tasks may run at once; further creates are refused. */
	slots?: number;
	taskMs?: number;
	/** How the provider says that no slot is free: Kling's 1303, or a gateway's plain 429. */
	refusal?: FailureKind;
	retryAfterMs?: number;
	/** Creates per second. */
	perSecond?: number;
}

/** A provider without HTTP, on the clock: answers creates after its latency. */
export class ModelProvider {
	accepted: number[] = [];
	refused = 0;
	inFlight = 0;
	mostInFlight = 0;
	posts: number[] = [];
	private readonly ends: number[] = [];
	private recent: number[] = [];

	constructor(
		private readonly clock: Clock,
		private readonly options: ModelOptions,
	) {}

	async create<T>(value: T): Promise<Outcome<T>> {
		const { latencyMs } = this.options;
		this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
		this.posts.push(this.clock.now());
		await this.clock.sleep(latencyMs / 2);
		const kind = this.judge();
		await this.clock.sleep(latencyMs / 2);
		this.inFlight--;
		if (kind === null) return success(value);
		this.refused++;
		const { retryAfterMs = null } = this.options;
		return failed(failureOfKind(kind, { retryAfterMs }));
	}

	private judge(): FailureKind | null {
		const {
			slots = Infinity,
			taskMs = 0,
			refusal = 'noFreeSlot',
			perSecond = Infinity,
		} = this.options;
		const now = this.clock.now();
		this.recent = this.recent.filter((at) => at > now - 1000);
		if (this.recent.length >= perSecond) return 'tooManyRequests';
		if (this.ends.filter((end) => end > now).length >= slots) return refusal;
		this.recent.push(now);
		this.ends.push(now + taskMs);
		this.accepted.push(now);
		return null;
	}
}
