import { z } from 'zod/v3';
import { providerTimeOf, type JsonResponse } from '../http';
import { recordOf, type TaskRecord } from '../task';
import type { Provider } from './provider';
import {
	amountSchema,
	bearer,
	create,
	entriesOf,
	failureByStatus,
	idSchema,
	klingBody,
	momentSchema,
	read,
	readWith,
	reasonSchema,
	statusOf,
	textSchema,
	urlSchema,
} from './toolkit';

const path = '/video/generations';
/**
 * For how many milliseconds after its completion a task without a video still counts as running: its
 * addresses can come a little later (docs/providers.md A7).
 */
const settleMs = 60_000;

/** APIModels.app (APIModels' effects page; docs/providers.md section 5). Its code for success is 200, not 0. */
export const apiModels: Provider = {
	name: 'apiModels',
	displayName: 'APIModels',
	keysPage: { name: 'API Keys in the APIModels dashboard', url: 'https://apimodels.app' },
	defaultBaseUrl: () => 'https://apimodels.app',
	// Its newest clients use another host, with only /v1 (docs/providers.md A2).
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

	// The text is in `msg`, `error.message` or `error` (docs/providers.md A5).
	readFailure: (response) => {
		const { msg, message, error } = response.json;
		const text = textSchema.parse(msg) ?? reasonSchema.parse(error) ?? message;
		return failureByStatus(response, text);
	},
	readTask,
};

const taskSchema = z.object({
	taskId: idSchema,
	state: z.string().min(1),
	resultUrls: entriesOf(urlSchema),
	failMsg: textSchema,
	error: reasonSchema,
	failCode: textSchema,
	videoDuration: amountSchema,
	createTime: momentSchema,
	completeTime: momentSchema,
});

function readTask(response: JsonResponse): TaskRecord | null {
	const { data } = response.json;
	return readWith(taskSchema, data, (value) => {
		const videoUrls = value.resultUrls;
		const status = statusOf(value.state);
		const completed = Date.parse(value.completeTime ?? '');
		const isSettling =
			status === 'succeed' &&
			videoUrls.length === 0 &&
			providerTimeOf(response) - completed < settleMs;
		const known = {
			taskId: value.taskId,
			status: isSettling ? 'processing' : status,
			// The text is the reason, else the code (docs/providers.md A4).
			statusMessage: status === 'failed' ? (value.failMsg ?? value.error ?? value.failCode) : null,
			videoDuration: value.videoDuration,
			createdAt: value.createTime,
			updatedAt: value.completeTime ?? value.createTime,
		};
		return recordOf('apiModels', known, data, videoUrls);
	});
}
