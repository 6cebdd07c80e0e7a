import type { IExecuteFunctions } from 'n8n-workflow';
import { Admission } from '../../../kling/create/admission';
import type { Order } from '../../../kling/create/order';
import { orderToSend, submit, type Submission } from '../../../kling/create/submit';
import { behaviourOf, failed, failureWithoutResponse, type Failure } from '../../../kling/failure';
import { inParallel } from '../../../kling/inParallel';
import { reasonOf } from '../../../kling/thrown';
import type { Session } from '../../../n8n/session';
import { loadImages } from './images';
import type { CheckedItem } from './items';
import { showTaskIds, showUnknown, type NodeMemory } from './memory';

/** An item and what became of its create. */
export interface Submitted<Outcome extends Submission = Submission> {
	item: CheckedItem;
	submission: Outcome;
}

export interface SubmitLimits {
	concurrency: number;
	/** By `Clock.elapsed`; nothing is sent any more after it. */
	deadline: number;
	/** Where callbacks should go; null to wait by polling. */
	resumeUrl: string | null;
}

/** What became of a run's creates, in the order of the items. */
export interface SubmittedItems {
	submitted: Submitted[];
	/** Why nothing more was sent, when a failure is the reason. */
	stoppedBy: Failure | null;
}

/**
 * Creates, or finds, the task of each item; never rejects. Stops sending where the rest would meet
 * the same, or where n8n will drop the rest's output.
 */
export async function submitItems(
	context: IExecuteFunctions,
	session: Session,
	memory: NodeMemory,
	items: readonly CheckedItem[],
	{ concurrency, deadline, resumeUrl }: SubmitLimits,
): Promise<SubmittedItems> {
	const { client, clock, signal, provider } = session;
	const stopsAtRefusal = !context.continueOnFail();
	// Without time to wait, a create is still sent once.
	const latest = Math.max(deadline, clock.elapsed() + 60_000);
	const admission = new Admission({ concurrency, deadline: latest, stopsAtRefusal }, clock, signal);
	const submitted: Submitted[] = [];

	const submitOne = async ({ itemIndex, images, order }: CheckedItem): Promise<Submission> => {
		const slot = memory.slotOf(itemIndex, provider.name, order);
		const sent = orderToSend(withCallback(order, resumeUrl), provider, slot);
		const send = async () => {
			// They passed the check, but a file can have gone from n8n's store since.
			const loaded = await loadImages(images);
			return loaded.ok
				? await client.create({ ...sent, images: loaded.value })
				: failed(failureWithoutResponse('imageGone', loaded.problem.message));
		};
		return await submit(sent, { send, client, admission, memory: slot, clock, signal });
	};

	// Twice as many as may be sent: those that look for a lost task do not hold up the others.
	await inParallel(items, concurrency * 2, async (item) => {
		const submission = await submitOne(item).catch(unexpected);
		submitted.push({ item, submission });
		show(context, submitted);
		const cause = causeOf(submission);
		if (cause && (behaviourOf(cause).fatal || stopsAtRefusal)) admission.stop(cause);
	});
	submitted.sort((a, b) => a.item.itemIndex - b.item.itemIndex);
	return { submitted, stoppedBy: admission.stoppedBy };
}

function withCallback(order: Order, resumeUrl: string | null): Order {
	return resumeUrl === null ? order : { ...order, callbackUrl: resumeUrl };
}

/** An unforeseen failure can have come after the request. */
function unexpected(thrown: unknown): Submission {
	const failure = failureWithoutResponse('unreadable', reasonOf(thrown));
	return { outcome: 'unknown', failure, externalTaskId: null, lookUp: null, hasDied: false };
}

/** Task ids have ten characters and more, so no more of them than this fit into the custom data. */
const mostShown = 130;

/** Shows on the execution what was paid for, or may have been. */
function show(context: IExecuteFunctions, submitted: readonly Submitted[]): void {
	const { submission } = submitted[submitted.length - 1];
	if (hasTask(submission)) {
		const taskIds = tasksOf(submitted).map(({ submission: { record } }) => record.task.taskId);
		if (taskIds.length <= mostShown) showTaskIds(context, taskIds);
	} else if (submission.outcome === 'unknown') {
		const names = lostOf(submitted).map(
			({ item: { itemIndex }, submission: { externalTaskId } }) =>
				externalTaskId ? `${itemIndex}:${externalTaskId}` : String(itemIndex),
		);
		showUnknown(context, names);
	}
}

type WithTask = Extract<Submission, { outcome: 'created' | 'found' }>;
type Lost = Extract<Submission, { outcome: 'unknown' }>;

export function hasTask(submission: Submission): submission is WithTask {
	return submission.outcome === 'created' || submission.outcome === 'found';
}

export function tasksOf(submitted: readonly Submitted[]): Array<Submitted<WithTask>> {
	return submitted.filter((one): one is Submitted<WithTask> => hasTask(one.submission));
}

/** The creates of which it is unknown whether they made a task. */
export function lostOf(submitted: readonly Submitted[]): Array<Submitted<Lost>> {
	const lost = submitted.filter(
		(one): one is Submitted<Lost> => one.submission.outcome === 'unknown',
	);
	return lost.sort((a, b) => a.item.itemIndex - b.item.itemIndex);
}

/** Why nothing more may be sent: the failure itself, or that of the look-up after it. */
function causeOf(submission: Submission): Failure | null {
	if (submission.outcome === 'refused') return submission.failure;
	if (submission.outcome !== 'unknown') return null;
	const { failure, lookUp } = submission;
	return lookUp && behaviourOf(lookUp).fatal ? lookUp : failure;
}
