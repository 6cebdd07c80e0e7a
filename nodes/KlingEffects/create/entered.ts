import type { IDataObject } from 'n8n-workflow';
import { printsOf, type Part, type Prints } from '../../kling/create/identity';

/** The compared parameters of Create, as entered. */
export interface Entered {
	/** Fingerprints, with expressions as text. */
	prints: Prints;
	/** The ones that are not expressions. */
	fixed: ReadonlySet<Part>;
}

export function enteredIn(parameters: IDataObject): Entered {
	const { options = {}, effectScene, effectType } = parameters;
	const { imageInput, image, secondImage, imageField, secondImageField } = parameters;
	// All options together can be one expression.
	const optionOf = (name: string) =>
		typeof options === 'object' ? (options as IDataObject)[name] : options;
	const entered: Record<Part, unknown> = {
		effectScene,
		effectType,
		images: [imageInput, image, secondImage, imageField, secondImageField],
		duration: optionOf('duration'),
		mode: optionOf('mode'),
		modelName: optionOf('modelName'),
		additionalFields: optionOf('additionalFields'),
		externalTaskId: optionOf('externalTaskId'),
	};
	const parts = Object.keys(entered) as Part[];
	// n8n evaluates any text that starts like this, at any depth.
	const isFixed = (part: Part) => !JSON.stringify(entered[part] ?? null).includes('"=');
	const fixed = new Set(parts.filter(isFixed));
	// Without both, the number of images can differ between items.
	if (!fixed.has('effectScene') || effectType === undefined) fixed.delete('effectType');
	return { prints: printsOf(entered), fixed };
}
