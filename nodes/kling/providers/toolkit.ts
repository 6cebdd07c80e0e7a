import { z } from 'zod/v3';
import { asObject, type ApiRequest, type JsonResponse } from '../http';
import { failureOf, kindOfStatus, type Failure, type FailureKind } from '../failure';
import { taskStatuses, type TaskRecord, type TaskStatus } from '../task';
import type { OrderWithImages, Secret, TaskPage } from './provider';

/** A key as most providers expect it. Only a provider that signs ever gets anything else. */
export function bearer(secret: Secret): Record<string, string> {
	return secret.kind === 'key' ? { Authorization: `Bearer ${secret.key}` } : {};
}

/**
 * Whether a text can be an id: usable as a path segment, of sane length, and without characters that are
 * not text.
 */
export function isUsableId(id: string): boolean {
	return /^[^\p{Cc}\p{Cs}]{1,256}$/u.test(id) && id !== '.' && id !== '..';
}

/** An id as text: providers send strings, some gateways numbers. */
export const idSchema = z
	.union([z.string().trim(), z.number().refine(Number.isSafeInteger).transform(String)])
	.refine(isUsableId);
/** A text; empty, null, absent or not a text all mean the same. No union: those are slow in long lists. */
export const textSchema = z.unknown().transform(textOf);
/** The address of a video. */
export const urlSchema = z.string().trim().min(1);
/** A reason: as text, or as an object with a `message`. */
export const reasonSchema = z
	.unknown()
	.transform((reason) => textOf(asObject(reason)?.message ?? reason));
/** A number that some providers send as text. One transform each: chains of them are slow in long lists. */
export const amountSchema = z.unknown().transform(amountOf);
/**
 * A time in milliseconds or (new-api, docs/providers.md section 3) seconds since 1970, or in ISO 8601, as
 * ISO 8601.
 */
export const momentSchema = z.unknown().transform((value) => {
	const amount = amountOf(value) ?? isoOf(value);
	const moment = amount < 1e11 ? amount * 1000 : amount;
	return moment > 0 && moment < latestMoment ? new Date(moment).toISOString() : null;
});
/** Milliseconds: the year 10,000. Larger numbers are in another unit. */
const latestMoment = 253_402_300_800_000;
/** With a zone: without one, the time would be in the zone of n8n's machine. */
function isoOf(value: unknown): number {
	const isIso = /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:?\d{2})$/.test(String(textOf(value)));
	return isIso ? Date.parse(String(value).trim()) : NaN;
}
function amountOf(value: unknown): number | null {
	const amount = textOf(value);
	return amount !== null && Number.isFinite(Number(amount)) ? Number(amount) : null;
}
function textOf(value: unknown): string | null {
	const isText = typeof value === 'string' || typeof value === 'number';
	return (isText && String(value).trim()) || null;
}

/** The entries of a list that fit the schema; anything but a list counts as an empty one. */
export function entriesOf<T>(schema: z.ZodType<T, z.ZodTypeDef, unknown>) {
	return z.unknown().transform((entries) =>
		(Array.isArray(entries) ? entries : []).flatMap((entry) => {
			const parsed = schema.safeParse(entry);
			return parsed.success ? [parsed.data] : [];
		}),
	);
}

const wordsOf: Record<TaskStatus, string[]> = {
	submitted: ['submitted', 'pending', 'queued', 'created', 'not_start'],
	processing: ['processing', 'in_progress', 'running'],
	succeed: ['succeed', 'succeeded', 'success', 'completed', 'done'],
	failed: ['failed', 'fail', 'failure', 'error', 'expired', 'canceled', 'cancelled'],
};

/** A provider's status in Kling's words, ignoring case; an unknown one counts as not final. */
export function statusOf(word: unknown): TaskStatus {
	const said = String(word).trim().toLowerCase();
	return taskStatuses.find((status) => wordsOf[status].includes(said)) ?? 'processing';
}

/** What `make` makes of a body that fits the schema; null if it does not fit. */
export function readWith<T, R>(
	schema: z.ZodType<T, z.ZodTypeDef, unknown>,
	body: unknown,
	make: (value: T) => R,
): R | null {
	const parsed = schema.safeParse(body);
	return parsed.success ? make(parsed.data) : null;
}

/** A page of a list, without unreadable rows; null if it is not a list, or none of its rows can be read. */
export function pageOf(
	rows: unknown,
	readRow: (raw: unknown) => TaskRecord | null,
): TaskPage | null {
	if (!Array.isArray(rows)) return null;
	const records = (rows as unknown[]).flatMap((raw) => readRow(raw) ?? []);
	return records.length === 0 && rows.length > 0 ? null : { records, rows: rows.length };
}

/** Codes that mean success in a 2xx. Gateways do not stick to the code on their page. */
export function saysSuccess(code: unknown): boolean {
	return code === undefined || code === null || /^(0|200|success|succeed|ok)$/i.test(String(code));
}

/**
 * The refusal of a provider whose `code` normally repeats the HTTP status. Where a 2xx carries a
 * refusal, the code decides.
 */
export function failureByStatus(response: JsonResponse, message: unknown): Failure | null {
	const { status, json } = response;
	const { code } = json;
	if (status < 300 && saysSuccess(code)) return null;
	const kind = kindOfStatus(status < 300 ? Number(code) || 400 : status);
	return failureOf(response, kind, { code, message });
}

/**
 * Texts of refusals that say what is wrong if code and HTTP status do not. Tested on the whole text: the
 * rest may repeat an id, which may contain any word.
 */
export type RefusalTexts = ReadonlyArray<[text: RegExp, kind: FailureKind]>;

export function kindOfText(texts: RefusalTexts, message: unknown): FailureKind | null {
	return texts.find(([text]) => text.test(String(message)))?.[1] ?? null;
}

/**
 * The nested body that Kling and most resellers expect (the effects pages of CometAPI, Kling, KKIAI and
 * APIModels).
 */
export function klingBody(order: OrderWithImages): Record<string, unknown> {
	return withoutAbsent({
		effect_scene: order.effectScene,
		input: {
			...order.additionalFields,
			...withoutAbsent({
				model_name: order.modelName,
				mode: order.mode,
				// A string in Kling's contract (docs/providers.md 1.3).
				duration: order.duration?.toString(),
			}),
			...imagesOf(order),
		},
		callback_url: order.callbackUrl,
		external_task_id: order.externalTaskId,
	});
}

/**
 * One picture as `image`, two as `images`: the fields are mutually exclusive (Kling's and Modellix's
 * effects pages).
 */
export function imagesOf(order: OrderWithImages): { image: string } | { images: string[] } {
	return order.images.length === 1 ? { image: order.images[0] } : { images: order.images };
}

export function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/**
 * An id as a path segment.
 *
 * @throws RangeError for an id that cannot be one: `..` would lead to another path
 */
export function segmentOf(id: string): string {
	if (!isUsableId(id)) throw new RangeError('The ID cannot be part of a URL');
	return encodeURIComponent(id);
}

/** A create can carry 20 MB of pictures; a read carries nothing. */
const createTimeoutMs = 120_000;
const readTimeoutMs = 30_000;

export function read(path: string, query?: Record<string, string | number>): ApiRequest {
	return { method: 'GET', path, ...(query ? { query } : {}), timeoutMs: readTimeoutMs };
}

export function create(path: string, body: Record<string, unknown>): ApiRequest {
	return { method: 'POST', path, body, timeoutMs: createTimeoutMs };
}
