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
import type { ExternalIdSupport } from '../providers/provider';
import { createdMs, filledIn, recordOf, type TaskRecord } from '../task';
import type { Admission } from './admission';
import { next, type Step, type StepOutcome } from './states';

/**
 * What an earlier try of the same create left behind.
 * - `sending`: the request may have gone out, and nobody knows what became of it. `sentAt`: when
 *   this execution first sent it, in milliseconds since 1970. `trace`: how far its task can be told
 *   by the external task id that this try gives it, where that may be another one.
 * - `created`: the provider gave it a task id.
 * - `refused`: it surely made no task.
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
	send: () => Promise<Outcome<TaskRecord>>;
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

/**
 * Creates the task of an order, or finds the one that an earlier try created: takes one step after
 * the other as `next` says, and remembers what each brings.
 *
 * @param order with the external task id to send, where the provider takes one
 */
export async function submit(order: Order, dependencies: SubmitDependencies): Promise<Submission> {
	const { memory, signal } = dependencies;
	const earlier = memory.recall();
	if (earlier?.state === 'created') return await recover(earlier, order, dependencies);
	const trace = traceOf(order, earlier, dependencies.client.provider);
	const history: StepOutcome[] = [];
	let record: TaskRecord | null = null;
	let step: Step = { do: 'send' };
	const proceed = (outcome: StepOutcome): Step => {
		const following = next(history, outcome, signal?.aborted ? 'none' : trace);
		history.push(outcome);
		return following;
	};
	if (earlier?.state === 'sending') step = proceed({ step: 'earlier', failure: unknownSince });
	while (step.do === 'send' || step.do === 'lookUp') {
		const outcome: Outcome<TaskRecord> | null =
			step.do === 'send'
				? await sendOnce(order, dependencies)
				: await lookFor(order, step.isKnown ? settleKnownMs : settleMs, dependencies);
		if (outcome?.ok) record = outcome.value;
		step = proceed(told(step.do, outcome));
	}
	if (step.do === 'take' && record) {
		const isSent = history.at(-1)?.step === 'send';
		return isSent ? created(record, memory) : found(order, record, step.isOwn, memory);
	}
	if (step.do === 'refuse') return refuse(step.failure, memory);
	if (step.do !== 'giveUp') return { outcome: 'notSent' };
	const { failure, lookUp } = step;
	const externalTaskId = trace === 'none' ? null : (order.externalTaskId ?? null);
	const hasDied =
		failure === unknownSince && earlier?.state === 'sending' && earlier.hasDied === true;
	return { outcome: 'unknown', failure, lookUp, externalTaskId, hasDied };
}

function traceOf(
	{ externalTaskId }: Order,
	earlier: Remembered | null,
	{ externalId }: Pick<Provider, 'externalId'>,
): ExternalIdSupport {
	if (externalTaskId === undefined || externalId === 'none') return 'none';
	const trace = earlier?.state === 'sending' ? earlier.trace : undefined;
	return trace === 'none' || externalId === 'lookup' ? (trace ?? externalId) : externalId;
}

function told(step: 'send' | 'lookUp', outcome: Outcome<TaskRecord> | null): StepOutcome {
	if (step === 'lookUp') {
		if (outcome === null || outcome.ok) return { step, result: 'found' };
		return { step, result: 'missed', failure: outcome.failure };
	}
	if (outcome === null) return { step, result: 'notSent' };
	if (outcome.ok) return { step, result: 'accepted' };
	return { step, result: 'failed', failure: outcome.failure };
}

/** What stands for the answer that an earlier try never saw. */
const unknownSince = failureWithoutResponse('noResponse');

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

async function recover(
	{ taskId }: { taskId: string },
	order: Order,
	{ client }: SubmitDependencies,
): Promise<Submission> {
	const outcome = await client.get(taskId);
	// The id is known and paid for: that the provider cannot be asked just now must not lose it.
	const record = outcome.ok
		? outcome.value
		: recordOf(client.provider.name, { taskId }, { [client.provider.idKeys[0]]: taskId });
	return { outcome: 'found', record: filledIn(record, order), isEarlier: false };
}

async function sendOnce(
	order: Order,
	{ admission, clock, memory, send }: SubmitDependencies,
): Promise<Outcome<TaskRecord> | null> {
	const before = memory.recall();
	const outcome = await admission.pass(async () => {
		// Before the request, not after: the process may end in between.
		const earlier = memory.recall();
		const sentAt = earlier?.state === 'sending' ? earlier.sentAt : clock.now();
		const { externalTaskId } = order;
		memory.remember({ state: 'sending', sentAt, ...(externalTaskId ? { externalTaskId } : {}) });
		return await send();
	});
	const wasNeverSent = outcome === null && before === null;
	if (wasNeverSent) memory.remember({ state: 'refused' });
	return outcome;
}

function created(record: TaskRecord, memory: SubmissionMemory): Submission {
	rememberTask(record, memory);
	return { outcome: 'created', record };
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

function rememberTask({ task }: TaskRecord, memory: SubmissionMemory): void {
	const { taskId, externalTaskId } = task;
	memory.remember({
		state: 'created',
		taskId,
		...(externalTaskId ? { externalTaskId } : {}),
	});
}

function refuse(failure: Failure, memory: SubmissionMemory): Submission {
	memory.remember({ state: 'refused' });
	return { outcome: 'refused', failure };
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
