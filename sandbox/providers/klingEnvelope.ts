import { randomUUID } from 'node:crypto';

import { videosOf } from '../files';
import type { Task } from '../tasks';
import { klingCodes } from '../texts';
import { unitsOf } from '../units';
import { answer, type Answer } from '../wire';
import type { Context } from './provider';

/** Kling's envelope for a code, with its HTTP status and usual text. Every response has a request id. */
export function klingRefusal(code: number, message?: string): Answer {
	const { status, text } = klingCodes[code] ?? unknownCode;
	return answer(status, { code, message: message ?? text, request_id: randomUUID() });
}

/** The HTTP status of a Kling code. */
export function statusOfKling(code: number): number {
	return (klingCodes[code] ?? unknownCode).status;
}

/** The usual text of Kling's code. */
export function textOfKling(code: number): string {
	return (klingCodes[code] ?? unknownCode).text;
}

const unknownCode = { status: 400, text: 'Unknown error' };

/** Kling's task object right after create (Kling’s effects page; `task_info` is `{}` without an id: CometAPI’s effects page). */
export function createdTask(task: Task): Record<string, unknown> {
	return {
		task_id: task.taskId,
		task_status: 'submitted',
		task_info: taskInfo(task),
		created_at: task.createdAt,
		updated_at: task.createdAt,
	};
}

/**
 * Kling's task object as get and list show it (Kling’s effects page, docs/providers.md section 1.4). `task_result`
 * is documented as absent or empty until success, so each status shows another way of being empty.
 */
export function taskObject(task: Task, context: Context): Record<string, unknown> {
	const { status } = task;
	return {
		task_id: task.taskId,
		task_status: status,
		task_status_msg: status === 'failed' ? task.message : '',
		task_info: taskInfo(task),
		...(status === 'submitted' ? {} : { task_result: taskResult(task, context) }),
		...deductions(task),
		created_at: task.createdAt,
		updated_at: task.updatedAt,
	};
}

/** The flat payload of Kling's callbacks, with lists of the other kinds of files (K36). */
export function callbackPayload(task: Task, context: Context): unknown {
	const { task_result: result, ...rest } = taskObject(task, context);
	return { ...rest, task_result: { images: [], videos: [], audios: [], ...(result as object) } };
}

function taskInfo(task: Task): Record<string, string> {
	return task.externalTaskId === null ? {} : { external_task_id: task.externalTaskId };
}

function taskResult(task: Task, { url, options }: Context): Record<string, unknown> {
	// Empty for failed tasks as well (K13).
	if (task.status !== 'succeed') return {};
	const videos = videosOf(task, url).map(({ watermarkUrl, ...video }) => ({
		...video,
		...(options.watermarkUrls ? { watermark_url: watermarkUrl } : {}),
	}));
	return { videos };
}

function deductions(task: Task): Record<string, unknown> {
	const units = unitsOf(task);
	if (units === null) return {};
	return {
		final_unit_deduction: String(units),
		final_balance_deduction: {
			quota: String(units),
			list_price: (units * 0.14).toFixed(2),
		},
	};
}

// Real ids are snowflakes beyond 2^53. These are closer together than doubles can tell apart, so that a
// client which turns them into numbers mixes up its tasks.
let lastId = 876_543_210_987_654_321n;

/** A task id like Kling's: 18 digits, as text. */
export function newKlingTaskId(): string {
	lastId += 7n;
	return String(lastId);
}

/** A gateway's own id: 19 digits, not one of Kling's (G1). */
export function newGatewayTaskId(): string {
	lastId += 7n;
	return `2${lastId}`;
}

/** Kling's task object as a gateway passes it on: with the gateway's id, or with Kling's own (G1, G3). */
export function passedOn(task: Task, context: Context): Record<string, unknown> {
	const object = taskObject(task, context);
	return context.options.gatewaysShowKlingsId ? { ...object, task_id: klingsIdOf(task) } : object;
}

/** Kling's id for a gateway's task. The gateway does not find it by this id. */
function klingsIdOf({ createdAt, taskId }: Task): string {
	return `8${createdAt}${taskId.replace(/\D/g, '').slice(-4).padStart(4, '0')}`;
}
