import { randomUUID } from 'node:crypto';

import { z } from 'zod/v3';

import { videosOf } from '../files';
import { inspectImages } from '../images';
import { bearerToken, keyNameOf, makeKeys } from '../keys';
import { Refusal } from '../refusal';
import { findScene } from '../scenes';
import type { Task } from '../tasks';
import { modellixCategories } from '../texts';
import type { ActiveOptions } from '../types';
import { answer, type Answer } from '../wire';
import { authenticateWith } from './gateway';
import { failureOfScene, parse, requireImages, withoutImages, type BodyWords } from './klingBody';
import { statusOfKling, textOfKling } from './klingEnvelope';
import type { AcceptedTask, Call, Context, Provider, Route } from './provider';

const keys = makeKeys('modellix');

/** Result files live about 7 days, 24 hours in older pages (docs/providers.md section 4). */
const retentionMs = 7 * 86_400_000;

/** The three create paths of its history; one exists at a time (section 4, Modellix's effects page). */
const createPaths: Record<ActiveOptions['modellixPath'], string> = {
	newest: '/api/v1/kling/kling-video-effects',
	middle: '/api/v1/kling/kling-video-effects/async',
	oldest: '/api/v1/image-to-video/kling/kling-video-effects/async',
};

/** Modellix (Modellix's effects page): a flat body, and its own words. */
export const modellix: Provider = {
	name: 'modellix',
	displayName: 'Modellix',
	mounts: [{ prefix: '/modellix', region: 'global', keys }],
	routes: [
		...Object.entries(createPaths).map(([generation, path]): Route => ({
			method: 'POST',
			path: new RegExp(`^${path}$`),
			operation: 'create',
			exists: (options) => options.modellixPath === generation,
			answer: create,
		})),
		{ method: 'GET', path: /^\/api\/v1\/tasks\/([^/]+)$/, operation: 'get', answer: get },
		{
			method: 'GET',
			path: /^\/api\/v1\/apikey\/validate$/,
			operation: 'check',
			isPublic: true,
			answer: validate,
		},
		{ method: 'GET', path: /^\/api\/v1\/team\/balance$/, operation: 'account', answer: balance },
	],
	authenticate: authenticateWith(keys),
	refuse,
	unknownRoute: (call) =>
		failure(404, `${modellixCategories[404]}: ${call.method} ${call.path} not found`),
	newTaskId: () => `task-${randomUUID()}`,
};

const statusOfCode: Record<number, number> = {
	1100: 402,
	1101: 402,
	1102: 402,
	1304: 403,
	5002: 503,
};

/**
 * `code` equals the HTTP status. Its 429 tells when to come back; that `X-RateLimit-Reset` counts
 * seconds since 1970 is unverified.
 */
function refuse(code: number, context: Context, message?: string): Answer {
	const status = statusOfCode[code] ?? statusOfKling(code);
	const detail = message ?? textOfKling(code);
	const error = failure(status, `${modellixCategories[status]}: ${detail}`);
	if (status !== 429) return error;
	const reset = Math.ceil(context.options.now() / 1000) + 1;
	return { ...error, headers: { 'retry-after': '1', 'x-ratelimit-reset': String(reset) } };
}

function failure(status: number, message: string): Answer {
	return answer(status, { code: status, message });
}

function success(data: unknown): Answer {
	return answer(200, { code: 0, message: 'success', data });
}

const body = z.object({
	effect_scene: z.string().min(1),
	image: z.string().min(1).optional(),
	images: z.array(z.string().min(1)).length(2).optional(),
	// An integer here, unlike everywhere else (Modellix's effects page).
	duration: z.union([z.literal(5), z.literal(10)]).optional(),
});

async function create(call: Call, context: Context): Promise<Answer> {
	const task = context.accept(call, await readBody(call.body, context));
	const data = { status: 'pending', task_id: task.taskId, model_id: 'kling-video-effects' };
	// The older sample lacks get_result (Modellix's effects page).
	if (context.options.modellixPath === 'oldest') return success(data);
	const url = `${context.url}/modellix/api/v1/tasks/${task.taskId}`;
	return success({ ...data, get_result: { method: 'GET', url } });
}

const words: BodyWords = {
	missing: (field) => `parameter '${field}' is required`,
	wrong: (field, why) => `parameter '${field}' is invalid: ${why}`,
	wrongType: (field) =>
		field === '' ? 'invalid JSON format' : `parameter '${field}' has another type`,
};

async function readBody(value: unknown, context: Context): Promise<AcceptedTask> {
	const { effect_scene, image, images, duration } = parse(body, value, words);
	const scene = findScene(effect_scene);
	if (!scene) throw new Refusal(1201, `effect_scene '${effect_scene}' is not supported`);
	if (scene.images === 1 && !image && !images) throw new Refusal(1200, words.missing('image'));
	const pictures = requireImages(scene, { image, images });
	const directives = await inspectImages(pictures, context.url);
	return {
		externalTaskId: null,
		effectScene: effect_scene,
		callbackUrl: null,
		failure: directives.failure ?? failureOfScene(effect_scene, context),
		seconds: directives.seconds,
		videoCount: directives.videos,
		megabytes: directives.megabytes,
		videoSeconds: duration ?? 5,
		params: withoutImages(value),
		images: pictures,
	};
}

const statusWords = {
	submitted: 'pending',
	processing: 'processing',
	succeed: 'success',
	failed: 'failed',
};

function get(call: Call, context: Context): Answer {
	const task = context.store.byId('modellix', call.region, call.params[0]);
	if (!task) throw new Refusal(1203, `task ${call.params[0]} not found`);
	return success({
		task_id: task.taskId,
		model_id: 'kling-video-effects',
		status: statusWords[task.status],
		...ending(task, context),
	});
}

/** What is known about a finished task; the place of the failure's text is vaguely documented. */
function ending(task: Task, context: Context): Record<string, unknown> {
	if (task.status === 'failed') return { error: task.message };
	if (task.status !== 'succeed') return {};
	const resources = videosOf(task, context.url).map(({ url }) => ({
		url,
		type: 'video',
		width: 320,
		height: 240,
		duration: task.videoSeconds,
		format: 'mp4',
		role: 'output',
	}));
	return { result: { resources }, result_expires_at: task.finishedAt + retentionMs };
}

/** 200 for any key; only the body says whether it is valid (section 4). */
function validate(call: Call): Answer {
	const token = bearerToken(call.headers.authorization);
	return success({ is_valid: token !== undefined && !!keyNameOf(keys, token) });
}

function balance(call: Call): Answer {
	return success({ balance: call.caller?.keyName === 'noBalance' ? 0 : 100 });
}
