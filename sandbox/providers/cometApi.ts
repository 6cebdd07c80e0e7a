import { randomUUID } from 'node:crypto';

import { makeKeys } from '../keys';
import { klingTexts, say } from '../texts';
import { answer, htmlAnswer, type Answer } from '../wire';
import { authenticateWith } from './gateway';
import { readKlingBody } from './klingBody';
import {
	callbackPayload,
	createdTask,
	klingRefusal,
	statusOfKling,
	textOfKling,
	newKlingTaskId,
	passedOn,
} from './klingEnvelope';
import type { Call, Context, Provider } from './provider';

const keys = makeKeys('cometapi');

/** CometAPI (CometAPI's effects page, docs/providers.md section 2): Kling's shape behind a gateway of its own. */
export const cometApi: Provider = {
	name: 'cometApi',
	displayName: 'CometAPI',
	mounts: [{ prefix: '/cometapi', region: 'global', keys }],
	routes: [
		{ method: 'POST', path: /^\/kling\/v1\/videos\/effects$/, operation: 'create', answer: create },
		{
			method: 'GET',
			path: /^\/kling\/v1\/(?:images|videos|audio)\/[^/]+\/([^/]+)$/,
			operation: 'get',
			answer: get,
		},
		{ method: 'GET', path: /^\/v1\/models$/, operation: 'check', answer: models },
	],
	authenticate: authenticateWith(keys),
	refuse: (code, context, message) => gatewayError(code, context, message),
	unknownRoute,
	newTaskId: newKlingTaskId,
	callbacks: (context) => ({
		onlyAtEnd: false,
		isSigned: false,
		retryMs: [],
		payload: (task) => callbackPayload(task, context.url),
	}),
};

/** Statuses where the gateway differs from Kling; 403 for an empty account is unverified. */
const STATUS: Record<number, number> = { 1100: 403, 1101: 403, 1102: 403, 1304: 403 };

const CODES: Record<number, string> = {
	1102: 'insufficient_user_quota',
	1200: 'invalid_request',
	1201: 'invalid_request',
	1203: 'task_not_exist',
	1302: 'rate_limit_exceeded',
	1303: 'rate_limit_exceeded',
};

function gatewayError(code: number, _context: Context, message?: string): Answer {
	const status = STATUS[code] ?? statusOfKling(code);
	const text = message ?? textOfKling(code);
	return answer(status, {
		error: {
			// The request id is in the text and nowhere else (section 2).
			message: `${text} (request id: ${randomUUID().replaceAll('-', '')})`,
			type: 'comet_api_error',
			param: '',
			code: status === 401 ? 'invalid_api_key' : (CODES[code] ?? ''),
		},
	});
}

/**
 * Create. Both kinds of scenes need a duration here. Withdrawn scenes were accepted in 2026-03;
 * external task ids are the caller's own bookkeeping, so they are not checked.
 */
async function create(call: Call, context: Context): Promise<Answer> {
	const rules = { provider: 'cometApi', needsDuration: true };
	const task = context.accept(call, await readKlingBody(call.body, rules, context));
	// No request_id, "success" and an empty task_info: the recorded answer of CometAPI's effects page.
	const data = { ...createdTask(task), task_info: {} };
	return answer(200, { code: 0, message: 'success', data });
}

function get(call: Call, context: Context): Answer {
	const { store, options } = context;
	const [id] = call.params;
	let task = store.byId('cometApi', call.region, id);
	if (!task && options.cometExternalIdLookup) {
		task = store.byExternalId('cometApi', call.region, id);
	}
	// Its single query passes Kling's envelope on (G3), so most likely this one too (K1).
	if (!task) return klingRefusal(1201, say(klingTexts.taskNotFound, id));
	return answer(200, {
		code: 0,
		message: 'SUCCEED',
		request_id: randomUUID(),
		data: passedOn(task, context),
	});
}

function models(): Answer {
	const data = ['kling_effects', 'kling_video', 'gpt-5'].map((id) => ({
		id,
		object: 'model',
		owned_by: 'custom',
	}));
	return answer(200, { object: 'list', data, success: true });
}

/** Outside of its API the gateway shows its web site, or sends a POST there (section 2). */
function unknownRoute(call: Call, context: Context): Answer {
	if (/^\/(?:kling|v1)\//.test(call.path)) {
		return gatewayError(1202, context, `Invalid URL (${call.method} ${call.path})`);
	}
	if (call.method === 'GET') return htmlAnswer(200, 'CometAPI');
	const headers = { location: `${context.url}/cometapi/` };
	return { ...htmlAnswer(301, 'Moved Permanently'), headers };
}
