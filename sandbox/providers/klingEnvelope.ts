import { videosOf } from '../files';
import type { Task } from '../tasks';

/** HTTP status and usual text of Kling's codes (docs/providers.md section 1.7). */
export const KLING_CODES: Record<number, { status: number; message: string }> = {
	1000: { status: 401, message: 'Authentication failed' },
	1001: { status: 401, message: 'Authorization is empty' },
	1002: { status: 401, message: 'Authorization is invalid' },
	1003: { status: 401, message: 'Authorization is not yet valid' },
	1004: { status: 401, message: 'Authorization has expired' },
	1100: { status: 429, message: 'Account exception' },
	1101: { status: 429, message: 'Account in arrears' },
	1102: { status: 429, message: 'Account balance not enough' },
	1103: { status: 403, message: 'Unauthorized access to the requested resource' },
	1200: { status: 400, message: 'Invalid request parameters' },
	1201: { status: 400, message: 'Invalid parameters' },
	1202: { status: 404, message: 'The requested method is invalid' },
	1203: { status: 404, message: 'The requested resource does not exist' },
	1300: { status: 400, message: 'Trigger the strategy of the platform' },
	1301: { status: 400, message: 'Trigger the content security policy of the platform' },
	1302: { status: 429, message: 'The API request is too fast' },
	1303: { status: 429, message: 'parallel task over resource pack limit' },
	1304: { status: 429, message: 'Trigger the IP whitelisting policy' },
	5000: { status: 500, message: 'Server internal error' },
	5001: { status: 503, message: 'Server temporarily unavailable' },
	5002: { status: 504, message: 'Server internal timeout' },
};

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
	if (task.status === 'processing') return {};
	if (task.status === 'failed') return { videos: [] };
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
