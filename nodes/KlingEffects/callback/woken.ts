import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { problemOf, type Problem } from '../../n8n/problems';
import { resumeTokenOf } from '../../n8n/resume';
import { outputOf, type Result } from '../../n8n/results';
import { openSession } from '../../n8n/session';
import { waitAndFinish, type ItemTask } from '../operations/finish';
import type { Wait } from './wait';

/** How many wake-ups of a node are remembered against a second one (n8n 1.123). */
const mostRemembered = 1_000;

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
	const session = await open(context).catch((thrown: unknown) => problemOf(thrown));
	if (!('client' in session)) return outputOf(context, withoutSession(wait, session), wait.paid);
	const left = Math.max(0, wait.deadline - session.clock.now());
	const deadline = session.clock.elapsed() + left;
	const limits = { deadline, intervalMs: wait.intervalMs, firstLookMs: 0 };
	const itemTasks = isFirst ? wait.itemTasks : wait.itemTasks.map(withoutDownload);
	const finished = await waitAndFinish(context, session, itemTasks, limits);
	const output = outputOf(context, [...wait.problems, ...finished], wait.paid);
	// n8n keeps of both what ends last: the second fails where the first one does, and else adds nothing.
	return isFirst ? output : [];
}

function withoutDownload(itemTask: ItemTask): ItemTask {
	return { ...itemTask, finish: { ...itemTask.finish, downloadVideo: false } };
}

/** What can still be said when the credential is gone: which tasks there are. */
function withoutSession({ itemTasks, problems }: Wait, problem: Problem): Result[] {
	const untold = itemTasks.map(({ itemIndex, record: { task } }) => ({
		itemIndex,
		ok: false as const,
		problem: { ...problem, taskId: task.taskId },
	}));
	return [...problems, ...untold];
}

/**
 * n8n 2 wakes an execution once only. On n8n 1.123 two processes can wake the same one: what the
 * other has noted in n8n's table of processed data ends this one without output. Two that look
 * there within the same milliseconds both go on, as n8n offers no lock.
 */
async function isFirstToWake(context: IExecuteFunctions, wait: Wait): Promise<boolean> {
	if (wait.isClaimed || resumeTokenOf(context) !== null) return true;
	const key = `${context.getExecutionId()}:${wait.runIndex}`;
	const note = async () =>
		await context.helpers.checkProcessedAndRecord([key], 'node', {
			mode: 'entries',
			maxEntries: mostRemembered,
		});
	// Rejected, among other reasons, when both make the table's row: then the second look finds it.
	const noted = await note()
		.catch(note)
		.catch(() => null);
	wait.isClaimed = noted === null || noted.processed.length === 0;
	return wait.isClaimed;
}
