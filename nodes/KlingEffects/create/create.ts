import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { hintAtOptions } from '../../kling/create/order';
import { follow } from '../../kling/look';
import { isFinal } from '../../kling/task';
import { addHint, outputOf, type Result } from '../../n8n/output';
import type { Session } from '../../n8n/session';
import { readCallbackWait } from '../afterTask/callback';
import { sleepUntilCallbacks } from '../afterTask/sleep';
import { failedTaskIsProblem, waitAndFinish, type ItemTask } from '../afterTask/finish';
import { checkItems } from './item';
import { NodeMemory } from './memory';
import { submitAll, type Submitted } from './submitAll';
import { hintsAt, itemsElsewhere, paidBy, problemsOf, tasksOf } from './tell';

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
	const memory = await NodeMemory.open(context, session);
	const { items, problems: refused } = await checkItems(context, session);
	const stops = !context.continueOnFail();
	if (items.length === 0 || (refused.length > 0 && stops)) return outputOf(context, refused);
	const [{ order, run }] = items;
	const { intervalMs, timeoutMs } = run.wait;
	const wantsToSleep = run.waitUsing === 'callback' && items.some(({ finish }) => finish.wait);
	const resumeUrl = wantsToSleep ? readCallbackWait(context, session, order.callbackUrl) : null;

	const deadline = session.clock.elapsed() + timeoutMs;
	const limits = { concurrency: run.concurrency, deadline, resumeUrl };
	const outcome = await submitAll(context, session, memory, items, limits);
	const { submitted } = outcome;
	const ignored = new Set(items.flatMap(({ order }) => hintAtOptions(order) ?? []));
	for (const message of [...hintsAt(submitted, session.provider), ...ignored]) {
		addHint(context, 'info', message);
	}

	const problems = [...refused, ...problemsOf(outcome, session.account)];
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
	const finished = await waitAndFinish(context, session, itemTasks, wait);
	const entries = new Map(submitted.map(({ itemIndex, entry }) => [itemIndex, entry]));
	for (const { itemIndex, record } of itemTasks) entries.get(itemIndex)?.see(record.task);
	return output([...problems, ...itemsElsewhere(submitted), ...finished]);
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
	const isEarlier = ({ submission: { outcome } }: Submitted) =>
		outcome === 'found' || outcome === 'elsewhere';
	if (submitted.some(isEarlier)) return false;
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
