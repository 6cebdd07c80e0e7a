import type { Client } from '../client';
import type { Clock } from '../clock';
import {
	behaviourOf,
	failed,
	failureWithoutResponse,
	type Failure,
	type Outcome,
} from '../failure';
import type { ExternalIdSupport, Order } from '../providers/provider';
import { createdMs, filledIn, recordOf, type TaskRecord } from '../task';
import type { Admission } from './admission';

/**
 * What an earlier try of the same create left behind.
 * - `sending`: the request may have gone out, and nobody knows what became of it. `sentAt`: when
 *   this execution first sent it, in milliseconds since 1970. `trace`: how far its task can be told
 *   by the external task id that this try gives it, where that may be another one.
 * - `created`: the provider gave it a task id.
 */
export type Remembered =
	| {
			state: 'sending';
			externalTaskId?: string;
			sentAt?: number;
			trace?: ExternalIdSupport;
			/** The try ended with its process, so nobody knows whether it got as far as this create. */
			hasDied?: boolean;
	  }
	| { state: 'created'; taskId: string; externalTaskId?: string };

/** A place that outlives this try, for one logical create. */
export interface SubmissionMemory {
	/** The external task id that the create gets where nobody has given it one. */
	externalTaskId: string;
	recall(): Remembered | null;
	/** @param entry null when surely no task was made */
	remember(entry: Remembered | null): void;
	/** Whether another create of this execution holds the task, so that it cannot be this one's. */
	isTaken(taskId: string): boolean;
}

export type Submission =
	/** The task, made now. */
	| { outcome: 'created'; record: TaskRecord }
	/** The task, made by an earlier try or, when `isEarlier`, before this execution sent anything. */
	| { outcome: 'found'; record: TaskRecord; isEarlier: boolean }
	/** Surely no task was made. */
	| { outcome: 'refused'; failure: Failure }
	/** Nobody knows. */
	| {
			outcome: 'unknown';
			failure: Failure;
			externalTaskId: string | null;
			/** Why the task could not be looked up; null when nothing was looked up, or nothing was found. */
			lookUp: Failure | null;
			/** Whether it was sent, if at all, by an execution that ended with its process. */
			hasDied: boolean;
	  }
	/** Nothing was sent, because the run was stopped or its time was over. */
	| { outcome: 'notSent' };

export interface SubmitDependencies {
	/** Sends the create, once. The images are loaded here, so that only orders in flight hold theirs. */
	send: (order: Order) => Promise<Outcome<TaskRecord>>;
	client: Client;
	admission: Admission;
	memory: SubmissionMemory;
	clock: Clock;
	signal?: AbortSignal;
}

/**
 * Milliseconds before each look for a task whose answer was lost. Kling shows new tasks at once
 * (152 reads of new tasks, no miss); a gateway may need a moment.
 */
const settleMs = [500, 1_500, 4_000];
/** The same when the provider says that the task exists: then it will show. */
const settleKnownMs = [0, 1_000, 3_000, 6_000, 10_000, 10_000];
/** Milliseconds by which n8n's clock may be ahead of the provider's without a new task looking old. */
const clockMargin = 2_000;

/** A create is sent this often at most, each time after it was not found. */
const mostSends = 3;

/** What stands for the answer that an earlier try never saw. */
const unknownSince = failureWithoutResponse('noResponse');

/**
 * Creates the task of an order, or finds the one that an earlier try created: sends it, or else looks
 * for it. Nothing is sent while an earlier request may have been accepted, unless the provider has
 * shown that it was not. What each kind of failure means here is a column of the table in failure.ts.
 */
export async function submit(asked: Order, dependencies: SubmitDependencies): Promise<Submission> {
	const { client, memory, signal } = dependencies;
	const support = client.provider.externalId;
	const earlier = memory.recall();
	// That of an earlier try comes first: an expression can make another one each time.
	const externalTaskId =
		support === 'none'
			? undefined
			: (earlier?.externalTaskId ?? asked.externalTaskId ?? memory.externalTaskId);
	const order = { ...asked, externalTaskId };
	if (earlier?.state === 'created') return await recover(earlier.taskId, order, client);
	const trace = weaker(support, earlier?.trace);
	const unknown = (failure: Failure, lookUp: Failure | null = null): Submission => ({
		outcome: 'unknown',
		failure,
		lookUp,
		externalTaskId: trace === 'none' ? null : (externalTaskId ?? null),
		hasDied: failure === unknownSince && earlier?.hasDied === true,
	});

	/** Why the last request has brought no task. */
	let failure = unknownSince;
	/** The last failure after which there may be a task that is not known; null when there is none. */
	let unclear = earlier ? unknownSince : null;
	let isNext: 'send' | 'look' = earlier ? 'look' : 'send';
	for (let sends = 0; ; isNext = 'send') {
		if (isNext === 'send') {
			const sent = await sendOnce(order, dependencies);
			// The run was stopped, or its time was over.
			if (sent === null) return unclear ? unknown(unclear) : { outcome: 'notSent' };
			if (sent.ok) return created(sent.value, memory);
			sends++;
			failure = sent.failure;
			if (meaningOf(failure) === 'unclear') unclear = failure;
			// A refusal speaks of its own request only. Where an earlier one is unclear, it may even be the
			// reason: a lost create can have used the last credit, or its id can be called a bad value.
			else if (meaningOf(failure) !== 'exists' && !unclear) return refuse(failure, memory);
		}
		const isUnclear = meaningOf(failure) === 'unclear';
		// Without an id to look by, nothing can be told. What is unclear and fatal was cancelled.
		const canLook = trace !== 'none' && !signal?.aborted && !behaviourOf(failure).fatal;
		if (isUnclear && !canLook) return unknown(failure);
		const isKnown = meaningOf(failure) === 'exists';
		const seen = await lookFor(order, isKnown ? settleKnownMs : settleMs, dependencies);
		if (seen.ok) return found(order, seen.value, unclear !== null, memory);
		const isMissing = seen.failure.kind === 'notFound';
		// Where look-ups are not documented, "not found" proves nothing. And not to be found in time is
		// enough to send the same id again, but not to say that nothing was paid.
		const maySendAgain = isMissing && isUnclear && trace === 'lookup' && sends < mostSends;
		if (!maySendAgain || signal?.aborted) return unknown(failure, isMissing ? null : seen.failure);
	}
}

function meaningOf(failure: Failure) {
	return behaviourOf(failure).create;
}

/** How far a task can be told by its external id: what the provider offers, or less after an earlier try. */
function weaker(support: ExternalIdSupport, trace = support): ExternalIdSupport {
	const weakestFirst: ExternalIdSupport[] = ['none', 'unverified', 'lookup'];
	return weakestFirst.find((one) => one === support || one === trace) ?? 'none';
}

async function recover(taskId: string, order: Order, client: Client): Promise<Submission> {
	const outcome = await client.get(taskId);
	const { idKeys, name } = client.provider;
	// The id is known and paid for: that the provider cannot be asked just now must not lose it.
	const record = outcome.ok ? outcome.value : recordOf(name, { taskId }, { [idKeys[0]]: taskId });
	return { outcome: 'found', record: filledIn(record, order), isEarlier: false };
}

async function sendOnce(
	order: Order,
	{ admission, clock, memory, send }: SubmitDependencies,
): Promise<Outcome<TaskRecord> | null> {
	return await admission.pass(async () => {
		// Before the request, not after: the process may end in between.
		const earlier = memory.recall();
		const sentAt = earlier?.state === 'sending' ? earlier.sentAt : clock.now();
		memory.remember({ state: 'sending', sentAt, externalTaskId: order.externalTaskId });
		return await send(order);
	});
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
		last = await client.findByExternalId(order.externalTaskId ?? '');
		// A refused key or a redirect is the same at the next look.
		const mayPass =
			!last.ok && (last.failure.kind === 'notFound' || behaviourOf(last.failure).passing);
		if (!mayPass) return last;
	}
	return last;
}

/** A task that was found under the order's external id, unless another create of this run holds it. */
function found(
	order: Order,
	record: TaskRecord,
	isOwn: boolean,
	memory: SubmissionMemory,
): Submission {
	if (memory.isTaken(record.task.taskId)) {
		return refuse(failureWithoutResponse('duplicateExternalId'), memory);
	}
	const earlier = memory.recall();
	const sentAt = (earlier?.state === 'sending' && earlier.sentAt) || 0;
	const madeAt = createdMs(record.task);
	const isOlder = madeAt > 0 && madeAt + clockMargin < sentAt;
	rememberTask(record, memory);
	return { outcome: 'found', record: filledIn(record, order), isEarlier: !isOwn || isOlder };
}

function created(record: TaskRecord, memory: SubmissionMemory): Submission {
	rememberTask(record, memory);
	return { outcome: 'created', record };
}

function rememberTask({ task }: TaskRecord, memory: SubmissionMemory): void {
	const { taskId, externalTaskId } = task;
	memory.remember({ state: 'created', taskId, externalTaskId: externalTaskId ?? undefined });
}

function refuse(failure: Failure, memory: SubmissionMemory): Submission {
	memory.remember(null);
	return { outcome: 'refused', failure };
}
