import { randomUUID } from 'node:crypto';

import { videosOf } from '../files';
import type { Task } from '../tasks';
import { klingCodes } from '../texts';
import { answer, type Answer } from '../wire';
import type { Context } from './provider';

/** Kling's envelope for a code, with its HTTP status and usual text. Every answer carries a request id. */
export function klingRefusal(code: number, message?: string): Answer {
	const { status, text } = klingCodes[code] ?? unknownCode;
	return answer(status, { code, message: message ?? text, request_id: randomUUID() });
}

/** The HTTP status that Kling's code comes with. */
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
export function taskObject(task: Task, sandboxUrl: string): Record<string, unknown> {
	const { status } = task;
	return {
		task_id: task.taskId,
		task_status: status,
		task_status_msg: status === 'failed' ? task.message : '',
		task_info: taskInfo(task),
		...(status === 'submitted' ? {} : { task_result: taskResult(task, sandboxUrl) }),
		...deductions(task),
		created_at: task.createdAt,
		updated_at: task.updatedAt,
	};
}

/** The flat payload of Kling's callbacks (docs/providers.md section 1.6). */
export function callbackPayload(task: Task, sandboxUrl: string): unknown {
	return taskObject(task, sandboxUrl);
}

function taskInfo(task: Task): Record<string, string> {
	return task.externalTaskId === null ? {} : { external_task_id: task.externalTaskId };
}

function taskResult(task: Task, sandboxUrl: string): Record<string, unknown> {
	// Empty for failed tasks as well (K13).
	if (task.status !== 'succeed') return {};
	const videos = videosOf(task, sandboxUrl).map(({ id, url, watermarkUrl, duration }) => ({
		id,
		url,
		watermark_url: watermarkUrl,
		duration,
	}));
	return { videos };
}

/** Whether Kling charges failed effects is not documented; here it gives the units back. */
function deductions(task: Task): Record<string, unknown> {
	if (!task.isOver) return {};
	const units = task.status === 'failed' ? 0 : task.videoSeconds === 10 ? 4 : 2;
	return {
		final_unit_deduction: String(units),
		final_balance_deduction: {
			quota: String(units),
			list_price: (units * 0.14).toFixed(2),
		},
	};
}

// Real ids are snowflakes beyond 2^53. These lie closer together than doubles can tell apart there,
// so that a client which makes numbers of them mixes up its tasks.
let lastId = 876_543_210_987_654_321n;

/** A task id as Kling has them: 18 digits, as text. */
export function newKlingTaskId(): string {
	lastId += 7n;
	return String(lastId);
}

/** Kling's task object as a gateway passes it on: with the gateway's id, or with Kling's own (G1, G3). */
export function passedOn(task: Task, { options, url }: Context): Record<string, unknown> {
	const object = taskObject(task, url);
	return options.gatewaysShowKlingsId ? { ...object, task_id: klingsIdOf(task) } : object;
}

/** What Kling calls a gateway's task. The gateway does not find it under this id. */
function klingsIdOf({ createdAt, taskId }: Task): string {
	return `8${createdAt}${taskId.replace(/\D/g, '').slice(-4).padStart(4, '0')}`;
}
