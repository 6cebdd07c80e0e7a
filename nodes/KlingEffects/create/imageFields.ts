import type { INodeProperties } from 'n8n-workflow';
import { effectTypeOf, scenes, type EffectType } from '../../kling/scenes';

const show = { resource: ['video'], operation: ['create'] };
const scenesOf = (effectType: EffectType) =>
	scenes.filter(({ name }) => effectTypeOf(name) === effectType);
/** No scene chosen yet counts as one of one image. */
const single = ['', ...scenesOf('single').map(({ name }) => name)];
/** As the list enters them, and in the ways that people usually write them. */
const dual = scenesOf('dual').flatMap(({ name, title }) => [
	...new Set([name, title, name.replaceAll('_', ' '), name.replaceAll('_', '-')]),
]);

/** Whether the fields are called Left Image and Right Image for a scene as it was entered. */
export function showsLeftAndRight(entered: unknown): boolean {
	return dual.some((name) => name === entered);
}

/** Texts from one to another. n8n's own startsWith throws in n8n 1.123 on a value that is no text. */
const between = (from: string, to: string) => ({ _cnd: { between: { from, to } } });
/** A text that begins with “=”. */
const expression = between('=', '>');

/** To hide all texts but these, since n8n has no “none of”: the ranges before, between and after them. */
function allBut(names: readonly string[]) {
	const sorted = [...names].sort();
	const after = (name: string) => `${name}\u0000`;
	const before = (name: string) => {
		const last = name.charCodeAt(name.length - 1);
		return `${name.slice(0, -1)}${String.fromCharCode(last - 1)}\uffff`;
	};
	return [...sorted, ''].map((name, index) =>
		between(index === 0 ? '' : after(sorted[index - 1]), name === '' ? '\uffff' : before(name)),
	);
}

/**
 * When the image fields show: the scene decides where it is known, Effect Type where it is not, and
 * for an expression, which can give any scene, both images show. n8n shows a field whose condition to
 * show is on an expression, even where something else hides it, so scenes are conditions to hide by;
 * and an Effect Type that was chosen for another scene is still set while it is hidden, and must not
 * count. No condition is a regular expression: n8n runs those against a clock and throws when the machine is busy (n8n
 * 1.123 and 2.40).
 */
const unlessTwo: When = { hide: { effectScene: dual } };
const forTwo: When = { hide: { effectScene: allBut(dual) } };
const forExpression: When = { show: { effectScene: [expression] } };
const forUnknown: When = {
	hide: { effectType: ['single'], effectScene: [...single, ...dual, expression] },
};

type When = Pick<NonNullable<INodeProperties['displayOptions']>, 'show' | 'hide'>;

/** How many images, where they come from, and each of them. */
export const imagesFields: INodeProperties[] = [
	{
		displayName: 'Effect Type',
		name: 'effectType',
		type: 'options',
		options: [
			{ name: 'One Image', value: 'single', description: 'An effect for one photo' },
			{
				name: 'Two Images',
				value: 'dual',
				description: 'An effect that brings two photos together, such as a hug',
			},
		],
		default: 'single',
		displayOptions: { show, hide: { effectScene: [...single, ...dual, expression] } },
		description:
			"How many images the effect takes. Needed only for scenes that aren't in the list.",
	},
	{
		displayName: 'Image Input',
		name: 'imageInput',
		type: 'options',
		options: [
			{ name: 'Base64', value: 'base64', description: 'The image as base64 text' },
			{ name: 'Binary File', value: 'binary', description: 'A file of the input item' },
			{ name: 'URL', value: 'url', description: 'The address of an image on the web' },
		],
		default: 'url',
		displayOptions: { show },
		description: 'Where the image comes from',
	},
	...imageFields('Image', unlessTwo, 'If the effect takes two photos, this is the left one'),
	...imageFields('Left Image', forTwo, 'The photo on the left'),
	...imageFields('Right Image', forTwo, 'The photo on the right'),
	...imageFields('Second Image', forExpression, 'Only for effects that take two photos'),
	...imageFields('Second Image', forUnknown, 'Only for effects that take two photos'),
];

/** The fields of one image, one for each Image Input. */
function imageFields(displayName: string, when: When, role: string): INodeProperties[] {
	const isSecond = displayName === 'Right Image' || displayName === 'Second Image';
	const defaultField = isSecond ? 'data2' : 'data';
	const field = (imageInput: string, own: Partial<INodeProperties>): INodeProperties => ({
		displayName,
		name: isSecond ? 'secondImage' : 'image',
		type: 'string',
		default: '',
		// An expression shows the second image also for a scene of one; Create refuses an empty one before it pays.
		required: !isSecond,
		displayOptions: { ...when, show: { ...show, imageInput: [imageInput], ...when.show } },
		...(displayName === 'Second Image' ? { hint: role } : {}),
		...own,
	});
	return [
		field('url', {
			placeholder: 'e.g. https://example.com/portrait.jpg',
			description: `Direct link to a JPEG or PNG of at most 10 MB that the provider can open without signing in. ${role}.`,
		}),
		field('base64', {
			placeholder: 'e.g. iVBORw0KGgoAAAANSUhEUgAA…',
			description: `A JPEG or PNG of at most 10 MB as base64 text, with or without a data: prefix. ${role}.`,
		}),
		field('binary', {
			displayName: `${displayName}: Field Name`,
			name: isSecond ? 'secondImageField' : 'imageField',
			default: defaultField,
			placeholder: `e.g. ${defaultField}`,
			hint: 'The name of the input field that holds the image file',
			description: role,
		}),
	];
}
