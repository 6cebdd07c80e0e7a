import {
	behaviourOf,
	failed,
	failureWithoutResponse,
	type Failure,
	type Outcome,
} from '../failure';
import type { ExternalIdSupport, Order } from '../providers/provider';
import { effectTypeOf } from '../scenes';
import type { TaskRecord } from '../task';
import type { Admission } from '../pace';
import type { Entry, Ordered, Submission } from './entry';
import {
	elsewhere,
	found,
	lookFor,
	recover,
	refuse,
	settleKnownMs,
	settleMs,
	unknownSince,
	type FindDependencies,
} from './find';

interface SubmitDependencies extends FindDependencies {
	/** Sends the create, once. It loads the images, so that only those of orders in flight are in memory. */
	send: (order: Order) => Promise<Outcome<TaskRecord>>;
	admission: Admission;
}

/** A create is sent at most this often, each time after it was not found. */
const mostSends = 3;

/**
 * Creates the task of an order, or finds the one that an earlier try created: sends it, or else looks it
 * up. Nothing is sent while an earlier request may have been accepted, unless the provider has confirmed
 * that it was not. What each kind of failure means here is a column of the table in failure.ts.
 */
export async function submit(asked: Order, dependencies: SubmitDependencies): Promise<Submission> {
	const { client, memory, signal } = dependencies;
	const support = client.provider.externalId;
	const earlier = memory.recall();
	if (earlier?.lookUp === 'never') return elsewhere(earlier);
	if (earlier?.state === 'created') return await recover(earlier, client);
	// An earlier try's id comes first: expressions can give another one each time.
	const externalTaskId =
		support === 'none'
			? undefined
			: (earlier?.externalTaskId ?? asked.externalTaskId ?? memory.externalTaskId);
	const order = { ...asked, ...earlier?.order, externalTaskId };
	const trace = weaker(support, earlier?.lookUp ? 'unverified' : earlier?.trace);
	/** Why the last request led to no task. */
	let failure = unknownSince;
	/** The last failure after which there may be an unknown task; null if there is none. */
	let unclear = earlier ? unknownSince : null;
	const unknown = (lookUp: Failure | null = null): Submission => ({
		outcome: 'unknown',
		failure: unclear ?? failure,
		...(unclear && unclear !== failure ? { refusal: failure } : {}),
		lookUp,
		externalTaskId: trace === 'none' ? null : (externalTaskId ?? null),
		hasDied: unclear === unknownSince && (earlier?.hasDied ?? false),
		...(earlier?.lookUp ? { elsewhere: client.provider.name } : {}),
	});
	let isNext: 'send' | 'look' = earlier && !earlier.maySend ? 'look' : 'send';
	for (let sends = 0; ; isNext = 'send') {
		if (isNext === 'send') {
			const sent = await sendOnce(order, dependencies);
			// The run was stopped, or ran out of time.
			if (sent === null) return unclear ? unknown() : { outcome: 'notSent' };
			if (sent.ok) return { outcome: 'created', record: sent.value };
			sends++;
			failure = sent.failure;
			if (meaningOf(failure) === 'unclear') unclear = failure;
			// A refusal speaks of its own request only. Where an earlier one is unclear, it may even be the
			// reason: a lost create can have used the last credit, or its id can be called a bad value.
			else if (meaningOf(failure) !== 'exists' && !unclear) return refuse(failure, memory);
		}
		const isUnclear = meaningOf(failure) === 'unclear';
		// Without an id to look up, nothing can be known. An unclear and fatal failure means cancelled.
		const canLook = trace !== 'none' && !signal?.aborted && !behaviourOf(failure).fatal;
		if (isUnclear && !canLook) return unknown();
		const isKnown = meaningOf(failure) === 'exists';
		const seen = await lookFor(order, isKnown ? settleKnownMs : settleMs, dependencies);
		if (seen.ok) {
			const submission = found(order, seen, unclear, dependencies);
			if (submission.outcome === 'found') {
				rememberTask(submission.record, memory, submission.order);
			}
			return submission;
		}
		const isMissing = seen.failure.kind === 'notFound';
		// Where look-ups are not documented, "not found" proves nothing. And not being found in time is
		// enough to send the same id again, but not to say that nothing was paid. The images are the
		// current ones, which need not fit the scene that was ordered.
		const fits = effectTypeOf(order.effectScene) === effectTypeOf(asked.effectScene);
		const maySendAgain = isMissing && isUnclear && fits && trace === 'lookup' && sends < mostSends;
		if (!maySendAgain || signal?.aborted) return unknown(isMissing ? null : seen.failure);
	}
}

function meaningOf(failure: Failure) {
	return behaviourOf(failure).create;
}

/**
 * How well a task can be identified by its external id: what the provider offers, or less after an
 * earlier try.
 */
function weaker(support: ExternalIdSupport, trace = support): ExternalIdSupport {
	const weakestFirst: ExternalIdSupport[] = ['none', 'unverified', 'lookup'];
	return weakestFirst.find((one) => one === support || one === trace) ?? 'none';
}

async function sendOnce(
	order: Order,
	{ admission, clock, memory, send }: SubmitDependencies,
): Promise<Outcome<TaskRecord> | null> {
	return await admission.pass(async () => {
		// Before the request, not after: the process may die in between.
		const earlier = memory.recall();
		if (memory.claim?.() === false) {
			return failed(failureWithoutResponse('maxTasks'));
		}
		const { sentAt, doubt } = earlier?.state === 'sending' ? earlier : { sentAt: clock.now() };
		const { externalTaskId, ...ordered } = order;
		delete ordered.callbackUrl;
		memory.remember({ state: 'sending', sentAt, externalTaskId, doubt, order: ordered });
		const sent = await send(order);
		if (sent.ok) rememberTask(sent.value, memory, ordered);
		return sent;
	});
}

function rememberTask({ task }: TaskRecord, memory: Entry, order?: Ordered): void {
	const { taskId, status, externalTaskId } = task;
	const id = externalTaskId ?? undefined;
	memory.remember({ state: 'created', taskId, status, externalTaskId: id, order });
}
