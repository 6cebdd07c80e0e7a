import { providerTimeOf, type ApiRequest, type HttpResponse } from './http';
import { delayBeforeRetry, type Clock } from './clock';
import {
	behaviourOf,
	failed,
	failureOf,
	failureWithoutResponse,
	type Outcome,
	type Send,
} from './failure';
import { outcomeOfCreate, outcomeOfRead } from './outcome';
import type { OrderWithImages, Provider, TaskList, TaskPage } from './providers/provider';
import { filledIn, type TaskRecord } from './task';

/** How often a read is asked again before its failure counts. Reads cost nothing. */
const readTries = 4;

/**
 * The outcome of a request, and what time its response told: milliseconds since 1970 on the provider's
 * clock, or on n8n's where the response names no time. Null without a response.
 */
export type Dated<T> = Outcome<T> & { providerTime: number | null };

/** What an answer means that shows a different task than the one requested. */
const otherTask = failureWithoutResponse('otherTask');

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
	 * address tried.
	 */
	async create(order: OrderWithImages): Promise<Outcome<TaskRecord>> {
		const requests = this.provider.createRequests(order);
		for (let index = this.pathsGone; ; index++) {
			const outcome = await this.ask(
				() => requests[index],
				(response) => outcomeOfCreate(this.provider, response),
			);
			if (outcome.ok) return { ok: true, value: filledIn(outcome.value, order) };
			const { httpStatus, kind } = outcome.failure;
			const isGone = httpStatus === 404 && kind !== 'contradictory';
			if (!isGone || index + 1 === requests.length) return outcome;
			// Creates run side by side: a later one may have moved on already.
			this.pathsGone = Math.max(this.pathsGone, index + 1);
		}
	}

	/** A task by the provider's id, asked again where a failure may pass. */
	async get(taskId: string): Promise<Outcome<TaskRecord>> {
		return await this.patiently(async () => await this.getOnce(taskId));
	}

	/**
	 * A task by the provider's id, asked once. It keeps the id that it was asked for by: a gateway may answer
	 * with the one that the task has in another system, which cannot be asked for here. Where external
	 * ids are documented, one may have been asked for.
	 */
	async getOnce(taskId: string): Promise<Dated<TaskRecord>> {
		const { provider } = this;
		const outcome = await this.readTask(() => provider.getRequest(taskId));
		if (!outcome.ok) return outcome;
		const { task } = outcome.value;
		const isExternal = provider.externalId === 'lookup' && task.externalTaskId === taskId;
		return isExternal
			? outcome
			: { ...outcome, value: { ...outcome.value, task: { ...task, taskId } } };
	}

	/** A task by its external id, asked again where a failure may pass. The provider must have such ids. */
	async findByExternalId(externalTaskId: string): Promise<Dated<TaskRecord>> {
		const { provider } = this;
		const request = provider.findByExternalIdRequest?.bind(provider, externalTaskId);
		if (!request) throw new RangeError(`${provider.displayName} has no external task id`);
		const outcome = await this.patiently(async () => await this.readTask(request));
		if (!outcome.ok) return outcome;
		// Not every gateway repeats the id in its answer; one that shows another id shows another task.
		const value = filledIn(outcome.value, { externalTaskId });
		// The provider takes either id at this address: a task whose own id this is was not made under it.
		const { task } = outcome.value;
		const isByOwnId = task.externalTaskId === null && task.taskId === externalTaskId;
		const isIt = value.task.externalTaskId === externalTaskId && !isByOwnId;
		const { providerTime } = outcome;
		return isIt ? { ...outcome, value } : { ...failed(otherTask), providerTime };
	}

	/** One page of the account's tasks, in the provider's order, asked once. */
	async listOnce(page: number, pageSize: number = this.largestPage): Promise<Dated<TaskPage>> {
		const { list } = this;
		return await this.ask(
			() => list.request(page, pageSize),
			(response) => outcomeOfRead(this.provider, response, (body) => list.read(body)),
		);
	}

	/** The largest page that the provider's list can be asked for. */
	get largestPage(): number {
		return this.list.largestPage;
	}

	/** The last page that the provider's list can be asked for. */
	get lastPage(): number {
		return this.list.lastPage;
	}

	/** @throws RangeError where the provider has no list, which is to be asked first */
	private get list(): TaskList {
		const { displayName, list } = this.provider;
		if (!list) throw new RangeError(`${displayName} has no list of tasks`);
		return list;
	}

	/**
	 * All pages one after the other, until one is not full: the list names no total (Kling's effects page).
	 * A first page that is not full may have been cut, so it is the last only where no task follows it.
	 * Each is asked again where a failure may pass. A task
	 * that moves to the next page while pages are read comes once. A page without anything new is the last
	 * one too: a provider that ignores the number of the page would be asked a thousand times.
	 */
	async *listAll(pageSize: number): AsyncGenerator<Outcome<TaskRecord[]>> {
		const seen = new Set<string>();
		let size = pageSize;
		for (let page = 1; page <= this.lastPage; page++) {
			const outcome = await this.patiently(async () => await this.listOnce(page, size));
			if (!outcome.ok) return yield outcome;
			const { records, rows } = outcome.value;
			const fresh = records.filter(({ task }) => seen.size < seen.add(task.taskId).size);
			yield { ok: true, value: fresh };
			const isLast = rows < size && page > 1;
			if (isLast || fresh.length === 0) return;
			size = Math.min(size, rows);
		}
	}

	private async readTask(build: () => ApiRequest): Promise<Dated<TaskRecord>> {
		const { provider } = this;
		return await this.ask(build, (response) =>
			outcomeOfRead(provider, response, (body) => provider.readTask(body)),
		);
	}

	/**
	 * The one place where an adapter is called: anything it throws is that request's failure. It
	 * throws at an id that no address can hold, and at shapes that were not foreseen.
	 *
	 * @param signedAt the time to sign for, as the provider's clock told it
	 */
	private async ask<T>(
		build: () => ApiRequest,
		interpret: (response: HttpResponse) => Outcome<T>,
		signedAt?: string,
	): Promise<Dated<T>> {
		const request = attempt(build);
		if (!request) {
			const failure = failureWithoutResponse('badRequest', 'the ID cannot be part of a URL');
			return { ...failed(failure), providerTime: null };
		}
		const result = await this.send({ ...request, providerTime: signedAt });
		if (result.kind !== 'response') {
			return { ...failed(result), providerTime: null };
		}
		const providerTime = providerTimeOf(result);
		const outcome = attempt(() => interpret(result)) ?? failed(failureOf(result, 'unreadable'));
		const isSure = !outcome.ok && outcome.failure.kind !== 'contradictory';
		const isStale = isSure && this.provider.isStaleSignature?.(outcome.failure);
		// A refused signature made no task, so even a create may be sent again.
		return isStale && signedAt === undefined
			? await this.ask(build, interpret, result.headers.date ?? '')
			: { ...outcome, providerTime };
	}

	private async patiently<T>(once: () => Promise<Dated<T>>): Promise<Dated<T>> {
		for (let tries = 1; ; tries++) {
			const outcome = await once();
			if (outcome.ok || tries === readTries || !behaviourOf(outcome.failure).passing)
				return outcome;
			const { retryAfterMs } = outcome.failure;
			const delay = delayBeforeRetry(tries, retryAfterMs, () => this.clock.random());
			await this.clock.sleep(delay, this.signal);
			if (this.signal?.aborted) return outcome;
		}
	}
}

function attempt<T>(action: () => T): T | null {
	try {
		return action();
	} catch {
		return null;
	}
}
