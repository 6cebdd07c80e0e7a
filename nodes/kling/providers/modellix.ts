import { z } from 'zod';
import { asObject, type HttpResponse } from '../http';
import { failureOf, kindOfStatus, type Failure, type Outcome } from '../failure';
import type { OrderWithImages } from '../create/order';
import type { TaskRecord } from '../task';
import type { Provider } from './provider';
import {
	amountSchema,
	bearer,
	create,
	failureOfShape,
	idAt,
	idSchema,
	imagesOf,
	momentSchema,
	read,
	readWith,
	statusOf,
	textSchema,
	withoutAbsent,
} from './toolkit';
import { recordOf, taskOf } from '../task';

/** Newest first; the oldest is Modellix's effects page. The provider has moved it twice (docs/providers.md section 4). */
const createPaths = [
	'/api/v1/kling/kling-video-effects',
	'/api/v1/kling/kling-video-effects/async',
	'/api/v1/image-to-video/kling/kling-video-effects/async',
];

/** Modellix (Modellix's effects page; docs/providers.md section 4). */
export const modellix: Provider = {
	name: 'modellix',
	displayName: 'Modellix',
	defaultBaseUrl: () => 'https://api.modellix.ai',
	authorize: bearer,
	externalId: 'none',
	takes: ['duration'],
	retention: '24 hours to 7 days',
	check: {
		path: '/api/v1/apikey/validate',
		refusals: [{ key: 'data.is_valid', value: false }],
	},

	createRequests: (order) => createPaths.map((path) => create(path, flatBody(order))),
	getRequest: (taskId) => read(`/api/v1/tasks/${encodeURIComponent(taskId)}`),

	readFailure,
	readCreated: readTask,
	readTask,
	rawTaskId: idAt('task_id'),
};

function flatBody(order: OrderWithImages): Record<string, unknown> {
	return withoutAbsent({
		effect_scene: order.effectScene,
		...imagesOf(order),
		// An integer here, a string at Kling.
		duration: order.duration,
	});
}

function readFailure(response: HttpResponse): Failure | null {
	const shape = failureOfShape(response);
	if (shape) return shape;
	const { code, message } = asObject(response.json) as { code?: unknown; message?: unknown };
	const isSuccess = response.status < 300 && (code === undefined || Number(code) === 0);
	if (isSuccess) return null;
	// The code normally equals the HTTP status; where a 200 carries a refusal, the code decides.
	const status = response.status < 300 ? Number(code) || 400 : response.status;
	return failureOf(response, kindOfStatus(status), { code, message });
}

const taskSchema = z.object({
	task_id: idSchema,
	status: z.string().min(1),
	model_id: textSchema,
	error: z
		.union([z.string(), z.object({ message: z.string() }).transform(({ message }) => message)])
		.nullish()
		.catch(null),
	message: textSchema.catch(null),
	result: z
		.object({
			resources: z
				.array(z.object({ url: textSchema, type: textSchema, duration: amountSchema }))
				.nullish(),
		})
		.nullish(),
	created_at: momentSchema.catch(null),
	updated_at: momentSchema.catch(null),
});

function readTask(response: HttpResponse): Outcome<TaskRecord> {
	const body = asObject(response.json) ?? {};
	return readWith(response, taskSchema, body.data, (value) => {
		const videos = (value.result?.resources ?? []).filter(
			({ type }) => !type || /video/i.test(type),
		);
		const status = statusOf(value.status);
		const task = taskOf('modellix', {
			taskId: value.task_id,
			status,
			statusMessage:
				status === 'failed' ? (value.error ?? value.message ?? ownMessage(body)) : null,
			videoUrl: videos[0]?.url ?? null,
			videoDuration: videos[0]?.duration ?? null,
			createdAt: value.created_at,
			updatedAt: value.updated_at,
		});
		return recordOf(
			task,
			videos.flatMap(({ url }) => url ?? []),
			body.data,
		);
	});
}

/** The envelope's message, unless it only says that the request went well. */
function ownMessage(body: Record<string, unknown>): string | null {
	const { message } = body;
	return typeof message === 'string' && message.toLowerCase() !== 'success' ? message : null;
}
