import { onlyWithList } from '../kling/providers/support';
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
import { outputOfThrown } from '../n8n/results';
import { resumeWebhooks } from '../n8n/resume';
import { openSession, type Session } from '../n8n/session';
import { credentialName } from '../n8n/transport';
import { sleptWait } from './callback/wait';
import { CallbackHandler } from './callback/wake';
import { finishWoken } from './callback/woken';
import { searchScenesMethod } from './methods';
import { executeCreate } from './operations/create/create';
import { createFields, createOptions, waitUsingOption } from './operations/create/fields';
import { executeGet, getFields } from './operations/get';
import { executeList, limitFields, listFields } from './operations/getMany';
import { executeListScenes, listScenesFields } from './operations/getManyScenes';
import {
	maxFileSizeOption,
	pollIntervalOption,
	timeoutOption,
	videoFields,
} from './operations/videoFields';

type Execute = (context: IExecuteFunctions) => Promise<INodeExecutionData[]>;

const operations: Record<string, Execute> = {
	create: withSession(executeCreate),
	get: withSession(executeGet),
	list: withSession(executeList),
	listScenes: executeListScenes,
};

function withSession(
	execute: (context: IExecuteFunctions, session: Session) => Promise<INodeExecutionData[]>,
): Execute {
	return async (context) => await execute(context, await openSession(context));
}

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
				options: [maxFileSizeOption, pollIntervalOption, timeoutOption],
			},
			{
				displayName: 'Options',
				name: 'options',
				type: 'collection',
				placeholder: 'Add option',
				default: {},
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
	const operation = context.getNodeParameter('operation', 0, 'create');
	const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
	if (run) return await run(context);
	throw new NodeOperationError(context.getNode(), `Operation “${String(operation)}” is not known`, {
		description: 'Choose Create, Get, Get Many or Get Many Scenes.',
	});
}
