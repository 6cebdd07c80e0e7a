import type { Sandbox, SandboxOptions, ProviderName } from '../../../sandbox';

/** What a create asks for, in the node's words. */
export interface Asked {
	scene: string;
	images: string[];
	duration?: number;
	mode?: string;
	modelName?: string;
	callbackUrl?: string;
	externalTaskId?: string;
}

/**
 * One provider in one of its forms. The promises in `contract.test.ts` are tested for each row: a new
 * provider is one more row.
 */
export interface ProviderRow {
	name: string;
	provider: ProviderName;
	displayName: string;
	/** The sandbox's options. */
	sandbox?: SandboxOptions;
	credential?: (sandbox: Sandbox) => Record<string, unknown>;
	/** Below the base URL. */
	createPath: string;
	/** The body that the provider documents, with nothing that was not requested. */
	bodyOf: (asked: Asked) => Record<string, unknown>;
	/** Options of Create that the provider does not support, with a value that a user might try. */
	refuses: Record<string, { displayName: string; value: unknown }>;
	/** Whether the node sends its own id with each create, to find a task whose response was lost. */
	sendsExternalId: boolean;
	findsByExternalId: boolean;
	lists: boolean;
	/** The keys of the provider's own object for a finished task. */
	ownKeys: string[];
	/** The header with the key, and what it looks like; a bearer token if omitted. */
	keyHeaderName?: string;
	keyHeader?: RegExp;
	/** What the provider says about a finished task; the rest is null. */
	tells: TaskFact[];
}

export type TaskFact = 'createdAt' | 'updatedAt' | 'videoDuration' | 'unitsDeducted';

const allFacts: TaskFact[] = ['createdAt', 'updatedAt', 'videoDuration', 'unitsDeducted'];

const klingBody = (extra: Record<string, unknown> = {}) => {
	return ({ scene, images, duration, mode, modelName, callbackUrl, externalTaskId }: Asked) => ({
		...extra,
		effect_scene: scene,
		input: {
			...(images.length === 1 ? { image: images[0] } : { images }),
			...(duration === undefined ? {} : { duration: String(duration) }),
			...(mode === undefined ? {} : { mode }),
			...(modelName === undefined ? {} : { model_name: modelName }),
		},
		...(callbackUrl === undefined ? {} : { callback_url: callbackUrl }),
		...(externalTaskId === undefined ? {} : { external_task_id: externalTaskId }),
	});
};

const flatBody = ({ scene, images, duration }: Asked) => ({
	effect_scene: scene,
	...(images.length === 1 ? { image: images[0] } : { images }),
	...(duration === undefined ? {} : { duration }),
});

const klingKeys = [
	'created_at',
	'final_balance_deduction',
	'final_unit_deduction',
	'task_id',
	'task_info',
	'task_result',
	'task_status',
	'task_status_msg',
	'updated_at',
];

const kling: Omit<ProviderRow, 'name'> = {
	provider: 'kling',
	displayName: 'Kling AI',
	createPath: '/v1/videos/effects',
	bodyOf: klingBody(),
	refuses: {},
	sendsExternalId: true,
	findsByExternalId: true,
	lists: true,
	ownKeys: [...klingKeys, 'watermark_info'].sort(),
	tells: allFacts,
};

const kkiai: Omit<ProviderRow, 'name' | 'ownKeys'> = {
	tells: allFacts,
	provider: 'kkiai',
	displayName: 'KKIAI',
	createPath: '/kling/v1/videos/effects',
	bodyOf: klingBody(),
	refuses: {},
	sendsExternalId: true,
	findsByExternalId: true,
	lists: false,
};

const modellix: Omit<ProviderRow, 'name' | 'createPath'> = {
	provider: 'modellix',
	displayName: 'Modellix',
	bodyOf: flatBody,
	refuses: {
		callbackUrl: { displayName: 'Callback URL', value: 'https://example.com/hook' },
		externalTaskId: { displayName: 'External Task ID', value: 'order-1' },
		mode: { displayName: 'Mode', value: 'pro' },
		modelName: { displayName: 'Model Name', value: 'kling-v1-6' },
	},
	sendsExternalId: false,
	findsByExternalId: false,
	lists: false,
	ownKeys: ['model_id', 'result', 'result_expires_at', 'status', 'task_id'],
	tells: ['videoDuration'],
};

export const rows: ProviderRow[] = [
	{ ...kling, name: 'Kling AI with an API key' },
	{
		...kling,
		name: 'Kling AI with access key and secret key',
		credential: (sandbox) => sandbox.accessKeyCredential(),
	},
	{
		...kling,
		name: 'Kling AI in China',
		credential: (sandbox) => sandbox.credential('kling', { region: 'china' }),
	},
	{
		name: 'CometAPI',
		provider: 'cometApi',
		displayName: 'CometAPI',
		sandbox: { cometExternalIdLookup: true },
		createPath: '/kling/v1/videos/effects',
		// Its page requires a duration, so it is sent even if the user sets none.
		bodyOf: (asked) => klingBody()({ duration: 5, ...asked }),
		refuses: {},
		sendsExternalId: true,
		findsByExternalId: true,
		lists: false,
		ownKeys: klingKeys,
		tells: allFacts,
	},
	{
		...kkiai,
		name: "KKIAI with Kling's answers",
		sandbox: { kkiaiShape: 'kling', kkiaiExternalIdLookup: true },
		ownKeys: klingKeys,
	},
	{
		...kkiai,
		name: "KKIAI with a wrapper around Kling's answers",
		sandbox: { kkiaiShape: 'wrapper', kkiaiExternalIdLookup: true },
		ownKeys: [
			'action',
			'data',
			'fail_reason',
			'finish_time',
			'progress',
			'start_time',
			'status',
			'submit_time',
			'task_id',
		],
	},
	{
		...kkiai,
		name: "KKIAI with answers like OpenAI's",
		sandbox: { kkiaiShape: 'openai', kkiaiExternalIdLookup: true },
		tells: ['createdAt', 'updatedAt', 'videoDuration'],
		ownKeys: [
			'completed_at',
			'created_at',
			'id',
			'metadata',
			'model',
			'object',
			'progress',
			'seconds',
			'status',
			'task_id',
		],
	},
	{
		...modellix,
		name: 'Modellix at its newest address',
		createPath: '/api/v1/kling/kling-video-effects',
	},
	{
		...modellix,
		name: 'Modellix at its middle address',
		sandbox: { modellixPath: 'middle' },
		createPath: '/api/v1/kling/kling-video-effects/async',
	},
	{
		...modellix,
		name: 'Modellix at its oldest address',
		sandbox: { modellixPath: 'oldest' },
		createPath: '/api/v1/image-to-video/kling/kling-video-effects/async',
	},
	{
		name: 'APIModels',
		provider: 'apiModels',
		displayName: 'APIModels',
		createPath: '/api/v1/video/generations',
		bodyOf: klingBody({ model: 'kling-effects' }),
		refuses: { externalTaskId: { displayName: 'External Task ID', value: 'order-1' } },
		sendsExternalId: false,
		findsByExternalId: false,
		lists: false,
		ownKeys: ['completeTime', 'createTime', 'model', 'resultUrls', 'state', 'taskId'],
		tells: ['createdAt', 'updatedAt'],
	},
];
