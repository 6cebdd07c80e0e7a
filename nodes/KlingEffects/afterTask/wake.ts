import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { InputError } from '../../kling/input';
import { displayNameOf } from '../../kling/providers';
import { recordIn, resumeTokenOf } from '../../n8n/execution';
import { outputOf, problemOf, type Result } from '../../n8n/output';
import { openSession, systemClock, type Session } from '../../n8n/session';
import { namingTask, waitAndFinish } from './finish';
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
		refuseOtherProvider(session, wait);
	} catch (thrown) {
		// Without the credential, or with another provider's, all that can be said is which tasks exist.
		const problem = problemOf(thrown);
		const untold = wait.itemTasks.map(({ itemIndex, record: { task } }): Result => {
			return { itemIndex, ok: false, problem: namingTask(problem, task.taskId) };
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

/** @throws InputError if the credential was changed to another provider, which knows none of the tasks */
function refuseOtherProvider({ provider }: Session, { itemTasks: [{ record }] }: Wait): void {
	const made = record.task.provider;
	if (made === provider.name) return;
	const name = displayNameOf(made);
	throw new InputError(
		`The credential is no longer one of ${name}`,
		`The tasks were created at ${name}. Select a credential of ${name} in this node and retry the execution, or run Get with the task IDs.`,
	);
}

/**
 * Two wakes within this time, in milliseconds, or up to twice it, come from two live processes. The queue
 * of n8n 1.123 runs a dead worker's execution again only once its lock has expired, 60 seconds after the
 * last renewal (QUEUE_WORKER_LOCK_DURATION).
 */
const atOnceMs = 20_000;

/**
 * n8n 2 wakes an execution only once. On n8n 1.123 two processes can wake the same one: if the other has
 * just left a record in n8n's table of processed data, this one ends without output. If both look within
 * the same few milliseconds, both continue, as n8n offers no lock. An older record is a dead process's:
 * no worker runs an execution that is stored as finished.
 */
async function isFirstToWake(context: IExecuteFunctions, wait: Wait): Promise<boolean> {
	if (wait.isClaimed || resumeTokenOf(context) !== null) return true;
	const now = Math.floor(systemClock.now() / atOnceMs);
	// Not by the execution's number, which another one can have after a backup is restored. But with the
	// number: the retry of an execution that died is another execution, and the only one left.
	const wakes = [now, now - 1].map((time) => `${wait.token}:${context.getExecutionId()}:${time}`);
	const known = await recordIn(context, wakes);
	wait.isClaimed = !known || known.size === 0;
	return wait.isClaimed;
}
