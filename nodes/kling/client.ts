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

/** How often a read is repeated before its failure counts. Reads cost nothing. */
const readTries = 4;

/**
 * The outcome of a request, and the time of its response: milliseconds since 1970 on the provider's
 * clock, or on n8n's if the response has no time. Null without a response.
 */
export type Dated<T> = Outcome<T> & { providerTime: number | null };

/** A response that shows a different task than the one requested. */
const otherTask = failureWithoutResponse('otherTask');

/** The calls that the package makes, in terms of tasks. Nothing here knows about n8n. */
export class Client {
	/** How many of the provider's create paths are known to be gone: only the first create tries them. */
	private pathsGone = 0;

	constructor(
		readonly provider: Provider,
		private readonly send: Send,
		private readonly clock: Clock,
		private readonly signal?: AbortSignal,
	) {}

	/**
	 * Sends one create, once. A 404 certainly created no task, so only then is the provider's older
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
			// Creates run in parallel: a later one may already have moved on.
			this.pathsGone = Math.max(this.pathsGone, index + 1);
		}
	}

	/** A task by the provider's id, with retries after temporary failures. */
	async get(taskId: string): Promise<Outcome<TaskRecord>> {
		return await this.patiently(async () => await this.getOnce(taskId));
	}

	/**
	 * A task by the provider's id, requested once. It keeps the requested id: a gateway may return the
	 * task's id in another system, which cannot be requested here. Where external ids are documented, the
	 * request may have used one.
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

	/** A task by its external id, with retries after temporary failures. The provider must have such ids. */
	async findByExternalId(externalTaskId: string): Promise<Dated<TaskRecord>> {
		const { provider } = this;
		const request = provider.findByExternalIdRequest?.bind(provider, externalTaskId);
		if (!request) throw new RangeError(`${provider.displayName} has no external task id`);
		const outcome = await this.patiently(async () => await this.readTask(request));
		if (!outcome.ok) return outcome;
		// Not every gateway repeats the id in its response; if it shows another id, it is another task.
		const value = filledIn(outcome.value, { externalTaskId });
		// The provider accepts either id at this address: a task whose own id this is was not created
		// under it.
		const { task } = outcome.value;
		const isByOwnId = task.externalTaskId === null && task.taskId === externalTaskId;
		const isIt = value.task.externalTaskId === externalTaskId && !isByOwnId;
		const { providerTime } = outcome;
		return isIt ? { ...outcome, value } : { ...failed(otherTask), providerTime };
	}

	/** One page of the account's tasks, in the provider's order, requested once. */
	async listOnce(page: number, pageSize: number = this.largestPage): Promise<Dated<TaskPage>> {
		const { list } = this;
		return await this.ask(
			() => list.request(page, pageSize),
			(response) => outcomeOfRead(this.provider, response, (body) => list.read(body)),
		);
	}

	/** The largest page size of the provider's list. */
	get largestPage(): number {
		return this.list.largestPage;
	}

	/** The last page of the provider's list that can be requested. */
	get lastPage(): number {
		return this.list.lastPage;
	}

	/** @throws RangeError if the provider has no list; check that first */
	private get list(): TaskList {
		const { displayName, list } = this.provider;
		if (!list) throw new RangeError(`${displayName} has no list of tasks`);
		return list;
	}

	/**
	 * All pages one after the other, until one has nothing new: the list has no total (Kling's effects page),
	 * and a page that is not full may have been cut short or thinned out. Temporary failures are retried. A
	 * task that moves to the next page while pages are read comes once.
	 */
	async *listAll(pageSize: number): AsyncGenerator<Outcome<TaskRecord[]>> {
		const seen = new Set<string>();
		let size = pageSize;
		for (let page = 1; page <= this.lastPage; page++) {
			const outcome = await this.patiently(async () => await this.listOnce(page, size));
			if (!outcome.ok) return yield outcome;
			const fresh = outcome.value.records.filter(
				({ task }) => seen.size < seen.add(task.taskId).size,
			);
			yield { ok: true, value: fresh };
			if (fresh.length === 0) return;
			// If the provider limits the rows per page, it may count pages by that.
			if (page === 1) size = Math.min(size, fresh.length);
		}
	}

	private async readTask(build: () => ApiRequest): Promise<Dated<TaskRecord>> {
		const { provider } = this;
		return await this.ask(build, (response) =>
			outcomeOfRead(provider, response, (body) => provider.readTask(body)),
		);
	}

	/**
	 * The one place where an adapter is called: anything it throws is that request's failure. It throws
	 * for an id that no URL can contain, and for unexpected shapes.
	 *
	 * @param signedAt the time to sign for, by the provider's clock
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
		// A refused signature created no task, so even a create may be sent again.
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

/** With at least this many tasks to read, pages of the list are read instead. */
const pagesFrom = 10;

/**
 * The same client for a retry, which looks up the tasks of up to `count` creates at once: its `get` reads
 * pages of the account's list. Tasks that these do not show are fetched one by one.
 */
export function readingByPages(client: Client, count: number): Client {
	if (!client.provider.list || count < pagesFrom) return client;
	const shown = new Map<string, Outcome<TaskRecord>>();
	let asked = 0;
	let page = 0;
	// One more, for tasks that others have created since. The order of the list is not documented.
	let lastPage = Math.min(Math.ceil(count / client.largestPage) + 1, client.lastPage);
	let reading: Promise<void> | null = null;
	const readPage = async () => {
		const outcome = await client.listOnce(++page);
		const { records, rows } = outcome.ok ? outcome.value : { records: [], rows: 0 };
		for (const value of records) shown.set(value.task.taskId, { ok: true, value });
		if (rows < client.largestPage) lastPage = page;
	};
	const get = async (taskId: string) => {
		// A retry with only a few tasks to read needs no page of hundreds.
		if (++asked < pagesFrom) return await client.get(taskId);
		while (!shown.has(taskId) && (reading || page < lastPage)) {
			reading ??= readPage().finally(() => (reading = null));
			await reading;
		}
		return shown.get(taskId) ?? (await client.get(taskId));
	};
	return Object.create(client, { get: { value: get } }) as Client;
}

function attempt<T>(action: () => T): T | null {
	try {
		return action();
	} catch {
		return null;
	}
}
