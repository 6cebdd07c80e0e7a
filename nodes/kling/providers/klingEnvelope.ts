import { z } from 'zod';
import { asObject, type HttpResponse } from '../http';
import {
	failureOf,
	kindOfStatus,
	success,
	type Failure,
	type FailureKind,
	type Outcome,
} from '../failure';
import { recordOf, taskOf, type ProviderName, type TaskRecord } from '../task';
import type { Provider } from './provider';
import {
	amountSchema,
	entriesOf,
	failureOfShape,
	idSchema,
	kindOfText,
	momentSchema,
	readWith,
	saysSuccess,
	statusOf,
	textSchema,
	type RefusalText,
} from './toolkit';

/** Kling's table of body codes (docs/providers.md 1.7). The HTTP status is shared by several codes, so the code decides. */
export const klingCodes: Record<number, FailureKind> = {
	1000: 'keyRefused',
	1001: 'keyRefused',
	1002: 'keyRefused',
	1003: 'keyRefused',
	1004: 'keyRefused',
	1100: 'accountBlocked',
	1101: 'accountEmpty',
	1102: 'accountEmpty',
	1103: 'notAllowed',
	1200: 'badRequest',
	1201: 'badRequest',
	1202: 'badRequest',
	1203: 'notFound',
	1300: 'contentRefused',
	1301: 'contentRefused',
	1302: 'tooManyRequests',
	1303: 'noFreeSlot',
	1304: 'accountBlocked',
	5000: 'providerDown',
	5001: 'providerDown',
	5002: 'providerDown',
};

/**
 * Texts that decide what is paid: 1201 is Kling's catch-all (docs/providers.md K6), so its text
 * decides. Not found comes first. Each is tested from the beginning to the end of what does not vary.
 */
const texts: readonly RefusalText[] = [
	{ text: /^task not found by id\/external id\b/i, kind: 'notFound', source: 'K1' },
	{ text: /^external_task_id .+ already exists\W*$/is, kind: 'duplicateExternalId', source: 'K3' },
	// Other wordings that clients of Kling's code against; no answer was recorded.
	{
		text: /^external[ _]task[ _]id (is |was |has been |must be )?(already |a |not )?(duplicated?|exists|used|unique)\W*(:.*)?$/is,
		kind: 'duplicateExternalId',
		source: 'client code',
	},
	{
		text: /^duplicated? external[ _]task[ _]id\b/i,
		kind: 'duplicateExternalId',
		source: 'client code',
	},
];

/** Reasons for which tasks fail at Kling, and at gateways that pass them on. */
export const klingReasons: NonNullable<Provider['reasons']> = [
	{
		text: /^parallel task over resource pack limit/i,
		advice: 'All slots were in use: run the workflow again when a task has finished.',
		source: 'K23',
	},
	{
		text: /^image pixel is invalid|^the resolution or aspect ratio of the input image/i,
		advice:
			'Use an image of at least 300 pixels a side, with a ratio of 1:2.5 to 2.5:1, and run the workflow again.',
		source: 'K14, K15',
	},
];

/** Codes for a token whose time is off, which a new signature can mend (docs/providers.md 1.2). */
export const codesToSignAgain: readonly string[] = ['1003', '1004'];

/** Kling's refusal `{code, message, request_id}` with a code other than 0. */
export function failureOfKling(response: HttpResponse): Failure | null {
	const shape = failureOfShape(response);
	if (shape) return shape;
	const { code, message } = asObject(response.json) as { code?: unknown; message?: unknown };
	if (response.status < 300 && saysSuccess(code)) return null;
	return failureOf(response, kindOfCode(response.status, code, message), { code, message });
}

function kindOfCode(status: number, code: unknown, message: unknown): FailureKind {
	const kind = typeof code === 'object' ? undefined : klingCodes[Number(code)];
	// One recording of the not-found answer holds its status and text only.
	if (kind === 'badRequest' || (kind === undefined && status === 400)) {
		return kindOfText(texts, message) ?? 'badRequest';
	}
	if (kind) return kind;
	return status < 300 ? 'badRequest' : kindOfStatus(status);
}

const taskSchema = z.object({
	task_id: idSchema,
	task_status: z.string().min(1),
	task_status_msg: textSchema,
	task_info: z.object({ external_task_id: textSchema }).nullish().catch(null),
	task_result: z
		.object({
			videos: entriesOf(
				z.object({ url: textSchema, watermark_url: textSchema, duration: amountSchema }),
			),
		})
		.nullish()
		.catch(null),
	final_unit_deduction: amountSchema,
	created_at: momentSchema,
	updated_at: momentSchema,
});

/** Makes a record of Kling's task object (Kling's effects page, single and list query). */
export function klingRecord(
	provider: ProviderName,
	raw: unknown,
	response: HttpResponse,
): Outcome<TaskRecord> {
	return readWith(response, taskSchema, raw, (value) => recordOfKling(provider, value, raw));
}

/** Makes a record of each task object of a list. Without tasks Kling may leave the list out (docs/providers.md K10). */
export function klingRecords(
	provider: ProviderName,
	response: HttpResponse,
): Outcome<TaskRecord[]> {
	const { code, data } = asObject(response.json) ?? {};
	const isEmpty = data === undefined || data === null || asObject(data)?.count === 0;
	if (isEmpty && Number(code ?? NaN) === 0) return success([]);
	return readWith(response, z.array(taskSchema), data, (values) =>
		values.map((value, index) => recordOfKling(provider, value, (data as unknown[])[index])),
	);
}

function recordOfKling(
	provider: ProviderName,
	value: z.infer<typeof taskSchema>,
	raw: unknown,
): TaskRecord {
	const videos = value.task_result?.videos ?? [];
	const task = taskOf(provider, {
		taskId: value.task_id,
		externalTaskId: value.task_info?.external_task_id ?? null,
		status: statusOf(value.task_status),
		statusMessage: value.task_status_msg,
		videoUrl: videos[0]?.url ?? null,
		watermarkUrl: videos[0]?.watermark_url ?? null,
		videoDuration: videos[0]?.duration ?? null,
		unitsDeducted: value.final_unit_deduction,
		createdAt: value.created_at,
		updatedAt: value.updated_at,
	});
	return recordOf(
		task,
		videos.flatMap((video) => video.url ?? []),
		raw,
	);
}
