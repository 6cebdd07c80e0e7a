import { z } from 'zod';
import { asObject, type HttpResponse } from '../http';
import { failureOf, kindOfStatus, type Failure, type FailureKind, type Outcome } from '../failure';
import type { ProviderName, TaskRecord } from '../task';
import {
	amountSchema,
	failureOfShape,
	idSchema,
	momentSchema,
	readWith,
	statusOf,
	textSchema,
} from './toolkit';
import { recordOf, taskOf } from '../task';

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

/** Codes for a token whose time is off, which a new signature can mend (docs/providers.md 1.2). */
export const codesToSignAgain: readonly string[] = ['1003', '1004'];

/** Kling's refusal `{code, message, request_id}` with a code other than 0. */
export function failureOfKling(response: HttpResponse): Failure | null {
	const shape = failureOfShape(response);
	if (shape) return shape;
	const { code, message } = asObject(response.json) as { code?: unknown; message?: unknown };
	if (isNothingWrong(response.status, code)) return null;
	return failureOf(response, kindOfCode(response.status, code, message), { code, message });
}

function isNothingWrong(status: number, code: unknown): boolean {
	return status < 300 && (code === undefined || Number(code) === 0);
}

function kindOfCode(status: number, code: unknown, message: unknown): FailureKind {
	const kind = klingCodes[Number(code)];
	// 1201 is Kling's catch-all, so its text decides (docs/providers.md K1, K3, K6).
	if (kind === 'badRequest')
		return textKinds.find(([text]) => text.test(String(message)))?.[1] ?? kind;
	if (kind) return kind;
	return status < 300 ? 'badRequest' : kindOfStatus(status);
}

/**
 * Texts that decide what is paid. Not found comes first and from its beginning: it repeats the id
 * that was asked for, which may hold any word.
 */
const textKinds: ReadonlyArray<[text: RegExp, kind: FailureKind]> = [
	[/^task not found by id\/external id/i, 'notFound'], // K1
	[/^external_task_id .* already exists/is, 'duplicateExternalId'], // K3
	// Other wordings, which two clients code against.
	[
		/external.{0,40}(duplicat|exist|unique|repeat|used)|duplicat.{0,40}external/i,
		'duplicateExternalId',
	],
];

const videoSchema = z.object({
	url: textSchema,
	watermark_url: textSchema,
	duration: amountSchema,
});

const taskSchema = z.object({
	task_id: idSchema,
	task_status: z.string().min(1),
	task_status_msg: textSchema,
	task_info: z.object({ external_task_id: textSchema }).nullish(),
	task_result: z.object({ videos: z.array(videoSchema).nullish() }).nullish(),
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

/** Makes a record of each task object of a list. */
export function klingRecords(
	provider: ProviderName,
	raws: unknown,
	response: HttpResponse,
): Outcome<TaskRecord[]> {
	return readWith(response, z.array(taskSchema), raws, (values) =>
		values.map((value, index) => recordOfKling(provider, value, (raws as unknown[])[index])),
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
