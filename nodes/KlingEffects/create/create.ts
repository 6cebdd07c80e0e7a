import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { Admission, inParallel } from '../../kling/pace';
import type { Submission } from '../../kling/create/entry';
import { readingByPages } from '../../kling/client';
import { hintAtOptions } from '../../kling/create/order';
import { submit } from '../../kling/create/submit';
import { behaviourOf, failed, failureWithoutResponse, type Failure } from '../../kling/failure';
import { InputError, reasonOf } from '../../kling/input';
import { lookOnce } from '../../kling/look';
import type { Order } from '../../kling/providers/provider';
import { isFinal } from '../../kling/task';
import { addHint, outputOf, type ItemProblem } from '../../n8n/output';
import type { Session } from '../../n8n/session';
import { readCallbackWait } from '../afterTask/callback';
import { sleepUntilCallbacks } from '../afterTask/sleep';
import { failedTaskIsProblem, waitAndFinish, type ItemTask } from '../afterTask/finish';
import { showPaid } from './customData';
import { loadImages } from './images';
import { checkItems, type CheckedItem } from './item';
import { NodeMemory, type Begun } from './memory';
import {
	hintsAt,
	itemsElsewhere,
	paidBy,
	problemsOf,
	tasksOf,
	type Submitted,
	type SubmittedItems,
} from './tell';

/**
 * Creates the tasks of all items, then waits and downloads if requested. All parameters are evaluated and
 * checked before anything is sent.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop": at the first problem; if that is the
 *   input's, before anything is sent
 */
export async function executeCreate(
	context: IExecuteFunctions,
	session: Session,
	begun: Begun,
): Promise<INodeExecutionData[]> {
	const memory = new NodeMemory(context, session, begun);
	const { items, problems } = await checkItems(context, session);
	const refused = problems.map((one) => withTasks(one, memory.createdAt(one.itemIndex)));
	const stops = !context.continueOnFail();
	if (items.length === 0 || (refused.length > 0 && stops)) {
		const tasks = [...context.getInputData().keys()].flatMap((itemIndex) =>
			memory.createdAt(itemIndex).map((taskId) => ({ itemIndex, taskId })),
		);
		return outputOf(context, refused, { tasks, lost: [] });
	}
	const [{ order, run }] = items;
	const { intervalMs, timeoutMs } = run.wait;
	const wantsToSleep = run.waitUsing === 'callback' && items.some(({ finish }) => finish.wait);
	const resumeUrl = wantsToSleep ? readCallbackWait(context, session, order.callbackUrl) : null;

	await memory.record(items);
	const deadline = session.clock.elapsed() + timeoutMs;
	const limits = { concurrency: run.concurrency, deadline, resumeUrl };
	const outcome = await submitAll(context, session, memory, items, limits);
	const { submitted } = outcome;
	const isNew = ({ submission }: Submitted) => mayBeNew.has(submission.outcome);
	if (!submitted.some(isNew)) await memory.takeBack();
	const ignored = new Set(items.flatMap(({ order }) => hintAtOptions(order) ?? []));
	for (const message of [...hintsAt(submitted, session.provider), ...ignored]) {
		addHint(context, 'info', message);
	}

	const allProblems = [...refused, ...problemsOf(outcome, session.account)];
	const paid = paidBy(submitted);
	if (allProblems.length > 0 && stops) return outputOf(context, allProblems, paid);
	const itemTasks = tasksOf(submitted);
	const elsewhere = itemsElsewhere(submitted);
	if (resumeUrl !== null && (await canSleep(context, submitted, itemTasks, session))) {
		// By the time of day, because n8n stores it and this process may end.
		const until = session.clock.now() + deadline - session.clock.elapsed();
		const asleep = {
			resumeUrl,
			deadline: until,
			intervalMs,
			itemTasks,
			problems: allProblems,
			paid,
		};
		const slept = await sleepUntilCallbacks(context, session, asleep);
		if (slept) return slept;
	}
	const entries = new Map(submitted.map(({ itemIndex, entry }) => [itemIndex, entry]));
	const wait = { deadline, intervalMs, firstLookMs: intervalMs };
	const finished = await waitAndFinish(context, session, itemTasks, wait);
	for (const { itemIndex, record } of itemTasks) entries.get(itemIndex)?.see(record.task);
	return outputOf(context, [...allProblems, ...elsewhere, ...finished], paid);
}

/** Outcomes that may have just made a task. */
const mayBeNew = new Set<Submission['outcome']>(['created', 'unknown']);

/** Adds to a refused item the task that an earlier try created for it. */
function withTasks(one: ItemProblem, taskIds: string[]): ItemProblem {
	const taskId = taskIds.at(-1);
	if (taskId === undefined) return one;
	const description = `${one.problem.description} An earlier try already created its task: ${taskIds.join(', ')}.`;
	return { ...one, problem: { ...one.problem, description, taskId } };
}

interface SubmitLimits {
	concurrency: number;
	/** By `Clock.elapsed`; nothing is sent after it. */
	deadline: number;
	/** Where callbacks should go; null to wait by polling. */
	resumeUrl: string | null;
}

/**
 * Creates or finds the task of each item; never rejects. Stops sending if the other items would fail the
 * same way, or if n8n will drop their output.
 */
async function submitAll(
	context: IExecuteFunctions,
	{ client, clock, signal }: Session,
	memory: NodeMemory,
	items: readonly CheckedItem[],
	{ concurrency, deadline, resumeUrl }: SubmitLimits,
): Promise<SubmittedItems> {
	const stopsAtRefusal = !context.continueOnFail();
	// Even with no time to wait, a create is sent once.
	const latest = Math.max(deadline, clock.elapsed() + 60_000);
	const admission = new Admission({ concurrency, deadline: latest, stopsAtRefusal }, clock, signal);
	const show = showPaid(context, memory.begun.run);
	const reader = readingByPages(client, items.length);
	const submitted: Submitted[] = [];

	// Twice as many as may be in flight: look-ups of lost tasks must not hold up the others.
	await inParallel(items, concurrency * 2, async (item, index) => {
		const entry = memory.entryOf(item);
		const order = resumeUrl === null ? item.order : { ...item.order, callbackUrl: resumeUrl };
		const send = async (sent: Order) => {
			const images = await loadImages(item.images).catch(imageGone);
			return 'kind' in images ? failed(images) : await client.create({ ...sent, images });
		};
		const dependencies = { send, memory: entry, client: reader, admission, clock, signal };
		const submission = await submit(order, dependencies).catch(unexpected);
		submitted[index] = { ...item, entry, submission };
		show(submitted[index]);
		const cause = causeOf(submission);
		if (cause && (stopsAtRefusal || behaviourOf(cause).fatal)) admission.stop(cause);
	});
	return { submitted, stoppedBy: admission.stoppedBy };
}

/** The images passed the check, but a file may have been removed from n8n's store since. */
function imageGone(thrown: unknown): Failure {
	if (thrown instanceof InputError) return failureWithoutResponse('imageGone', thrown.message);
	throw thrown;
}

/** An unexpected failure may have come after the request. */
function unexpected(thrown: unknown): Submission {
	const failure = failureWithoutResponse('unreadable', reasonOf(thrown));
	return { outcome: 'unknown', failure, externalTaskId: null, lookUp: null, hasDied: false };
}

/** Why nothing more may be sent: the failure itself, or that of the look-up that followed. */
function causeOf(submission: Submission): Failure | null {
	if (submission.outcome === 'refused') return submission.failure;
	if (submission.outcome !== 'unknown') return null;
	const { failure, refusal, lookUp } = submission;
	return lookUp && behaviourOf(lookUp).fatal ? lookUp : (refusal ?? failure);
}

/**
 * Whether callbacks will come, and at least one is still due. A task of an earlier try calls the address
 * of an execution that is over, so a retry waits by polling. So does a run with a failed task that counts
 * as a problem: if the execution were never woken, n8n would pass it on like any other.
 */
async function canSleep(
	context: IExecuteFunctions,
	submitted: readonly Submitted[],
	itemTasks: ItemTask[],
	session: Session,
): Promise<boolean> {
	const isEarlier = ({ submission: { outcome } }: Submitted) =>
		outcome === 'found' || outcome === 'elsewhere';
	if (submitted.some(isEarlier)) return false;
	const records = itemTasks.map(({ record }) => record);
	const seen = await lookOnce(records, session);
	for (const [index, record] of seen.entries()) itemTasks[index].record = record;
	const statuses = itemTasks
		.filter(({ finish }) => finish.wait)
		.map(({ record }) => record.task.status);
	if (statuses.includes('failed') && failedTaskIsProblem(context)) return false;
	return !statuses.every(isFinal);
}
