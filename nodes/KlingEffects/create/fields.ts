import type { INodeProperties } from 'n8n-workflow';
import { withSupport } from '../../kling/providers/whoCan';
import { maxFileSizeOption } from '../afterTask/fields';
import { imagesFields } from './imageFields';

const show = { resource: ['video'], operation: ['create'] };

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
			'The effect to apply. Providers add and withdraw scenes every month: if the list does not have a scene yet, enter its name.',
	},
	...imagesFields,
];

/** Options of Create and its download, in alphabetical order. */
export const createOptions: INodeProperties[] = [
	{
		displayName: 'Additional Fields (JSON)',
		name: 'additionalFields',
		type: 'json',
		default: '{}',
		placeholder: 'e.g. {"seed": 7}',
		description:
			'Extra fields to send to the provider, as a JSON object. They cannot replace what the node sets, such as the scene or the images.',
	},
	{
		displayName: 'Callback URL',
		name: 'callbackUrl',
		type: 'string',
		default: '',
		placeholder: 'e.g. https://n8n.example.com/webhook/kling',
		description: withSupport(
			'URL for the provider to call when the task status changes',
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
			'Maximum number of create requests at once. The node lowers it automatically when the provider asks it to slow down.',
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
			'Your own ID for the task, unique within the account. If empty, the node generates one, to find the task again if the response is lost',
			'externalTaskId',
		),
	},
	{
		...maxFileSizeOption,
		displayOptions: { show: { '/waitForCompletion': [true], '/downloadVideo': [true] } },
	},
	{
		displayName: 'Max Tasks',
		name: 'maxTasks',
		type: 'number',
		typeOptions: { minValue: 1 },
		default: 50,
		description:
			'Maximum number of new tasks per execution, across all items, loop iterations and AI agent calls. Any more are refused before they cost anything.',
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

/** How Create waits; alphabetically the last option. */
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
				'The execution is suspended, without using a worker, until the provider calls. n8n must be reachable from the internet',
				'callbackUrl',
			),
		},
		{
			name: 'Polling',
			value: 'polling',
			description: 'The execution keeps running and checks the tasks at regular intervals',
		},
	],
	default: 'polling',
	description: 'How to find out when the task has finished',
};
