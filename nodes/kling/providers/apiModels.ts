import { z } from 'zod';
import { asObject, providerTimeOf, type HttpResponse } from '../http';
import { failureOf, kindOfStatus, type Failure, type Outcome } from '../failure';
import { recordOf, taskOf, type TaskRecord } from '../task';
import type { Provider } from './provider';
import {
	amountSchema,
	bearer,
	create,
	entriesOf,
	failureOfShape,
	idSchema,
	klingBody,
	momentSchema,
	read,
	readWith,
	reasonSchema,
	saysSuccess,
	statusOf,
	textSchema,
} from './toolkit';

const path = '/video/generations';
/**
 * Milliseconds after its completion in which a task without a video counts as still under way: its
 * addresses can come a little later (docs/providers.md A7).
 */
const settleMs = 60_000;

/** APIModels.app (APIModels' effects page; docs/providers.md section 5). Its code for success is 200, not 0. */
export const apiModels: Provider = {
	name: 'apiModels',
	displayName: 'APIModels',
	defaultBaseUrl: () => 'https://apimodels.app',
	// Its newest clients have another host, with /v1 alone (docs/providers.md A2).
	versionPath: '/api/v1',
	authorize: bearer,
	externalId: 'none',
	takes: ['callbackUrl', 'duration', 'mode', 'modelName'],
	idKeys: ['taskId'],
	failuresAreFree: true, // docs/providers.md A4
	retention: '7 days',
	check: { path: '/balance', refusals: [{ key: 'code', value: 401 }] },

	createRequests: (order) => [create(path, { model: 'kling-effects', ...klingBody(order) })],
	getRequest: (taskId) => read(path, { task_id: taskId }),

	readFailure,
	readTask,
};

/** The text stands in `msg`, `error.message` or `error` (docs/providers.md A5). */
function readFailure(response: HttpResponse): Failure | null {
	const shape = failureOfShape(response);
	if (shape) return shape;
	const { code, msg, message, error } = asObject(response.json) ?? {};
	if (response.status < 300 && saysSuccess(code)) return null;
	const status = response.status < 300 ? Number(code) || 400 : response.status;
	const text = textSchema.parse(msg) ?? reasonSchema.parse(error) ?? message;
	return failureOf(response, kindOfStatus(status), { code, message: text });
}

const taskSchema = z.object({
	taskId: idSchema,
	state: z.string().min(1),
	resultUrls: entriesOf(z.string().trim().min(1)),
	failMsg: textSchema,
	error: reasonSchema,
	failCode: textSchema,
	videoDuration: amountSchema,
	createTime: momentSchema,
	completeTime: momentSchema,
});

function readTask(response: HttpResponse): Outcome<TaskRecord> {
	const data = asObject(response.json)?.data;
	return readWith(response, taskSchema, data, (value) => {
		const videoUrls = value.resultUrls;
		const status = statusOf(value.state);
		const completed = Date.parse(value.completeTime ?? '');
		const isSettling =
			status === 'succeed' &&
			videoUrls.length === 0 &&
			providerTimeOf(response) - completed < settleMs;
		const task = taskOf('apiModels', {
			taskId: value.taskId,
			status: isSettling ? 'processing' : status,
			// The text is the reason, else the code (docs/providers.md A4).
			statusMessage: status === 'failed' ? (value.failMsg ?? value.error ?? value.failCode) : null,
			videoUrl: videoUrls[0] ?? null,
			videoDuration: value.videoDuration,
			createdAt: value.createTime,
			updatedAt: value.completeTime ?? value.createTime,
		});
		return recordOf(task, videoUrls, data);
	});
}
