import { withList } from '../kling/providers/whoCan';
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
import { openSession, credentialName } from '../n8n/session';
import { sleptWait } from './afterTask/sleep';
import { finishWoken } from './afterTask/wake';
import { CallbackHandler, resumeWebhooks } from './afterTask/webhook';
import { searchScenesMethod } from './listSearch/searchScenes';
import { executeCreate } from './create/create';
import { NodeMemory } from './create/memory';
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
		// Shows the scene's title as in scenes.json (a test compares all). Raw, because n8n drops the
		// whole subtitle if the scene is an expression that needs an input item.
		subtitle:
			'={{ $parameter["resource"] === "scene" ? "Get many scenes" : ({ create: "Create", get: "Get", list: "Get many" })[$parameter["operation"]] + ($parameter["operation"] === "create" && $rawParameter["effectScene"] && !String($rawParameter["effectScene"]).startsWith("=") ? ": " + String($rawParameter["effectScene"]).replace(/_9_16$/, "_9:16").split("_").map((word, index) => ({ "3d": "3D", arg: "Argentina", bra: "Brazil", c4d: "C4D", dj: "DJ", fra: "France", ootd: "OOTD", por: "Portugal", pumpitup: "Pump It Up", var: "VAR" })[word] || (index > 0 && ["a", "at", "in", "of", "the", "to", "with"].includes(word) ? word : word.charAt(0).toUpperCase() + word.slice(1))).join(" ") : "") }}',
		description:
			'Turn photos into short video clips with Kling’s video effects: a hug, a dance, a birthday and over 200 more',
		defaults: { name: 'Kling Effects' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		webhooks: resumeWebhooks,
		hints: [
			{
				type: 'info',
				location: 'outputPane',
				whenToDisplay: 'beforeExecution',
				displayCondition:
					'={{ $parameter["resource"] !== "scene" && $parameter["operation"] === "create" }}',
				message: 'Each item costs credit at your provider, and a video takes a few minutes.',
			},
		],
		credentials: [
			{
				name: credentialName,
				required: true,
				// Scenes need no request.
				displayOptions: { hide: { resource: ['scene'] } },
			},
		],
		properties: [
			{
				displayName: 'Resource',
				name: 'resource',
				type: 'options',
				noDataExpression: true,
				options: [
					{ name: 'Effect Scene', value: 'scene' },
					{ name: 'Video', value: 'video' },
				],
				default: 'video',
			},
			{
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				displayOptions: { show: { resource: ['video'] } },
				options: [
					{
						name: 'Create',
						value: 'create',
						description:
							'Turn one or two photos into a video. Each task costs credit; its video is ready a few minutes later.',
						action: 'Create video from photos',
					},
					{
						name: 'Get',
						value: 'get',
						description: 'Get the status of a task, and its video once it is ready',
						action: 'Get video',
					},
					{
						name: 'Get Many',
						value: 'list',
						description: withList('List the tasks of the account, newest first.'),
						action: 'Get many videos',
					},
				],
				default: 'create',
			},
			{
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				displayOptions: { show: { resource: ['scene'] } },
				options: [
					{
						name: 'Get Many',
						value: 'list',
						description: 'Search the known effect scenes. Makes no request and costs nothing.',
						action: 'Get many effect scenes',
					},
				],
				default: 'list',
			},
			...createFields,
			...getFields,
			...listScenesFields,
			...limitFields,
			...listFields,
			...videoFields,
			{ ...simplifyField, displayOptions: { show: { resource: ['video'] } } },
			{
				...optionsField,
				displayOptions: { show: { resource: ['video'], operation: ['create'] } },
				options: [...createOptions, pollIntervalOption, timeoutOption, waitUsingOption],
			},
			{
				...optionsField,
				displayOptions: {
					show: { resource: ['video'], operation: ['get'], waitForCompletion: [true] },
				},
				options: [maxFileSizeOption, pollIntervalOption, timeoutOption],
			},
			{
				...optionsField,
				displayOptions: {
					show: {
						resource: ['video'],
						operation: ['get'],
						waitForCompletion: [false],
						downloadVideo: [true],
					},
				},
				options: [maxFileSizeOption],
			},
		],
	};

	methods = { listSearch: { searchScenes: searchScenesMethod } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [await runOperation(this).catch((thrown: unknown) => outputOfThrown(this, thrown))];
	}

	/** A callback from the provider, for an execution that is asleep until it comes. */
	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return await callbacks.handle(this);
	}
}

const callbacks = new CallbackHandler();

async function runOperation(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const wait = sleptWait(context);
	if (wait) return await finishWoken(context, wait);
	// For the other operations too: the node can be edited to Create before a retry.
	const begun = NodeMemory.begin(context);
	const resource: unknown = context.getNodeParameter('resource', 0, 'video');
	const operation: unknown = context.getNodeParameter('operation', 0, 'create');
	if (resource === 'scene') return await executeListScenes(context);
	if (resource !== 'video') throw notKnown(context, 'Resource', resource, 'Video or Effect Scene');
	switch (operation) {
		case 'create':
			return await executeCreate(context, await openSession(context), begun);
		case 'get':
			return await executeGet(context, await openSession(context));
		case 'list':
			return await executeList(context, await openSession(context));
	}
	throw notKnown(context, 'Operation', operation, 'Create, Get or Get Many');
}

function notKnown(context: IExecuteFunctions, what: string, given: unknown, choices: string) {
	const message = `${what} “${String(given)}” is not known`;
	return errorOf(context.getNode(), { message, description: `Choose ${choices}.` });
}
