import { z } from 'zod/v3';
import { asObject, type JsonResponse } from '../http';
import { recordOf, type TaskRecord } from '../task';
import type { OrderWithImages, Provider } from './provider';
import {
	amountSchema,
	bearer,
	create,
	entriesOf,
	failureByStatus,
	idSchema,
	imagesOf,
	momentSchema,
	read,
	readWith,
	reasonSchema,
	segmentOf,
	statusOf,
	textSchema,
	urlSchema,
	withoutAbsent,
} from './toolkit';

/**
 * Newest first; the oldest is from Modellix's effects page. The provider has moved it twice
 * (docs/providers.md section 4).
 */
const createPaths = [
	'/api/v1/kling/kling-video-effects',
	'/api/v1/kling/kling-video-effects/async',
	'/api/v1/image-to-video/kling/kling-video-effects/async',
];

/** Modellix (Modellix's effects page; docs/providers.md section 4). */
export const modellix: Provider = {
	name: 'modellix',
	displayName: 'Modellix',
	keysPage: { name: 'API Keys in the Modellix console', url: 'https://www.modellix.ai' },
	defaultBaseUrl: () => 'https://api.modellix.ai',
	authorize: bearer,
	externalId: 'none',
	takes: ['duration'],
	idKeys: ['task_id'],
	retention: '24 hours to 7 days',
	check: {
		path: '/api/v1/apikey/validate',
		refusals: [{ key: 'data.is_valid', value: false }],
	},

	createRequests: (order) => createPaths.map((path) => create(path, flatBody(order))),
	getRequest: (taskId) => read(`/api/v1/tasks/${segmentOf(taskId)}`),

	readFailure: (response) => failureByStatus(response, response.json.message),
	readTask,
};

function flatBody(order: OrderWithImages): Record<string, unknown> {
	return {
		...order.additionalFields,
		effect_scene: order.effectScene,
		...imagesOf(order),
		// An integer here, a string in Kling's API.
		...withoutAbsent({ duration: order.duration }),
	};
}

/** A video or a picture; an entry can be just its address. */
const resourcesSchema = entriesOf(
	z.union([
		urlSchema.transform((url) => ({ url, type: null, duration: null })),
		z.object({ url: urlSchema, type: textSchema, duration: amountSchema }),
	]),
);

const taskSchema = z.object({
	task_id: idSchema,
	status: z.string().min(1),
	error: reasonSchema,
	message: textSchema,
	// Where the official clients look for results (docs/providers.md M4).
	result: z.object({ resources: resourcesSchema }).nullish().catch(null),
	resources: resourcesSchema,
	result_resources: resourcesSchema,
	output: resourcesSchema,
	created_at: momentSchema,
	updated_at: momentSchema,
});

function readTask({ json: body }: JsonResponse): TaskRecord | null {
	const raw = asObject(body.data) ?? body;
	return readWith(taskSchema, raw, (value) => {
		const places = [value.result?.resources ?? [], value.resources, value.result_resources];
		const resources = [...places, value.output].find(({ length }) => length > 0) ?? [];
		const videos = resources.filter(({ type }) => !type || /video/i.test(type));
		const status = statusOf(value.status);
		const known = {
			taskId: value.task_id,
			status,
			statusMessage:
				status === 'failed' ? (value.error ?? value.message ?? ownMessage(body)) : null,
			videoDuration: videos[0]?.duration ?? null,
			createdAt: value.created_at,
			updatedAt: value.updated_at,
		};
		return recordOf(
			'modellix',
			known,
			raw,
			videos.map(({ url }) => url),
		);
	});
}

/** The envelope's message, unless it only says that the request succeeded. */
function ownMessage(body: Record<string, unknown>): string | null {
	const { message } = body;
	return typeof message === 'string' && message.toLowerCase() !== 'success' ? message : null;
}
