import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { accepted } from '../../kling/checked';
import { hintAtOptions } from '../../kling/create/order';
import type { FailureKind } from '../../kling/failure';
import { follow } from '../../kling/look';
import { describeFailure, describeUnknownOutcome } from '../../kling/messages';
import type { Provider } from '../../kling/providers';
import { adviceOn } from '../../kling/sceneAdvice';
import { isFinal } from '../../kling/task';
import { errorOf, type Problem } from '../../n8n/problems';
import { outputOf, type ItemProblem, type Paid, type Result } from '../../n8n/results';
import type { Session } from '../../n8n/session';
import { readCallbackWait } from '../afterTask/callback';
import { sleepUntilCallbacks } from '../afterTask/sleep';
import { failedTaskIsProblem, waitAndFinish, waitOf, type ItemTask } from '../afterTask/finish';
import { checkItems } from './item';
import { NodeMemory } from './memory';
import { submitItems, type Submitted, type SubmittedItems } from './submission';

/**
 * Creates the tasks of all items, waits and downloads where asked. All parameters are evaluated and
 * checked before anything is sent.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop": at the first problem, before
 * anything is sent when it is one of the input
 */
export async function executeCreate(
	context: IExecuteFunctions,
	session: Session,
): Promise<INodeExecutionData[]> {
	const memory = new NodeMemory(context);
	const { items, problems: refused } = await checkItems(context, session);
	const stops = !context.continueOnFail();
	if (items.length === 0 || (refused.length > 0 && stops)) return outputOf(context, refused);
	const [{ options }] = items;
	const { intervalMs, timeoutMs } = waitOf(options);
	const wantsToSleep = options.waitUsing === 'callback' && items.some(({ finish }) => finish.wait);
	const callback = wantsToSleep
		? readCallbackWait(context, session, options.callbackUrl)
		: accepted(null);
	if (!callback.ok) throw errorOf(context.getNode(), callback.problem);
	const resumeUrl = callback.value;

	const deadline = session.clock.elapsed() + timeoutMs;
	const limits = { concurrency: options.concurrency, deadline, resumeUrl };
	const outcome = await submitItems(context, session, memory, items, limits);
	const { submitted } = outcome;
	const ignored = new Set(items.flatMap(({ order }) => hintAtOptions(order) ?? []));
	for (const message of [...hintsAtEarlier(submitted), ...ignored]) {
		context.addExecutionHints({ type: 'info', location: 'outputPane', message });
	}

	const problems = [...refused, ...problemsOf(outcome, session.provider)];
	const paid = paidBy(submitted);
	const output = (results: readonly Result[]) => outputOf(context, results, paid);
	if (problems.length > 0 && stops) return output(problems);
	const itemTasks = tasksOf(submitted);
	if (resumeUrl !== null && (await canSleep(context, submitted, itemTasks, session))) {
		// n8n keeps it while this process may end, so by the time of day.
		const until = session.clock.now() + deadline - session.clock.elapsed();
		const asleep = { resumeUrl, deadline: until, intervalMs, itemTasks, problems, paid };
		return await sleepUntilCallbacks(context, session, asleep);
	}
	const wait = { deadline, intervalMs, firstLookMs: intervalMs };
	return output([...problems, ...(await waitAndFinish(context, session, itemTasks, wait))]);
}

/** The tasks that items hold now. */
function tasksOf(submitted: readonly Submitted[]): ItemTask[] {
	return submitted.flatMap(({ itemIndex, finish, submission }) =>
		'record' in submission ? [{ itemIndex, record: submission.record, finish }] : [],
	);
}

/** What the run has paid for, or may have. */
function paidBy(submitted: readonly Submitted[]): Paid {
	const tasks = tasksOf(submitted).map(({ itemIndex, record }) => ({
		itemIndex,
		taskId: record.task.taskId,
	}));
	const lost = submitted.flatMap(({ itemIndex, order, submission }) =>
		submission.outcome === 'unknown'
			? [`item ${itemIndex} (${submission.externalTaskId ?? order.effectScene})`]
			: [],
	);
	return { tasks, lost };
}

/** With an id that the user gave, a task of an earlier execution looks like a new one. */
function hintsAtEarlier(submitted: readonly Submitted[]): string[] {
	return submitted.flatMap(({ itemIndex, order, submission }) => {
		const isEarlier = submission.outcome === 'found' && submission.isEarlier;
		if (!isEarlier || order.externalTaskId === undefined) return [];
		const { taskId, createdAt, status, statusMessage } = submission.record.task;
		const since = createdAt ? `, created ${createdAt}` : '';
		const end =
			status === 'failed'
				? ` That task has failed: ${statusMessage ?? 'no reason given'}. For a new task, enter another External Task ID.`
				: '';
		return `Item ${itemIndex}: a task with External Task ID “${order.externalTaskId}” already existed (${taskId}${since}). It is returned, and none was created or charged.${end}`;
	});
}

/** How providers refuse a scene that they do not have. */
const mayBeTheScene: FailureKind[] = ['badRequest', 'notOffered'];

/** The items whose create brought no task, with the reason. */
function problemsOf({ submitted, stoppedBy }: SubmittedItems, provider: Provider): ItemProblem[] {
	return submitted.flatMap(({ itemIndex, order, submission }): ItemProblem[] => {
		if ('record' in submission) return [];
		const refuse = (problem: Problem): ItemProblem[] => [{ ok: false, itemIndex, problem }];
		if (submission.outcome === 'notSent') {
			const message = stoppedBy
				? `This item was not sent: ${describeFailure(stoppedBy, { provider }).message}`
				: 'This item was not sent, because the run ended before its turn';
			const description = 'Nothing was created or charged for this item. Run it again.';
			return refuse({ message, description });
		}
		const { failure } = submission;
		const { effectScene } = order;
		const subject = { provider, itemIndex };
		if (submission.outcome === 'unknown') {
			const { externalTaskId } = submission;
			const about = { ...subject, ...submission, effectScene };
			const problem = { ...describeUnknownOutcome(failure, about), failure };
			return refuse(externalTaskId ? { ...problem, externalTaskId } : problem);
		}
		const { message, description } = describeFailure(failure, subject);
		const advice = mayBeTheScene.includes(failure.kind)
			? adviceOn(effectScene, { provider })
			: null;
		const advised = advice ? `${advice} ${description}` : description;
		return refuse({ message, description: advised, failure });
	});
}

/**
 * Whether callbacks will come, and any is still to come. A task of an earlier try calls the address
 * of an execution that is over, so a retry waits by polling. So does a run with a task that has failed
 * already and is a problem: if nobody woke the execution, n8n would pass it on like any other.
 */
async function canSleep(
	context: IExecuteFunctions,
	submitted: readonly Submitted[],
	itemTasks: ItemTask[],
	session: Session,
): Promise<boolean> {
	if (submitted.some(({ submission }) => submission.outcome === 'found')) return false;
	const records = itemTasks.map(({ record }) => record);
	const look = { deadline: session.clock.elapsed(), intervalMs: 0, firstLookMs: 0 };
	const followed = await follow(records, look, session);
	for (const [index, record] of followed.entries()) itemTasks[index].record = record;
	const statuses = itemTasks
		.filter(({ finish }) => finish.wait)
		.map(({ record }) => record.task.status);
	if (statuses.includes('failed') && failedTaskIsProblem(context)) return false;
	return !statuses.every(isFinal);
}
