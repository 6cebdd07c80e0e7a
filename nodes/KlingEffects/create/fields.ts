import type { INodeProperties } from 'n8n-workflow';
import { withSupport } from '../../kling/providers/whoCan';
import { effectTypeOf, scenes, type EffectType } from '../../kling/scenes';
import { maxFileSizeOption } from '../afterTask/fields';

const show = { operation: ['create'] };
const scenesOf = (effectType: EffectType) =>
	scenes.filter(({ name }) => effectTypeOf(name) === effectType);
/** No scene chosen yet counts as one of one image. */
const single = ['', ...scenesOf('single').map(({ name }) => name)];
/** As the list enters them, and in the ways that people usually write them. */
const dual = scenesOf('dual').flatMap(({ name, title }) => [
	...new Set([name, title, name.replaceAll('_', ' '), name.replaceAll('_', '-')]),
]);

/** A text that begins with “=”. n8n's own startsWith throws in n8n 1.123 on a value that is no text. */
const expression = { _cnd: { between: { from: '=', to: '>' } } };

/**
 * When the image fields show: the scene decides where it is known, and Effect Type where it is not.
 * n8n shows a field whose condition to show is on an expression, whatever hides it, so an expression
 * shows the fields of two images; an Effect Type that was chosen for another scene is still set
 * while it is hidden, and must not count. No condition is a regular expression: n8n runs those
 * against a clock and throws when the machine is busy (n8n 1.123 and 2.40).
 */
const forOne: When = { hide: { effectScene: [...dual, expression] } };
const forTwo: When = { show: { effectScene: dual } };
const forUnknown: When = {
	hide: { effectType: ['single'], effectScene: [...single, ...dual, expression] },
};

type When = Pick<NonNullable<INodeProperties['displayOptions']>, 'show' | 'hide'>;

export const createFields: INodeProperties[] = [
	{
		displayName: 'Effect Scene',
		name: 'effectScene',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		required: true,
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				placeholder: 'Select a scene…',
				typeOptions: { searchListMethod: 'searchScenes', searchable: true },
			},
			{
				displayName: 'By Name',
				name: 'name',
				type: 'string',
				placeholder: 'e.g. hug_pro',
			},
		],
		displayOptions: { show },
		description:
			'The effect to apply. Providers add and withdraw scenes every month: enter the name of one that the list does not have yet.',
	},
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
		displayOptions: { show, hide: { effectScene: [...single, ...dual] } },
		description:
			'How many images the effect takes. Only for scenes that are not in the list: the others are known.',
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
	...imageFields('Image', forOne, 'If the effect takes two photos, this is the left one'),
	...imageFields('Left Image', forTwo, 'If the effect takes one photo, only this one is sent'),
	...imageFields('Right Image', forTwo, 'Only for effects that take two photos'),
	...imageFields('Right Image', forUnknown, 'Only for effects that take two photos'),
];

/** The fields of one image, one for each Image Input. */
function imageFields(displayName: string, when: When, role: string): INodeProperties[] {
	const isSecond = displayName === 'Right Image';
	const defaultField = isSecond ? 'data2' : 'data';
	const field = (imageInput: string, own: Partial<INodeProperties>): INodeProperties => ({
		displayName,
		name: isSecond ? 'secondImage' : 'image',
		type: 'string',
		default: '',
		// An expression shows the second image also for a scene of one; Create refuses an empty one before it pays.
		required: !isSecond,
		displayOptions: { ...when, show: { ...show, imageInput: [imageInput], ...when.show } },
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

/** Options of Create and its download, alphabetically. */
export const createOptions: INodeProperties[] = [
	{
		displayName: 'Additional Fields (JSON)',
		name: 'additionalFields',
		type: 'json',
		default: '{}',
		placeholder: 'e.g. {"seed": 7}',
		description:
			'A JSON object with whatever else your provider takes for the effect. It cannot replace what the node sets, such as the scene or the images.',
	},
	{
		displayName: 'Callback URL',
		name: 'callbackUrl',
		type: 'string',
		default: '',
		placeholder: 'e.g. https://n8n.example.com/webhook/kling',
		description: withSupport(
			'Address that the provider calls when the status of the task changes',
			'callbackUrl',
		),
	},
	{
		displayName: 'Concurrency',
		name: 'concurrency',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 100 },
		default: 20,
		description:
			'Maximum number of create requests at once. The node lowers this automatically when the provider asks for it.',
	},
	{
		displayName: 'Duration',
		name: 'duration',
		type: 'options',
		options: [
			{ name: '10 Seconds', value: 10 },
			{ name: '5 Seconds', value: 5 },
		],
		default: 5,
		description: 'Length of the video. Most scenes have a fixed length.',
	},
	{
		displayName: 'External Task ID',
		name: 'externalTaskId',
		type: 'string',
		default: '',
		placeholder: 'e.g. order-4711',
		description: withSupport(
			'Your own ID for the task, unique in the account. Without it the node makes one, so that it can find the task if the response is lost',
			'externalTaskId',
		),
	},
	{
		...maxFileSizeOption,
		displayOptions: { show: { '/waitForCompletion': [true], '/downloadVideo': [true] } },
	},
	{
		displayName: 'Mode',
		name: 'mode',
		type: 'options',
		options: [
			{ name: 'Professional', value: 'pro' },
			{ name: 'Standard', value: 'std' },
		],
		default: 'std',
		description: withSupport('Quality, for some older scenes that take two images', 'mode'),
	},
	{
		displayName: 'Model Name',
		name: 'modelName',
		type: 'string',
		default: '',
		placeholder: 'e.g. kling-v1-6',
		description: withSupport('Model, for some older scenes that take two images', 'modelName'),
	},
];

/** How Create waits; last alphabetically. */
export const waitUsingOption: INodeProperties = {
	displayName: 'Wait Using',
	name: 'waitUsing',
	type: 'options',
	displayOptions: { show: { '/waitForCompletion': [true] } },
	options: [
		{
			name: 'Callback',
			value: 'callback',
			description: withSupport(
				'The execution sleeps, using no worker, until the provider calls. n8n must be reachable from the internet',
				'callbackUrl',
			),
		},
		{
			name: 'Polling',
			value: 'polling',
			description: 'The execution stays active and checks the tasks from time to time',
		},
	],
	default: 'polling',
	description: 'How to find out that the task has finished',
};
