import type { INodeProperties } from 'n8n-workflow';
import type { EffectType } from '../../../kling/scenes';

const show = { operation: ['create'] };

export const createFields: INodeProperties[] = [
	{
		displayName: 'Effect Type',
		name: 'effectType',
		type: 'options',
		options: [
			{ name: 'One Image', value: 'single', description: 'Effects for one photo' },
			{
				name: 'Two Images',
				value: 'dual',
				description: 'Effects that bring two photos together, such as a hug',
			},
		],
		default: 'single',
		displayOptions: { show },
		description: 'How many images the effect takes',
	},
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
			'The effect to apply. Providers add and withdraw scenes each month: enter the name of one that the list does not have yet.',
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
	...imageFields('single', 'Image', 'Input Data Field Name', 'image', 'imageField', 'data'),
	...imageFields(
		'dual',
		'Second Image',
		'Second Input Data Field Name',
		'secondImage',
		'secondImageField',
		'data2',
	),
];

function imageFields(
	effectType: EffectType,
	displayName: string,
	fieldDisplayName: string,
	parameter: string,
	fieldParameter: string,
	defaultField: string,
): INodeProperties[] {
	const shown = effectType === 'dual' ? { ...show, effectType: ['dual'] } : show;
	const side =
		effectType === 'dual'
			? '. It goes to the right side.'
			: '. Of two images, it goes to the left side.';
	return [
		{
			displayName,
			name: parameter,
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. https://example.com/portrait.jpg',
			displayOptions: { show: { ...shown, imageInput: ['url'] } },
			description: `Address of a JPEG or PNG of at most 10 MB that the provider can reach${side}`,
		},
		{
			displayName,
			name: parameter,
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. iVBORw0KGgoAAAANSUhEUgAA…',
			displayOptions: { show: { ...shown, imageInput: ['base64'] } },
			description: `A JPEG or PNG of at most 10 MB as base64 text, with or without a data: prefix${side}`,
		},
		{
			displayName: fieldDisplayName,
			name: fieldParameter,
			type: 'string',
			default: defaultField,
			required: true,
			placeholder: `e.g. ${defaultField}`,
			hint:
				effectType === 'dual'
					? 'The name of the input field that holds the image file for the right side'
					: 'The name of the input field that holds the image file',
			displayOptions: { show: { ...shown, imageInput: ['binary'] } },
		},
	];
}

/** Options of Create alone, in the order of the alphabet. */
export const createOptions: INodeProperties[] = [
	{
		displayName: 'Callback URL',
		name: 'callbackUrl',
		type: 'string',
		default: '',
		placeholder: 'e.g. https://n8n.example.com/webhook/kling',
		description:
			'Address that the provider calls when the status of the task changes. Not with Modellix.',
	},
	{
		displayName: 'Concurrency',
		name: 'concurrency',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 100 },
		default: 20,
		description:
			'How many create requests may be under way at once. The node goes below this by itself when the provider asks for it.',
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
		description:
			'An ID of your own for the task, unique in the account. Without it the node makes one, to find the task again after a lost answer. Not with Modellix and APIModels.',
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
		description: 'Quality of some older scenes for two images. Not with Modellix.',
	},
	{
		displayName: 'Model Name',
		name: 'modelName',
		type: 'string',
		default: '',
		placeholder: 'e.g. kling-v1-6',
		description: 'Model of some older scenes for two images. Not with Modellix.',
	},
];

/** How Create waits; it comes last in the alphabet. */
export const waitUsingOption: INodeProperties = {
	displayName: 'Wait Using',
	name: 'waitUsing',
	type: 'options',
	displayOptions: { show: { '/waitForCompletion': [true] } },
	options: [
		{
			name: 'Callback',
			value: 'callback',
			description:
				'The execution sleeps and holds no worker until the provider calls. n8n must be reachable from the internet. Not with Modellix.',
		},
		{
			name: 'Polling',
			value: 'polling',
			description: 'The execution stays active and looks at the tasks from time to time',
		},
	],
	default: 'polling',
	description: 'How to learn that the task has ended',
};
