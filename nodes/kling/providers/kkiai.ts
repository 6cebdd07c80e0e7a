import { z } from 'zod/v3';
import { asObject } from '../http';
import { recordOf, type TaskRecord } from '../task';
import { gateway, modelsCheck } from './gatewayEnvelope';
import { klingRecord } from './kling';
import type { Provider } from './provider';
import {
	amountSchema,
	idSchema,
	momentSchema,
	reasonSchema,
	statusOf,
	textSchema,
} from './toolkit';

/**
 * KKIAI, a gateway of the new-api family (KKIAI's effects page; docs/providers.md section 3). Its page
 * shows an empty response, so the family's three shapes are read: Kling's own, a task wrapper around it,
 * and a video object like OpenAI's.
 */
export const kkiai: Provider = {
	...gateway,
	name: 'kkiai',
	displayName: 'KKIAI',
	keysPage: { name: 'Tokens in the KKIAI console', url: 'https://www.kkiai.com' },
	defaultBaseUrl: () => 'https://www.kkiai.com',
	idKeys: ['task_id', 'id'],
	retention: null,
	check: modelsCheck('new_api_error'),

	readTask: ({ json }) => {
		const raw = asObject(json.data) ?? json;
		return 'task_status' in raw ? klingRecord('kkiai', raw) : readWrapper(raw);
	},
};

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
 * The family's task objects: new-api's wrapper with Kling's envelope or task object somewhere under
 * `data` (docs/providers.md N3), its short form (N4), and a video object like OpenAI's (N2).
 */
function readWrapper(raw: Record<string, unknown>): TaskRecord | null {
	const { data: wrapper } = wrapperSchema.safeParse(raw);
	const taskId = wrapper?.task_id ?? wrapper?.id;
	if (!wrapper || !taskId) return null;
	const inner = innerTask(raw);
	const nested = inner && klingRecord('kkiai', { ...inner, task_id: taskId });
	const known = nested?.task;
	const status = statusOf(wrapper.status);
	const own = [wrapper.url, wrapper.result_url, wrapper.video_url, wrapper.metadata?.url];
	// Older new-api code puts the video's address into fail_reason when the task succeeded.
	if (status === 'succeed') own.push(wrapper.fail_reason);
	const ownUrls = own.filter((url): url is string => isUrl(url)).slice(0, 1);
	const videoUrls = nested?.videoUrls.length ? nested.videoUrls : ownUrls;
	const reason = known?.statusMessage ?? null;
	const told = {
		...known,
		taskId,
		status,
		// On success these fields contain placeholders.
		statusMessage: status === 'failed' ? (wrapper.fail_reason ?? wrapper.error ?? reason) : reason,
		videoDuration: known?.videoDuration ?? wrapper.seconds,
		createdAt: known?.createdAt ?? wrapper.submit_time ?? wrapper.created_at,
		updatedAt:
			wrapper.finish_time ??
			wrapper.completed_at ??
			known?.updatedAt ??
			wrapper.start_time ??
			wrapper.created_at,
	};
	return recordOf('kkiai', told, raw, videoUrls);
}

function innerTask(data: Record<string, unknown>): Record<string, unknown> | null {
	const inner = asObject(data.data);
	const deeper = asObject(inner?.data);
	return [deeper, inner].find((candidate) => candidate && 'task_status' in candidate) ?? null;
}

function isUrl(text: unknown): boolean {
	return typeof text === 'string' && /^https?:\/\//i.test(text);
}
