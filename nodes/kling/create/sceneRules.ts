import { refused, type Refused } from '../checked';
import { effectTypeOf } from '../scenes';
import { optionNames, type Order } from './order';

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

/** The refusal of a model that the scene never had; null when there is nothing to say. */
export function refuseModel({ effectScene, modelName }: Order): Refused | null {
	const taken = modelsOf.get(effectScene);
	if (!taken || modelName === undefined || taken.includes(modelName)) return null;
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
