import { providerTimeOf, type ApiRequest, type HttpResponse, type Send } from './http';
import { delayBeforeRetry, type Clock } from './clock';
import { readCreated } from './createdTask';
import {
	behaviourOf,
	failed,
	failureOf,
	failureOfNoResponse,
	failureWithoutResponse,
	success,
	type Outcome,
} from './failure';
import type { OrderWithImages } from './create/order';
import type { Provider, TaskList } from './providers/provider';
import { filledIn, type TaskRecord } from './task';

/** How often a read is asked again before its failure counts. Reads cost nothing. */
export const readTries = 4;

/**
 * The outcome of a request, and what time it was then: milliseconds since 1970 on the provider's clock, or
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
	 * Sends one create, once. A 404 certainly made no task, so only then is the provider's older
	 * address is tried.
	 */
	async create(order: OrderWithImages): Promise<Outcome<TaskRecord>> {
		const requests = this.provider.createRequests(order);
		for (let index = this.pathsGone; ; index++) {
			const outcome = await this.ask(
				() => requests[index],
				(response) => readCreated(this.provider, response),
			);
			const isGone = !outcome.ok && outcome.failure.httpStatus === 404;
			if (!isGone || index + 1 === requests.length) {
				return outcome.ok ? success(filledIn(outcome.value, order)) : outcome;
			}
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
		return await this.read(
			() => this.provider.getRequest(taskId),
			(response) => this.provider.readTask(response),
		);
	}

	/** A task by its external id, asked again where a failure may pass. The provider must have such ids. */
	async findByExternalId(externalTaskId: string): Promise<Outcome<TaskRecord>> {
		const { provider } = this;
		if (!provider.findByExternalIdRequest) {
			throw new RangeError(`${provider.displayName} has no external task id`);
		}
		const request = provider.findByExternalIdRequest.bind(provider, externalTaskId);
		const outcome = await this.patiently(
			async () => await this.read(request, (response) => provider.readTask(response)),
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
		return await this.read(
			() => list.request(page, pageSize),
			(response) => list.read(response),
		);
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
	 * that moves to the next page while pages are read comes once. A page without anything new is the last
	 * one too: a provider that ignores the number of the page would be asked a thousand times.
	 */
	async *listAll(pageSize: number = this.largestPage): AsyncGenerator<Outcome<TaskRecord[]>> {
		const seen = new Set<string>();
		for (let page = 1; page <= this.lastPage; page++) {
			const outcome = await this.list(page, pageSize);
			if (!outcome.ok) {
				yield outcome;
				return;
			}
			const fresh = outcome.value.filter(({ task }) => isNew(seen, task.taskId));
			yield success(fresh);
			if (outcome.value.length < pageSize || fresh.length === 0) return;
		}
	}

	/** Asks for what exists already, where a text that speaks of a duplicate cannot mean one. */
	private async read<T>(
		build: () => ApiRequest,
		readResult: (response: HttpResponse) => Outcome<T>,
	): Promise<Dated<T>> {
		return await this.ask(build, (response) => {
			const failure = this.provider.readFailure(response);
			if (!failure) return readResult(response);
			const isDuplicate = failure.kind === 'duplicateExternalId';
			return failed(isDuplicate ? { ...failure, kind: 'badRequest' } : failure);
		});
	}

	/**
	 * The one place where an adapter is called: whatever it throws is that request's failure. It
	 * throws at an id that no address can hold, and at shapes that nobody thought of.
	 */
	private async ask<T>(
		build: () => ApiRequest,
		interpret: (response: HttpResponse) => Outcome<T>,
		signedAt?: string,
	): Promise<Dated<T>> {
		const request = attempt(build);
		if (!request) {
			const failure = failureWithoutResponse('badRequest', 'the ID cannot be part of an address');
			return { ...failed(failure), providerTime: this.clock.now() };
		}
		const reply = await this.send(
			signedAt === undefined ? request : { ...request, providerTime: signedAt },
		);
		if (reply.kind === 'noResponse') {
			return { ...failed(failureOfNoResponse(reply)), providerTime: this.clock.now() };
		}
		const outcome = attempt(() => interpret(reply)) ?? failed(failureOf(reply, 'unreadable'));
		const isStale = !outcome.ok && this.provider.isStaleSignature?.(outcome.failure);
		if (!isStale || signedAt !== undefined)
			return { ...outcome, providerTime: providerTimeOf(reply) };
		// A refused signature made no task, so even a create may be sent again.
		return await this.ask(build, interpret, reply.headers.date ?? '');
	}

	private async patiently<T>(once: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
		for (let tries = 1; ; tries++) {
			const outcome = await once();
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

function attempt<T>(action: () => T): T | null {
	try {
		return action();
	} catch {
		return null;
	}
}
