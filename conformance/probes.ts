import type { Pattern, Probe } from './probe';

/** Nothing answers here (RFC 2606), so a task that is made of it after all fails, and costs nothing (K31). */
const noPicture = 'https://conformance.invalid/unreachable.jpg';
const noScene = 'conformance_no_such_scene';

type Body = Record<string, unknown>;

/** The body with another picture part, in `input` where the provider nests it. */
function withInput(change: (input: Body) => Body): (body: Body) => Body {
	return (body) =>
		'input' in body ? { ...body, input: change(body.input as Body) } : change(body);
}

const withoutPictures = withInput(({ image: _, images: __, ...rest }) => rest);

/** Creates that should be refused; their pictures cannot be read, in case one is not. */
const unknownScene: Probe['ask'] = {
	kind: 'create',
	order: { effectScene: noScene, images: [noPicture] },
};
const pictureMissing: Probe['ask'] = { kind: 'create', change: withoutPictures };
const twoForOne: Probe['ask'] = { kind: 'create', order: { images: [noPicture, noPicture] } };

/** Kling's refusal. */
const refused = (code: Pattern, message: string): Pattern => ({
	code,
	message,
	request_id: '<text>',
});

const klingNotFound = (id: string) => refused(1201, `Task not found by id/external id: ${id}`);

const klingTask = (fields: Record<string, Pattern>): Pattern => ({
	code: 0,
	message: '<SUCCEED|success>',
	data: { task_id: '<id>', created_at: '<ms>', updated_at: '<ms>', ...fields },
});

const keyIds = {
	wrong: 'wrong-key',
	missing: 'missing-key',
	early: 'early-token',
	late: 'late-token',
};

function refusedKey(
	key: keyof typeof keyIds,
	fact: string,
	source: string,
	[code, message]: [number, string],
): Probe {
	const expected = { status: 401, body: refused(code, message), reads: 'keyRefused' };
	const ask = { kind: 'list', page: 1, pageSize: 1 } as const;
	return { id: keyIds[key], fact, source, cost: 'free', ask, key, expected };
}

const kling: Probe[] = [
	{
		id: 'key',
		fact: 'A key that works opens the list (the credential test)',
		source: 'K26',
		cost: 'free',
		ask: { kind: 'check' },
		expected: { status: 200, body: { code: 0, message: 'SUCCEED' }, reads: 'key works' },
	},
	{
		id: 'signed-key',
		fact: 'A token made of access key and secret key opens it too',
		source: 'K26',
		cost: 'free',
		ask: { kind: 'check' },
		key: 'signed',
		expected: { status: 200, body: { code: 0 }, reads: 'key works' },
	},
	refusedKey('wrong', 'Key that was never issued', 'K25', [
		1002,
		'The token was expected to have 3 parts, but got 0',
	]),
	refusedKey('missing', 'No Authorization header', '1.7', [1001, '<text>']),
	refusedKey('early', 'Token that is valid in an hour', '1.7', [1003, '<text>']),
	refusedKey('late', 'Token that ended an hour ago and more', '1.7', [1004, '<text>']),
	{
		id: 'unknown-task',
		fact: 'Unknown task id',
		source: 'K1',
		cost: 'free',
		ask: { kind: 'get', id: '{unknownId}' },
		expected: { status: 400, body: klingNotFound('{unknownId}'), reads: 'notFound' },
	},
	{
		id: 'unknown-external-id',
		fact: 'Unknown external task id, with words of a refusal in it',
		source: 'K2',
		cost: 'free',
		ask: { kind: 'find', externalId: '{unknownExternalId}' },
		expected: { status: 400, body: klingNotFound('{unknownExternalId}'), reads: 'notFound' },
	},
	{
		id: 'list',
		fact: 'List: an array, or nothing at all for an account without tasks',
		source: 'K10',
		cost: 'free',
		ask: { kind: 'list', page: 1, pageSize: 30 },
		tell: 'listOrder',
		expected: {
			status: 200,
			body: {
				oneOf: [
					{ code: 0, data: [klingTaskRow()] },
					{ code: 0, data: null },
					{ code: 0, data: '<absent>' },
				],
			},
			reads: 'list',
		},
	},
	{
		id: 'largest-page',
		fact: 'List: a page of 500',
		source: 'K11',
		cost: 'free',
		ask: { kind: 'list', page: 1, pageSize: 500 },
		expected: { status: 200, body: { code: 0 }, reads: 'list' },
	},
	{
		id: 'too-large-page',
		fact: 'List: a page of 501 is refused',
		source: 'K11',
		cost: 'free',
		ask: { kind: 'list', page: 1, pageSize: 501 },
		expected: { status: 400, body: refused('<1200|1201>', '<text>'), reads: 'badRequest' },
	},
	{
		id: 'last-page',
		fact: 'List: page 1000 is empty, not refused',
		source: 'K11',
		cost: 'free',
		ask: { kind: 'list', page: 1000, pageSize: 500 },
		expected: { status: 200, body: { code: 0 }, reads: 'list' },
	},
	{
		id: 'unknown-scene',
		fact: 'Create: unknown scene',
		source: 'K21',
		cost: 'free',
		ask: unknownScene,
		expected: { status: 400, body: refused('<1200|1201>', '<text>'), reads: 'badRequest' },
	},
	{
		id: 'no-picture',
		fact: 'Create: no picture',
		source: 'K6',
		cost: 'free',
		ask: pictureMissing,
		expected: { status: 400, body: refused(1201, 'image can not be null'), reads: 'badRequest' },
	},
	{
		id: 'data-uri',
		fact: 'Create: a picture with a data: prefix',
		source: 'K6',
		cost: 'free',
		ask: { kind: 'create', order: { images: ['data:image/png;base64,iVBORw0KGgo='] } },
		expected: {
			status: 400,
			body: refused(1201, 'File is not in a valid base64 format'),
			reads: 'badRequest',
		},
	},
	{
		id: 'two-pictures',
		fact: 'Create: two pictures for a scene of one',
		source: '9',
		cost: 'free',
		ask: twoForOne,
		expected: { status: 400, body: refused('<1200|1201>', '<text>'), reads: 'badRequest' },
	},
	{
		id: 'wrong-type',
		fact: 'Create: a body of other types than documented',
		source: 'K6',
		cost: 'free',
		ask: { kind: 'create', change: (body) => ({ ...body, input: 'none' }) },
		expected: {
			status: 400,
			body: refused(1201, 'Failed to resolve the request body'),
			reads: 'badRequest',
		},
	},
	{
		id: 'wrong-path',
		fact: 'A path that does not exist',
		source: '1.7',
		cost: 'free',
		ask: { kind: 'path', path: '/v1/videos/conformance-no-such-path' },
		expected: { status: 404, body: refused(1202, '<text>'), reads: 'badRequest' },
	},
	{
		id: 'costs',
		fact: "The account's resource packs, double-wrapped",
		source: 'K35',
		cost: 'free',
		ask: { kind: 'path', path: '/account/costs', query: { start_time: '1', end_time: '{now}' } },
		expected: {
			status: 200,
			body: { code: 0, data: { code: 0, resource_pack_subscribe_infos: [{ status: '<text>' }] } },
			reads: 'answered',
		},
	},
	{
		id: 'create',
		fact: 'Create with an external task id',
		source: 'K12',
		cost: 'task',
		ask: { kind: 'create', order: { externalTaskId: '{externalId}' }, keepAs: 'task' },
		expected: {
			status: 200,
			body: klingTask({ task_status: 'submitted' }),
			reads: 'task submitted',
		},
	},
	{
		id: 'find-at-once',
		fact: 'It is found by its external id at once',
		source: 'K8',
		cost: 'free',
		needs: 'task',
		ask: { kind: 'find', externalId: '{externalId}' },
		expected: {
			status: 200,
			body: klingTask({ task_id: '{task}', task_info: { external_task_id: '{externalId}' } }),
			reads: '<task submitted|task processing>',
		},
	},
	{
		id: 'list-at-once',
		fact: 'The list begins with it at once',
		source: '9',
		cost: 'free',
		needs: 'task',
		ask: { kind: 'list', page: 1, pageSize: 1 },
		expected: { status: 200, body: { code: 0, data: [{ task_id: '{task}' }] }, reads: 'list' },
	},
	{
		id: 'used-external-id',
		fact: 'Create with the same external id is refused',
		source: 'K3',
		cost: 'task',
		needs: 'task',
		ask: { kind: 'create', order: { externalTaskId: '{externalId}' } },
		expected: {
			status: 400,
			body: refused(1201, 'External_task_id {externalId} already exists'),
			reads: 'duplicateExternalId',
		},
	},
	{
		id: 'succeeds',
		fact: 'It succeeds; units are deducted by then',
		source: 'K33',
		cost: 'free',
		needs: 'task',
		ask: { kind: 'follow', id: '{task}' },
		expected: {
			status: 200,
			body: klingTask({
				task_id: '{task}',
				task_status: 'succeed',
				task_result: { videos: [{ id: '<id>', url: '<url>' }] },
				final_unit_deduction: '<number>',
			}),
			reads: 'task succeed',
		},
	},
	{
		id: 'superfluous',
		fact: 'Create with duration and mode, which the effects page does not list',
		source: 'K30',
		cost: 'task',
		ask: { kind: 'create', order: { duration: 5, mode: 'std' } },
		expected: {
			status: 200,
			body: klingTask({ task_status: 'submitted' }),
			reads: 'task submitted',
		},
	},
	{
		id: 'unreadable-picture',
		fact: 'Create with a picture that cannot be fetched is accepted',
		source: 'K31',
		cost: 'task',
		ask: {
			kind: 'create',
			order: { images: [noPicture], externalTaskId: '{failingExternalId}' },
			keepAs: 'failing',
		},
		expected: {
			status: 200,
			body: klingTask({ task_status: 'submitted' }),
			reads: 'task submitted',
		},
	},
	{
		id: 'fails',
		fact: 'It fails, with HTTP 200 and code 0',
		source: 'K14',
		cost: 'free',
		needs: 'failing',
		ask: { kind: 'follow', id: '{failing}' },
		expected: {
			status: 200,
			body: klingTask({
				task_status: 'failed',
				task_status_msg: '<text>',
				task_result: { videos: '<absent>' },
			}),
			reads: 'task failed',
		},
	},
	{
		id: 'external-id-of-failed',
		fact: "Create with a failed task's external id is refused",
		source: '9',
		cost: 'task',
		needs: 'failing',
		ask: {
			kind: 'create',
			order: { images: [noPicture], externalTaskId: '{failingExternalId}' },
		},
		expected: {
			status: 400,
			body: refused(1201, 'External_task_id {failingExternalId} already exists'),
			reads: 'duplicateExternalId',
		},
	},
];

function klingTaskRow(): Pattern {
	return { task_id: '<id>', task_status: '<submitted|processing|succeed|failed>' };
}

/** A gateway's own refusal. */
const gatewayError = (type: string): Pattern => ({ error: { message: '<text>', type } });

/** Probes that every provider without a list of its own shares in form, and where they differ. */
interface GatewayFacts {
	keyWorks: Pattern;
	keyRefused: Probe['expected'];
	unknownTask: Probe['expected'] & { source: string };
	unknownScene: Probe['expected'] & { source: string };
	noPicture: Probe['expected'] & { source: string };
	wrongPath: Probe['expected'] & { source: string; path: string };
	created: Pattern | { oneOf: Pattern[] };
	succeeded: Pattern | { oneOf: Pattern[] };
	failed: Pattern | { oneOf: Pattern[] };
	sources: { key: string; created: string; ended: string };
	/** Whether there is a field for an external id; what a look-up by it brings is open then. */
	externalId: boolean;
}

function probesOfGateway(facts: GatewayFacts): Probe[] {
	const { sources } = facts;
	const order = facts.externalId ? { externalTaskId: '{externalId}' } : {};
	const free = (
		id: string,
		fact: string,
		ask: Probe['ask'],
		expected: Probe['expected'] & { source: string },
	) => ({ id, fact, source: expected.source, cost: 'free', ask, expected }) satisfies Probe;
	return [
		{
			id: 'key',
			fact: 'A key that works (the credential test)',
			source: sources.key,
			cost: 'free',
			ask: { kind: 'check' },
			expected: { status: 200, body: facts.keyWorks, reads: 'key works' },
		},
		{
			id: 'wrong-key',
			fact: 'Key that was never issued (the credential test)',
			source: sources.key,
			cost: 'free',
			ask: { kind: 'check' },
			key: 'wrong',
			expected: { ...facts.keyRefused, reads: 'key refused' },
		},
		{
			id: 'wrong-key-get',
			fact: 'Get with a key that was never issued',
			source: sources.key,
			cost: 'free',
			ask: { kind: 'get', id: '{unknownId}' },
			key: 'wrong',
			expected: { status: 401, reads: 'keyRefused' },
		},
		free('unknown-task', 'Unknown task id', { kind: 'get', id: '{unknownId}' }, facts.unknownTask),
		free('unknown-scene', 'Create: unknown scene', unknownScene, facts.unknownScene),
		free('no-picture', 'Create: no picture', pictureMissing, facts.noPicture),
		free(
			'wrong-path',
			'A path that does not exist',
			{ kind: 'path', path: facts.wrongPath.path },
			facts.wrongPath,
		),
		{
			id: 'create',
			fact: 'Create',
			source: sources.created,
			cost: 'task',
			ask: { kind: 'create', order, keepAs: 'task' },
			expected: { status: 200, body: facts.created, reads: 'task submitted' },
		},
		...(facts.externalId ? openAboutExternalIds : []),
		{
			id: 'succeeds',
			fact: 'It succeeds, with a video',
			source: sources.ended,
			cost: 'free',
			needs: 'task',
			ask: { kind: 'follow', id: '{task}' },
			expected: { status: 200, body: facts.succeeded, reads: 'task succeed' },
		},
		{
			id: 'unreadable-picture',
			fact: 'Create with a picture that cannot be fetched is accepted',
			source: 'K31',
			cost: 'task',
			ask: { kind: 'create', order: { images: [noPicture] }, keepAs: 'failing' },
			expected: { status: 200, body: facts.created, reads: 'task submitted' },
		},
		{
			id: 'fails',
			fact: 'It fails, and says why',
			source: sources.ended,
			cost: 'free',
			needs: 'failing',
			ask: { kind: 'follow', id: '{failing}' },
			expected: { status: 200, body: facts.failed, reads: 'task failed' },
		},
	];
}

/** What is not known about gateways: either answer is as expected, and the table tells which came. */
const openAboutExternalIds: Probe[] = [
	{
		id: 'find',
		fact: 'Open: whether it is found by its external id',
		source: '9',
		cost: 'free',
		needs: 'task',
		ask: { kind: 'find', externalId: '{externalId}' },
		expected: {
			status: '<200|400|404>',
			reads: '<task submitted|task processing|task succeed|notFound>',
		},
	},
	{
		id: 'used-external-id',
		fact: 'Open: whether a second create with the same external id is refused',
		source: '9',
		cost: 'task',
		needs: 'task',
		ask: {
			kind: 'create',
			order: { externalTaskId: '{externalId}', images: [noPicture] },
		},
		expected: { status: '<200|400>', reads: '<task submitted|duplicateExternalId>' },
	},
];

const cometApi = probesOfGateway({
	externalId: true,
	sources: { key: '2', created: 'G1', ended: 'G3' },
	keyWorks: { data: [{ id: '<text>' }] },
	keyRefused: { status: 401, body: gatewayError('comet_api_error'), reads: '' },
	unknownTask: {
		source: 'K1',
		status: 400,
		body: klingNotFound('{unknownId}'),
		reads: 'notFound',
	},
	unknownScene: { source: 'G11', status: '<400|500|503>', reads: '<badRequest|notOffered>' },
	noPicture: { source: 'G6', status: '<400|500>', reads: 'badRequest' },
	wrongPath: {
		source: 'G10',
		path: '/conformance-no-such-path',
		status: '<200|301|404>',
		body: '<html>',
		reads: '<unreadable|redirected|notFound>',
	},
	created: {
		code: 0,
		message: 'success',
		request_id: '<absent>',
		data: { task_id: '<id>', task_status: 'submitted', created_at: '<ms>' },
	},
	succeeded: klingTask({ task_status: 'succeed', task_result: { videos: [{ url: '<url>' }] } }),
	failed: klingTask({ task_status: 'failed', task_status_msg: '<text>' }),
});

const kkiai = probesOfGateway({
	externalId: true,
	sources: { key: '3', created: 'N2', ended: 'N3' },
	keyWorks: { data: [{ id: '<text>' }] },
	keyRefused: { status: 401, body: gatewayError('new_api_error'), reads: '' },
	unknownTask: {
		source: 'N6',
		status: 400,
		body: { code: 'task_not_exist', message: 'task_not_exist', data: null },
		reads: 'notFound',
	},
	unknownScene: {
		source: 'N8',
		status: 400,
		body: { code: 'fail_to_fetch_task', message: '<text>', data: null },
		reads: 'badRequest',
	},
	noPicture: {
		source: 'N8',
		status: 400,
		body: { code: 'fail_to_fetch_task', message: '<text>', data: null },
		reads: 'badRequest',
	},
	wrongPath: {
		source: 'N11',
		path: '/kling/v1/conformance-no-such-path',
		status: 404,
		body: { error: { type: 'invalid_request_error', message: 'Invalid URL (GET <text>' } },
		reads: '<notFound|notOffered>',
	},
	created: {
		oneOf: [
			klingTask({ task_status: 'submitted' }),
			{ code: 'success', data: { task_id: '<id>' } },
			{ task_id: '<id>', status: 'queued' },
		],
	},
	succeeded: {
		oneOf: [
			klingTask({ task_status: 'succeed', task_result: { videos: [{ url: '<url>' }] } }),
			{ code: 'success', data: { task_id: '<id>', status: '<SUCCESS|succeeded>' } },
			{ task_id: '<id>', status: 'completed' },
		],
	},
	failed: {
		oneOf: [
			klingTask({ task_status: 'failed', task_status_msg: '<text>' }),
			{ code: 'success', data: { task_id: '<id>', status: '<FAILURE|failed>' } },
			{ task_id: '<id>', status: 'failed', error: { message: '<text>' } },
		],
	},
});

const modellix = probesOfGateway({
	externalId: false,
	sources: { key: 'M9', created: 'M1', ended: 'M2' },
	keyWorks: { code: 0, data: { is_valid: true } },
	keyRefused: { status: 200, body: { code: 0, data: { is_valid: false } }, reads: '' },
	unknownTask: {
		source: 'M5',
		status: 404,
		body: { code: 404, message: '<text>: <text>' },
		reads: 'notFound',
	},
	unknownScene: {
		source: 'M5',
		status: 400,
		body: { code: 400, message: '<text>: <text>' },
		reads: 'badRequest',
	},
	noPicture: {
		source: 'M5',
		status: 400,
		body: { code: 400, message: '<text>: <text>' },
		reads: 'badRequest',
	},
	wrongPath: {
		source: 'M5',
		path: '/api/v1/conformance-no-such-path',
		status: 404,
		body: { code: 404 },
		reads: 'notFound',
	},
	created: {
		code: 0,
		message: 'success',
		data: { task_id: '<id>', status: 'pending', model_id: '<text>' },
	},
	succeeded: {
		code: 0,
		data: {
			status: '<success|succeeded|completed>',
			result: { resources: [{ url: '<url>' }] },
			result_expires_at: '<ms>',
		},
	},
	failed: { code: 0, data: { status: '<failed|error>' } },
});

const apiModels = [
	...probesOfGateway({
		externalId: false,
		sources: { key: '5', created: 'A1', ended: 'A1' },
		keyWorks: { code: 200, data: { balance: '<number>' } },
		keyRefused: { status: 401, body: { code: 401, msg: '<text>' }, reads: '' },
		unknownTask: {
			source: '5',
			status: 404,
			body: { code: 404, msg: '<text>' },
			reads: 'notFound',
		},
		unknownScene: { source: 'A5', status: 400, body: { code: 400 }, reads: 'badRequest' },
		noPicture: { source: 'A5', status: 400, body: { code: 400 }, reads: 'badRequest' },
		wrongPath: {
			source: '5',
			path: '/conformance-no-such-path',
			status: 404,
			reads: 'notFound',
		},
		created: {
			code: 200,
			msg: 'success',
			data: { taskId: '<id>', state: 'pending', model: '<text>' },
		},
		succeeded: { code: 200, data: { state: 'completed', resultUrls: ['<url>'] } },
		failed: { code: 200, data: { state: 'failed', failMsg: '<text>' } },
	}),
	{
		id: 'unknown-model',
		fact: 'Create: unknown model',
		source: 'A5',
		cost: 'free',
		ask: {
			kind: 'create',
			order: { images: [noPicture] },
			change: (body: Body) => ({ ...body, model: 'conformance-no-such-model' }),
		},
		expected: {
			status: 400,
			body: { msg: 'Invalid model: <text>Supported: <text>' },
			reads: 'badRequest',
		},
	} satisfies Probe,
];

/** The assumptions about each provider, in the order in which they are asked. */
export const probes: Record<string, readonly Probe[]> = {
	kling,
	cometApi,
	kkiai,
	modellix,
	apiModels,
};
