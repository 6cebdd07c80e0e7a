import type { IExecuteFunctions } from 'n8n-workflow';
import { Admission } from '../../kling/create/admission';
import type { Submission } from '../../kling/create/entry';
import { readingByPages } from '../../kling/create/pages';
import { submit } from '../../kling/create/submit';
import { behaviourOf, failed, failureWithoutResponse, type Failure } from '../../kling/failure';
import { InputError, reasonOf } from '../../kling/input';
import { inParallel } from '../../kling/inParallel';
import type { Session } from '../../n8n/session';
import { showPaid } from './customData';
import { loadImages } from './images';
import type { CheckedItem } from './item';
import type { ItemEntry, NodeMemory } from './memory';

/** An item and what became of its create. */
export interface Submitted extends CheckedItem {
	entry: ItemEntry;
	submission: Submission;
}

interface SubmitLimits {
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
export async function submitAll(
	context: IExecuteFunctions,
	{ client, clock, signal }: Session,
	memory: NodeMemory,
	items: readonly CheckedItem[],
	{ concurrency, deadline, resumeUrl }: SubmitLimits,
): Promise<SubmittedItems> {
	const stopsAtRefusal = !context.continueOnFail();
	// Without time to wait, a create is still sent once.
	const latest = Math.max(deadline, clock.elapsed() + 60_000);
	const admission = new Admission({ concurrency, deadline: latest, stopsAtRefusal }, clock, signal);
	const show = showPaid(context);
	const reader = readingByPages(client, items.length);
	const submitted: Submitted[] = [];

	const submitOne = async ({ images, order }: CheckedItem, entry: ItemEntry): Promise<Submission> =>
		await submit(resumeUrl === null ? order : { ...order, callbackUrl: resumeUrl }, {
			send: async (sent) => {
				const loaded = await loadImages(images).catch(imageGone);
				return 'kind' in loaded ? failed(loaded) : await client.create({ ...sent, images: loaded });
			},
			memory: entry,
			client: reader,
			admission,
			clock,
			signal,
		});

	// Twice as many as may be sent: those that look for a lost task do not hold up the others.
	await inParallel(items, concurrency * 2, async (item, index) => {
		const entry = memory.entryOf(item);
		const submission = await submitOne(item, entry).catch(unexpected);
		submitted[index] = { ...item, entry, submission };
		show(submitted[index]);
		const cause = causeOf(submission);
		if (cause && (stopsAtRefusal || behaviourOf(cause).fatal)) admission.stop(cause);
	});
	return { submitted, stoppedBy: admission.stoppedBy };
}

/** The images passed the check, but a file can have gone from n8n's store since. */
function imageGone(thrown: unknown): Failure {
	if (thrown instanceof InputError) return failureWithoutResponse('imageGone', thrown.message);
	throw thrown;
}

/** An unforeseen failure can have come after the request. */
function unexpected(thrown: unknown): Submission {
	const failure = failureWithoutResponse('unreadable', reasonOf(thrown));
	return { outcome: 'unknown', failure, externalTaskId: null, lookUp: null, hasDied: false };
}

/** Why nothing more may be sent: the failure itself, or that of the look-up after it. */
function causeOf(submission: Submission): Failure | null {
	if (submission.outcome === 'refused') return submission.failure;
	if (submission.outcome !== 'unknown') return null;
	const { failure, lookUp } = submission;
	return lookUp && behaviourOf(lookUp).fatal ? lookUp : failure;
}
