import { z } from 'zod';
import { accepted, refused, type Checked } from '../checked';
import { asObject } from '../http';
import { parseJson } from '../json';
import type { Message } from '../messages';
import type { Provider } from '../providers';
import { sceneNameOf } from '../scenes';

/** What a Create asks for besides its images, the same for every provider; absent options are not sent. */
export interface Order {
	effectScene: string;
	/** Seconds. */
	duration?: number;
	mode?: string;
	modelName?: string;
	callbackUrl?: string;
	externalTaskId?: string;
	/** Whatever else a provider takes: it goes beside what the node sets, and never in its place. */
	additionalFields?: Record<string, unknown>;
}

/** A complete order, ready to send. */
export interface OrderWithImages extends Order {
	/**
	 * One image for a single effect, two (left, right) for a dual one. Each is an http(s) URL or bare
	 * base64, checked already.
	 */
	images: string[];
}

/** The options of an order that only some providers take, with their names on screen. */
export const optionNames = {
	callbackUrl: 'Callback URL',
	duration: 'Duration',
	externalTaskId: 'External Task ID',
	mode: 'Mode',
	modelName: 'Model Name',
} as const;
export type OrderOption = keyof typeof optionNames;

/** What a user can leave empty; an empty text is the same as no text, and is not sent. */
const optionalText = z
	.union([z.string(), z.number()])
	.nullish()
	.transform(
		(text) => (text === null || text === undefined ? '' : String(text).trim()) || undefined,
	);

const givenSchema = z.object({
	effectScene: optionalText,
	duration: optionalText,
	mode: optionalText,
	modelName: optionalText,
	callbackUrl: optionalText,
	externalTaskId: optionalText,
});

/** Seconds. Every provider's page names these two (CometAPI's and Modellix's effects pages; docs/providers.md 1.3). */
const durations = [5, 10];
const modes = ['std', 'pro'];
/** Kling's database field; longer ids were not seen to be taken. */
const longestExternalId = 128;

/** Checks what a Create asks for, before anything is sent. */
export function checkOrder(given: Record<string, unknown>, provider: Provider): Checked<Order> {
	const parsed = givenSchema.safeParse(given);
	if (!parsed.success) {
		const name = String(parsed.error.issues[0]?.path[0] ?? '');
		return refused(`${nameOf(name)} must be a text`, 'Check the expression of this parameter.');
	}
	const { effectScene, duration, ...options } = parsed.data;
	if (!effectScene) {
		return refused('Effect Scene is empty', 'Choose a scene from the list or enter its name.');
	}
	const problem = problemOf({ duration, ...options }, provider);
	if (problem) return { ok: false, problem };
	const additional = checkAdditionalFields(given.additionalFields);
	if (!additional.ok) return additional;
	const order: Order = {
		effectScene: sceneNameOf(effectScene),
		...present({ ...options, additionalFields: additional.value }),
	};
	if (duration !== undefined) order.duration = Number(duration);
	return accepted(order);
}

/** What the node sets itself, in the words of all providers' bodies. */
const ownFields =
	/^(effect_scene|image|images|external_task_id|callback_url|input|model|__proto__)$/;

/** An object, or its JSON text; undefined when nothing was given. */
function checkAdditionalFields(given: unknown): Checked<Record<string, unknown> | undefined> {
	const isText = typeof given === 'string';
	if (given === undefined || given === null || (isText && given.trim() === '')) {
		return accepted(undefined);
	}
	const fields = asObject(isText ? parseJson(given) : given);
	if (!fields) {
		return refused(
			'Additional Fields is not a JSON object',
			'Enter an object such as {"seed": 7}, or remove the option.',
		);
	}
	const own = Object.keys(fields).find((name) => ownFields.test(name));
	if (own === undefined) return accepted(Object.keys(fields).length > 0 ? fields : undefined);
	return refused(
		`Additional Fields cannot set ${own}`,
		'The node sets it from its own parameters: use those, and remove it here.',
	);
}

function problemOf(
	options: Partial<Record<OrderOption, string>>,
	provider: Provider,
): Message | null {
	const names = Object.keys(present(options)) as OrderOption[];
	const untaken = names.find((name) => !provider.takes.includes(name));
	if (untaken) {
		return {
			message: `${provider.displayName} does not take the option ${optionNames[untaken]}`,
			description: `Remove ${optionNames[untaken]} under Options, or use a credential of another provider.`,
		};
	}
	const { callbackUrl, duration, externalTaskId, mode } = options;
	if (duration !== undefined && !durations.includes(Number(duration))) {
		return oneOf('Duration', durations, 'seconds');
	}
	if (mode !== undefined && !modes.includes(mode)) return oneOf('Mode', modes, '');
	if (callbackUrl !== undefined && !/^https?:\/\/[^\s/]/i.test(callbackUrl)) {
		return {
			message: 'Callback URL is not a web address',
			description: 'Enter an address that begins with https:// or http://, or remove the option.',
		};
	}
	if (externalTaskId !== undefined && externalTaskId.length > longestExternalId) {
		return {
			message: `External Task ID has ${externalTaskId.length} characters`,
			description: `Use at most ${longestExternalId}.`,
		};
	}
	return null;
}

function oneOf(name: string, values: Array<string | number>, unit: string): Message {
	return {
		message: `${name} must be ${values.join(' or ')} ${unit}`.trim(),
		description: `Choose one of these values, or remove ${name} under Options to use the provider's own.`,
	};
}

function nameOf(field: string): string {
	return field === 'effectScene' ? 'Effect Scene' : (optionNames[field as OrderOption] ?? field);
}

function present<T extends object>(fields: T): T {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
