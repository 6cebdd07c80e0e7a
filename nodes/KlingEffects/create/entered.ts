import type { IDataObject } from 'n8n-workflow';
import { printsOf, type Part, type Prints } from '../../kling/create/identity';
import type { CheckedItem } from './item';

/** The parameters of Create that are compared, as they were entered. */
export interface Entered {
	/** Fingerprints, of expressions that of their text. */
	prints: Prints;
	/** Those that are no expressions. */
	fixed: ReadonlySet<Part>;
}

export function enteredIn(parameters: IDataObject): Entered {
	const { options = {}, effectScene, effectType } = parameters;
	const { imageInput, image, secondImage, imageField, secondImageField } = parameters;
	// The whole of the options can be one expression.
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
	// n8n evaluates each text that begins so, at any depth.
	const isFixed = (part: Part) => !JSON.stringify(entered[part] ?? null).includes('"=');
	const fixed = new Set(parts.filter(isFixed));
	// Without both, how many images there are is another thing for each item.
	if (!fixed.has('effectScene') || effectType === undefined) fixed.delete('effectType');
	return { prints: printsOf(entered), fixed };
}

/** Fingerprints of what the parameters say for an item. */
export function valuesOf({ order, images, imagesPrint }: CheckedItem): Prints {
	const ordered = { ...order };
	delete ordered.callbackUrl;
	return { ...printsOf({ ...ordered, effectType: images.length }), images: imagesPrint };
}
