import { z } from 'zod/v3';
import { asObject, type JsonResponse } from '../../nodes/kling/http';
import { failureOf, kindOfStatus, type Failure, type FailureKind } from '../../nodes/kling/failure';
import { recordOf, type TaskRecord } from '../../nodes/kling/task';
import type { OrderWithImages, Provider } from '../../nodes/kling/providers/provider';
import {
	amountSchema,
	create,
	idSchema,
	momentSchema,
	pageOf,
	read,
	readWith,
	segmentOf,
	statusOf,
	textSchema,
	withoutAbsent,
} from '../../nodes/kling/providers/toolkit';

const path = '/v2/jobs';

/** A made-up provider that has nothing in common with the five: all that the package needs to know. */
export const acme: Provider = {
	name: 'acme',
	displayName: 'Acme Effects',
	keysPage: { name: 'Keys in the Acme console', url: 'https://console.acme.example' },
	defaultBaseUrl: () => 'https://api.acme.example',
	authorize: (secret) => ({ 'x-api-key': secret.kind === 'key' ? secret.key : '' }),
	externalId: 'lookup',
	takes: ['callbackUrl', 'duration', 'externalTaskId'],
	idKeys: ['uid'],
	retention: '3 days',
	check: { path: '/v2/me', refusals: [{ key: 'fault.kind', value: 'bad_key' }] },

	createRequests: (order) => [create(path, bodyOf(order))],
	getRequest: (taskId) => read(`${path}/${segmentOf(taskId)}`),
	findByExternalIdRequest: (externalTaskId) => read(`${path}/by-ref/${segmentOf(externalTaskId)}`),
	list: {
		largestPage: 100,
		lastPage: 10_000,
		request: (page, limit) => read(path, { offset: (page - 1) * limit, limit }),
		read: (response) =>
			pageOf(resultOf(response)?.jobs, (raw) =>
				readWith(jobSchema, raw, (job) => recordOfJob(job, raw)),
			),
	},

	readFailure,
	readTask: (response) => {
		const raw = resultOf(response)?.job;
		return readWith(jobSchema, raw, (job) => recordOfJob(job, raw));
	},
};

function bodyOf(order: OrderWithImages): Record<string, unknown> {
	return withoutAbsent({
		...order.additionalFields,
		scene: order.effectScene,
		pictures: order.images.map((src) => ({ src })),
		seconds: order.duration,
		ref: order.externalTaskId,
		notify: order.callbackUrl,
	});
}

const kinds: Record<string, FailureKind> = {
	bad_key: 'keyRefused',
	no_funds: 'accountEmpty',
	ref_taken: 'duplicateExternalId',
	no_job: 'notFound',
	busy: 'noFreeSlot',
	slow_down: 'tooManyRequests',
};

function readFailure(response: JsonResponse): Failure | null {
	const { ok, fault } = response.json;
	if (ok !== false && response.status < 300) return null;
	const { kind, text } = asObject(fault) ?? {};
	const known = kinds[String(kind)] ?? kindOfStatus(response.status);
	return failureOf(response, known, { code: kind, message: text });
}

const jobSchema = z.object({
	uid: idSchema,
	phase: z.string().min(1),
	ref: textSchema,
	why: textSchema,
	clips: z.array(z.object({ href: z.string(), seconds: amountSchema })).nullish(),
	born: momentSchema,
	touched: momentSchema,
});

function resultOf({ json }: JsonResponse): Record<string, unknown> | null {
	return asObject(json.result);
}

function recordOfJob(job: z.infer<typeof jobSchema>, raw: unknown): TaskRecord {
	const videoUrls = (job.clips ?? []).map(({ href }) => href);
	const known = {
		taskId: job.uid,
		externalTaskId: job.ref,
		status: statusOf(job.phase),
		statusMessage: job.why,
		videoDuration: job.clips?.[0]?.seconds ?? null,
		createdAt: job.born,
		updatedAt: job.touched,
	};
	return recordOf('acme', known, raw, videoUrls);
}
