import { providerTimeOf, type ApiRequest, type HttpResponse, type Send } from './http';
import { delayBeforeRetry, type Clock } from './clock';
import { behaviourOf, failed, failureOfNoResponse, success, type Outcome } from './failure';
import type { OrderWithImages } from './create/order';
import type { Provider, TaskList } from './providers/provider';
import { filledIn, type TaskRecord } from './task';

/** How often a read is asked again before its failure counts. Reads cost nothing. */
export const readTries = 4;

/**
 * What came of a request, and what time it was then: milliseconds since 1970 on the provider's clock, or
 * on n8n's where the response names no time.
 */
export type Dated<T> = Outcome<T> & { providerTime: number };

/** The calls that the package makes, in the words of tasks. Nothing here knows n8n. */
export class Client {
	/** How many of the provider's create paths are known to be gone, so that only the first create looks. */
	private pathsGone = 0;

	constructor(
		readonly provider: Provider,
		private readonly send: Send,
		private readonly clock: Clock,
		private readonly signal?: AbortSignal,
	) {}

	/**
	 * Sends one create, once. A 404 certainly made no task, so only then the provider's older
	 * address is tried.
	 */
	async create(order: OrderWithImages): Promise<Outcome<TaskRecord>> {
		const requests = this.provider.createRequests(order);
		for (let index = this.pathsGone; ; index++) {
			const outcome = await this.ask(requests[index], (response) =>
				this.provider.readCreated(response),
			);
			const isGone = !outcome.ok && outcome.failure.httpStatus === 404;
			if (!isGone || index + 1 === requests.length) return named(outcome, order);
			// Creates run side by side: a later one may have moved on already.
			this.pathsGone = Math.max(this.pathsGone, index + 1);
		}
	}

	/** A task by the provider's id, asked again where a failure may pass. */
	async get(taskId: string): Promise<Outcome<TaskRecord>> {
		return await this.patiently(async () => await this.getOnce(taskId));
	}

	/** A task by the provider's id, asked once. */
	async getOnce(taskId: string): Promise<Dated<TaskRecord>> {
		return await this.ask(this.provider.getRequest(taskId), (response) =>
			this.provider.readTask(response),
		);
	}

	/** A task by its external id, asked again where a failure may pass. The provider must have such ids. */
	async findByExternalId(externalTaskId: string): Promise<Outcome<TaskRecord>> {
		const request = this.provider.findByExternalIdRequest?.(externalTaskId);
		if (!request) throw new RangeError(`${this.provider.displayName} has no external task id`);
		const outcome = await this.patiently(
			async () => await this.ask(request, (response) => this.provider.readTask(response)),
		);
		if (!outcome.ok) return outcome;
		// Not every gateway repeats the id in its answer.
		return success(filledIn(outcome.value, { externalTaskId }));
	}

	/** One page of the account's tasks, in the provider's order. The provider must have a list. */
	async list(page: number, pageSize: number = this.largestPage): Promise<Outcome<TaskRecord[]>> {
		return await this.patiently(async () => await this.listOnce(page, pageSize));
	}

	/** One page of the account's tasks, asked once. */
	async listOnce(page: number, pageSize: number = this.largestPage): Promise<Dated<TaskRecord[]>> {
		const list = this.taskList;
		return await this.ask(list.request(page, pageSize), (response) => list.read(response));
	}

	/** The largest page that the provider's list can be asked for. The provider must have a list. */
	get largestPage(): number {
		return this.taskList.largestPage;
	}

	/** The last page that the provider's list can be asked for. The provider must have a list. */
	get lastPage(): number {
		return this.taskList.lastPage;
	}

	private get taskList(): TaskList {
		const { displayName, list } = this.provider;
		if (!list) throw new RangeError(`${displayName} has no list of tasks`);
		return list;
	}

	/**
	 * All pages one after the other, until one is not full: the list names no total (Kling's effects page). A task
	 * that moves to the next page while pages are read comes once.
	 */
	async *listAll(pageSize: number = this.largestPage): AsyncGenerator<Outcome<TaskRecord[]>> {
		const seen = new Set<string>();
		for (let page = 1; page <= this.lastPage; page++) {
			const outcome = await this.list(page, pageSize);
			if (!outcome.ok) {
				yield outcome;
				return;
			}
			yield success(outcome.value.filter(({ task }) => isNew(seen, task.taskId)));
			if (outcome.value.length < pageSize) return;
		}
	}

	private async ask<T>(
		request: ApiRequest,
		readResult: (response: HttpResponse) => Outcome<T>,
	): Promise<Dated<T>> {
		const reply = await this.send(request);
		if (reply.kind === 'noResponse') {
			return { ...failed(failureOfNoResponse(reply)), providerTime: this.clock.now() };
		}
		const providerTime = providerTimeOf(reply);
		const failure = this.provider.readFailure(reply);
		if (!failure) return { ...readResult(reply), providerTime };
		const isStale = this.provider.isStaleSignature?.(failure) ?? false;
		if (!isStale || request.providerTime !== undefined) return { ...failed(failure), providerTime };
		// A refused signature made no task, so even a create may be sent again.
		return await this.ask({ ...request, providerTime: reply.headers.date ?? '' }, readResult);
	}

	private async patiently<T>(attempt: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
		for (let tries = 1; ; tries++) {
			const outcome = await attempt();
			if (outcome.ok || tries === readTries || !behaviourOf(outcome.failure).passing)
				return outcome;
			const delay = delayBeforeRetry(tries, outcome.failure.retryAfterMs, () =>
				this.clock.random(),
			);
			await this.clock.sleep(delay, this.signal);
			if (this.signal?.aborted) return outcome;
		}
	}
}

function isNew(seen: Set<string>, taskId: string): boolean {
	if (seen.has(taskId)) return false;
	seen.add(taskId);
	return true;
}

/** What the answer to a create leaves out but the order says. */
function named(outcome: Outcome<TaskRecord>, order: OrderWithImages): Outcome<TaskRecord> {
	if (outcome.ok) return success(filledIn(outcome.value, order));
	// A create asks for no task: what is not found is a model, or the address itself.
	const { failure } = outcome;
	return failure.kind === 'notFound' ? failed({ ...failure, kind: 'notOffered' }) : outcome;
}
