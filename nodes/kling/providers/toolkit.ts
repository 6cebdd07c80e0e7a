import { z } from 'zod';
import { asObject, type ApiRequest, type HttpResponse } from '../http';
import {
	failed,
	failureOf,
	kindOfStatus,
	success,
	type Failure,
	type FailureKind,
	type Outcome,
} from '../failure';
import type { OrderWithImages } from '../create/order';
import { isUsableId, taskStatuses, type TaskStatus } from '../task';
import { createTimeoutMs, readTimeoutMs, type Secret } from './provider';

/** A key as most providers want it. Only a provider that signs is ever given anything else. */
export function bearer(secret: Secret): Record<string, string> {
	return secret.kind === 'key' ? { Authorization: `Bearer ${secret.key}` } : {};
}

/** An id as text: providers send strings, some gateways numbers. */
export const idSchema = z
	.union([z.string().trim(), z.number().refine(Number.isSafeInteger).transform(String)])
	.refine(isUsableId);
/** A text, where an empty one, null, absence and what is no text mean the same. No union: those are slow in long lists. */
export const textSchema = z.unknown().transform(textOf);
/** A reason: as text, or as an object with a `message`. */
export const reasonSchema = z
	.unknown()
	.transform((reason) => textOf(asObject(reason)?.message ?? reason));
/** A number that some providers send as text. One transform each: chains of them are slow in long lists. */
export const amountSchema = z.unknown().transform(amountOf);
/** A time in milliseconds or (new-api gateways, docs/providers.md section 3) in seconds since 1970, as ISO 8601. */
export const momentSchema = z.unknown().transform((value) => {
	const moment = amountOf(value);
	if (!moment || moment < 0) return null;
	const date = new Date(moment < 1e11 ? moment * 1000 : moment);
	return Number.isNaN(date.getTime()) ? null : date.toISOString();
});
function amountOf(value: unknown): number | null {
	const amount = textOf(value);
	return amount !== null && Number.isFinite(Number(amount)) ? Number(amount) : null;
}
function textOf(value: unknown): string | null {
	const isText = typeof value === 'string' || typeof value === 'number';
	return (isText && String(value).trim()) || null;
}

/** The entries of a list that fit; anything but a list is an empty one. */
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

/** A provider's status word in Kling's words, in any case of letters; an unknown word counts as not final. */
export function statusOf(word: unknown): TaskStatus {
	const said = String(word).trim().toLowerCase();
	return taskStatuses.find((status) => wordsOf[status].includes(said)) ?? 'processing';
}

/** Reads a body with a schema; what does not fit is an answer that nobody documented. */
export function readWith<T, R>(
	response: HttpResponse,
	schema: z.ZodType<T, z.ZodTypeDef, unknown>,
	body: unknown,
	make: (value: T) => R,
): Outcome<R> {
	const parsed = schema.safeParse(body);
	return parsed.success ? success(make(parsed.data)) : failed(failureOf(response, 'unreadable'));
}

/** The failure of an answer that is no JSON object, or null when it is one. */
export function failureOfShape(response: HttpResponse): Failure | null {
	if (asObject(response.json)) return null;
	return failureOf(response, kindOfStatus(response.status));
}

/** Codes that say in a 2xx that all went well. Gateways do not keep to the code of their page. */
export function saysSuccess(code: unknown): boolean {
	return code === undefined || code === null || /^(0|200|success|succeed|ok)$/i.test(String(code));
}

/** A text of a refusal that says what is wrong, where code and HTTP status leave it open. */
export interface RefusalText {
	/** Tested on the whole text. What follows may repeat an id, which may hold any word. */
	text: RegExp;
	kind: FailureKind;
	/** Where it was seen. */
	source: string;
}

export function kindOfText(texts: readonly RefusalText[], message: unknown): FailureKind | null {
	return texts.find(({ text }) => text.test(String(message)))?.kind ?? null;
}

/**
 * Reads a refusal whose message is itself the body of a refusal, passed on from the next system
 * (docs/providers.md N8): what that one says counts.
 */
export function readingInner(
	readFailure: (response: HttpResponse) => Failure | null,
): (response: HttpResponse) => Failure | null {
	return (response) => {
		const own = readFailure(response);
		const inner = own && innerBody(response.json);
		if (!own || !inner) return own;
		const status = response.status < 300 ? 400 : response.status;
		const code = inner.code ?? asObject(inner.error)?.code;
		// The gateway took the next system's success for a refusal: there may be a task.
		if (saysSuccess(code) && !asObject(inner.error)) return failureOf(response, 'unreadable');
		return readFailure({ ...response, status, json: inner }) ?? own;
	};
}

function innerBody(json: unknown): Record<string, unknown> | null {
	const body = asObject(json);
	const message = asObject(body?.error)?.message ?? body?.message ?? body?.msg;
	if (typeof message !== 'string' || !message.trim().startsWith('{')) return null;
	try {
		return asObject(JSON.parse(message));
	} catch {
		return null;
	}
}

/** The nested body that Kling and most resellers take (the effects pages of CometAPI, Kling, KKIAI and APIModels). */
export function klingBody(order: OrderWithImages): Record<string, unknown> {
	return withoutAbsent({
		effect_scene: order.effectScene,
		input: withoutAbsent({
			...order.additionalFields,
			...withoutAbsent({ model_name: order.modelName, mode: order.mode }),
			...imagesOf(order),
			// A string in Kling's contract (docs/providers.md 1.3).
			...(order.duration === undefined ? {} : { duration: String(order.duration) }),
		}),
		callback_url: order.callbackUrl,
		external_task_id: order.externalTaskId,
	});
}

/** One picture as `image`, two as `images`: the fields exclude each other (Kling's and Modellix's effects pages). */
export function imagesOf(order: OrderWithImages): { image: string } | { images: string[] } {
	return order.images.length === 1 ? { image: order.images[0] } : { images: order.images };
}

export function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/**
 * A segment of a path for an id.
 *
 * @throws RangeError for an id that cannot be one: `..` would lead to another address
 */
export function segmentOf(id: string): string {
	if (!isUsableId(id)) throw new RangeError('The ID cannot be part of an address');
	return encodeURIComponent(id);
}

export function read(path: string, query?: Record<string, string | number>): ApiRequest {
	return { method: 'GET', path, ...(query ? { query } : {}), timeoutMs: readTimeoutMs };
}

export function create(path: string, body: Record<string, unknown>): ApiRequest {
	return { method: 'POST', path, body, timeoutMs: createTimeoutMs };
}
