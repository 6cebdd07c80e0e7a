import type { IExecuteFunctions, INode, IWebhookFunctions } from 'n8n-workflow';
import { describeFailedTask } from '../../kling/messages';
import type { TaskRecord } from '../../kling/task';
import { follow, type FollowLimits } from '../../kling/follow';
import { inParallel } from '../../kling/inParallel';
import { downloadVideos } from '../../n8n/download';
import { taskItem } from '../../n8n/items';
import { goesOn } from '../../n8n/problems';
import type { Result } from '../../n8n/results';
import type { Session } from '../../n8n/session';

/** Videos under way at once; each is streamed, so this bounds connections rather than memory. */
const downloadsAtOnce = 4;

export interface WaitOptions {
	timeoutMs: number;
	intervalMs: number;
}

/** The wait's options. One wait serves all items, so the first item's count. */
export function readWaitOptions(context: IExecuteFunctions): WaitOptions {
	const options = context.getNodeParameter('options', 0, {}) as {
		timeout?: unknown;
		pollInterval?: unknown;
	};
	return {
		timeoutMs: amount(options.timeout, 30) * 60_000,
		intervalMs: Math.max(1, amount(options.pollInterval, 10)) * 1_000,
	};
}

function amount(value: unknown, otherwise: number): number {
	const number = Number(value);
	return value === undefined || value === '' || !(number >= 0) ? otherwise : number;
}

/** A task that an item has come to, on its way to the output. */
export interface ItemTask {
	itemIndex: number;
	record: TaskRecord;
}

/** Waits for the tasks whose items ask for it, all together, then makes the items of all. */
export async function waitAndFinish(
	context: IExecuteFunctions,
	session: Session,
	itemTasks: readonly ItemTask[],
	limits: FollowLimits,
): Promise<Result[]> {
	const waiting = itemTasks.filter(
		({ itemIndex }) => context.getNodeParameter('waitForCompletion', itemIndex, false) === true,
	);
	const records = waiting.map(({ record }) => record);
	const followed = await follow(records, limits, session);
	const byItem = new Map(waiting.map(({ itemIndex }, index) => [itemIndex, followed[index]]));
	const results: Result[] = [];
	await inParallel(itemTasks, downloadsAtOnce, async ({ itemIndex, record }, index) => {
		const known = byItem.get(itemIndex);
		const latest = { itemIndex, record: known?.record ?? record };
		const options = readFinishOptions(context, itemIndex);
		// The time of a wait that was stopped has not run out.
		const timedOut = known?.timedOut === true && !session.signal?.aborted;
		const waited = known && { timedOut };
		results[index] = await finishTask(context, session, latest, options, waited);
	});
	return results;
}

/** What an item's output should hold. */
export interface FinishOptions {
	simplify: boolean;
	downloadVideo: boolean;
	outputField: string;
}

function readFinishOptions(context: IExecuteFunctions, itemIndex: number): FinishOptions {
	return {
		simplify: context.getNodeParameter('simplify', itemIndex, true) as boolean,
		downloadVideo: context.getNodeParameter('downloadVideo', itemIndex, false) as boolean,
		outputField: context.getNodeParameter('outputField', itemIndex, 'data') as string,
	};
}

/**
 * The item of a task: with its videos where they are asked for, or the reason that it has failed.
 *
 * @param waited absent when the task was not waited for: its state was asked for then, whatever it is
 */
export async function finishTask(
	context: IExecuteFunctions | IWebhookFunctions,
	session: Session,
	{ itemIndex, record }: ItemTask,
	{ simplify, downloadVideo, outputField }: FinishOptions,
	waited?: { timedOut: boolean },
): Promise<Result> {
	const { task } = record;
	if (waited && task.status === 'failed' && failedTaskIsProblem(context.getNode())) {
		const subject = { provider: session.provider, itemIndex };
		const problem = { ...describeFailedTask(task, subject), taskId: task.taskId };
		return { itemIndex, ok: false, problem };
	}
	const about = { simplify, timedOut: waited?.timedOut ?? false, itemIndex };
	if (!downloadVideo || record.videoUrls.length === 0) {
		return { itemIndex, ok: true, item: taskItem(record, about) };
	}
	const field = String(outputField).trim() || 'data';
	const downloaded = await downloadVideos(context, session, record, field);
	if (!downloaded.ok) return { itemIndex, ok: false, problem: downloaded.problem };
	return { itemIndex, ok: true, item: taskItem(record, { ...about, binary: downloaded.binary }) };
}

/** With "Continue", a failed task is an item with its state; otherwise it follows the other two ways. */
function failedTaskIsProblem(node: INode): boolean {
	return !goesOn(node) || node.onError === 'continueErrorOutput';
}
