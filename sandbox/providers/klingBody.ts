import { z } from 'zod/v3';

import { inspectImages } from '../images';
import { Refusal } from '../refusal';
import { findScene, isTaken, type Scene } from '../scenes';
import { klingTexts, say } from '../texts';
import type { Context, AcceptedTask } from './provider';

/** What a provider requires of a Kling-shaped create body beyond its common form. */
export interface BodyRules {
	/** Whose scenes count. */
	provider: string;
	/** Whether `input.duration` must be there (older contract, docs/providers.md section 1.3). */
	needsDuration?: boolean;
	/** Whether `input.duration` may also be a number. */
	takesNumbers?: boolean;
}

/** A text that counts as absent if empty: KKIAI's own example sends such (KKIAI’s effects page). */
const optionalText = z.preprocess(emptyToUndefined, z.string().optional());
const optionalUrl = z.preprocess(
	emptyToUndefined,
	z
		.string()
		.regex(/^https?:\/\/[^\s/]+/i, 'must be an http(s) URL')
		.optional(),
);
const modelNames = z.enum(['kling-v1', 'kling-v1-5', 'kling-v1-6']);

const sceneBody = z.object({ effect_scene: z.string().min(1) });

const fullBody = z.object({
	input: z.object({
		image: optionalText,
		images: z.array(z.string().min(1)).length(2).optional(),
		duration: z.preprocess(emptyToUndefined, z.enum(['5', '10']).optional()),
		mode: z.preprocess(emptyToUndefined, z.enum(['std', 'pro']).optional()),
		// Kling's pages of 2026 do not list model_name; whether it is refused or ignored is unverified.
		model_name: z.preprocess(emptyToUndefined, modelNames.optional()),
	}),
	callback_url: optionalUrl,
	external_task_id: optionalText,
});

/**
 * Checks a create body with nested `input` in Kling's order, scene before images (docs/providers.md
 * section 1.7), and describes its task.
 *
 * @throws Refusal 1200 for what is missing, 1201 for what is wrong
 */
export async function readKlingBody(
	body: unknown,
	rules: BodyRules,
	context: Context,
): Promise<AcceptedTask> {
	const { effect_scene: name } = parse(sceneBody, body);
	const scene = findScene(name);
	if (!scene || !isTaken(rules.provider, scene)) {
		throw Refusal.saying(klingTexts.sceneUnknown, name);
	}
	const { input, callback_url, external_task_id } = parse(
		fullBody,
		rules.takesNumbers ? withTextDuration(body) : body,
	);
	if (rules.needsDuration && input.duration === undefined) {
		throw new Refusal(1200, 'input.duration is required');
	}
	const images = requireImages(scene, input);
	const { failure, seconds, videos, megabytes } = await inspectImages(images, context.url);
	return {
		externalTaskId: external_task_id ?? null,
		effectScene: name,
		callbackUrl: callback_url ?? null,
		failure: failure ?? failureOfScene(name, context),
		seconds,
		videoCount: videos,
		megabytes,
		videoSeconds: Number(input.duration ?? 5),
		params: withoutImages(body),
		images,
	};
}

/** Why tasks of this scene fail, if the sandbox was told to make them fail. */
export function failureOfScene(scene: string, context: Context): string | null {
	return context.options.failScenes.includes(scene) ? 'Image pixel is invalid' : null;
}

/** The pictures of a request: one or two, as the scene wants. */
export function requireImages(
	scene: Scene,
	{ image, images }: { image?: string; images?: string[] },
): string[] {
	if (image !== undefined && images !== undefined) {
		throw new Refusal(1201, 'image and images are mutually exclusive');
	}
	if (scene.images === 2) {
		if (images) return images;
		throw new Refusal(1201, `effect_scene ${scene.name} requires images with 2 elements`);
	}
	if (image !== undefined) return [image];
	throw Refusal.saying(klingTexts.imageMissing);
}

/** How a provider says what is missing or wrong in a body. */
export interface BodyWords {
	missing(field: string): string;
	wrong(field: string, why: string): string;
	/** For a value of another type than the documented one. */
	wrongType(field: string): string;
}

const klingWords: BodyWords = {
	missing: (field) => `${field} is required`,
	wrong: (field, why) =>
		field === 'input.duration' ? say(klingTexts.durationRefused) : `${field} is invalid: ${why}`,
	wrongType: () => say(klingTexts.bodyUnreadable),
};

/**
 * Parses with zod.
 *
 * @throws Refusal 1200 for what is missing, 1201 for what is wrong or no JSON at all
 */
export function parse<T extends z.ZodTypeAny>(
	schema: T,
	value: unknown,
	words: BodyWords = klingWords,
): z.output<T> {
	const result = schema.safeParse(value);
	if (result.success) return result.data;
	const [issue] = result.error.issues;
	const field = issue.path.join('.');
	if (issue.code !== 'invalid_type') throw new Refusal(1201, words.wrong(field, issue.message));
	const isMissing = issue.received === 'undefined' && field !== '';
	throw isMissing
		? new Refusal(1200, words.missing(field))
		: new Refusal(1201, words.wrongType(field));
}

/** The body to be kept and shown: without the pictures, which can be large. */
export function withoutImages(body: unknown): unknown {
	const hideImages = (key: string, value: unknown) =>
		key === 'image' || key === 'images' ? undefined : value;
	return JSON.parse(JSON.stringify(body, hideImages));
}

function emptyToUndefined(value: unknown): unknown {
	return value === '' ? undefined : value;
}

function withTextDuration(body: unknown): unknown {
	const { input } = body as { input?: { duration?: unknown } };
	if (typeof input?.duration !== 'number') return body;
	return { ...(body as object), input: { ...input, duration: String(input.duration) } };
}
