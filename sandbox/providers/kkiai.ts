import { randomUUID } from 'node:crypto';

import { videosOf } from '../files';
import { makeKeys } from '../keys';
import { Refusal } from '../refusal';
import type { Task } from '../tasks';
import { newApiTexts, say, type ProviderText } from '../texts';
import type { ActiveOptions } from '../types';
import { answer, htmlAnswer, type Answer } from '../wire';
import { authenticateWith } from './gateway';
import { readKlingBody } from './klingBody';
import {
	callbackPayload,
	createdTask,
	klingRefusal,
	newKlingTaskId,
	passedOn,
} from './klingEnvelope';
import type { Call, Context, Provider } from './provider';

const keys = makeKeys('kkiai');

/**
 * KKIAI (KKIAI's effects page, docs/providers.md section 3), a fork of the new-api gateway. Its answers are not
 * documented; `kkiaiShape` picks one of the three that its family shows.
 */
export const kkiai: Provider = {
	name: 'kkiai',
	displayName: 'KKIAI',
	mounts: [{ prefix: '/kkiai', region: 'global', keys }],
	routes: [
		{ method: 'POST', path: /^\/kling\/v1\/videos\/effects$/, operation: 'create', answer: create },
		{
			method: 'GET',
			path: /^\/kling\/v1\/[^/]+\/[^/]+\/([^/]+)$/,
			operation: 'get',
			answer: get,
		},
		{ method: 'GET', path: /^\/v1\/models$/, operation: 'check', answer: models },
		{ method: 'GET', path: /^\/api\/usage\/token\/?$/, operation: 'account', answer: usage },
	],
	authenticate: authenticateWith(keys),
	refuse: (code, _context, message) => refuse(code, message),
	unknownRoute,
	newTaskId: ({ kkiaiShape }) =>
		kkiaiShape === 'openai' ? `task_${randomUUID().replaceAll('-', '')}` : newKlingTaskId(),
	callbacks: (context) => ({
		onlyAtEnd: false,
		isSigned: false,
		retryMs: [],
		payload: (task) => callbackPayload(task, context),
	}),
};

/** Its own words for Kling's codes: those of new-api, unverified for KKIAI. */
const ownTexts: Record<number, ProviderText> = {
	1100: newApiTexts.noQuota,
	1101: newApiTexts.noQuota,
	1102: newApiTexts.noQuota,
	1203: newApiTexts.taskUnknown,
	1302: newApiTexts.overloaded,
	1303: newApiTexts.overloaded,
};

function refuse(code: number, message?: string): Answer {
	if (code < 1100) return gatewayError(newApiTexts.keyRefused);
	if (code === 1103) return gatewayError(newApiTexts.noChannel);
	const own = ownTexts[code];
	if (own) return taskError(own.status, own.code, message ?? say(own));
	return upstreamRefusal(klingRefusal(code, message));
}

/**
 * Kling's refusal: its whole body, as text; anything that looks like an address or a network failure is
 * hidden (N8).
 */
function upstreamRefusal({ status, body }: Answer): Answer {
	const text = JSON.stringify(body);
	const shown = /post|dial|http/i.test(text) ? say(newApiTexts.upstreamLost) : text;
	return taskError(status, newApiTexts.passedOn.code, shown);
}

function taskError(status: number, code: string | number, message: string): Answer {
	return answer(status, { code, message, data: null });
}

function gatewayError(said: ProviderText, repeated = '', type = 'new_api_error'): Answer {
	const id = randomUUID().replaceAll('-', '');
	const message = `${say(said, repeated)} (request id: ${id})`;
	return answer(said.status, { error: { message, type, param: '', code: said.code } });
}

async function create(call: Call, context: Context): Promise<Answer> {
	const body = await readKlingBody(call.body, { provider: 'kkiai' }, context);
	const task = context.accept(call, body);
	return answer(200, created[context.options.kkiaiShape](task, context));
}

function get(call: Call, context: Context): Answer {
	const { store, options } = context;
	const [id] = call.params;
	let task = store.byId('kkiai', call.region, id);
	if (!task && options.kkiaiExternalIdLookup) {
		task = store.byExternalId('kkiai', call.region, id);
	}
	if (!task) throw new Refusal(1203);
	return answer(200, found[options.kkiaiShape](task, context));
}

type Shapes = Record<ActiveOptions['kkiaiShape'], (task: Task, context: Context) => unknown>;

const created: Shapes = {
	kling: (task) => klingEnvelope(createdTask(task)),
	wrapper: (task) => ({
		code: 'success',
		message: '',
		data: { task_id: task.taskId, action: 'effects', status: 'SUBMITTED', progress: '0%' },
	}),
	short: (task, context) => ({ code: 'success', message: '', data: short(task, context) }),
	openai: (task) => ({
		id: task.taskId,
		task_id: task.taskId,
		object: 'video',
		model: 'kling-effects',
		status: 'queued',
		progress: 0,
		created_at: seconds(task.createdAt),
	}),
};

const found: Shapes = {
	kling: (task, context) => klingEnvelope(passedOn(task, context)),
	wrapper: (task, context) => ({ code: 'success', message: '', data: wrapped(task, context) }),
	short: (task, context) => ({ code: 'success', message: '', data: short(task, context) }),
	openai: openAiVideo,
};

function klingEnvelope(data: unknown): unknown {
	return { code: 0, message: 'SUCCEED', request_id: randomUUID(), data };
}

const wrapperStatus = {
	submitted: 'SUBMITTED',
	processing: 'IN_PROGRESS',
	succeed: 'SUCCESS',
	failed: 'FAILURE',
};

function wrapped(task: Task, context: Context): unknown {
	const { status } = task;
	return {
		task_id: task.taskId,
		action: 'effects',
		status: wrapperStatus[status],
		progress: task.isOver ? '100%' : status === 'processing' ? '50%' : '0%',
		fail_reason: failReason(task, context),
		submit_time: seconds(task.createdAt),
		start_time: status === 'submitted' ? 0 : seconds(task.processingAt),
		finish_time: task.isOver ? seconds(task.finishedAt) : 0,
		data: klingEnvelope(passedOn(task, context)),
	};
}

/** Older new-api code keeps the video's URL in this field on success (section 3). */
function failReason(task: Task, context: Context): string {
	if (task.status === 'failed') return task.message;
	return task.status === 'succeed' ? videosOf(task, context.url)[0].url : '';
}

const openaiStatus = {
	submitted: 'queued',
	processing: 'in_progress',
	succeed: 'completed',
	failed: 'failed',
};

function openAiVideo(task: Task, context: Context): unknown {
	const { status } = task;
	return {
		id: task.taskId,
		task_id: task.taskId,
		object: 'video',
		model: 'kling-effects',
		status: openaiStatus[status],
		progress: task.isOver ? 100 : status === 'processing' ? 50 : 0,
		created_at: seconds(task.createdAt),
		...(task.isOver ? { completed_at: seconds(task.finishedAt) } : {}),
		...(status === 'succeed'
			? {
					seconds: String(task.videoSeconds),
					metadata: { url: videosOf(task, context.url)[0].url },
				}
			: {}),
		...(status === 'failed' ? { error: { message: task.message, code: 'task_failed' } } : {}),
	};
}

const shortStatus = {
	submitted: 'queued',
	processing: 'processing',
	succeed: 'succeeded',
	failed: 'failed',
};

/** The short task object (N4). */
function short(task: Task, context: Context): unknown {
	const { status, message } = task;
	return {
		error: status === 'failed' ? { message, code: 'task_failed' } : null,
		format: 'mp4',
		metadata: null,
		status: shortStatus[status],
		task_id: task.taskId,
		url: status === 'succeed' ? videosOf(task, context.url)[0].url : '',
	};
}

function seconds(ms: number): number {
	return Math.floor(ms / 1000);
}

function models(): Answer {
	const data = [{ id: 'kling-effects', object: 'model', created: 1626777600, owned_by: 'kling' }];
	return answer(200, { data, object: 'list', success: true });
}

/** Quota of the key as new-api has it; may be switched off at KKIAI (section 3). */
function usage(call: Call): Answer {
	const total = call.caller?.keyName === 'noBalance' ? 0 : 50_000_000;
	return answer(200, {
		code: true,
		message: 'ok',
		data: {
			object: 'token_usage',
			name: 'sandbox',
			total_granted: total,
			total_used: 0,
			total_available: total,
			unlimited_quota: false,
			expires_at: 0,
		},
	});
}

/** new-api serves its web interface for every other page. */
function unknownRoute(call: Call): Answer {
	if (!/^\/(?:kling|v1)\//.test(call.path)) return htmlAnswer(200, 'KKIAI');
	return gatewayError(newApiTexts.noRoute, `${call.method} ${call.path}`, 'invalid_request_error');
}
