import { z } from 'zod';
import { asObject, type HttpResponse } from '../http';
import { failed, failureOf, type Outcome } from '../failure';
import { recordOf, taskOf, type TaskRecord } from '../task';
import { failureOfGateway, modelsCheck } from './gatewayEnvelope';
import { klingReasons, klingRecord } from './klingEnvelope';
import type { Provider } from './provider';
import {
	amountSchema,
	bearer,
	create,
	idSchema,
	klingBody,
	momentSchema,
	read,
	reasonSchema,
	segmentOf,
	statusOf,
	textSchema,
} from './toolkit';

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
	reasons: klingReasons,
	idKeys: ['task_id', 'id'],
	retention: null,
	check: modelsCheck('new_api_error'),

	createRequests: (order) => [create(path, klingBody(order))],
	getRequest: (taskId) => read(`${path}/${segmentOf(taskId)}`),
	findByExternalIdRequest: (externalTaskId) => read(`${path}/${segmentOf(externalTaskId)}`),

	readFailure: failureOfGateway,
	readTask: readAnyShape,
};

function readAnyShape(response: HttpResponse): Outcome<TaskRecord> {
	const body = asObject(response.json) ?? {};
	const data = asObject(body.data);
	const raw = data ?? body;
	if ('task_status' in raw) return klingRecord('kkiai', raw, response);
	return readWrapper(raw, response);
}

const wrapperSchema = z.object({
	task_id: idSchema.optional(),
	id: idSchema.optional(),
	status: z.string().min(1),
	fail_reason: textSchema,
	error: reasonSchema,
	url: textSchema,
	result_url: textSchema,
	video_url: textSchema,
	metadata: z.object({ url: textSchema }).nullish().catch(null),
	seconds: amountSchema,
	submit_time: momentSchema,
	start_time: momentSchema,
	finish_time: momentSchema,
	created_at: momentSchema,
	completed_at: momentSchema,
});

/**
 * The family's task objects: new-api's wrapper with Kling's envelope or task object somewhere below
 * `data` (docs/providers.md N3), its short form (N4), and a video object like OpenAI's (N2).
 */
function readWrapper(raw: Record<string, unknown>, response: HttpResponse): Outcome<TaskRecord> {
	const parsed = wrapperSchema.safeParse(raw);
	const taskId = parsed.data?.task_id ?? parsed.data?.id;
	if (!parsed.success || !taskId) return failed(failureOf(response, 'unreadable'));
	const wrapper = parsed.data;
	const inner = innerTask(raw);
	const nested = inner ? klingRecord('kkiai', { ...inner, task_id: taskId }, response) : null;
	const known = nested?.ok ? nested.value : null;
	const status = statusOf(wrapper.status);
	const own = [wrapper.url, wrapper.result_url, wrapper.video_url, wrapper.metadata?.url];
	// Older new-api code puts the video's address into fail_reason when the task succeeded.
	if (status === 'succeed') own.push(wrapper.fail_reason);
	const ownUrls = own.filter((url): url is string => isUrl(url)).slice(0, 1);
	const videoUrls = known?.videoUrls.length ? known.videoUrls : ownUrls;
	const reason = known?.task.statusMessage ?? null;
	const task = taskOf('kkiai', {
		...known?.task,
		taskId,
		status,
		// Beside a success these fields hold placeholders.
		statusMessage: status === 'failed' ? (wrapper.fail_reason ?? wrapper.error ?? reason) : reason,
		videoUrl: videoUrls[0] ?? null,
		videoDuration: known?.task.videoDuration ?? wrapper.seconds,
		createdAt: known?.task.createdAt ?? wrapper.submit_time ?? wrapper.created_at,
		updatedAt:
			wrapper.finish_time ??
			wrapper.completed_at ??
			known?.task.updatedAt ??
			wrapper.start_time ??
			wrapper.created_at,
	});
	return { ok: true, value: recordOf(task, videoUrls, raw) };
}

function innerTask(data: Record<string, unknown>): Record<string, unknown> | null {
	const inner = asObject(data.data);
	const deeper = asObject(inner?.data);
	return [deeper, inner].find((candidate) => candidate && 'task_status' in candidate) ?? null;
}

function isUrl(text: unknown): boolean {
	return typeof text === 'string' && /^https?:\/\//i.test(text);
}
