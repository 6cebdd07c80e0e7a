import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { isPrivateAddress } from '../../kling/privateAddress';
import { isFinal } from '../../kling/task';
import { taskItem } from '../../n8n/items';
import { itemOf } from '../../n8n/problems';
import type { Session } from '../../n8n/session';
import type { ItemTask } from '../operations/finish';
import { callWhileAsleep, lastResortMs } from './ownCalls';
import { storeWait, type Wait } from './wait';

/**
 * Puts the execution to sleep until callbacks have come for all tasks, or until the deadline. When it
 * is woken, n8n runs the node again, which finds the wait in its context.
 *
 * @returns no items: n8n shows them while the execution sleeps and then drops them, but would retry
 * the node at once if the first one were a problem's
 */
export async function sleepUntilCallbacks(
	context: IExecuteFunctions,
	{ account, clock }: Session,
	asleep: Omit<Wait, 'runIndex'>,
): Promise<INodeExecutionData[]> {
	const wait = storeWait(context, asleep);
	// What n8n passes on when nobody woke the execution. The input items themselves stay as they are.
	const entry = context.getExecuteData();
	entry.data = { ...entry.data, main: [lastKnownItems(context, wait)] };
	if (isPrivateAddress(wait.resumeUrl))
		context.addExecutionHints(unreachableHint(context, wait.resumeUrl));
	await context.putExecutionToWait(new Date(wait.deadline + lastResortMs));
	const { webhookSecret } = account;
	const { resumeUrl, deadline } = wait;
	void callWhileAsleep({ wait: { resumeUrl, deadline }, clock, secret: async () => webhookSecret });
	return [];
}

/**
 * The items of a wait that nobody ended: the states as they were before sleeping. A problem's item is
 * not paired: n8n 2.40 would look for the input of an item on its way to the error output.
 */
function lastKnownItems(context: IExecuteFunctions, wait: Wait): INodeExecutionData[] {
	const items = [
		...wait.itemTasks.map((one) => ({ itemIndex: one.itemIndex, item: sleepingItem(one) })),
		...wait.problems.map(({ itemIndex, problem }) => ({
			itemIndex,
			item: { json: itemOf(context.getNode(), problem, itemIndex).json },
		})),
	];
	return items.sort((a, b) => a.itemIndex - b.itemIndex).map(({ item }) => item);
}

function sleepingItem({ itemIndex, record, finish }: ItemTask): INodeExecutionData {
	const timedOut = finish.wait && !isFinal(record.task.status);
	return taskItem(record, { simplify: finish.simplify, timedOut, itemIndex });
}

function unreachableHint(context: IExecuteFunctions, resumeUrl: string) {
	const { host } = new URL(resumeUrl);
	return {
		type: 'warning' as const,
		location: 'outputPane' as const,
		message: `The provider cannot call ${host} from the internet, so “${context.getNode().name}” will sleep until its Timeout. Set the environment variable WEBHOOK_URL of n8n to its public address, or set Wait Using to Polling.`,
	};
}
