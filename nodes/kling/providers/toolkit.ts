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
import type { TaskStatus } from '../task';
import { createTimeoutMs, readTimeoutMs, type CredentialCheck, type Secret } from './provider';

/** A key as most providers want it. Only a provider that signs is ever given anything else. */
export function bearer(secret: Secret): Record<string, string> {
	return secret.kind === 'key' ? { Authorization: `Bearer ${secret.key}` } : {};
}

/** The first of these keys that holds an id. */
export function idAt(...keys: string[]) {
	return (raw: Record<string, unknown>): string | null => {
		const found = keys.map((key) => idSchema.safeParse(raw[key])).find(({ success }) => success);
		return found?.data ?? null;
	};
}

/** The gateways' check (docs/providers.md sections 2 and 3): the list of models, refused with an error of this type. */
export function modelsCheck(errorType: string): CredentialCheck {
	return { path: '/v1/models', refusals: [{ key: 'error.type', value: errorType }] };
}

/** An id as text: providers send strings, some gateways numbers. */
export const idSchema = z.union([z.string().trim().min(1), z.number().transform(String)]);
/** A text, where an empty one, null and absence mean the same. */
export const textSchema = z
	.string()
	.nullish()
	.transform((text) => text?.trim() || null);
/** A number that some providers send as text. */
export const amountSchema = z
	.union([z.number(), z.string()])
	.nullish()
	.transform((amount) => {
		if (amount === null || amount === undefined || amount === '') return null;
		return Number.isFinite(Number(amount)) ? Number(amount) : null;
	});
/** A moment in milliseconds or (new-api gateways, docs/providers.md section 3) in seconds since 1970, as ISO 8601. */
export const momentSchema = amountSchema.transform((moment) => {
	if (!moment || moment < 0) return null;
	const date = new Date(moment < 1e11 ? moment * 1000 : moment);
	return Number.isNaN(date.getTime()) ? null : date.toISOString();
});

const words: Record<string, TaskStatus> = {
	submitted: 'submitted',
	pending: 'submitted',
	queued: 'submitted',
	not_start: 'submitted',
	processing: 'processing',
	in_progress: 'processing',
	running: 'processing',
	succeed: 'succeed',
	succeeded: 'succeed',
	success: 'succeed',
	completed: 'succeed',
	failed: 'failed',
	failure: 'failed',
	error: 'failed',
	canceled: 'failed',
	cancelled: 'failed',
};

/** A provider's status word in Kling's words, in any case of letters; an unknown word counts as not final. */
export function statusOf(word: unknown): TaskStatus {
	return words[String(word).toLowerCase()] ?? 'processing';
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

/** The gateways' way to refuse: `{"error": {"message", "type", "code"}}` (docs/providers.md sections 2 and 3). */
export function failureOfGateway(response: HttpResponse): Failure | null {
	const error = asObject(asObject(response.json)?.error);
	if (!error || response.status < 300) return null;
	return failureOf(response, kindOfGatewayError(response.status, error), {
		message: error.message,
		code: error.code ?? error.type,
	});
}

function kindOfGatewayError(status: number, error: Record<string, unknown>): FailureKind {
	const text = `${String(error.code)} ${String(error.type)} ${String(error.message)}`;
	// A 500 whose code is invalid_request is the caller's mistake (docs/providers.md section 2).
	if (status >= 500 && /invalid_request/i.test(text)) return 'badRequest';
	if ((status === 403 || status === 429) && /quota|balance|credit/i.test(text))
		return 'accountEmpty';
	return kindOfStatus(status);
}

/** The nested body that Kling and most resellers take (the effects pages of CometAPI, Kling, KKIAI and APIModels). */
export function klingBody(order: OrderWithImages): Record<string, unknown> {
	return withoutAbsent({
		effect_scene: order.effectScene,
		input: withoutAbsent({
			model_name: order.modelName,
			mode: order.mode,
			...imagesOf(order),
			// A string in Kling's contract (docs/providers.md 1.3).
			duration: order.duration === undefined ? undefined : String(order.duration),
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

export function read(path: string, query?: Record<string, string | number>): ApiRequest {
	return { method: 'GET', path, ...(query ? { query } : {}), timeoutMs: readTimeoutMs };
}

export function create(path: string, body: Record<string, unknown>): ApiRequest {
	return { method: 'POST', path, body, timeoutMs: createTimeoutMs };
}
