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
import { taskItem } from '../../n8n/items';
import { itemOf, problemOf } from '../../n8n/problems';
import { noteIn, resumeTokenOf, runIndexOf } from '../../n8n/execution';
import { outputOf, type ItemProblem, type Paid, type Result } from '../../n8n/results';
import { openSession, type Session } from '../../n8n/session';
import { waitAndFinish, type ItemTask } from './finish';
import { lastResortMs, OwnCalls } from './selfCalls';

/** What a wait by callback needs, decided before the execution sleeps: no parameter is evaluated after it. */
export interface Wait {
	/** Which run of the node sleeps: a loop over it is a new run. */
	runIndex: number;
	/** The address that wakes it. */
	resumeUrl: string;
	/** By which `webhook` knows the node's own calls. */
	token: string;
	/** Milliseconds since 1970. */
	deadline: number;
	intervalMs: number;
	itemTasks: ItemTask[];
	/** Of the items that hold no task. */
	problems: ItemProblem[];
	paid: Paid;
	/** Whether this execution may go on: see `isFirstToWake`. */
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
	return wait?.runIndex === runIndexOf(context) ? wait : null;
}

/** The wait of a node in an execution as n8n stored it. */
export function storedWait(data: IRunExecutionData, node: INode): Wait | null {
	const wait = NodeHelpers.getContext(data, 'node', node)[contextKey] as unknown;
	return (wait as Wait | undefined) ?? null;
}

/** Milliseconds in which n8n surely has stored a sleeping execution as waiting. */
const storedWithinMs = 15_000;

/**
 * Puts the execution to sleep until callbacks have come for all tasks, or until the deadline. When it
 * is woken, n8n runs the node again, which finds the wait in its context and goes on with
 * {@link finishWoken}.
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
	// What n8n passes on when nobody woke the execution. The input items themselves stay as they are.
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
	void new OwnCalls({ resumeUrl, deadline, token }, clock, storedBy).callSoon();
	return [];
}

/**
 * The items of a wait that nobody ended: the states as they were before sleeping. A problem's item is
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

/**
 * What the node does when it runs again after its sleep: everything as at the end of a wait by
 * polling. Whatever is still open is followed until the deadline, and then looked at once more.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop", at the first problem
 */
export async function finishWoken(
	context: IExecuteFunctions,
	wait: Wait,
	open = openSession,
): Promise<INodeExecutionData[]> {
	const isFirst = await isFirstToWake(context, wait);
	let session: Session;
	try {
		session = await open(context);
	} catch (thrown) {
		// What can still be said when the credential is gone: which tasks there are.
		const problem = problemOf(thrown);
		const untold = wait.itemTasks.map(({ itemIndex, record: { task } }): Result => {
			return { itemIndex, ok: false, problem: { ...problem, taskId: task.taskId } };
		});
		return outputOf(context, [...wait.problems, ...untold], wait.paid);
	}
	const { clock } = session;
	const deadline = clock.elapsed() + Math.max(0, wait.deadline - clock.now());
	const limits = { deadline, intervalMs: wait.intervalMs, firstLookMs: 0 };
	const itemTasks = wait.itemTasks.map(({ finish, ...one }) => ({
		...one,
		finish: { ...finish, downloadVideo: finish.downloadVideo && isFirst },
	}));
	const finished = await waitAndFinish(context, session, itemTasks, limits);
	const output = outputOf(context, [...wait.problems, ...finished], wait.paid);
	// n8n keeps of both what ends last: the second fails where the first one does, and else adds nothing.
	return isFirst ? output : [];
}

/**
 * n8n 2 wakes an execution once only. On n8n 1.123 two processes can wake the same one: what the
 * other has noted in n8n's table of processed data ends this one without output. Two that look
 * there within the same milliseconds both go on, as n8n offers no lock.
 */
async function isFirstToWake(context: IExecuteFunctions, wait: Wait): Promise<boolean> {
	if (wait.isClaimed || resumeTokenOf(context) !== null) return true;
	// Not by the execution's number, which another one can have after a backup was put back.
	wait.isClaimed = (await noteIn(context, wait.token)) !== true;
	return wait.isClaimed;
}
