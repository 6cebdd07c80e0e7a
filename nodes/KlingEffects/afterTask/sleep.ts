import { randomUUID } from 'node:crypto';
import {
	NodeHelpers,
	type IDataObject,
	type IExecuteFunctions,
	type INode,
	type INodeExecutionData,
	type IRunExecutionData,
} from 'n8n-workflow';
import { isPrivateAddress } from '../../kling/privateAddress';
import { isFinal } from '../../kling/task';
import { runIndexOf } from '../../n8n/execution';
import {
	itemOf,
	outputOf,
	taskItem,
	type ItemProblem,
	type Paid,
	type Result,
} from '../../n8n/output';
import type { Session } from '../../n8n/session';
import type { ItemTask } from './finish';
import { lastResortMs, SelfCalls, type WakeAddress } from './selfCalls';

/** What a wait by callback needs, decided before the execution sleeps: no parameter is evaluated after it. */
export interface Wait extends WakeAddress {
	/** Which run of the node sleeps: a loop over it is a new run. */
	runIndex: number;
	intervalMs: number;
	itemTasks: ItemTask[];
	/** Of the items that hold no task. */
	problems: ItemProblem[];
	paid: Paid;
	/** Whether this execution may go on: see `isFirstToWake` in wake.ts. */
	isClaimed?: boolean;
}

/**
 * The node's context: n8n (1.123 and 2.40) stores it with the sleeping execution, and hands it to
 * `webhook`, to the woken node, and to an execution that the Retry button starts.
 */
const contextKey = 'klingEffectsWait';

/** The wait that this run of the node has slept through; null when it has not slept. */
export function sleptWait(context: IExecuteFunctions): Wait | null {
	const wait = context.getContext('node')[contextKey] as unknown as Wait | undefined;
	return wait && wait.runIndex === runIndexOf(context) ? wait : null;
}

/** The wait of a node in an execution as n8n stored it. */
export function storedWait(data: IRunExecutionData, node: INode): Wait | null {
	const wait = NodeHelpers.getContext(data, 'node', node)[contextKey] as unknown;
	return (wait as Wait | undefined) ?? null;
}

/** By then n8n has surely stored a sleeping execution as waiting. */
const storedWithinMs = 15_000;

/**
 * Puts the execution to sleep until callbacks have come for all tasks, or until the deadline. When it
 * is woken, n8n runs the node again, which finds the wait in its context and goes on with
 * `wake.ts`.
 *
 * @returns no items: n8n shows them while the execution sleeps and then drops them, but would retry
 * the node at once if the first one were a problem's
 */
export async function sleepUntilCallbacks(
	context: IExecuteFunctions,
	{ clock }: Session,
	asleep: Omit<Wait, 'runIndex' | 'token'>,
): Promise<INodeExecutionData[]> {
	const wait: Wait = { ...asleep, runIndex: runIndexOf(context), token: randomUUID() };
	context.getContext('node')[contextKey] = wait as unknown as IDataObject;
	// What n8n passes on when the execution was never woken. The input items themselves stay as they are.
	const entry = context.getExecuteData();
	entry.data = { ...entry.data, main: [lastKnownItems(context, wait)] };
	const { resumeUrl, deadline, token } = wait;
	if (isPrivateAddress(resumeUrl)) {
		const { host } = new URL(resumeUrl);
		context.addExecutionHints({
			type: 'warning',
			location: 'outputPane',
			message: `The provider cannot call ${host} from the internet, so “${context.getNode().name}” will sleep until its Timeout. Set the environment variable WEBHOOK_URL of n8n to its public address, or set Wait Using to Polling.`,
		});
	}
	await context.putExecutionToWait(new Date(deadline + lastResortMs));
	const storedBy = clock.now() + storedWithinMs;
	void new SelfCalls({ resumeUrl, deadline, token }, clock, storedBy).callSoon();
	return [];
}

/**
 * The items of a wait that was never ended: the states as they were before sleeping. A problem's item is
 * not paired: n8n 2.40 would look for the input of an item on its way to the error output.
 */
function lastKnownItems(context: IExecuteFunctions, wait: Wait): INodeExecutionData[] {
	const tasks = wait.itemTasks.map(({ itemIndex, record, finish }): Result => {
		const timedOut = finish.wait && !isFinal(record.task.status);
		const item = taskItem(record, { simplify: finish.simplify, timedOut, itemIndex });
		return { itemIndex, ok: true, item };
	});
	const problems = wait.problems.map(({ itemIndex, problem }): Result => {
		const { json } = itemOf(context.getNode(), problem, itemIndex);
		return { itemIndex, ok: true, item: { json } };
	});
	return outputOf(context, [...tasks, ...problems]);
}
