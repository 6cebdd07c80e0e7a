import { z } from 'zod/v3';
import { accepted, checkedBy, refused, type Checked } from '../checked';
import { asObject } from '../http';
import { parseJson } from '../json';
import type { Provider } from '../providers';
import { effectTypeOf, sceneNameOf } from '../scenes';

/** The options of an order that only some providers take, with their names on screen. */
export const optionNames = {
	callbackUrl: 'Callback URL',
	duration: 'Duration',
	externalTaskId: 'External Task ID',
	mode: 'Mode',
	modelName: 'Model Name',
} as const;
export type OrderOption = keyof typeof optionNames;

/** A text that may be left empty; an empty one is the same as none, and is not sent. */
function text(displayName: string) {
	const message = `${displayName} must be a text`;
	return z
		.union([z.string(), z.number()], { errorMap: () => ({ message }) })
		.nullish()
		.transform((given) => String(given ?? '').trim() || undefined);
}

/** An option that is checked where it is given. */
function option<Value>(name: OrderOption, check: (given: string) => Checked<Value>) {
	return text(optionNames[name]).transform(
		checkedBy((given) => (given === undefined ? accepted(undefined) : check(given))),
	);
}

/** The scene, by the name that providers want. */
export const effectSceneSchema = text('Effect Scene').transform(
	checkedBy((given) =>
		given
			? accepted(sceneNameOf(given))
			: refused('Effect Scene is empty', 'Choose a scene from the list or enter its name.'),
	),
);

/** Kling's database field; longer ids were not seen to be taken. */
const longestExternalId = 128;

/** The options of an order, the same for every provider; absent ones are not sent. */
export const orderOptions = {
	callbackUrl: option('callbackUrl', (url) =>
		/^https?:\/\/[^\s/]/i.test(url)
			? accepted(url)
			: refused(
					'Callback URL is not a web address',
					'Enter an address that begins with https:// or http://, or remove the option.',
				),
	),
	/** Seconds. Every provider's page names these two (CometAPI's and Modellix's effects pages; docs/providers.md 1.3). */
	duration: option('duration', (seconds) =>
		[5, 10].includes(Number(seconds))
			? accepted(Number(seconds))
			: refuseValue('duration', '5 or 10 seconds'),
	),
	externalTaskId: option('externalTaskId', (id) =>
		id.length <= longestExternalId
			? accepted(id)
			: refused(
					`External Task ID has ${id.length} characters`,
					`Use at most ${longestExternalId}.`,
				),
	),
	mode: option('mode', (mode) =>
		['std', 'pro'].includes(mode) ? accepted(mode) : refuseValue('mode', 'std or pro'),
	),
	modelName: text(optionNames.modelName),
	/** Whatever else a provider takes: it goes beside what the node sets, and never in its place. */
	additionalFields: z.unknown().transform(checkedBy(checkAdditionalFields)),
};

/** What a Create asks for besides its images. */
export type Order = { effectScene: string } & Partial<z.output<z.ZodObject<typeof orderOptions>>>;

/** A complete order, ready to send. */
export interface OrderWithImages extends Order {
	/**
	 * One image for a single effect, two (left, right) for a dual one. Each is an http(s) URL or bare
	 * base64, checked already.
	 */
	images: string[];
}

function refuseValue(name: OrderOption, values: string) {
	return refused(
		`${optionNames[name]} must be ${values}`,
		`Choose one of these values, or remove ${optionNames[name]} under Options to use the provider's own.`,
	);
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

const models = ['kling-v1', 'kling-v1-5', 'kling-v1-6'];

/**
 * The scenes that had a model, a mode and a length to choose in Kling's contract of 2025, which
 * resellers still sell, with the models that they take (docs/providers.md 1.3).
 */
const modelsOf = new Map([
	['hug', models],
	['kiss', models],
	['heart_gesture', models],
	['fight', ['kling-v1-6']],
]);

/** Checks whether the provider and the scene take what an order asks for, before anything is sent. */
export function checkOrder(order: Order, provider: Provider): Checked<Order> {
	const names = Object.keys(optionNames) as OrderOption[];
	const untaken = names.find((name) => order[name] !== undefined && !provider.takes.includes(name));
	if (untaken) {
		return refused(
			`${provider.displayName} does not take the option ${optionNames[untaken]}`,
			`Remove ${optionNames[untaken]} under Options, or use a credential of another provider.`,
		);
	}
	const { effectScene, modelName } = order;
	const taken = modelsOf.get(effectScene);
	if (!taken || modelName === undefined || taken.includes(modelName)) return accepted(order);
	return refused(
		`Effect Scene “${effectScene}” does not take the model “${modelName}”`,
		`Enter ${taken.join(' or ')} as Model Name under Options, or remove the option.`,
	);
}

/**
 * A hint at options that are not documented for the scene. Not refused: Kling ignores what it does
 * not know (docs/providers.md K30), and a scene that no list names may take them.
 */
export function hintAtOptions({ effectScene, duration, mode, modelName }: Order): string | null {
	if (modelsOf.has(effectScene) || effectTypeOf(effectScene) === null) return null;
	const names = [
		duration === 10 ? `${optionNames.duration} of 10 seconds` : '',
		mode === undefined ? '' : optionNames.mode,
		modelName === undefined ? '' : optionNames.modelName,
	].filter(Boolean);
	if (names.length === 0) return null;
	const scenes = [...modelsOf.keys()].join(', ');
	return `Kling documents ${names.join(', ')} for ${scenes} only. With “${effectScene}” it may be ignored.`;
}
