import type { Client } from '../client';
import type { Clock } from '../clock';
import {
	behaviourOf,
	failed,
	failureWithoutResponse,
	type Failure,
	type Outcome,
} from '../failure';
import type { Order } from './order';
import type { Provider } from '../providers';
import { filledIn, recordOf, taskOf, type TaskRecord } from '../task';
import type { Admission } from './admission';

/**
 * What an earlier try of the same create left behind.
 * - `sending`: the request went out, and nobody knows what became of it.
 * - `created`: the provider gave it a task id.
 * - `refused`: it surely made no task.
 */
export type Remembered =
	| { state: 'sending'; externalTaskId?: string }
	| { state: 'created'; taskId: string; externalTaskId?: string }
	| { state: 'refused' };

/** A place that outlives this try, for one logical create. */
export interface SubmissionMemory {
	recall(): Remembered | null;
	remember(entry: Remembered): void;
	/** Whether another create of this execution holds the task, so that it cannot be this one's. */
	isTaken(taskId: string): boolean;
}

export type Submission =
	/** The task, made now. */
	| { outcome: 'created'; record: TaskRecord }
	/** The task, made by an earlier try. With `duplicate` only its external id says that it is this one's. */
	| { outcome: 'found'; record: TaskRecord; by: 'memory' | 'lookUp' | 'duplicate' }
	/** Surely no task was made. */
	| { outcome: 'refused'; failure: Failure }
	/** Nobody knows. */
	| {
			outcome: 'unknown';
			failure: Failure;
			externalTaskId: string | null;
			/** Why the task could not be looked up; null when nothing was looked up, or nothing was found. */
			lookUp: Failure | null;
	  }
	/** Nothing was sent, because the run was stopped or its time was over. */
	| { outcome: 'notSent' };

export interface SubmitDependencies {
	/** Sends the create, once. The images are loaded here, so that only orders in flight hold theirs. */
	send: () => Promise<Outcome<TaskRecord>>;
	client: Client;
	admission: Admission;
	memory: SubmissionMemory;
	clock: Clock;
	signal?: AbortSignal;
}

/** Milliseconds before each look for a task whose answer was lost: the provider may need a moment to show it. */
const settleMs = [1_000, 3_000, 6_000];
/** The same when the provider says that the task exists: then it will show. */
const settleKnownMs = [0, 1_000, 3_000, 6_000, 10_000, 10_000];
/** A create is sent so often at most, each time after it was not found. */
const mostSends = 3;

/**
 * Creates the task of an order, or finds the one that an earlier try created. Never sends while it
 * is possible that an earlier request was accepted, unless the provider shows that it was not.
 *
 * @param order with the external task id to send, where the provider takes one
 */
export async function submit(order: Order, dependencies: SubmitDependencies): Promise<Submission> {
	const earlier = dependencies.memory.recall();
	if (earlier?.state === 'created') return await recover(earlier, order, dependencies);
	if (earlier?.state !== 'sending') return await sendUntilClear(order, null, dependencies);
	const known = await resolveLost(order, unknownSince, dependencies);
	return known ?? (await sendUntilClear(order, unknownSince, dependencies));
}

/**
 * The terms under which a create is sent: with the external task id of an earlier try, if there was
 * one (an expression can make another one each time), else the user's, else the generated one.
 */
export function orderToSend(
	order: Order,
	provider: Pick<Provider, 'externalId'>,
	memory: Pick<SubmissionMemory, 'recall'> & { externalTaskId: string },
): Order {
	if (provider.externalId === 'none') return order;
	const earlier = memory.recall();
	const remembered = earlier && 'externalTaskId' in earlier ? earlier.externalTaskId : undefined;
	const externalTaskId = remembered ?? order.externalTaskId ?? memory.externalTaskId;
	return { ...order, externalTaskId };
}

/** What stands for the answer that an earlier try never saw. */
const unknownSince = failureWithoutResponse('noResponse');

async function recover(
	earlier: { taskId: string; externalTaskId?: string },
	order: Order,
	{ client }: SubmitDependencies,
): Promise<Submission> {
	const outcome = await client.get(earlier.taskId);
	// The id is known and paid for: that the provider cannot be asked just now must not lose it.
	const record = outcome.ok
		? outcome.value
		: recordOf(taskOf(client.provider.name, { taskId: earlier.taskId }), [], {
				task_id: earlier.taskId,
			});
	return { outcome: 'found', record: filledIn(record, order), by: 'memory' };
}

/** @param lost why an earlier request of this create is unclear, where no task of it was found */
async function sendUntilClear(
	order: Order,
	lost: Failure | null,
	dependencies: SubmitDependencies,
): Promise<Submission> {
	let unclear = lost;
	for (let sends = 1; ; sends++) {
		const outcome = await sendOnce(order, dependencies);
		if (outcome === null) return unclear ? unknown(order, unclear) : { outcome: 'notSent' };
		if (outcome.ok) return created(outcome.value, dependencies);
		const { failure } = outcome;
		if (behaviourOf(failure).create === 'exists') {
			return await adopt(order, failure, unclear, dependencies);
		}
		if (behaviourOf(failure).create !== 'unclear') {
			return await concludeRefusal(order, failure, unclear, dependencies);
		}
		const known = await resolveLost(order, failure, dependencies);
		if (known) return known;
		// Not found in time is enough to send the same id again, but not to say that nothing was paid.
		if (sends === mostSends) return unknown(order, failure);
		unclear = failure;
	}
}

async function sendOnce(
	order: Order,
	{ admission, memory, send }: SubmitDependencies,
): Promise<Outcome<TaskRecord> | null> {
	const before = memory.recall();
	const outcome = await admission.pass(async () => {
		// Before the request, not after: the process may end in between.
		memory.remember(withId({ state: 'sending' }, order));
		return await send();
	});
	const wasNeverSent = outcome === null && before === null;
	if (wasNeverSent) memory.remember({ state: 'refused' });
	return outcome;
}

function withId<T extends Remembered>(entry: T, order: Order): T {
	return order.externalTaskId ? { ...entry, externalTaskId: order.externalTaskId } : entry;
}

function created(record: TaskRecord, { memory }: SubmitDependencies): Submission {
	rememberTask(record, memory);
	return { outcome: 'created', record };
}

/** A task that was found under the order's external id, unless another create of this run holds it. */
function found(
	order: Order,
	record: TaskRecord,
	by: 'lookUp' | 'duplicate',
	{ memory }: SubmitDependencies,
): Submission {
	if (memory.isTaken(record.task.taskId)) {
		memory.remember({ state: 'refused' });
		return refused(failureWithoutResponse('duplicateExternalId'));
	}
	rememberTask(record, memory);
	return { outcome: 'found', record: filledIn(record, order), by };
}

function rememberTask({ task }: TaskRecord, memory: SubmissionMemory): void {
	const { taskId, externalTaskId } = task;
	memory.remember({
		state: 'created',
		taskId,
		...(externalTaskId ? { externalTaskId } : {}),
	});
}

function refused(failure: Failure): Submission {
	return { outcome: 'refused', failure };
}

/**
 * A refusal speaks of its own request only. Where an earlier one is unclear, it may even be the
 * reason: a lost create can have used the last credit, or its id can be called a bad value.
 */
async function concludeRefusal(
	order: Order,
	failure: Failure,
	unclear: Failure | null,
	dependencies: SubmitDependencies,
): Promise<Submission> {
	if (unclear === null) {
		dependencies.memory.remember({ state: 'refused' });
		return refused(failure);
	}
	const outcome = await lookFor(order, settleMs, dependencies);
	if (outcome.ok) return found(order, outcome.value, 'lookUp', dependencies);
	return unknown(order, failure, outcome.failure);
}

/**
 * The provider says that a task with this external id exists: that task is this create's, made by an
 * earlier request or by an earlier execution that was given the same id.
 */
async function adopt(
	order: Order,
	failure: Failure,
	unclear: Failure | null,
	dependencies: SubmitDependencies,
): Promise<Submission> {
	const outcome = await lookFor(order, settleKnownMs, dependencies);
	const by = unclear ? 'lookUp' : 'duplicate';
	if (outcome.ok) return found(order, outcome.value, by, dependencies);
	return unknown(order, failure, outcome.failure);
}

/**
 * Finds out what became of a request without an answer.
 *
 * @returns null when the task was not found where it would be, so that the same id may be sent again
 */
async function resolveLost(
	order: Order,
	failure: Failure,
	dependencies: SubmitDependencies,
): Promise<Submission | null> {
	const { externalId } = dependencies.client.provider;
	const isCancelled = failure.kind === 'cancelled' || dependencies.signal?.aborted;
	if (externalId === 'none' || !order.externalTaskId || isCancelled) return unknown(order, failure);
	const outcome = await lookFor(order, settleMs, dependencies);
	if (outcome.ok) return found(order, outcome.value, 'lookUp', dependencies);
	// Where look-ups are not documented, "not found" proves nothing.
	const isAbsent = externalId === 'lookup' && outcome.failure.kind === 'notFound';
	return isAbsent ? null : unknown(order, failure, outcome.failure);
}

function unknown(order: Order, failure: Failure, lookUp: Failure | null = null): Submission {
	const missed = lookUp?.kind === 'notFound' ? null : lookUp;
	return {
		outcome: 'unknown',
		failure,
		externalTaskId: order.externalTaskId ?? null,
		lookUp: missed,
	};
}

async function lookFor(
	order: Order,
	delays: readonly number[],
	{ client, clock, signal }: SubmitDependencies,
): Promise<Outcome<TaskRecord>> {
	let last: Outcome<TaskRecord> = failed(unknownSince);
	for (const delay of delays) {
		await clock.sleep(delay * (0.75 + clock.random() / 2), signal);
		if (signal?.aborted) return failed(failureWithoutResponse('cancelled'));
		last = surelyNotFound(await client.findByExternalId(order.externalTaskId ?? ''));
		// A refused key or a redirect is the same at the next look.
		if (last.ok || isLasting(last.failure)) return last;
	}
	return last;
}

function isLasting(failure: Failure): boolean {
	return failure.kind !== 'notFound' && !behaviourOf(failure).passing;
}

/** A 404 counts as "no such task" only in the provider's own words, not when a proxy's page says so. */
function surelyNotFound(outcome: Outcome<TaskRecord>): Outcome<TaskRecord> {
	if (outcome.ok || outcome.failure.kind !== 'notFound' || outcome.failure.body === 'json') {
		return outcome;
	}
	return failed({ ...outcome.failure, kind: 'unreadable' });
}
