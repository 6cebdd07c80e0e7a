import type { IncomingMessage, ServerResponse } from 'node:http';

import { z } from 'zod/v3';

import { sampleFolder, sampleNames } from './samples';
import type { Fault, ProviderName, Sandbox, SandboxTask } from './types';
import { answer, readBody, send, type Answer } from './wire';

/** The URLs with which other processes control the sandbox, and what each is for. */
export const controlUrls: Array<[method: string, path: string, purpose: string]> = [
	['GET', '/_sandbox/state', 'charges, tasks by status, callbacks; ?full=1 with all of them'],
	['GET', '/_sandbox/requests', 'requests as they arrived; ?provider= ?operation='],
	['GET', '/_sandbox/credentials', 'credential data for every provider'],
	['POST', '/_sandbox/faults', 'add a fault'],
	['DELETE', '/_sandbox/faults', 'remove all faults'],
	['POST', '/_sandbox/options', 'change options'],
	['POST', '/_sandbox/finish', 'end a task: {taskId, status, message?}'],
	['POST', '/_sandbox/callback', 'send a callback: {taskId, body?}'],
	['POST', '/_sandbox/seed', 'put history in: {provider, tasks}'],
	['POST', '/_sandbox/reset', 'forget everything but the options'],
	...sampleNames.map((name): [string, string, string] => [
		'GET',
		sampleFolder + name,
		'sample image',
	]),
];

const provider = z.string();
const count = z.number().nonnegative();

const faultBody = z
	.object({
		kind: z.enum([
			'resetBefore',
			'resetAfter',
			'hang',
			'delay',
			'status',
			'code',
			'html',
			'empty',
			'malformedJson',
			'unknownShape',
			'truncated',
			'redirect',
			'expired',
			'slow',
		]),
		match: z
			.object({
				provider,
				method: z.string(),
				operation: z.enum(['create', 'get', 'list', 'check', 'account', 'download']),
				path: z.string(),
			})
			.partial()
			.strict()
			.optional(),
		times: count.optional(),
		skip: count.optional(),
		probability: z.number().min(0).max(1).optional(),
		accept: z.boolean().optional(),
		delayMs: count.optional(),
		status: z.number().int().optional(),
		headers: z.record(z.string()).optional(),
		body: z.unknown(),
		code: z.number().int().optional(),
		message: z.string().optional(),
		location: z.string().optional(),
	})
	.strict();

/** For limits, null removes the limit. */
const limit = count.nullable().transform((value) => value ?? undefined);

const optionsBody = z
	.object({
		taskSeconds: count,
		latencyMs: count,
		requestsPerSecond: limit,
		parallelTasks: limit,
		clips: z.enum(['ready', 'made']),
		kkiaiShape: z.enum(['kling', 'wrapper', 'short', 'openai']),
		kkiaiExternalIdLookup: z.boolean(),
		cometExternalIdLookup: z.boolean(),
		modellixPath: z.enum(['newest', 'middle', 'oldest']),
		listOrder: z.enum(['newestFirst', 'oldestFirst', 'random']),
		largestPage: count,
		largerPages: z.enum(['refused', 'cut']),
		lastPage: count,
		emptyList: z.enum(['array', 'null', 'absent']),
		watermarkUrls: z.boolean(),
		listIgnoresPageNum: z.boolean(),
		listDelayMs: count,
		stateLagMs: count,
		dateSkewsMs: z.array(z.number()).min(1),
		numericIds: z.boolean(),
		gatewaysShowKlingsId: z.boolean(),
		duplicateLookupDelayMs: count,
		failScenes: z.array(z.string()),
		callbacks: z.enum(['on', 'off', 'twice']),
		webhookSecret: z
			.string()
			.nullable()
			.transform((value) => value ?? undefined),
		callbackRetryMs: z.array(count),
		callbackRepeatsMs: z.array(count),
	})
	.partial()
	.strict();

const finishBody = z.object({
	taskId: z.string(),
	status: z.enum(['succeed', 'failed']),
	message: z.string().optional(),
});
const seedBody = z.object({ provider, tasks: z.array(z.record(z.unknown())) });
const callbackBody = z.object({ taskId: z.string(), body: z.unknown() });

/** Answers one control request. */
export async function control(
	sandbox: Sandbox,
	request: IncomingMessage,
	response: ServerResponse,
	url: URL,
): Promise<void> {
	const name = `${request.method} ${url.pathname}`;
	const raw = await readBody(request, 256 * 1024 * 1024);
	try {
		const body: unknown = raw?.length ? JSON.parse(raw.toString('utf8')) : {};
		send(response, await act(sandbox, name, url.searchParams, body));
	} catch (error) {
		send(response, answer(400, { message: (error as Error).message }));
	}
}

async function act(
	sandbox: Sandbox,
	name: string,
	query: URLSearchParams,
	body: unknown,
): Promise<Answer> {
	switch (name) {
		case 'GET /_sandbox/state':
			return answer(200, describe(sandbox, query.get('full') === '1'));
		case 'GET /_sandbox/requests':
			return answer(200, requestsOf(sandbox, query));
		case 'GET /_sandbox/credentials':
			return answer(200, credentialsOf(sandbox));
		case 'POST /_sandbox/faults': {
			const fault = faultBody.parse(body) as Fault;
			if (fault.match?.provider !== undefined) checkProvider(sandbox, fault.match.provider);
			sandbox.addFault(fault);
			break;
		}
		case 'DELETE /_sandbox/faults':
			sandbox.clearFaults();
			break;
		case 'POST /_sandbox/options':
			return answer(200, Object.assign(sandbox.options, optionsBody.parse(body)));
		case 'POST /_sandbox/finish': {
			const { taskId, status, message } = finishBody.parse(body);
			sandbox.finish(taskId, status, message);
			break;
		}
		case 'POST /_sandbox/callback': {
			const forged = callbackBody.parse(body);
			return answer(200, await sandbox.sendCallback(forged.taskId, forged.body));
		}
		case 'POST /_sandbox/seed': {
			const seed = seedBody.parse(body);
			sandbox.seedTasks(seed.provider, seed.tasks as Array<Partial<SandboxTask>>);
			break;
		}
		case 'POST /_sandbox/reset':
			sandbox.reset();
			break;
		default:
			return answer(404, { message: 'Unknown control', controls: controlUrls });
	}
	return answer(200, { ok: true });
}

function checkProvider(sandbox: Sandbox, name: ProviderName): void {
	const names = sandbox.providers.map((one) => one.name);
	if (!names.includes(name)) throw new Error(`provider must be one of ${names.join(', ')}`);
}

function describe(sandbox: Sandbox, isFull: boolean): Record<string, unknown> {
	const { url, options, tasks, charges, requests, callbackLog } = sandbox;
	const byStatus = countBy(tasks, (task) => task.status);
	const summary = {
		url,
		options,
		tasks: { total: tasks.length, byStatus },
		charges: { total: charges.length, byProvider: countBy(charges, (one) => one.provider) },
		requests: { total: requests.length, byProvider: countBy(requests, (one) => `${one.provider}`) },
		callbacks: { total: callbackLog.length },
	};
	return isFull ? { ...summary, full: { tasks, charges, callbacks: callbackLog } } : summary;
}

function countBy<T>(items: readonly T[], nameOf: (item: T) => string): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const item of items) counts[nameOf(item)] = (counts[nameOf(item)] ?? 0) + 1;
	return counts;
}

function requestsOf(sandbox: Sandbox, query: URLSearchParams): unknown {
	const wanted = (name: string, value: string | null) =>
		query.get(name) === null || query.get(name) === value;
	return sandbox.requests.filter(
		(one) => wanted('provider', one.provider) && wanted('operation', one.operation),
	);
}

function credentialsOf(sandbox: Sandbox): Record<string, unknown> {
	const byProvider = sandbox.providers.map(({ name }) => [name, sandbox.credential(name)]);
	return {
		...Object.fromEntries(byProvider),
		klingChina: sandbox.credential('kling', { region: 'china' }),
		klingAccessKey: sandbox.accessKeyCredential(),
		klingChinaAccessKey: sandbox.accessKeyCredential({ region: 'china' }),
	};
}
