import { parseJson } from '../../../../nodes/kling/http';
import { isJson, type HttpResponse } from '../../../../nodes/kling/http';
import type { Failure } from '../../../../nodes/kling/failure';
import { outcomeOfRead } from '../../../../nodes/kling/outcome';
import { providers, type Provider } from '../../../../nodes/kling/providers';
import { kling } from '../../../../nodes/kling/providers/kling';
import { cometApi } from '../../../../nodes/kling/providers/cometApi';
import { kkiai } from '../../../../nodes/kling/providers/kkiai';
import { modellix } from '../../../../nodes/kling/providers/modellix';
import { apiModels } from '../../../../nodes/kling/providers/apiModels';
import { statusOf } from '../../../../nodes/kling/providers/toolkit';
import type { Task } from '../../../../nodes/kling/task';

/** What the adapters make of responses that were recorded or documented (docs/providers.md 7). */

function response(body: unknown, status = 200, at = 0): HttpResponse {
	const text = typeof body === 'string' ? body : JSON.stringify(body);
	return { kind: 'response', status, headers: {}, text, at, json: parseJson(text) };
}

const outcomeOf = (provider: Provider, body: unknown, status = 200, at = 0) =>
	outcomeOfRead(provider, response(body, status, at), (json) => provider.readTask(json));

function failureOf(provider: Provider, body: unknown, status: number): Failure | null {
	const answer = response(body, status);
	if (isJson(answer)) return provider.readFailure(answer);
	const outcome = outcomeOf(provider, body, status);
	return outcome.ok ? null : outcome.failure;
}

function read(provider: Provider, body: unknown): Task {
	const outcome = outcomeOf(provider, body);
	if (!outcome.ok) throw new Error(outcome.failure.kind);
	return outcome.value.task;
}

const kindOf = (provider: Provider, status: number, body: unknown) =>
	failureOf(provider, body, status)?.kind ?? null;

describe('the registry', () => {
	test('holds every provider under its own name', () => {
		const names = ['kling', 'cometApi', 'kkiai', 'modellix', 'apiModels'];
		expect(providers.map(({ name }) => name)).toEqual(names);
	});

	test.each(providers)(
		'$displayName: what it says it supports exists, and nothing else does',
		(provider) => {
			expect(provider.findByExternalIdRequest !== undefined).toBe(provider.externalId !== 'none');
			expect(provider.takes.includes('externalTaskId')).toBe(provider.externalId !== 'none');
			expect(provider.defaultBaseUrl({})).toMatch(/^https:\/\/[\w.-]+$/);
			expect(provider.check.path).toMatch(/^\//);
		},
	);

	test.each(providers)('$displayName: a foreign id cannot lead to another address', (provider) => {
		const evil = '../../account/costs?x=1#y';
		for (const request of [provider.getRequest(evil), provider.findByExternalIdRequest?.(evil)]) {
			if (!request) continue;
			const url = new URL(`https://host.example${request.path}`);
			expect(url.pathname).not.toContain('account/costs');
			expect(url.search).toBe('');
			expect(`${request.path}${JSON.stringify(request.query ?? {})}`).toContain('costs');
		}
	});
});

describe('statuses', () => {
	test.each([
		['submitted', 'submitted'],
		['pending', 'submitted'],
		['queued', 'submitted'],
		['NOT_START', 'submitted'],
		['processing', 'processing'],
		['IN_PROGRESS', 'processing'],
		['succeed', 'succeed'],
		['succeeded', 'succeed'],
		['SUCCESS', 'succeed'],
		['completed', 'succeed'],
		['failed', 'failed'],
		['FAILURE', 'failed'],
		['error', 'failed'],
		['canceled', 'failed'],
		['cancelled', 'failed'],
		['a_word_of_next_year', 'processing'],
	])('%s counts as %s', (word, status) => expect(statusOf(word)).toBe(status));
});

describe('Kling AI', () => {
	test('a create of 2026, with an id beyond 2^53 even where it comes as a number', () => {
		const body = `{"code":0,"message":"SUCCEED","request_id":"b5c9","data":{"task_id":842163450012345679,
			"task_status":"submitted","task_info":{"external_task_id":"order-1"},
			"created_at":1722769557708,"updated_at":1722769557708}}`;
		expect(read(kling, body)).toMatchObject({
			taskId: '842163450012345679',
			externalTaskId: 'order-1',
			status: 'submitted',
			createdAt: '2024-08-04T11:05:57.708Z',
		});
	});

	test.each([
		[1722769557708, '2024-08-04T11:05:57.708Z'],
		['1722769557708', '2024-08-04T11:05:57.708Z'],
		[1722769557, '2024-08-04T11:05:57.000Z'],
		['2024-08-04T11:05:57.708Z', '2024-08-04T11:05:57.708Z'],
		['2024-08-04T13:05:57+02:00', '2024-08-04T11:05:57.000Z'],
		// Of no zone, in microseconds, and none.
		['2024-08-04T11:05:57', null],
		[1722769557708123, null],
		[0, null],
		[-1, null],
		['', null],
		['soon', null],
		[{}, null],
	])('a time of %j is %s', (created_at, createdAt) => {
		const data = { task_id: '1', task_status: 'submitted', created_at };
		expect(read(kling, { code: 0, data })).toMatchObject({ createdAt });
	});

	test('a failed task: HTTP 200, code 0, “SUCCEED”, and its reason in task_status_msg', () => {
		const data = { task_id: '1', task_status: 'failed', task_status_msg: 'Image pixel is invalid' };
		expect(read(kling, { code: 0, message: 'SUCCEED', data })).toMatchObject({
			status: 'failed',
			statusMessage: 'Image pixel is invalid',
		});
	});

	test('a finished task, with amounts that come as texts', () => {
		const videos = [
			{ id: 'v', url: 'https://v.example/1.mp4', watermark_url: '', duration: '5.1' },
		];
		const data = {
			task_id: '1',
			task_status: 'succeed',
			task_status_msg: '',
			task_info: {},
			task_result: { videos },
			watermark_info: { enabled: false },
			final_unit_deduction: '2.5',
		};
		expect(read(kling, { code: 0, message: 'SUCCEED', data })).toMatchObject({
			statusMessage: null,
			externalTaskId: null,
			videoUrl: 'https://v.example/1.mp4',
			watermarkUrl: null,
			videoDuration: 5.1,
			unitsDeducted: 2.5,
		});
	});

	test.each([
		[429, 1102, 'Account balance not enough', 'accountEmpty'],
		[429, 1303, 'parallel task over resource pack limit', 'noFreeSlot'],
		[400, 1200, 'missing parameter', 'badRequest'],
		[400, 1201, 'whatever', 'badRequest'],
		[400, 1201, 'Task not found by id/external id: used-duplicate-nonexistent', 'notFound'],
		[400, 1201, 'External_task_id v6-1789956049929 already exists', 'duplicateExternalId'],
		[
			400,
			1201,
			'External_task_id n8n-0123456789abcdef0123456789abcdef already exists',
			'duplicateExternalId',
		],
		[400, 1201, 'Duplicate external_task_id: a already exists', 'duplicateExternalId'],
		[400, 1201, 'external_task_id already used', 'duplicateExternalId'],
		[400, 1201, 'external_task_id is duplicated', 'duplicateExternalId'],
		[400, 1201, 'external_task_id is duplicated: order-4711', 'duplicateExternalId'],
		[400, 1201, `External_task_id ${'u'.repeat(200)} already exists.`, 'duplicateExternalId'],
		// The content of an id does not change the reading.
		...[
			'used',
			'used-car-1',
			'my-unique-id',
			'a-duplicate',
			'already exists',
			'exist',
			'e'.repeat(200),
		].flatMap((id): Array<[number, number, string, string]> => [
			[400, 1201, `Task not found by id/external id: ${id}`, 'notFound'],
			[400, 1201, `external_task_id ${id} is too long`, 'badRequest'],
			[400, 1201, `External_task_id ${id} already exists`, 'duplicateExternalId'],
		]),
		[401, 1004, 'Authorization has expired', 'keyRefused'],
		[200, 1102, 'a refusal in the body of a 200', 'accountEmpty'],
		[429, 9999, 'a code of next year', 'tooManyRequests'],
		[500, 0, 'code 0 in the body of a 500', 'providerDown'],
	])('HTTP %i with code %i, “%s”: %s', (status, code, message, kind) => {
		expect(kindOf(kling, status, { code, message, request_id: 'r' })).toBe(kind);
	});
});

describe("Kling AI's list", () => {
	const list = (body: unknown) =>
		outcomeOfRead(kling, response(body), (json) => kling.list!.read(json));
	const task = { task_id: '1', task_status: 'succeed' };

	test.each([[[]], [null], [undefined], [{ count: 0, has_more: false }]])(
		'is empty where the code says success and data is %j',
		(data) => {
			const value = { records: [], rows: 0 };
			expect(list({ code: 0, message: 'SUCCEED', data })).toEqual({ ok: true, value });
		},
	);

	test('is not readable where no code says success, or no entry holds a task', () => {
		for (const body of [{}, { data: null }, { code: 0, data: 'x' }, { code: 0, data: [{}] }]) {
			expect(list(body)).toMatchObject({ ok: false, failure: { kind: 'unreadable' } });
		}
	});

	test('survives odd values in everything but ids and states', () => {
		const odd = { task_info: [], task_result: [], final_unit_deduction: {}, created_at: 'x' };
		const videos = [null, 'x', { url: 'https://v.example/1.mp4', duration: {} }];
		const data = [
			{ ...task, ...odd },
			{ ...task, task_result: { videos } },
		];
		expect(list({ code: 0, data })).toMatchObject({
			ok: true,
			value: {
				records: [{ task: { videoUrl: null } }, { videoUrls: ['https://v.example/1.mp4'] }],
			},
		});
	});
});

test('a status named like an object method is not final', () => {
	for (const word of ['constructor', 'toString', '__proto__', 5, null, {}, undefined]) {
		expect(statusOf(word)).toBe('processing');
	}
});

describe('CometAPI', () => {
	test('its own recorded create (CometAPI’s effects page), without a request id', () => {
		const body = `{"code":0,"message":"success","data":{"task_id":"2032273960331935744",
			"task_status":"submitted","task_info":{},"created_at":1773366844624,"updated_at":1773366844624}}`;
		expect(read(cometApi, body)).toMatchObject({
			taskId: '2032273960331935744',
			provider: 'cometApi',
		});
	});

	const error = (message: string, code = '') => ({
		error: { message, type: 'comet_api_error', param: '', code },
	});
	test.each([
		[401, error('bad key', 'invalid_api_key'), 'keyRefused'],
		[403, error('insufficient quota', 'insufficient_user_quota'), 'accountEmpty'],
		[403, error('not for you'), 'notAllowed'],
		[429, error('slow down'), 'tooManyRequests'],
		[500, error('image is missing', 'invalid_request'), 'badRequest'],
		[500, error('boom'), 'providerDown'],
		[524, error('origin timed out'), 'providerDown'],
		[504, '<html>504</html>', 'providerDown'],
		[429, { code: 1303, message: 'parallel task over resource pack limit' }, 'noFreeSlot'],
		[503, error('no available channel for group default', 'model_not_found'), 'notOffered'],
		[503, error('No available channel for model x', ''), 'notOffered'],
		[500, error('not supported model for effects', 'convert_request_failed'), 'notOffered'],
		[400, error('model kling-effects has not been priced by the administrator yet'), 'notOffered'],
		[429, error('slow down for credit-card-1 and its balance'), 'tooManyRequests'],
		[400, { code: 1201, message: 'External_task_id used already exists' }, 'duplicateExternalId'],
	])('HTTP %i with %j: %s', (status, body, kind) => {
		expect(kindOf(cometApi, status, body)).toBe(kind);
	});

	test('sends a duration even where none was asked for, because its page requires one', () => {
		const [request] = cometApi.createRequests({ effectScene: 'squish', images: ['a'] });
		expect(request.body).toEqual({ effect_scene: 'squish', input: { image: 'a', duration: '5' } });
	});
});

/** A gateway's refusal that quotes the next system's refusal as text. */
function passedOn(status: number, code: string, inner: unknown, kind: string) {
	return [status, { code, message: JSON.stringify(inner), data: null }, kind];
}

describe('KKIAI', () => {
	const inner = {
		task_id: 'inner',
		task_status: 'succeed',
		task_result: { videos: [{ url: 'https://v.example/1.mp4', duration: '5' }] },
		final_unit_deduction: '2',
	};
	const wrapper = { task_id: '842163450012345679', action: 'effects', progress: '100%' };

	test.each([
		['the task', { data: inner }],
		["Kling's whole envelope", { data: { code: 0, message: 'SUCCEED', data: inner } }],
	])('the wrapper of new-api around %s', (_name, nested) => {
		const data = {
			...wrapper,
			status: 'SUCCESS',
			fail_reason: '',
			submit_time: 1773366844,
			...nested,
		};
		expect(read(kkiai, { code: 'success', message: '', data })).toMatchObject({
			taskId: '842163450012345679',
			status: 'succeed',
			videoUrl: 'https://v.example/1.mp4',
			videoDuration: 5,
			unitsDeducted: 2,
			createdAt: '2026-03-13T01:54:04.000Z',
		});
	});

	test('the video address that older new-api puts into fail_reason of a task that succeeded', () => {
		const data = {
			...wrapper,
			status: 'SUCCESS',
			fail_reason: 'https://v.example/1.mp4',
			data: null,
		};
		expect(read(kkiai, { code: 'success', message: '', data })).toMatchObject({
			status: 'succeed',
			statusMessage: null,
			videoUrl: 'https://v.example/1.mp4',
		});
	});

	test('a failure in the wrapper, with its reason', () => {
		const data = { ...wrapper, status: 'FAILURE', fail_reason: 'Image pixel is invalid' };
		expect(read(kkiai, { code: 'success', message: '', data })).toMatchObject({
			status: 'failed',
			statusMessage: 'Image pixel is invalid',
			videoUrl: null,
		});
	});

	test.each([
		[
			{ id: 'task_1', status: 'queued' },
			{ taskId: 'task_1', status: 'submitted' },
		],
		[
			{ id: 'task_1', status: 'completed', url: 'https://v.example/1.mp4', seconds: '5' },
			{ status: 'succeed', videoUrl: 'https://v.example/1.mp4', videoDuration: 5 },
		],
		[
			{ id: 'task_1', status: 'completed', metadata: { url: 'https://v.example/1.mp4' } },
			{ videoUrl: 'https://v.example/1.mp4' },
		],
		[
			{ id: 'task_1', status: 'failed', error: { message: 'no face', code: 'x' } },
			{ status: 'failed', statusMessage: 'no face' },
		],
		[
			{ task_id: '7', task_status: 'processing' },
			{ taskId: '7', status: 'processing' },
		],
	])('%j', (body, task) => expect(read(kkiai, body)).toMatchObject(task));

	test.each([
		[400, { code: 'task_not_exist', message: 'task_not_exist', data: null }, 'notFound'],
		[403, { code: 'quota_not_enough', message: 'x', data: null }, 'accountEmpty'],
		[500, { code: 'fail_to_fetch_task', message: 'x', data: null }, 'providerDown'],
		[400, { code: 'fail_to_fetch_task', message: 'x', data: null }, 'badRequest'],
		[200, { code: 'task_failed', message: 'x', data: null }, 'badRequest'],
		[429, { error: { message: 'x', type: 'new_api_error', code: '' } }, 'tooManyRequests'],
		[401, { error: { message: 'x', type: 'new_api_error', code: '' } }, 'keyRefused'],
		[200, { code: 1303, message: 'x' }, 'noFreeSlot'],
		[
			404,
			{ error: { message: 'Invalid URL (GET /kling/v1/x)', type: 'invalid_request_error' } },
			'notOffered',
		],
		[404, { code: 404, message: '任务不存在', data: null }, 'notFound'],
		...['fail_to_fetch_task'].flatMap((code) => [
			passedOn(
				400,
				code,
				{ code: 1201, message: 'External_task_id used-1 already exists' },
				'duplicateExternalId',
			),
			passedOn(
				400,
				code,
				{ code: 1201, message: 'Task not found by id/external id: exists' },
				'notFound',
			),
			passedOn(429, code, { code: 1102, message: 'Account balance not enough' }, 'accountEmpty'),
			passedOn(500, code, { code: 1303, message: 'parallel task' }, 'noFreeSlot'),
			passedOn(500, code, { code: 'insufficient_user_quota', message: '额度' }, 'accountEmpty'),
			passedOn(503, code, { error: { code: 'model_not_found', message: 'x' } }, 'notOffered'),
		]),
	] as Array<[number, unknown, string]>)('HTTP %i with %j: %s', (status, body, kind) =>
		expect(kindOf(kkiai, status, body)).toBe(kind),
	);
});

test('a refusal inside a refusal is shown in the inner words', () => {
	const inner = { code: 1102, message: 'Account balance not enough', request_id: 'r' };
	const body = { code: 'fail_to_fetch_task', message: JSON.stringify(inner), data: null };
	const failure = failureOf(kkiai, body, 429);
	expect(failure).toMatchObject({
		code: '1102',
		providerMessage: 'Account balance not enough',
		requestId: 'r',
		httpStatus: 429,
	});
});

describe('Modellix', () => {
	const data = { task_id: 'task-1', model_id: 'kling-video-effects' };

	test('a create with a link to its result, which is not followed', () => {
		const elsewhere = { method: 'GET', url: 'https://evil.example/api/v1/tasks/task-1' };
		const body = {
			code: 0,
			message: 'success',
			data: { ...data, status: 'pending', get_result: elsewhere },
		};
		expect(read(modellix, body)).toMatchObject({ taskId: 'task-1', status: 'submitted' });
		expect(modellix.getRequest('task-1').path).toBe('/api/v1/tasks/task-1');
	});

	test('a result with pictures beside the video: the video is taken', () => {
		const resources = [
			{ url: 'https://v.example/cover.jpg', type: 'image' },
			{ url: 'https://v.example/1.mp4', type: 'video', duration: 5 },
		];
		const body = { code: 0, data: { ...data, status: 'success', result: { resources } } };
		expect(read(modellix, body)).toMatchObject({
			status: 'succeed',
			videoUrl: 'https://v.example/1.mp4',
			videoDuration: 5,
		});
	});

	const video = 'https://v.example/1.mp4';
	test.each([
		[{ data: { ...data, status: 'done', result: { resources: [video] } } }],
		[{ data: { ...data, status: 'completed', resources: [{ url: video }] } }],
		[{ data: { ...data, status: 'success', result_resources: [{ url: video, type: 'video' }] } }],
		[{ data: { ...data, status: 'succeeded', output: [video], result: [] } }],
		[{ ...data, status: 'done', output: [video] }],
	])('the video, wherever the official clients look for it: %j', (body) => {
		expect(read(modellix, { code: 0, ...body })).toMatchObject({
			taskId: 'task-1',
			status: 'succeed',
			videoUrl: video,
		});
	});

	test.each([
		[{ data: { ...data, status: 'failed', error: 'no face' } }],
		[{ data: { ...data, status: 'failed', error: { message: 'no face' } } }],
		[{ data: { ...data, status: 'canceled', message: 'no face' } }],
		[{ message: 'no face', data: { ...data, status: 'error' } }],
	])('the reason for a failure, wherever it stands: %j', (body) => {
		expect(read(modellix, { code: 0, message: 'success', ...body })).toMatchObject({
			status: 'failed',
			statusMessage: 'no face',
		});
	});

	test('“success” is not the reason for a failure', () => {
		const body = { code: 0, message: 'success', data: { ...data, status: 'failed' } };
		expect(read(modellix, body).statusMessage).toBeNull();
	});

	test.each([
		[401, 'keyRefused'],
		[402, 'accountEmpty'],
		[404, 'notFound'],
		[429, 'tooManyRequests'],
		[408, 'providerDown'],
		[503, 'providerDown'],
		[400, 'badRequest'],
	])('code %i, as HTTP status or in the body of a 200: %s', (code, kind) => {
		expect(kindOf(modellix, code, { code, message: 'Category: detail' })).toBe(kind);
		expect(kindOf(modellix, 200, { code, message: 'Category: detail' })).toBe(kind);
	});

	test('sends the duration as an integer, and the newest address first', () => {
		const order = { effectScene: 'a', images: ['x', 'y'], duration: 10 };
		const requests = modellix.createRequests(order);
		expect(requests.map(({ path }) => path)).toEqual([
			'/api/v1/kling/kling-video-effects',
			'/api/v1/kling/kling-video-effects/async',
			'/api/v1/image-to-video/kling/kling-video-effects/async',
		]);
		for (const { body } of requests) {
			expect(body).toEqual({ effect_scene: 'a', images: ['x', 'y'], duration: 10 });
		}
	});
});

test.each([
	[400, 'notFound'],
	[499, 'notFound'],
	[500, 'providerDown'],
])('a code that says “not found” with HTTP %i is the failure %s', (status, kind) => {
	const body = { code: 'task_not_exist', message: 'task_not_exist', data: null };
	expect(failureOf(kkiai, body, status)).toMatchObject({ kind });
});

describe('APIModels', () => {
	const done = {
		taskId: 'clxxx',
		state: 'completed',
		model: 'kling-video/kling-effects',
		resultUrls: ['https://v.example/1.mp4', 'https://v.example/2.mp4'],
		createTime: 1705123450000,
		completeTime: 1705123500000,
	};

	test('a completed task of its page (APIModels’ effects page), whose success code is 200', () => {
		expect(read(apiModels, { code: 200, msg: 'success', data: done })).toMatchObject({
			taskId: 'clxxx',
			status: 'succeed',
			videoUrl: 'https://v.example/1.mp4',
			createdAt: '2024-01-13T05:24:10.000Z',
			updatedAt: '2024-01-13T05:25:00.000Z',
		});
	});

	test('a failed task of its page', () => {
		const data = { taskId: 'clxxx', state: 'failed', failMsg: 'Content policy violation' };
		expect(read(apiModels, { code: 200, msg: 'success', data })).toMatchObject({
			status: 'failed',
			statusMessage: 'Content policy violation',
		});
	});

	test.each([
		[{ failMsg: 'no face', error: 'other', failCode: 'X' }, 'no face'],
		[{ error: 'no face', failCode: 'X' }, 'no face'],
		[{ error: { message: 'no face' } }, 'no face'],
		[{ failCode: 'CONTENT_MODERATION' }, 'CONTENT_MODERATION'],
	])('the reason for a failure stands in %j', (said, reason) => {
		const data = { taskId: 'clxxx', state: 'failed', ...said };
		expect(read(apiModels, { code: 200, data }).statusMessage).toBe(reason);
	});

	test.each([
		[{ msg: 'Invalid model: x' }],
		[{ error: { message: 'Invalid model: x' } }],
		[{ error: 'Invalid model: x' }],
	])('the text of a refusal stands in %j', (said) => {
		const failure = failureOf(apiModels, { code: 400, ...said }, 400);
		expect(failure).toMatchObject({ kind: 'badRequest', providerMessage: 'Invalid model: x' });
	});

	test('a completed task without addresses is still under way for a minute', () => {
		const data = { ...done, resultUrls: [] };
		const at = (now: number) => {
			const outcome = outcomeOf(apiModels, { code: 200, data }, 200, now);
			return outcome.ok && outcome.value.task.status;
		};
		expect(at(done.completeTime + 59_000)).toBe('processing');
		expect(at(done.completeTime + 61_000)).toBe('succeed');
		expect(read(apiModels, { code: 200, data: { ...data, completeTime: null } }).status).toBe(
			'succeed',
		);
	});

	test.each([
		['has failed', { ...done, state: 'failed', resultUrls: [] }, 'failed'],
		['has an address', done, 'succeed'],
	])('a task that %s has ended at once', (_what, data, status) => {
		const outcome = outcomeOf(apiModels, { code: 200, data }, 200, done.completeTime + 1_000);
		expect(outcome).toMatchObject({ value: { task: { status } } });
	});

	test('asks for a task with task_id, although it answers with taskId', () => {
		expect(apiModels.getRequest('cl 1').query).toEqual({ task_id: 'cl 1' });
	});

	test.each([
		[400, 400, 'badRequest'],
		[401, 401, 'keyRefused'],
		[402, 402, 'accountEmpty'],
		[404, 404, 'notFound'],
		[500, 500, 'providerDown'],
		[200, 402, 'accountEmpty'],
	])('HTTP %i with code %i: %s', (status, code, kind) => {
		expect(kindOf(apiModels, status, { code, msg: 'x' })).toBe(kind);
	});
});

test.each(providers)(
	'$displayName: a refusal that quotes a picture or a key is shown without them',
	(provider) => {
		const picture = 'iVBORw0KGgo'.repeat(2000);
		const message = `bad image ${picture} with key sk-abcdefghijklmnop`;
		const body = { code: 1201, message, msg: message };
		const failure = failureOf(provider, body, 400);
		expect(failure?.providerMessage).toBe('bad image … with key …');
	},
);
