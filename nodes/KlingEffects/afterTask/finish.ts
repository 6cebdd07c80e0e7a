import type { IExecuteFunctions } from 'n8n-workflow';
import { checkExpression, InputError } from '../../kling/input';
import { describeFailedTask } from '../../kling/failedTask';
import { stillRuns, type TaskRecord } from '../../kling/task';
import { follow, type FollowLimits } from '../../kling/look';
import { inParallel } from '../../kling/pace';
import { downloadVideos, type VideoOptions } from '../../n8n/download';
import { addHint, problemOf, taskItem, type Problem, type Result } from '../../n8n/output';
import { amountOf, numberOf, type Parameters } from '../../n8n/parameters';
import type { Session } from '../../n8n/session';
import { maxFileSizeOption } from './fields';

/** Parallel downloads; videos are streamed, so this limits connections rather than memory. */
const downloadsAtOnce = 4;

export interface WaitOptions {
	timeoutMs: number;
	intervalMs: number;
}

/** A week: well within the limits of n8n's own timers and dates. */
const longestMinutes = 7 * 24 * 60;

/** What an item wants once it has its task. */
export interface Finish extends VideoOptions, WaitOptions {
	wait: boolean;
	downloadVideo: boolean;
	simplify: boolean;
}

/**
 * Reads the parameters, and the options that a wait and a download need.
 *
 * @throws InputError
 */
export function readFinish(parameters: Parameters, options: Record<string, unknown>): Finish {
	const maxFileSize = readMaxFileSize(options.maxFileSize);
	const downloadVideo = parameters.flag('downloadVideo', 'Download Video', false);
	return {
		maxFileSize,
		timeoutMs: amountOf(options.timeout, 'Timeout (Minutes)', 30, longestMinutes) * 60_000,
		intervalMs: Math.max(1, amountOf(options.pollInterval, 'Poll Interval (Seconds)', 10)) * 1_000,
		wait: parameters.flag('waitForCompletion', 'Wait for Completion', false),
		downloadVideo,
		simplify: parameters.flag('simplify', 'Simplify', true),
		outputField: downloadVideo ? readOutputField(parameters) : 'data',
		photo: null,
	};
}

function readOutputField(parameters: Parameters): string {
	const displayName = 'Output Field Name';
	const given = parameters.value('outputField', displayName) ?? 'data';
	if (typeof given !== 'string') {
		throw new InputError(`${displayName} must be text`, checkExpression);
	}
	const field = given.trim();
	if (field === '') throw new InputError(`${displayName} is empty`, checkExpression);
	if (field !== '__proto__') return field;
	throw new InputError(`${displayName} cannot be __proto__`, checkExpression);
}

function readMaxFileSize(given: unknown): number {
	const isGiven = given !== undefined && given !== null && given !== '';
	const size = numberOf(isGiven ? given : maxFileSizeOption.default);
	if (size > 0 && Number.isFinite(size)) return size;
	throw new InputError(
		'Max File Size (MB) must be a number greater than 0',
		'Enter the size of the largest video to download, or remove the option.',
	);
}

/** An item's task, on its way to the output. */
export interface ItemTask {
	itemIndex: number;
	record: TaskRecord;
	finish: Finish;
}

/**
 * Waits for all tasks whose items ask for it, together, then makes the items of all tasks. Never rejects.
 * Updates the records to the last known state.
 */
export async function waitAndFinish(
	context: IExecuteFunctions,
	session: Session,
	itemTasks: readonly ItemTask[],
	limits: FollowLimits,
): Promise<Result[]> {
	const waiting = itemTasks.filter(({ finish }) => finish.wait);
	const records = waiting.map(({ record }) => record);
	const followed = records.length > 0 ? await follow(records, limits, session) : [];
	for (const [index, one] of waiting.entries()) one.record = followed[index];
	const open = itemTasks.filter(stillRuns);
	if (open.length > 0) addHint(context, 'info', hintAtOpen(open));
	const results: Result[] = [];
	await inParallel(itemTasks, downloadsAtOnce, async (one, index) => {
		results[index] = await finishTask(context, session, one);
	});
	return results;
}

/** Says in the output pane that a successful run has no video yet, and what to do next. */
function hintAtOpen(open: readonly ItemTask[]): string {
	const what = open.length === 1 ? 'the task is' : `${open.length} tasks are`;
	const instead = open.some(({ finish }) => finish.wait)
		? 'raise Timeout (Minutes) under Options'
		: 'turn on Wait for Completion';
	return `No video yet: ${what} still running. Use Get with the task ID later, start a workflow with Kling Effects Trigger, or ${instead}.`;
}

/** The item of a task: with its videos if requested, or the reason why it failed. */
async function finishTask(
	context: IExecuteFunctions,
	session: Session,
	one: ItemTask,
): Promise<Result> {
	const { provider, signal } = session;
	const { itemIndex, record, finish } = one;
	const { task } = record;
	const { taskId, status, videoUrl } = task;
	// Without waiting, any state of the task is a result.
	if (finish.wait && status === 'failed' && failedTaskIsProblem(context)) {
		const problem = { ...describeFailedTask(task, { provider, itemIndex }), taskId };
		return { itemIndex, ok: false, problem };
	}
	// A wait that was stopped did not time out.
	const timedOut = finish.wait && stillRuns(one) && !signal?.aborted;
	const downloads = finish.downloadVideo && (status === 'succeed' || record.videoUrls.length > 0);
	try {
		const binary = downloads ? await downloadVideos(context, session, record, finish) : undefined;
		const about = { simplify: finish.simplify, timedOut, itemIndex, binary };
		return { itemIndex, ok: true, item: taskItem(record, about) };
	} catch (thrown) {
		return {
			itemIndex,
			ok: false,
			problem: { ...namingTask(problemOf(thrown), taskId), videoUrl },
		};
	}
}

/** A problem of an item that has a task. Some name it already; for the others, no other message would. */
export function namingTask(problem: Problem, taskId: string): Problem {
	const { description } = problem;
	const rest = description.includes(taskId) ? '' : ` The task of this item is ${taskId}.`;
	return { ...problem, description: `${description}${rest}`, taskId };
}

/** With "Continue", a failed task is an item with its status; otherwise it is a problem like any other. */
export function failedTaskIsProblem(context: IExecuteFunctions): boolean {
	return !context.continueOnFail() || context.getNode().onError === 'continueErrorOutput';
}
