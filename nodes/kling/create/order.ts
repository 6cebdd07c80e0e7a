import { asObject, parseJson } from '../http';
import { idOf, InputError, refuseInvisible, textOf } from '../input';
import type { Provider } from '../providers';
import type { Order, OrderOption } from '../providers/provider';
import { isUsableId } from '../providers/toolkit';
import { effectTypeOf, sceneNameOf } from '../scenes';

/** The options of an order that only some providers support, with their names on screen. */
export const optionNames: Readonly<Record<OrderOption, string>> = {
	callbackUrl: 'Callback URL',
	duration: 'Duration',
	externalTaskId: 'External Task ID',
	mode: 'Mode',
	modelName: 'Model Name',
};
const optionsInOrder = Object.keys(optionNames) as OrderOption[];

/** The size of Kling's database field; no longer id was ever seen to be accepted. */
const longestExternalId = 128;

/**
 * Reads what a Create asks for besides its images, before anything is sent. Absent options are not sent.
 *
 * @param scene as the user entered it
 * @param options the node's options, including those that are not part of an order
 * @throws InputError for what the provider or scene does not support
 */
export function readOrder(
	scene: unknown,
	options: Record<string, unknown>,
	provider: Provider,
): Order {
	const entered = textOf(scene, 'Effect Scene');
	if (!entered) {
		throw new InputError(
			'Effect Scene is empty',
			'Choose a scene from the list or enter its name.',
		);
	}
	const given: GivenOptions = {};
	for (const name of optionsInOrder) {
		const read = name === 'externalTaskId' ? idOf : textOf;
		given[name] = read(options[name], optionNames[name]);
	}
	const effectScene = sceneNameOf(entered);
	checkName(effectScene, 'Effect Scene');
	if (given.modelName) checkName(given.modelName, optionNames.modelName);
	given.mode &&= modes.get(given.mode.toLowerCase()) ?? given.mode;
	checkValues(given);
	const additionalFields = readAdditionalFields(options.additionalFields);
	checkTaken(given, provider);
	const { callbackUrl, duration, externalTaskId, mode, modelName } = given;
	if (modelName) checkModel(effectScene, modelName);
	return {
		effectScene,
		...(callbackUrl ? { callbackUrl } : {}),
		...(duration ? { duration: Number(duration) } : {}),
		...(externalTaskId ? { externalTaskId } : {}),
		...(mode ? { mode } : {}),
		...(modelName ? { modelName } : {}),
		...(additionalFields ? { additionalFields } : {}),
	};
}

/** By value and by name on screen. */
const modes = new Map([
	['std', 'std'],
	['standard', 'std'],
	['pro', 'pro'],
	['professional', 'pro'],
]);

/** Twice the length of the longest name of a scene or model. */
const longestWord = 100;

/** A picture in the wrong field is neither sent, nor compared with every scene, nor quoted. */
function checkName(word: string, displayName: string): void {
	if (!/^[\x20-\x7e]*$/.test(word)) refuseInvisible(word, displayName, 'name');
	if (word.length <= longestWord) return;
	throw new InputError(
		`${displayName} has ${word.length} characters`,
		`Names have at most ${longestWord}. Check which value the field contains.`,
	);
}

type GivenOptions = Partial<Record<OrderOption, string>>;

/** The options that are the same for every provider. */
function checkValues({ callbackUrl, duration, externalTaskId, mode }: GivenOptions): void {
	if (callbackUrl !== undefined && !/^https?:\/\/[^\s/]/i.test(callbackUrl)) {
		throw new InputError(
			'Callback URL is not a web address',
			'Enter an address that begins with https:// or http://, or remove the option.',
		);
	}
	// Seconds. Every provider's page names these two (CometAPI's and Modellix's effects pages; docs/providers.md 1.3).
	if (duration !== undefined && ![5, 10].includes(Number(duration))) {
		throw notOneOf('duration', '5 or 10 seconds');
	}
	if (externalTaskId !== undefined && externalTaskId.length > longestExternalId) {
		throw new InputError(
			`External Task ID has ${externalTaskId.length} characters`,
			`Use at most ${longestExternalId}.`,
		);
	}
	// Its task could not be looked up, and a lost response would be lost for good.
	if (externalTaskId !== undefined && !isUsableId(externalTaskId)) {
		throw new InputError(
			'External Task ID cannot be part of a URL',
			'Use letters, digits and other visible characters, not only dots.',
		);
	}
	if (mode !== undefined && !['std', 'pro'].includes(mode)) throw notOneOf('mode', 'std or pro');
}

function checkTaken(given: GivenOptions, provider: Provider): void {
	const untaken = optionsInOrder.find(
		(name) => given[name] !== undefined && !provider.takes.includes(name),
	);
	if (!untaken) return;
	throw new InputError(
		`${provider.displayName} does not support the option ${optionNames[untaken]}`,
		`Remove ${optionNames[untaken]} under Options, or use a credential of another provider.`,
	);
}

function notOneOf(name: OrderOption, values: string): InputError {
	return new InputError(
		`${optionNames[name]} must be ${values}`,
		`Choose one of these values, or remove ${optionNames[name]} under Options to use the provider's own.`,
	);
}

/** What the node sets itself, by the names in all providers' bodies. */
const ownFields =
	/^(effect_scene|image|images|external_task_id|callback_url|input|model|__proto__)$/;

/** An object, or its JSON text; undefined if nothing was given. */
function readAdditionalFields(given: unknown): Record<string, unknown> | undefined {
	const isText = typeof given === 'string';
	if (given === undefined || given === null || (isText && given.trim() === '')) return undefined;
	const fields = asObject(isText ? parseJson(given) : plainOf(given));
	if (!fields) {
		throw new InputError(
			'Additional Fields is not a JSON object',
			'Enter an object such as {"seed": 7}, or remove the option.',
		);
	}
	const own = Object.keys(fields).find((name) => ownFields.test(name));
	if (own !== undefined) {
		throw new InputError(
			`Additional Fields cannot set ${own}`,
			'The node sets it from its own parameters: use those, and remove it here.',
		);
	}
	return Object.keys(fields).length > 0 ? fields : undefined;
}

/** The value of an expression as plain data, so that nothing in it runs when the body is built. */
function plainOf(given: unknown): unknown {
	try {
		return JSON.parse(JSON.stringify(given));
	} catch {
		return undefined;
	}
}

const models = ['kling-v1', 'kling-v1-5', 'kling-v1-6'];

/**
 * The scenes with a choice of model, mode and length in Kling's contract of 2025, which resellers still
 * sell, and the models they support (docs/providers.md 1.3).
 */
const modelsOf = new Map([
	['hug', models],
	['kiss', models],
	['heart_gesture', models],
	['fight', ['kling-v1-6']],
]);

/** Whether the scene supports the model. */
function checkModel(effectScene: string, modelName: string): void {
	const taken = modelsOf.get(effectScene);
	if (!taken || taken.includes(modelName)) return;
	throw new InputError(
		`Effect Scene “${effectScene}” does not support the model “${modelName}”`,
		`Enter ${taken.join(' or ')} as Model Name under Options, or remove the option.`,
	);
}

/**
 * A hint about options that are not documented for the scene. They are not refused: Kling ignores what it
 * does not know (docs/providers.md K30), and a scene that no list names may support them.
 */
export function hintAtOptions({ effectScene, duration, mode, modelName }: Order): string | null {
	const names = [
		duration === 10 ? `${optionNames.duration} of 10 seconds` : '',
		mode === undefined ? '' : optionNames.mode,
		modelName === undefined ? '' : optionNames.modelName,
	].filter(Boolean);
	const isDocumented = names.length === 0 || modelsOf.has(effectScene);
	if (isDocumented || effectTypeOf(effectScene) === null) return null;
	const scenes = [...modelsOf.keys()].join(', ');
	return `Kling documents ${names.join(', ')} for ${scenes} only. With “${effectScene}” it may be ignored.`;
}
