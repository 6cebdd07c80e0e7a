import { outcomeOfCreate, outcomeOfRead } from '../../../../nodes/kling/outcome';
import type { Outcome } from '../../../../nodes/kling/failure';
import type { HttpResponse } from '../../../../nodes/kling/http';
import { parseJson } from '../../../../nodes/kling/http';
import type { Provider } from '../../../../nodes/kling/providers';
import { providerNamed } from '../../../fixtures/providers';
import type { TaskRecord } from '../../../../nodes/kling/task';
import { isSignedBy } from '../../../../nodes/kling/signatures';
import type { Recording } from '../../../../conformance/recording';
import { liveAnswers } from '../../../fixtures/recordedAnswers';

/** What the node makes of every recorded response. None is left out. */

/** In the order of the recordings: where and what it is, and what the node makes of it. */
const expected: Array<[where: string, situation: string, made: string]> = [
	[
		'kling GET /v1/videos/text2video/{id}',
		'unknown task id (API key, global host)',
		'notFound: Task not found by id/external id: mf-auth-probe-nonexistent',
	],
	[
		'kling GET /v1/videos/image2video/{id}',
		'unknown task id (JWT, global host)',
		'notFound: Task not found by id/external id: not-a-real-task-id',
	],
	[
		'kling GET /v1/videos/image2video/{id}',
		'unknown task id (JWT, China host)',
		'notFound: Task not found by id/external id: nonexistent-auth-probe',
	],
	[
		'kling GET /v1/images/generations/{id}',
		'unknown task id, and unknown external task id',
		'notFound: Task not found by id/external id: ‹value›',
	],
	[
		'kling POST /text-to-video/kling-3.0-turbo',
		'external task id used before',
		'duplicateExternalId: External_task_id v6-1789956049929 already exists',
	],
	[
		'kling POST /v1/videos/image2video',
		'no usable resource pack',
		'accountEmpty: Account balance not enough',
	],
	[
		'kling POST /v1/videos/image2video',
		'motion brush with a model that has none',
		'badRequest: kling-v1-6 is not supported with motion brush',
	],
	[
		'kling POST /v1/videos/text2video',
		'option that the model does not take',
		'badRequest: camera_control is only supported in std mode with 5s duration and kling-v1',
	],
	[
		'kling POST /v1/… (create)',
		'all slots of the pack busy',
		'noFreeSlot: parallel task over resource pack limit',
	],
	[
		'kling any path of the new API generation (e.g. GET /tasks)',
		'unknown API key, and a JWT',
		'keyRefused: Authentication error. The current API does not support AK/SK; please go to the console (https://kling.ai/dev/api-key) to create API key.',
	],
	[
		'kling GET /v1/… (legacy family) and /account/costs',
		'Bearer text that is neither key nor JWT',
		'keyRefused: The token was expected to have 3 parts, but got 0',
	],
	[
		'kling GET /tasks?task_ids=… (21 ids)',
		'too many ids',
		'badRequest: task_ids and external_task_ids cannot exceed 20 in total',
	],
	['kling GET /tasks?task_ids=1', 'nothing found (new API generation)', '0 tasks'],
	[
		'kling POST /v1/videos/image2video',
		'created, no external task id',
		'created 822953089408827433 submitted',
	],
	['kling GET /v1/videos/image2video/{id}', 'processing', '822953089408827433 processing'],
	[
		'kling GET /v1/videos/image2video/{id}',
		'succeeded',
		'822953089408827433 succeed, https://v16-kling-fdl.klingai.com/bs2/up, 5.1',
	],
	[
		'kling GET /v1/videos/… (create by new-api)',
		'failed',
		'833446756******* failed, Image pixel is invalid',
	],
	[
		'kling POST /v1/videos/text2video',
		'created with an external task id',
		'created 867283741759111202 submitted, text2video_kling_v3_final-1774805076',
	],
	[
		'kling POST /v1/videos/text2video',
		'created with an external task id',
		'created 866889456698785798 submitted, text_probe_1',
	],
	[
		'kling POST /v1/videos/avatar/image2video',
		'created with an external task id, which the answer leaves out (China host)',
		'created 797182621750399062 submitted',
	],
	[
		'kling GET /v1/videos/avatar/image2video/{id}',
		'succeeded, with an external task id (China host)',
		'797539647311749155 succeed, bf54fb9d-697a-493a-ab1d-e878b1ecbc92, https://v2-kling.kechuangai.com/bs2/uplo, 14.666',
	],
	[
		'kling POST /v1/videos/image2video',
		'created; ids of the older form',
		'created CjI17WevH1IAAAAAAHmgsw submitted',
	],
	[
		'kling GET /v1/videos/image2video/{id}',
		'succeeded; ids of the older form, no task_info',
		'CjI17WevH1IAAAAAAHmgsw succeed, https://cdn.klingai.com/bs2/upload-kling, 5.1',
	],
	[
		'kling POST /image-to-video/kling-3.0-turbo',
		'created (new API generation)',
		'created 926484082518392851 submitted',
	],
	[
		'kling POST <callback_url> (legacy family)',
		'callback at success, no signing secret set',
		'not read',
	],
	['kling POST <callback_url>', 'signature test vector', 'not read'],
	[
		'kling POST <callback_url>',
		"the console's 'Send Test Callback' (always the new shape)",
		'not read',
	],
	['kling POST /v1/videos/… (create)', 'refused value', 'badRequest: image can not be null'],
	[
		'kling POST /v1/videos/… (create)',
		'refused value',
		'badRequest: File is not in a valid base64 format',
	],
	[
		'kling POST /v1/videos/… (create)',
		'refused value',
		'badRequest: Duration only supports 5 or 10 seconds when no refer_image is provided',
	],
	[
		'kling POST /v1/videos/… (create)',
		'refused value',
		'badRequest: Failed to resolve the request body',
	],
	['cometApi POST /kling/v1/videos/effects', 'created', 'created 2032273960331935744 submitted'],
	[
		'cometApi GET /kling/v1/{action}/{action2}/{task_id}',
		'processing',
		'878106242831892487 processing',
	],
	[
		'cometApi POST /v1/videos (create)',
		'model without a channel',
		'notOffered: no available channel for group default and model sora-2-all (distributor) (request id: 20260205132859798638387SIHCnxzJ)',
	],
	[
		'cometApi POST /v1/chat/completions',
		'model without a channel',
		'notOffered: no available channel for group default and model definitely-not-a-real-model-20260624 (distributor) (request id: ...)',
	],
	[
		'cometApi POST /v1/chat/completions',
		'missing field',
		'badRequest: field messages is required (request id: ...)',
	],
	[
		'cometApi POST /v1/chat/completions',
		'model left out',
		'badRequest: model name is required (request id: ...)',
	],
	[
		'cometApi POST (image generation)',
		'model that the channel does not take',
		'notOffered: not supported model for image generation, only imagen models are supported',
	],
	[
		'newApiFamily GET /kling/v1/videos/{action}/{task_id}',
		"succeeded: task wrapper around Kling's envelope",
		'860260753860210752 succeed, <string>, 5.041',
	],
	[
		'newApiFamily GET /kling/v1/videos/{action}/{task_id}',
		'queued: short task object',
		'task_abc123 submitted',
	],
	[
		'newApiFamily GET /kling/v1/videos/{action}/{task_id}',
		'succeeded: short task object',
		'866168216002236456 succeed, https://media.crazyrouter.com/task-artif',
	],
	[
		'newApiFamily GET /kling/v1/videos/{action}/{task_id}',
		'failed: short task object',
		'task_abc123 failed, content moderation failed',
	],
	[
		'newApiFamily GET /kling/v1/videos/text2video/{task_id}',
		'documented answer of the open-source project: flat object',
		'abcd1234efgh succeed, https://example.com/video.mp4',
	],
	[
		'newApiFamily GET /kling/v1/videos/{action}/{task_id}',
		"Kling's envelope passed on",
		'CjMT7WdSwWcAAAAAALvB3g succeed',
	],
	[
		'newApiFamily POST (video create)',
		"the user's quota does not suffice",
		'accountEmpty: 预扣费额度失败, 用户剩余额度: ¥5.200000, 需要预扣费额度: ¥27.600000',
	],
	[
		'newApiFamily POST (any model)',
		'quota used up, worded as overload',
		'accountEmpty: 当前分组上游负载已饱和，请稍后再试',
	],
	['kkiai POST <callback_url>', 'callback, documented', 'not read'],
	['kkiai GET /kling/v1/videos/text2video/{id}', 'documented answer', 'unreadable: null'],
	[
		'modellix POST /api/v1/image-to-video/kling/kling-video-effects/async',
		'created',
		'created task-effects001 submitted',
	],
	[
		'modellix POST /api/v1/{provider}/{model}/async',
		'created, with the address to ask',
		'created task-abc123 submitted',
	],
	['modellix GET /api/v1/tasks/{task_id}', 'pending', 'task-abc123 submitted'],
	[
		'modellix GET /api/v1/tasks/{task_id}',
		'succeeded (a video model)',
		'task-abc123 succeed, https://cdn.../x.mp4',
	],
	[
		'modellix POST (create)',
		'refused value',
		"badRequest: Invalid parameters: parameter 'prompt' is required",
	],
	[
		'modellix POST (create)',
		'refused value',
		"badRequest: Invalid format: parameter 'size' must be in format 'width*height', got '1024'",
	],
	[
		'modellix POST (create)',
		'refused value',
		"badRequest: Value out of range: parameter 'steps' must be between 10 and 50, got 100",
	],
	['modellix POST (create)', 'refused value', 'badRequest: Invalid format: invalid JSON format'],
	['modellix GET /api/v1/apikey/validate', 'key not valid', 'red'],
	['modellix GET /api/v1/team/balance', 'balance', 'green'],
	['apiModels POST /api/v1/video/generations', 'created', 'created clxxx... submitted'],
	[
		'apiModels GET /api/v1/video/generations?task_id=',
		'succeeded',
		'clxxx... succeed, https://...video.mp4',
	],
	[
		'apiModels GET /api/v1/video/generations?task_id=',
		'failed',
		'clxxx... failed, Content policy violation',
	],
];

/** Why a response is not read. */
const notRead: Record<string, string> = {
	'not read': 'The node never trusts what a callback says: it asks the provider for the task.',
	'unreadable: null': 'KKIAI documents an empty object, which holds no task. A wait continues.',
};

function providerOf({ provider }: Recording): Provider {
	return providerNamed(provider === 'newApiFamily' ? 'kkiai' : provider);
}

/** If the author noted no status: Kling's table for its codes, and 400 for the rest. */
function statusOf({ httpStatus, body }: Recording): number {
	const code = (body as { code?: unknown })?.code;
	return httpStatus ?? (code === 1002 ? 401 : 400);
}

function responseOf(answer: Recording): HttpResponse {
	const text = JSON.stringify(answer.body);
	return {
		kind: 'response',
		status: statusOf(answer),
		headers: {},
		text,
		at: 0,
		json: parseJson(text),
	};
}

function taskLine({ task }: TaskRecord): string {
	const { taskId, externalTaskId, status, statusMessage, videoUrl, videoDuration } = task;
	const said: unknown[] = [externalTaskId, statusMessage, videoUrl?.slice(0, 40), videoDuration];
	return [
		`${taskId} ${status}`,
		...said.filter((part) => part !== null && part !== undefined),
	].join(', ');
}

function madeOf(answer: Recording): string {
	if (answer.endpoint.startsWith('POST <callback_url>')) return 'not read';
	const provider = providerOf(answer);
	const response = responseOf(answer);
	if (answer.endpoint.startsWith('POST')) {
		return lineOf(outcomeOfCreate(provider, response), (record) => `created ${taskLine(record)}`);
	}
	if (/balance|validate/.test(answer.endpoint)) {
		const outcome = outcomeOfRead(provider, response, () => refusalOfCheck(provider, answer));
		return lineOf(outcome, (colour) => colour);
	}
	if (/^GET \/tasks\?/.test(answer.endpoint) && provider.list) {
		const { list } = provider;
		const outcome = outcomeOfRead(provider, response, (body) => list.read(body));
		return lineOf(outcome, ({ rows }) => `${rows} tasks`);
	}
	return lineOf(
		outcomeOfRead(provider, response, (body) => provider.readTask(body)),
		taskLine,
	);
}

function lineOf<T>(outcome: Outcome<T>, told: (value: T) => string): string {
	if (outcome.ok) return told(outcome.value);
	const { kind, providerMessage } = outcome.failure;
	return `${kind}: ${providerMessage}`;
}

function refusalOfCheck({ check }: Provider, { body }: Recording): string {
	const at = (path: string) =>
		path.split('.').reduce<any>((value, key) => value?.[key], body) as unknown;
	return check.refusals.some(({ key, value }) => at(key) === value) ? 'red' : 'green';
}

test('every recorded answer has its row', () => {
	const given = liveAnswers.map((one) => [`${one.provider} ${one.endpoint}`, one.situation]);
	expect(given).toEqual(expected.map(([where, situation]) => [where, situation]));
});

test.each(expected.map((row, index) => [...row, liveAnswers[index]] as const))(
	'%s, %s: %s',
	(_where, _situation, made, answer) => expect(madeOf(answer)).toBe(made),
);

test('only what is not a response to the node is ignored', () => {
	const given = expected.filter(([, , made]) => /^(not read|unreadable)/.test(made));
	expect(given.map(([, , made]) => made in notRead)).toEqual(Array(5).fill(true));
});

test('the node verifies the signature of Kling AI’s own example', () => {
	const vector = liveAnswers.find(({ situation }) => situation === 'signature test vector');
	const callback = { headers: vector?.headers ?? {}, body: String(vector?.body) };
	const secret = 'whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI=';
	const at = Number(callback.headers['webhook-timestamp']) * 1000;
	expect(isSignedBy(secret, callback, at)).toBe(true);
	expect(isSignedBy(secret, { ...callback, body: `${callback.body} ` }, at)).toBe(false);
});
