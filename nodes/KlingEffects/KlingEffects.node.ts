import {
	NodeConnectionTypes,
	NodeOperationError,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	type IWebhookFunctions,
	type IWebhookResponseData,
} from 'n8n-workflow';
import { simplifyField } from '../n8n/items';
import { resumeWebhooks } from '../n8n/resume';
import { openSession, type Session } from '../n8n/session';
import { credentialName } from '../n8n/transport';
import { handleCallback } from './callback';
import { searchScenesMethod } from './methods';
import { executeCreate } from './operations/create/create';
import { createFields, createOptions, waitUsingOption } from './operations/create/fields';
import { executeGet, getFields } from './operations/get';
import { executeList, listFields } from './operations/getMany';
import { pollIntervalOption, timeoutOption, videoFields } from './operations/videoFields';

const operations: Record<
	string,
	(context: IExecuteFunctions, session: Session) => Promise<INodeExecutionData[]>
> = { create: executeCreate, get: executeGet, list: executeList };

/**
 * Programmatic rather than declarative, because a create that costs money is looked up before it is
 * sent again, tasks are followed over minutes, and files are read and streamed.
 */
export class KlingEffects implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Kling Effects',
		name: 'klingEffects',
		icon: {
			light: 'file:../icons/kling-effects.svg',
			dark: 'file:../icons/kling-effects.dark.svg',
		},
		group: ['transform'],
		version: 1,
		subtitle:
			'={{ ({ create: "Create", get: "Get", list: "Get many" })[$parameter["operation"]] + ($parameter["operation"] === "create" && $parameter["effectScene"] ? ": " + $parameter["effectScene"] : "") }}',
		description:
			'Turn one or two photos into a short video clip with a Kling video effect, such as a hug or a dance',
		defaults: { name: 'Kling Effects' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		webhooks: resumeWebhooks,
		credentials: [{ name: credentialName, required: true }],
		properties: [
			{
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				options: [
					{
						name: 'Create',
						value: 'create',
						description:
							'Start a video effect on one or two images. Each task costs credit; its video is ready some minutes later.',
						action: 'Create video effect task',
					},
					{
						name: 'Get',
						value: 'get',
						description: 'Get the state of a task, and its video once the task has succeeded',
						action: 'Get video effect task',
					},
					{
						name: 'Get Many',
						value: 'list',
						description: 'List the tasks of the account, newest first. Kling AI only.',
						action: 'Get many video effect tasks',
					},
				],
				default: 'create',
			},
			...createFields,
			...getFields,
			...listFields,
			...videoFields,
			simplifyField,
			{
				displayName: 'Options',
				name: 'options',
				type: 'collection',
				placeholder: 'Add option',
				default: {},
				displayOptions: { show: { operation: ['create'] } },
				options: [...createOptions, pollIntervalOption, timeoutOption, waitUsingOption],
			},
			{
				displayName: 'Options',
				name: 'options',
				type: 'collection',
				placeholder: 'Add option',
				default: {},
				displayOptions: { show: { operation: ['get'], waitForCompletion: [true] } },
				options: [pollIntervalOption, timeoutOption],
			},
		],
	};

	methods = { listSearch: { searchScenes: searchScenesMethod } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const operation = this.getNodeParameter('operation', 0, 'create');
		const execute = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
		if (!execute) {
			throw new NodeOperationError(
				this.getNode(),
				`Operation “${String(operation)}” is not known`,
				{
					description: 'Choose Create, Get or Get Many.',
				},
			);
		}
		return [await execute(this, await openSession(this))];
	}

	/** A callback of the provider, to an execution that sleeps until it comes. */
	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return await handleCallback(this);
	}
}
