import { z } from 'zod';
import { asObject, type HttpResponse } from '../http';
import { failureOf, kindOfStatus, type Failure, type Outcome } from '../failure';
import type { TaskRecord } from '../task';
import type { Provider } from './provider';
import {
	amountSchema,
	bearer,
	create,
	failureOfShape,
	idAt,
	idSchema,
	klingBody,
	momentSchema,
	read,
	readWith,
	statusOf,
	textSchema,
} from './toolkit';
import { recordOf, taskOf } from '../task';

const path = '/api/v1/video/generations';

/** APIModels.app (APIModels' effects page; docs/providers.md section 5). Its code for success is 200, not 0. */
export const apiModels: Provider = {
	name: 'apiModels',
	displayName: 'APIModels',
	defaultBaseUrl: () => 'https://apimodels.app',
	authorize: bearer,
	externalId: 'none',
	takes: ['callbackUrl', 'duration', 'mode', 'modelName'],
	retention: null,
	check: { path: '/api/v1/balance', refusals: [{ key: 'code', value: 401 }] },

	createRequests: (order) => [create(path, { model: 'kling-effects', ...klingBody(order) })],
	getRequest: (taskId) => read(path, { task_id: taskId }),

	readFailure,
	readCreated: readTask,
	readTask,
	rawTaskId: idAt('taskId'),
};

function readFailure(response: HttpResponse): Failure | null {
	const shape = failureOfShape(response);
	if (shape) return shape;
	const { code, msg } = asObject(response.json) as { code?: unknown; msg?: unknown };
	const isSuccess = response.status < 300 && (code === undefined || Number(code) === 200);
	if (isSuccess) return null;
	const status = response.status < 300 ? Number(code) || 400 : response.status;
	return failureOf(response, kindOfStatus(status), { code, message: msg });
}

const taskSchema = z.object({
	taskId: idSchema,
	state: z.string().min(1),
	resultUrls: z.array(z.string()).nullish(),
	failMsg: textSchema,
	videoDuration: amountSchema,
	createTime: momentSchema,
	completeTime: momentSchema,
});

function readTask(response: HttpResponse): Outcome<TaskRecord> {
	const data = asObject(response.json)?.data;
	return readWith(response, taskSchema, data, (value) => {
		const videoUrls = value.resultUrls ?? [];
		const task = taskOf('apiModels', {
			taskId: value.taskId,
			status: statusOf(value.state),
			statusMessage: value.failMsg,
			videoUrl: videoUrls[0] ?? null,
			videoDuration: value.videoDuration,
			createdAt: value.createTime,
			updatedAt: value.completeTime ?? value.createTime,
		});
		return recordOf(task, videoUrls, data);
	});
}
