import type { IExecuteFunctions, NodeExecutionHint } from 'n8n-workflow';
import { z } from 'zod/v3';
import { accepted, checkedBy, refused, type Checked } from '../../kling/checked';
import { describeFailedTask } from '../../kling/messages';
import { isFinal, type TaskRecord } from '../../kling/task';
import { follow, type FollowLimits } from '../../kling/look';
import { inParallel } from '../../kling/inParallel';
import { downloadVideos, type VideoOptions } from '../../n8n/download';
import { taskItem } from '../../n8n/items';
import { amount, flag, type Read } from '../../n8n/parameters';
import { guarded } from '../../n8n/problems';
import type { Result } from '../../n8n/results';
import type { Session } from '../../n8n/session';
import { maxFileSizeOption } from './fields';

/** Videos under way at once; each is streamed, so this bounds connections rather than memory. */
const downloadsAtOnce = 4;

export interface WaitOptions {
	timeoutMs: number;
	intervalMs: number;
}

/** The options of a wait, in minutes and seconds, and of a download. */
export const finishOptions = {
	timeout: amount(30),
	pollInterval: amount(10),
	maxFileSize: z.unknown().transform(checkedBy(checkMaxFileSize)),
};

function checkMaxFileSize(given: unknown): Checked<number> {
	const isGiven = given !== undefined && given !== null && given !== '';
	// An expression can give the number as text.
	const size = isGiven ? Number(String(given)) : Number(maxFileSizeOption.default);
	if (size > 0 && Number.isFinite(size)) return accepted(size);
	return refused(
		'Max File Size (MB) must be a number greater than 0',
		'Enter the size of the largest video to download, or remove the option.',
	);
}

export function waitOf(options: { timeout: number; pollInterval: number }): WaitOptions {
	const { timeout, pollInterval } = options;
	return { timeoutMs: timeout * 60_000, intervalMs: Math.max(1, pollInterval) * 1_000 };
}

/** What an item asks for once it has its task. */
export interface Finish extends VideoOptions {
	wait: boolean;
	downloadVideo: boolean;
	simplify: boolean;
}

const outputField = z
	.string({ errorMap: () => ({ message: 'Output Field Name must be a text' }) })
	.trim()
	.min(1, 'Output Field Name is empty')
	.refine((field) => field !== '__proto__', 'Output Field Name cannot be __proto__')
	.nullish()
	.transform((field) => field ?? 'data')
	.describe('Output Field Name');

/** The parameters that say what an item asks for once it has its task. */
export const finishParameters = {
	waitForCompletion: flag('Wait for Completion', false),
	downloadVideo: flag('Download Video', false),
	outputField: { onDemand: outputField },
	simplify: flag('Simplify', true),
};

export function readFinish(
	given: Read<typeof finishParameters>,
	{ maxFileSize }: { maxFileSize: number },
): Checked<Finish> {
	const { waitForCompletion: wait, downloadVideo, simplify } = given;
	const field = downloadVideo ? given.outputField() : accepted('data');
	if (!field.ok) return field;
	return accepted({ wait, downloadVideo, simplify, outputField: field.value, maxFileSize });
}

/** A task that an item has come to, on its way to the output. */
export interface ItemTask {
	itemIndex: number;
	record: TaskRecord;
	finish: Finish;
}

/** Waits for the tasks whose items ask for it, all together, then makes the items of all. Never rejects. */
export async function waitAndFinish(
	context: IExecuteFunctions,
	session: Session,
	itemTasks: readonly ItemTask[],
	limits: FollowLimits,
): Promise<Result[]> {
	const waiting = itemTasks.filter(({ finish }) => finish.wait);
	const records = waiting.map(({ record }) => record);
	const followed = await follow(records, limits, session);
	const seen = new Map(waiting.map((one, index) => [one, followed[index]]));
	const latest = itemTasks.map((one) => ({ ...one, record: seen.get(one) ?? one.record }));
	const results: Result[] = [];
	await inParallel(latest, downloadsAtOnce, async (one, index) => {
		results[index] = await finishTask(context, session, one);
	});
	const open = latest.filter(({ record }) => !isFinal(record.task.status));
	if (open.length > 0) context.addExecutionHints(hintAtOpen(open));
	return results;
}

/** Says in the output pane that a green run has brought no video, and what to do next. */
function hintAtOpen(open: readonly ItemTask[]): NodeExecutionHint {
	const what = open.length === 1 ? 'the task is' : `${open.length} tasks are`;
	const instead = open.some(({ finish }) => finish.wait)
		? 'raise Timeout (Minutes) under Options'
		: 'turn on Wait for Completion';
	const message = `No video yet: ${what} still running. Use Get with the task ID later, start a workflow with Kling Effects Trigger, or ${instead}.`;
	return { type: 'info', location: 'outputPane', message };
}

/** The item of a task: with its videos where they are asked for, or the reason that it has failed. */
async function finishTask(
	context: IExecuteFunctions,
	session: Session,
	{ itemIndex, record, finish }: ItemTask,
): Promise<Result> {
	const { provider, signal } = session;
	const { task } = record;
	const { taskId, status, videoUrl } = task;
	// A task that was not waited for is asked for its state, whatever it is.
	if (finish.wait && status === 'failed' && failedTaskIsProblem(context)) {
		const problem = { ...describeFailedTask(task, { provider, itemIndex }), taskId };
		return { itemIndex, ok: false, problem };
	}
	// A wait that was stopped has not timed out.
	const timedOut = finish.wait && !isFinal(status) && !signal?.aborted;
	const downloads = finish.downloadVideo && record.videoUrls.length > 0;
	const binary = downloads
		? await guarded(async () => await downloadVideos(context, session, record, finish))
		: accepted(undefined);
	if (!binary.ok) {
		return { itemIndex, ok: false, problem: { ...binary.problem, taskId, videoUrl } };
	}
	const about = { simplify: finish.simplify, timedOut, itemIndex, binary: binary.value };
	return { itemIndex, ok: true, item: taskItem(record, about) };
}

/** With "Continue", a failed task is an item with its state; otherwise it follows the other two ways. */
export function failedTaskIsProblem(context: IExecuteFunctions): boolean {
	return !context.continueOnFail() || context.getNode().onError === 'continueErrorOutput';
}
