import { onlyWithList } from '../kling/providers/whoCan';
import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeProperties,
	type INodeType,
	type INodeTypeDescription,
	type IWebhookFunctions,
	type IWebhookResponseData,
} from 'n8n-workflow';
import { errorOf, outputOfThrown, simplifyField } from '../n8n/output';
import { resumeWebhooks } from '../n8n/execution';
import { openSession } from '../n8n/session';
import { credentialName } from '../n8n/transport';
import { sleptWait } from './afterTask/sleep';
import { finishWoken } from './afterTask/wake';
import { CallbackHandler } from './afterTask/webhook';
import { searchScenesMethod } from './listSearch/searchScenes';
import { executeCreate } from './create/create';
import { createFields, createOptions, waitUsingOption } from './create/fields';
import { executeGet, getFields } from './get';
import { executeList, limitFields, listFields } from './getMany';
import { executeListScenes, listScenesFields } from './getManyScenes';
import {
	maxFileSizeOption,
	pollIntervalOption,
	timeoutOption,
	videoFields,
} from './afterTask/fields';

const optionsField: INodeProperties = {
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add option',
	default: {},
};

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
			'={{ ({ create: "Create", get: "Get", list: "Get many", listScenes: "Get many scenes" })[$parameter["operation"]] + ($parameter["operation"] === "create" && $parameter["effectScene"] ? ": " + String($parameter["effectScene"]).split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(" ") : "") }}',
		description:
			'Turn one or two photos into a short video clip with a Kling video effect, such as a hug or a dance',
		defaults: { name: 'Kling Effects' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		webhooks: resumeWebhooks,
		credentials: [
			{
				name: credentialName,
				required: true,
				// Get Many Scenes sends nothing.
				displayOptions: { show: { operation: ['create', 'get', 'list'] } },
			},
		],
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
							'Turn one or two photos into a video. Each task costs credit; its video is ready some minutes later.',
						action: 'Create video from photos',
					},
					{
						name: 'Get',
						value: 'get',
						description: 'Get the state of a task, and its video once it is ready',
						action: 'Get video',
					},
					{
						name: 'Get Many',
						value: 'list',
						description: `List the tasks of the account, newest first. ${onlyWithList}.`,
						action: 'Get many videos',
					},
					{
						name: 'Get Many Scenes',
						value: 'listScenes',
						description: 'Search the known effect scenes. Free: nothing is sent.',
						action: 'Get many effect scenes',
					},
				],
				default: 'create',
			},
			...createFields,
			...getFields,
			...listScenesFields,
			...limitFields,
			...listFields,
			...videoFields,
			{ ...simplifyField, displayOptions: { show: { operation: ['create', 'get', 'list'] } } },
			{
				...optionsField,
				displayOptions: { show: { operation: ['create'] } },
				options: [...createOptions, pollIntervalOption, timeoutOption, waitUsingOption],
			},
			{
				...optionsField,
				displayOptions: { show: { operation: ['get'], waitForCompletion: [true] } },
				options: [maxFileSizeOption, pollIntervalOption, timeoutOption],
			},
			{
				...optionsField,
				displayOptions: {
					show: { operation: ['get'], waitForCompletion: [false], downloadVideo: [true] },
				},
				options: [maxFileSizeOption],
			},
		],
	};

	methods = { listSearch: { searchScenes: searchScenesMethod } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [await runOperation(this).catch((thrown: unknown) => outputOfThrown(this, thrown))];
	}

	/** A callback of the provider, to an execution that sleeps until it comes. */
	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return await callbacks.handle(this);
	}
}

const callbacks = new CallbackHandler();

async function runOperation(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const wait = sleptWait(context);
	if (wait) return await finishWoken(context, wait);
	const operation: unknown = context.getNodeParameter('operation', 0, 'create');
	switch (operation) {
		case 'create':
			return await executeCreate(context, await openSession(context));
		case 'get':
			return await executeGet(context, await openSession(context));
		case 'list':
			return await executeList(context, await openSession(context));
		case 'listScenes':
			return await executeListScenes(context);
	}
	const message = `Operation “${String(operation)}” is not known`;
	const description = 'Choose Create, Get, Get Many or Get Many Scenes.';
	throw errorOf(context.getNode(), { message, description });
}
