import { z } from 'zod';
import { asObject, type HttpResponse } from '../http';
import {
	failed,
	failureOf,
	kindOfStatus,
	type Failure,
	type FailureKind,
	type Outcome,
} from '../failure';
import type { TaskRecord } from '../task';
import { failureOfKling, klingRecord } from './klingEnvelope';
import type { Provider } from './provider';
import {
	amountSchema,
	bearer,
	create,
	failureOfGateway,
	failureOfShape,
	idAt,
	idSchema,
	klingBody,
	modelsCheck,
	momentSchema,
	read,
	readWith,
	statusOf,
	textSchema,
} from './toolkit';
import { recordOf, taskOf } from '../task';

const path = '/kling/v1/videos/effects';

/**
 * KKIAI, a gateway of the new-api family (KKIAI's effects page; docs/providers.md section 3). Its page shows an empty
 * answer, so the three shapes of the family are read: Kling's own, a task wrapper around it, and a
 * video object like OpenAI's.
 */
export const kkiai: Provider = {
	name: 'kkiai',
	displayName: 'KKIAI',
	defaultBaseUrl: () => 'https://www.kkiai.com',
	authorize: bearer,
	externalId: 'unverified',
	takes: ['callbackUrl', 'duration', 'externalTaskId', 'mode', 'modelName'],
	retention: null,
	check: modelsCheck('new_api_error'),

	createRequests: (order) => [create(path, klingBody(order))],
	getRequest: (taskId) => read(`${path}/${encodeURIComponent(taskId)}`),
	findByExternalIdRequest: (externalTaskId) =>
		read(`${path}/${encodeURIComponent(externalTaskId)}`),

	readFailure: readFailure,
	readCreated: readAnyShape,
	readTask: readAnyShape,
	rawTaskId: idAt('task_id', 'id'),
};

function readFailure(response: HttpResponse): Failure | null {
	const early = failureOfGateway(response) ?? failureOfShape(response);
	if (early) return early;
	const { code, message } = asObject(response.json) as { code?: unknown; message?: unknown };
	if (typeof code !== 'string' || /^\d+$/.test(code)) return failureOfKling(response);
	if (response.status < 300 && code.toLowerCase() === 'success') return null;
	// Refused submissions: {code: "fail_to_fetch_task", message, data: null}, with 4xx or 5xx.
	return failureOf(response, kindOfRefusal(response.status, code), { code, message });
}

function kindOfRefusal(status: number, code: string): FailureKind {
	if (/quota|balance/i.test(code)) return 'accountEmpty';
	// A task that is not known comes with 400 (new-api: "task_not_exist").
	if (status < 500 && /not_(exist|found)/i.test(code)) return 'notFound';
	// A refusal in the body of a 2xx is a refusal all the same.
	return status < 300 ? 'badRequest' : kindOfStatus(status);
}

function readAnyShape(response: HttpResponse): Outcome<TaskRecord> {
	const body = asObject(response.json) ?? {};
	const data = asObject(body.data);
	if (data && 'task_status' in data) return klingRecord('kkiai', data, response);
	if (data && 'status' in data) return readWrapper(data, response);
	if ('task_status' in body) return klingRecord('kkiai', body, response);
	if (data && 'task_id' in data) return readBareId(data, response);
	if ('status' in body || 'id' in body || 'task_id' in body) return readVideoObject(body, response);
	return failed(failureOf(response, 'unreadable'));
}

const bareIdSchema = z.object({ task_id: idSchema });

function readBareId(data: Record<string, unknown>, response: HttpResponse): Outcome<TaskRecord> {
	return readWith(response, bareIdSchema, data, ({ task_id }) =>
		recordOf(taskOf('kkiai', { taskId: task_id }), [], data),
	);
}

const wrapperSchema = z.object({
	task_id: idSchema,
	status: z.string().min(1),
	fail_reason: textSchema,
	submit_time: momentSchema,
	finish_time: momentSchema,
	start_time: momentSchema,
});

/** new-api's wrapper, with Kling's envelope or task object somewhere below `data`. */
function readWrapper(data: Record<string, unknown>, response: HttpResponse): Outcome<TaskRecord> {
	return readWith(response, wrapperSchema, data, (wrapper) => {
		const inner = innerTask(data);
		const nested = inner
			? klingRecord('kkiai', { ...inner, task_id: wrapper.task_id }, response)
			: null;
		const known = nested?.ok ? nested.value : null;
		const status = statusOf(wrapper.status);
		// Older new-api code puts the video's address into fail_reason when the task succeeded.
		const oddUrl = status === 'succeed' && isUrl(wrapper.fail_reason) ? wrapper.fail_reason : null;
		const videoUrls = known?.videoUrls.length ? known.videoUrls : oddUrl ? [oddUrl] : [];
		const task = taskOf('kkiai', {
			...known?.task,
			taskId: wrapper.task_id,
			status,
			statusMessage:
				status === 'failed'
					? (wrapper.fail_reason ?? known?.task.statusMessage ?? null)
					: (known?.task.statusMessage ?? null),
			videoUrl: videoUrls[0] ?? null,
			createdAt: known?.task.createdAt ?? wrapper.submit_time,
			updatedAt: wrapper.finish_time ?? known?.task.updatedAt ?? wrapper.start_time,
		});
		return recordOf(task, videoUrls, data);
	});
}

function innerTask(data: Record<string, unknown>): Record<string, unknown> | null {
	const inner = asObject(data.data);
	const deeper = asObject(inner?.data);
	return [deeper, inner].find((candidate) => candidate && 'task_status' in candidate) ?? null;
}

const videoObjectSchema = z.object({
	task_id: idSchema.nullish(),
	id: idSchema.nullish(),
	status: z.string().nullish(),
	url: textSchema,
	metadata: z.object({ url: textSchema }).passthrough().nullish().catch(null),
	error: z.object({ message: textSchema }).nullish().catch(null),
	seconds: amountSchema,
	created_at: momentSchema,
	completed_at: momentSchema,
});

function readVideoObject(
	body: Record<string, unknown>,
	response: HttpResponse,
): Outcome<TaskRecord> {
	const parsed = videoObjectSchema.safeParse(body);
	const taskId = parsed.data?.task_id ?? parsed.data?.id;
	if (!parsed.success || !taskId) return failed(failureOf(response, 'unreadable'));
	const video = parsed.data;
	const url = video.url ?? video.metadata?.url ?? null;
	const task = taskOf('kkiai', {
		taskId,
		status: statusOf(video.status ?? 'submitted'),
		statusMessage: video.error?.message ?? null,
		videoUrl: url,
		videoDuration: video.seconds,
		createdAt: video.created_at,
		updatedAt: video.completed_at ?? video.created_at,
	});
	return { ok: true, value: recordOf(task, url ? [url] : [], body) };
}

function isUrl(text: string | null): boolean {
	return text !== null && /^https?:\/\//i.test(text);
}
