import {
	NodeConnectionTypes,
	type INodeExecutionData,
	type INodePropertyOptions,
	type INodeType,
	type INodeTypeDescription,
	type IPollFunctions,
} from 'n8n-workflow';
import { titleWithList, withoutList } from '../kling/providers/whoCan';
import { simplifyField } from '../n8n/output';
import { credentialName } from '../n8n/session';
import { poll } from './poll';

/** Outside the description, because n8n's lint ignores an option whose name is not a literal. */
const watchOptions: INodePropertyOptions[] = [
	{
		name: titleWithList('All Tasks'),
		value: 'account',
		description: 'Every task of the account, wherever it was created',
	},
	{
		name: 'Task IDs',
		value: 'taskIds',
		description: withoutList('The tasks with the IDs that you enter'),
	},
];

/** Starts a workflow when tasks have ended, at n8n's usual poll times. */
export class KlingEffectsTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Kling Effects Trigger',
		name: 'klingEffectsTrigger',
		icon: {
			light: 'file:../icons/kling-effects.svg',
			dark: 'file:../icons/kling-effects.dark.svg',
		},
		group: ['trigger'],
		version: 1,
		subtitle:
			'={{ ($parameter["events"] || []).map((event) => ({ succeed: "Task succeeded", failed: "Task failed" })[event]).join(", ") }}',
		description: 'Turns photos into short clips, and starts workflows when they are ready',
		defaults: { name: 'Kling Effects Trigger' },
		polling: true,
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: credentialName, required: true }],
		properties: [
			{
				displayName: 'Trigger On',
				name: 'events',
				type: 'multiOptions',
				required: true,
				options: [
					{
						name: 'Task Failed',
						value: 'failed',
						description: 'When the provider could not generate a video',
					},
					{
						name: 'Task Succeeded',
						value: 'succeed',
						description: 'When a video is ready',
					},
				],
				default: ['succeed', 'failed'],
				description: 'Which task outcomes start the workflow',
			},
			{
				displayName: 'Watch',
				name: 'watch',
				type: 'options',
				noDataExpression: true,
				options: watchOptions,
				default: 'account',
				description:
					'Which tasks to watch. Put each trigger in its own workflow: with two in one, n8n 2 can forget what one of them has seen.',
			},
			{
				displayName: 'Only Kling AI lists tasks. With another provider, set Watch to Task IDs.',
				name: 'listNotice',
				type: 'notice',
				default: '',
				displayOptions: { show: { watch: ['account'] } },
			},
			{
				displayName: 'Task IDs',
				name: 'taskIds',
				type: 'string',
				typeOptions: { rows: 3 },
				required: true,
				default: '',
				placeholder: 'e.g. 831922345719271433, 831922345719271434',
				displayOptions: { show: { watch: ['taskIds'] } },
				description:
					'IDs of the tasks to watch, separated by commas, spaces or line breaks, or a list. Tasks that have finished before the workflow is first activated are ignored; a task whose ID you add later is returned even if it has already finished.',
			},
			simplifyField,
			{
				displayName: 'Options',
				name: 'options',
				type: 'collection',
				placeholder: 'Add option',
				default: {},
				displayOptions: { show: { watch: ['account'] } },
				options: [
					{
						displayName: 'External Task ID Prefix',
						name: 'externalTaskIdPrefix',
						type: 'string',
						default: '',
						placeholder: 'e.g. order-',
						description: 'Only tasks whose external task ID begins with this text',
					},
				],
			},
		],
	};

	async poll(this: IPollFunctions): Promise<INodeExecutionData[][] | null> {
		return await poll(this);
	}
}
