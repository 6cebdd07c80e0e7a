import fc from 'fast-check';
import { Client } from '../../../nodes/kling/client';
import { behaviours } from '../../../nodes/kling/failure';
import type { HttpResponse } from '../../../nodes/kling/http';
import { parseJson } from '../../../nodes/kling/http';
import { describeUnknownOutcome } from '../../../nodes/kling/messages';
import { providers, type Provider } from '../../../nodes/kling/providers';
import { randomCases } from '../../harness/randomCases';

/** A create with a response: what is paid is never mistaken for a refusal. */

function responseOf(body: unknown, status = 200): HttpResponse {
	const text = typeof body === 'string' ? body : JSON.stringify(body);
	return { kind: 'response', status, headers: {}, text, at: 0, json: parseJson(text) };
}

function clientOf(provider: Provider, response: HttpResponse): Client {
	const clock = { now: () => 0, elapsed: () => 0, random: () => 0.5, sleep: async () => undefined };
	return new Client(provider, async () => response, clock);
}

const order = { effectScene: 'squish', images: ['https://example.com/a.jpg'], externalTaskId: 'x' };
const create = async (provider: Provider, body: unknown, status = 200) =>
	await clientOf(provider, responseOf(body, status)).create(order);

const named = Object.fromEntries(providers.map((provider) => [provider.name, provider]));

describe('a 2xx response that names a task is a created task', () => {
	test.each([
		['apiModels', { code: 0, msg: 'ok', data: { taskId: 'cl-1', state: 'pending' } }, 'cl-1'],
		['cometApi', { code: 'success', data: { task_id: '42', task_status: 'submitted' } }, '42'],
		['cometApi', { code: 200, data: { task_id: '42' } }, '42'],
		['cometApi', { code: 7, message: 'quota', data: { task_id: '42' } }, '42'],
		['kkiai', { code: 'success', data: 'task_4711' }, 'task_4711'],
		['kkiai', { task_id: 'task_1', id: 'x', model: 'm' }, 'task_1'],
		['kkiai', { code: 0, data: { task_id: '7' } }, '7'],
		['kling', { code: 0, data: { task_id: '842163450012345679' } }, '842163450012345679'],
		['kling', '{"code":0,"data":{"task_id":842163450012345679}}', '842163450012345679'],
		['kling', { code: 0, data: { task_id: '1', task_status: 'submitted', task_result: [] } }, '1'],
		['kling', { code: 0, data: { task_id: '1', task_status: 5, task_info: 'x' } }, '1'],
		['kling', { code: { toString: 1 }, data: { task_id: '1' } }, '1'],
		['kling', { code: 1201, message: 'odd', data: { task_id: '1' } }, '1'],
		['modellix', { task_id: 'task-1', status: 'pending' }, 'task-1'],
		['modellix', { code: 200, data: { task_id: 'task-1' } }, 'task-1'],
		['modellix', { code: 0, data: [{ task_id: 'task-1' }] }, 'task-1'],
	])('%s, %j', async (name, body, taskId) => {
		const outcome = await create(named[name], body);
		expect(outcome).toMatchObject({ ok: true, value: { task: { taskId, externalTaskId: 'x' } } });
		// The item shows the id even with Simplify off.
		const raw = outcome.ok ? outcome.value.raw : {};
		expect(JSON.stringify(raw)).toContain(taskId);
	});
});

test('the id may stand under the provider’s own key, in no form that its adapter knows', async () => {
	const provider: Provider = { ...named.kling, idKeys: ['uid'], readTask: () => null };
	const outcome = await create(provider, { result: { uid: '42', id: 'x' } });
	expect(outcome).toMatchObject({ ok: true, value: { task: { taskId: '42' }, raw: { id: 'x' } } });
});

describe('a 2xx response that names no task', () => {
	test.each([
		['kling', { code: 1201, message: 'image can not be null' }, 'badRequest'],
		['kkiai', { code: 'task_failed', message: 'x', data: null }, 'badRequest'],
		['kkiai', { code: 'quota_not_enough', data: 'task_4711' }, 'accountEmpty'],
		['modellix', { code: 402, message: 'Insufficient credits: x' }, 'accountEmpty'],
		['apiModels', { code: 400, msg: 'Invalid model: x' }, 'badRequest'],
	])('%s: a refusal %j is one', async (name, body, kind) => {
		const outcome = await create(named[name], body);
		expect(outcome).toMatchObject({ ok: false, failure: { kind } });
	});

	test.each(providers.map(({ name }) => name))(
		'%s: what cannot be read is unclear',
		async (name) => {
			for (const body of [
				'',
				'<html>',
				'ok',
				'null',
				[],
				{},
				{ code: 0 },
				{ code: 0, data: null },
				{ data: 'task_4711' },
				{ code: 'success', data: 'accepted' },
			]) {
				const outcome = await create(named[name], body);
				expect(outcome).toMatchObject({
					ok: false,
					failure: { kind: 'unreadable', httpStatus: 200 },
				});
			}
		},
	);

	test.each(['\ud800', '..', '.', ' ', 'a\u0000b', 'x'.repeat(300)])(
		'an id that no URL can contain (%j) is unclear, and nothing raw escapes',
		async (task_id) => {
			for (const provider of providers) {
				const outcome = await create(provider, { code: 0, data: { task_id, taskId: task_id } });
				expect(outcome).toMatchObject({ ok: false, failure: { kind: 'unreadable' } });
			}
		},
	);

	test('an id named like an object method is an id', async () => {
		for (const provider of providers) {
			const body = { code: 0, data: { task_id: 'constructor', taskId: 'constructor' } };
			const outcome = await create(provider, body);
			expect(outcome).toMatchObject({ ok: true, value: { task: { taskId: 'constructor' } } });
		}
	});
});

describe('what a refusal means depends on the call', () => {
	const notFound = { code: 1203, message: 'The requested resource does not exist' };
	const duplicate = { code: 1201, message: 'External_task_id x already exists' };

	test.each([
		[notFound, 'notOffered', 'notFound'],
		[duplicate, 'duplicateExternalId', 'badRequest'],
	])('%j: %s for a create, %s for a read', async (body, forCreate, forRead) => {
		const client = clientOf(named.kling, responseOf(body, 400));
		expect(await client.create(order)).toMatchObject({ failure: { kind: forCreate } });
		for (const read of [client.getOnce('1'), client.findByExternalId('x'), client.listOnce(1)]) {
			expect(await read).toMatchObject({ failure: { kind: forRead } });
		}
	});
});

test('the message about a response that cannot be read says so, with its beginning and what may be the id', async () => {
	const secret = 'sk-abcdefghijklmnop';
	const picture = 'iVBORw0KGgo'.repeat(500);
	const body = { request_id: 'r-9', echo: { key: secret, image: picture }, job: { id: 'job-7' } };
	const outcome = await create(named.kling, body);
	if (outcome.ok) throw new Error('it was read');
	const { message, description } = describeUnknownOutcome(outcome.failure, {
		provider: named.kling,
		externalTaskId: 'x',
		effectScene: 'squish',
		lookUp: null,
	});
	expect(message).toBe('Kling AI may have created the task, but its response cannot be read');
	expect(description).toContain('may contain the task ID: job-7');
	expect(description).toContain('HTTP 200');
	expect(description).toContain('request id r-9');
	expect(description).toMatch(/the response starts with “\{"request_id"/);
	expect(description).not.toContain(secret);
	expect(description).not.toContain('iVBOR');
});

test('a response that is not a success is reported with its status', async () => {
	const outcome = await create(named.kling, { code: 5000, message: 'Server internal error' }, 500);
	if (outcome.ok) throw new Error('it was read');
	const about = { provider: named.kling, externalTaskId: 'x', effectScene: 's', lookUp: null };
	expect(describeUnknownOutcome(outcome.failure, about).message).toBe(
		'Kling AI may have created the task, but its response was HTTP 500',
	);
});

test('a gateway that mistakes Kling’s success for a refusal hides no paid task', async () => {
	const inner = { code: 0, message: 'SUCCEED', data: { task_id: '842163450012345679' } };
	const body = { code: 'fail_to_fetch_task', message: JSON.stringify(inner), data: null };
	for (const name of ['kkiai', 'cometApi']) {
		const outcome = await create(named[name], body, 400);
		expect(outcome).toMatchObject({ ok: false, failure: { kind: 'unreadable' } });
		expect(!outcome.ok && outcome.failure.possibleIds).toContain('842163450012345679');
	}
});

/** Any JSON, with an id in one of the places where an adapter looks. */
const idArbitrary = fc.stringMatching(/^[a-z]{1,4}-[0-9]{6,18}$/);
const wordArbitrary = fc.oneof(
	fc.jsonValue({ maxDepth: 1 }),
	fc.constantFrom(0, 200, 1201, 1303, 5000, 'success', 'fail_to_fetch_task', 'quota', '', null),
);
const answerArbitrary = fc
	.record({
		taskId: idArbitrary,
		place: fc.constantFrom('data', 'data.data', 'data.task', 'root', 'list', 'task', 'bare'),
		key: fc.constantFrom('task_id', 'taskId'),
		code: wordArbitrary,
		message: wordArbitrary,
		status: wordArbitrary,
		more: fc.dictionary(
			fc.constantFrom('task_result', 'task_info', 'error', 'result', 'x'),
			wordArbitrary,
		),
		http: fc.integer({ min: 200, max: 299 }),
	})
	.map(({ taskId, place, key, code, message, status, more, http }) => {
		const task = { ...more, [key]: taskId, task_status: status, status, state: status };
		const envelope = { code, message, msg: message };
		const bodies: Record<string, unknown> = {
			data: { ...envelope, data: task },
			'data.data': { ...envelope, data: { data: task } },
			'data.task': { ...envelope, data: { task } },
			root: { ...envelope, ...task },
			list: { ...envelope, data: [task] },
			task: { ...envelope, task },
			bare: { ...envelope, code: 'success', data: taskId },
		};
		return { taskId, body: bodies[place], http };
	});

test.each(providers)(
	'$displayName: a 2xx answer in which an id can be seen never ends as refused, nor without that id',
	async (provider) => {
		await fc.assert(
			fc.asyncProperty(answerArbitrary, async ({ taskId, body, http }) => {
				const outcome = await create(provider, body, http);
				if (outcome.ok) return expect(outcome.value.task.taskId).toBe(taskId);
				expect(behaviours[outcome.failure.kind].create).toBe('unclear');
				const about = { provider, externalTaskId: null, effectScene: 's', lookUp: null };
				expect(describeUnknownOutcome(outcome.failure, about).description).toContain(taskId);
			}),
			{ numRuns: randomCases(500, 'FUZZ_RUNS') },
		);
	},
);

test.each(providers)(
	'$displayName: no response makes anything raw escape the adapter',
	async (provider) => {
		const anything = fc.record({
			status: fc.integer({ min: 100, max: 599 }),
			body: fc.oneof(
				fc.string(),
				fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value)),
				answerArbitrary.map(({ body }) => JSON.stringify(body)),
				fc.constant('{"code":{"toString":1},"message":{"toString":1}}'),
			),
		});
		await fc.assert(
			fc.asyncProperty(anything, fc.string(), async ({ status, body }, id) => {
				const client = clientOf(provider, responseOf(body, status));
				await client.create(order);
				await client.getOnce(id);
				if (provider.findByExternalIdRequest) await client.findByExternalId(id);
				if (provider.list) await client.listOnce(1);
			}),
			{ numRuns: randomCases(300, 'FUZZ_RUNS') },
		);
	},
);

test.each(['\ud800', '..', '.', ''])(
	'Get of the id %j asks for nothing and is refused',
	async (id) => {
		for (const provider of providers.filter(({ name }) => name !== 'apiModels')) {
			const client = new Client(
				provider,
				() => {
					throw new Error('a request was sent');
				},
				{ now: () => 0, elapsed: () => 0, random: () => 0.5, sleep: async () => undefined },
			);
			expect(await client.getOnce(id)).toMatchObject({
				ok: false,
				failure: { kind: 'badRequest' },
			});
		}
	},
);

describe('only the provider’s own response says that there is no such task', () => {
	test.each(providers.map(({ name }) => [name] as const))(
		'%s: a page of a proxy that says 404 or 400 to a read says nothing of the task',
		async (name) => {
			for (const status of [400, 404, 405, 413]) {
				for (const body of ['<!doctype html><title>Not Found</title>', '', 'Not Found']) {
					const outcome = await clientOf(named[name], responseOf(body, status)).getOnce('1');
					expect(outcome).toMatchObject({
						ok: false,
						failure: { kind: 'unreadable', httpStatus: status },
					});
				}
			}
		},
	);

	test.each(providers.map(({ name }) => [name] as const))(
		'%s: of a create, such a page is still a refusal',
		async (name) => {
			const outcome = await create(named[name], '<html>', 400);
			expect(outcome).toMatchObject({ ok: false, failure: { kind: 'badRequest' } });
		},
	);
});
