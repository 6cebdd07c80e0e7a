import { randomUUID } from 'node:crypto';

import { makeKeys } from '../keys';
import { cometTexts, klingTexts, say, type ProviderText } from '../texts';
import { answer, htmlAnswer, type Answer } from '../wire';
import { authenticateWith } from './gateway';
import { readKlingBody } from './klingBody';
import {
	callbackPayload,
	createdTask,
	klingRefusal,
	statusOfKling,
	textOfKling,
	newGatewayTaskId,
	passedOn,
} from './klingEnvelope';
import type { Call, Context, Provider } from './provider';

const keys = makeKeys('cometapi');

/** CometAPI (CometAPI's effects page, docs/providers.md section 2): Kling's shape behind its own gateway. */
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
	refuse: (code, _context, message) => refuse(code, message),
	unknownRoute,
	newTaskId: newGatewayTaskId,
	callbacks: (context) => ({
		onlyAtEnd: false,
		isSigned: false,
		retryMs: [],
		payload: (task) => callbackPayload(task, context),
	}),
};

/** Its own words for Kling's codes; content is refused in Kling's body, which is passed on (section 2). */
const ownTexts: Record<number, ProviderText> = {
	1000: cometTexts.keyRefused,
	1001: cometTexts.keyRefused,
	1002: cometTexts.keyRefused,
	1100: cometTexts.noQuota,
	1101: cometTexts.noQuota,
	1102: cometTexts.noQuota,
	1103: cometTexts.noChannel,
	1200: cometTexts.fieldMissing,
	1201: cometTexts.valueRefused,
	1302: cometTexts.tooMany,
	1303: cometTexts.tooMany,
};

function refuse(code: number, message: string = textOfKling(code)): Answer {
	if (code === 1300 || code === 1301) return klingRefusal(code, message);
	const own = ownTexts[code];
	if (!own) return gatewayError(statusOfKling(code), '', message);
	return gatewayError(own.status, own.code, say(own, message));
}

function gatewayError(status: number, code: string | number, text: string): Answer {
	// The request id is in the text and nowhere else (G5).
	const message = `${text} (request id: ${randomUUID().replaceAll('-', '')})`;
	return answer(status, { error: { message, type: 'comet_api_error', param: '', code } });
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

/** Outside its API the gateway shows its web site, or redirects a POST there (section 2). */
function unknownRoute(call: Call, context: Context): Answer {
	if (/^\/(?:kling|v1)\//.test(call.path)) {
		return gatewayError(404, '', `Invalid URL (${call.method} ${call.path})`);
	}
	if (call.method === 'GET') return htmlAnswer(200, 'CometAPI');
	const headers = { location: `${context.url}/cometapi/` };
	return { ...htmlAnswer(301, 'Moved Permanently'), headers };
}
