import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { recordIn, resumeTokenOf } from '../../n8n/execution';
import { outputOf, problemOf, type Result } from '../../n8n/output';
import { openSession, type Session } from '../../n8n/session';
import { waitAndFinish } from './finish';
import type { Wait } from './sleep';

/**
 * Runs when the node is woken: the same as at the end of a wait by polling. Open tasks are followed until
 * the deadline, then looked at once more.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop", at the first problem
 */
export async function finishWoken(
	context: IExecuteFunctions,
	wait: Wait,
): Promise<INodeExecutionData[]> {
	const isFirst = await isFirstToWake(context, wait);
	let session: Session;
	try {
		session = await openSession(context);
	} catch (thrown) {
		// Without the credential, all that can be said is which tasks exist.
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
	// n8n keeps whichever ends last: the second fails if the first one does, and otherwise adds nothing.
	return isFirst ? output : [];
}

/**
 * n8n 2 wakes an execution only once. On n8n 1.123 two processes can wake the same one: if the other has
 * left a record in n8n's table of processed data, this one ends without output. If both look within the
 * same few milliseconds, both continue, as n8n offers no lock.
 */
async function isFirstToWake(context: IExecuteFunctions, wait: Wait): Promise<boolean> {
	if (wait.isClaimed || resumeTokenOf(context) !== null) return true;
	// Not by the execution's number, which another one can have after a backup is restored. But with the
	// number: the retry of an execution that died is another execution, and the only one left.
	const wake = `${wait.token}:${context.getExecutionId()}`;
	wait.isClaimed = !(await recordIn(context, [wake]))?.has(wake);
	return wait.isClaimed;
}
