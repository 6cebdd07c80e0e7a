/**
 * How sure a fact is: `observed` on effects itself, on a `sibling` endpoint of the same provider,
 * `documented` by the provider, from `community` code or notes, or only `inferred`.
 */
export type Sureness = 'observed' | 'sibling' | 'documented' | 'community' | 'inferred';

/** One thing that a provider says. */
export interface ProviderText {
	/** HTTP status it comes with. */
	status: number;
	/** Code in the body, as the provider spells it. */
	code: number | string;
	/** `{}` stands for what the text repeats of the request. */
	text: string;
	/** A fact of docs/providers.md (`K3`), or one of its sections (`1.7`). */
	source: string;
	sure: Sureness;
}

type Row = [
	status: number,
	code: ProviderText['code'],
	text: string,
	source: string,
	sure: Sureness,
];

function table<Name extends string>(rows: Record<Name, Row>): Record<Name, ProviderText> {
	const entries = Object.entries<Row>(rows).map(([name, [status, code, text, source, sure]]) => [
		name,
		{ status, code, text, source, sure },
	]);
	return Object.fromEntries(entries) as Record<Name, ProviderText>;
}

/** What Kling says about what is wrong with one request. Code 1201 is its catch-all (K6). */
export const klingTexts = table({
	taskNotFound: [400, 1201, 'Task not found by id/external id: {}', 'K1', 'sibling'],
	externalIdUsed: [400, 1201, 'External_task_id {} already exists', 'K3', 'sibling'],
	bodyUnreadable: [400, 1201, 'Failed to resolve the request body', 'K6', 'sibling'],
	imageMissing: [400, 1201, 'image can not be null', 'K6', 'sibling'],
	notBase64: [400, 1201, 'File is not in a valid base64 format', 'K6', 'sibling'],
	durationRefused: [
		400,
		1201,
		'Duration only supports 5 or 10 seconds when no refer_image is provided',
		'K6',
		'sibling',
	],
	sceneUnknown: [400, 1201, "effect_scene value '{}' is invalid", 'K6', 'inferred'],
});

/** Why a task of Kling's failed, in its `task_status_msg`. */
export const klingReasons = table({
	pixels: [200, 0, 'Image pixel is invalid', 'K14', 'sibling'],
	ratio: [
		200,
		0,
		'The resolution or aspect ratio of the input image is invalid. Please ensure it meets the required specifications.',
		'K15',
		'sibling',
	],
	risk: [200, 0, 'Failure to pass the risk control system', 'K15', 'sibling'],
	unreachable: [200, 0, 'Failed to download the image', 'K31', 'inferred'],
});

/** The usual text of each of Kling's codes; seldom seen codes have the words of Kling's table. */
export const klingCodes: Record<number, ProviderText> = table({
	1000: [401, 1000, 'Authentication failed', '1.7', 'documented'],
	1001: [401, 1001, 'Authorization is empty', '1.7', 'documented'],
	1002: [401, 1002, 'The token was expected to have 3 parts, but got 0', 'K25', 'sibling'],
	1003: [401, 1003, 'Authorization is not yet valid', '1.7', 'documented'],
	1004: [401, 1004, 'Authorization has expired', '1.7', 'documented'],
	1100: [429, 1100, 'Account exception', '1.7', 'documented'],
	1101: [429, 1101, 'Account in arrears', '1.7', 'documented'],
	1102: [429, 1102, 'Account balance not enough', 'K20', 'sibling'],
	1103: [403, 1103, 'Unauthorized access to the requested resource', '1.7', 'documented'],
	1200: [400, 1200, 'Invalid request parameters', '1.7', 'documented'],
	1201: [400, 1201, 'Invalid parameters', '1.7', 'documented'],
	1202: [404, 1202, 'The requested method is invalid', '1.7', 'documented'],
	1203: [404, 1203, 'The requested resource does not exist', '1.7', 'documented'],
	1300: [400, 1300, 'Trigger the strategy of the platform', '1.7', 'documented'],
	1301: [400, 1301, 'Trigger the content security policy of the platform', '1.7', 'documented'],
	1302: [429, 1302, 'The API request is too fast', '1.7', 'documented'],
	1303: [429, 1303, 'parallel task over resource pack limit', 'K22', 'sibling'],
	1304: [429, 1304, 'Trigger the IP whitelisting policy', '1.7', 'documented'],
	5000: [500, 5000, 'Server internal error', '1.7', 'documented'],
	5001: [503, 5001, 'Server temporarily unavailable', '1.7', 'documented'],
	5002: [504, 5002, 'Server internal timeout', '1.7', 'documented'],
});

/** CometAPI's own refusals; the texts end with a request id in brackets (G5 to G7). */
export const cometTexts = table({
	keyRefused: [401, 'invalid_api_key', 'Invalid token', '2', 'inferred'],
	noChannel: [
		503,
		'model_not_found',
		'no available channel for group default and model kling_effects (distributor)',
		'G5',
		'sibling',
	],
	fieldMissing: [500, 'invalid_request', 'field {}', 'G6', 'sibling'],
	valueRefused: [400, '', '{}', 'G7', 'sibling'],
	noQuota: [403, 'insufficient_user_quota', 'user quota is not enough', 'N9', 'inferred'],
	tooMany: [429, 'rate_limit_exceeded', '{}', '2', 'inferred'],
});

/** Refusals of the new-api family, which KKIAI belongs to. */
export const newApiTexts = table({
	keyRefused: [401, '', 'Invalid token', '3', 'inferred'],
	noChannel: [
		503,
		'model_not_found',
		'No available channel for model kling-effects under group default (distributor)',
		'N10',
		'community',
	],
	noQuota: [
		403,
		'insufficient_user_quota',
		'预扣费额度失败, 用户剩余额度: ¥0.000000, 需要预扣费额度: ¥2.000000',
		'N9',
		'community',
	],
	taskUnknown: [400, 'task_not_exist', 'task_not_exist', 'N6', 'community'],
	passedOn: [400, 'fail_to_fetch_task', '{}', 'N8', 'community'],
	overloaded: [429, 'fail_to_fetch_task', '当前分组上游负载已饱和，请稍后再试', 'N8', 'community'],
	upstreamLost: [400, 'fail_to_fetch_task', '请求上游地址失败', 'N8', 'community'],
	noRoute: [404, '', 'Invalid URL ({})', 'N11', 'community'],
});

/** Modellix's categories by HTTP status, before the detail: `Category: detail` (M5); only that of 400 is documented. */
export const modellixCategories: Record<number, string> = {
	400: 'Invalid parameters',
	401: 'Unauthorized',
	402: 'Insufficient credits',
	403: 'Forbidden',
	404: 'Not found',
	429: 'Rate limit exceeded',
	500: 'Internal error',
	503: 'Service unavailable',
};

/** APIModels' refusals. */
export const apiModelsTexts = table({
	modelUnknown: [400, 400, 'Invalid model: {}. Supported: kling-effects', 'A5', 'community'],
	taskUnknown: [404, 404, 'Task not found', '5', 'documented'],
});

/** A text with what it repeats of the request. */
export function say({ text }: ProviderText, repeated: string | number = ''): string {
	return text.replace('{}', () => String(repeated));
}
