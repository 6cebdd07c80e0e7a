import type { INodeProperties } from 'n8n-workflow';
import { effectTypeOf, scenes, type EffectType } from '../../kling/scenes';

const show = { resource: ['video'], operation: ['create'] };
const scenesOf = (effectType: EffectType) =>
	scenes.filter(({ name }) => effectTypeOf(name) === effectType);
/** No scene chosen yet counts as a scene for one image. */
const single = ['', ...scenesOf('single').map(({ name }) => name)];
/** As the list enters them, and as people usually write them. */
const dual = scenesOf('dual').flatMap(({ name, title }) => [
	...new Set([name, title, name.replaceAll('_', ' '), name.replaceAll('_', '-')]),
]);

/** Whether the fields are called Left Image and Right Image for a scene as entered. */
export function showsLeftAndRight(entered: unknown): boolean {
	return dual.some((name) => name === entered);
}

/** Texts in a range. n8n 1.123's own startsWith throws on a value that is not text. */
const between = (from: string, to: string) => ({ _cnd: { between: { from, to } } });
/** A text that begins with “=”. */
const expression = between('=', '>');

/** Hides all texts but these, since n8n has no “none of”: the ranges before, between and after them. */
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
 * When the image fields show: a known scene decides, otherwise Effect Type; for an expression, which can
 * give any scene, both images show. If a `show` condition is on an expression, n8n shows the field even
 * if something else hides it, so scenes are `hide` conditions. An Effect Type chosen for another scene
 * stays set while hidden, and must not count. No condition is a regular expression: n8n runs those with a
 * time limit and throws when the machine is busy (n8n 1.123 and 2.40).
 */
const unlessTwo: When = { hide: { effectScene: dual } };
const forTwo: When = { hide: { effectScene: allBut(dual) } };
const forExpression: When = { show: { effectScene: [expression] } };
const forUnknown: When = {
	hide: { effectType: ['single'], effectScene: [...single, ...dual, expression] },
};

type When = Pick<NonNullable<INodeProperties['displayOptions']>, 'show' | 'hide'>;

/** How many images, where they come from, and each image. */
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

/** The fields of one image, one per Image Input. */
function imageFields(displayName: string, when: When, role: string): INodeProperties[] {
	const isSecond = displayName === 'Right Image' || displayName === 'Second Image';
	const defaultField = isSecond ? 'data2' : 'data';
	const field = (imageInput: string, own: Partial<INodeProperties>): INodeProperties => ({
		displayName,
		name: isSecond ? 'secondImage' : 'image',
		type: 'string',
		default: '',
		// With an expression, the second image shows even if the scene takes one; Create refuses an empty
		// one before it pays.
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
