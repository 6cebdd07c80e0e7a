import { randomBytes } from 'node:crypto';

import { z } from 'zod/v3';

import { videosOf } from '../files';
import { makeKeys } from '../keys';
import { Refusal } from '../refusal';
import type { Task } from '../tasks';
import { apiModelsTexts, say } from '../texts';
import { answer, type Answer } from '../wire';
import { authenticateWith } from './gateway';
import { parse, readKlingBody } from './klingBody';
import { statusOfKling, textOfKling } from './klingEnvelope';
import type { Call, Context, Provider } from './provider';

const keys = makeKeys('apimodels');

const modelPath = 'kling-video/kling-effects';

/** APIModels.app (APIModels’ effects page): success is code 200, names are camelCase. */
export const apiModels: Provider = {
	name: 'apiModels',
	displayName: 'APIModels',
	mounts: [{ prefix: '/apimodels', region: 'global', keys }],
	routes: [
		{
			method: 'POST',
			path: /^\/api\/v1\/video\/generations$/,
			operation: 'create',
			answer: create,
		},
		{ method: 'GET', path: /^\/api\/v1\/video\/generations$/, operation: 'get', answer: get },
		{ method: 'GET', path: /^\/api\/v1\/balance$/, operation: 'account', answer: balance },
	],
	authenticate: authenticateWith(keys),
	refuse: (code, _context, message) => refuse(code, message),
	unknownRoute: () => answer(404, { code: 404, msg: 'Not Found' }),
	newTaskId: () => `cl${randomBytes(15).toString('hex').slice(0, 23)}`,
	callbacks: (context) => ({
		onlyAtEnd: true,
		isSigned: false,
		// The three quick repetitions; the background ones of up to 30 minutes are left out.
		retryMs: [1000, 2000, 4000],
		payload: (task) => callbackPayload(task, context),
	}),
};

// 403, 429 and 503 are not in its table; they exist here so that every fault has a response.
const statusOfCode: Record<number, number> = {
	1100: 402,
	1101: 402,
	1102: 402,
	1304: 403,
	5002: 500,
};

function refuse(code: number, message?: string): Answer {
	const status = statusOfCode[code] ?? statusOfKling(code);
	return answer(status, { code: status, msg: message ?? textOfKling(code) });
}

function success(data: unknown): Answer {
	return answer(200, { code: 200, msg: 'success', data });
}

const modelBody = z.object({ model: z.string() });

async function create(call: Call, context: Context): Promise<Answer> {
	const { model } = parse(modelBody, call.body);
	if (model !== 'kling-effects') throw new Refusal(1201, say(apiModelsTexts.modelUnknown, model));
	// Its page shows no duration; text (like Kling) and number are both accepted. Unverified.
	const rules = { provider: 'apiModels', takesNumbers: true };
	const body = await readKlingBody(call.body, rules, context);
	// It has no external task ids, so one that is sent is ignored.
	const task = context.accept(call, { ...body, externalTaskId: null });
	return success({ taskId: task.taskId, state: 'pending', model: modelPath });
}

const states = {
	submitted: 'pending',
	processing: 'processing',
	succeed: 'completed',
	failed: 'failed',
};

function get(call: Call, context: Context): Answer {
	const taskId = call.query.get('task_id');
	if (!taskId) throw new Refusal(1200, 'task_id is required');
	const task = context.store.byId('apiModels', call.region, taskId);
	if (!task) throw new Refusal(1203, say(apiModelsTexts.taskUnknown));
	return success({
		taskId: task.taskId,
		state: states[task.status],
		model: modelPath,
		...ending(task, context),
	});
}

/** The failed sample of APIModels’ effects page shows no times, the completed one does. */
function ending(task: Task, context: Context): Record<string, unknown> {
	if (task.status === 'failed') return { failMsg: task.message, failCode: 'CONTENT_MODERATION' };
	if (task.status !== 'succeed') return { createTime: task.createdAt };
	return {
		resultUrls: videosOf(task, context.url).map(({ url }) => url),
		createTime: task.createdAt,
		completeTime: task.finishedAt,
	};
}

/** One POST at the end; `param` and `resultJson` are JSON inside of JSON (APIModels’ effects page). */
function callbackPayload(task: Task, context: Context): unknown {
	const isFailed = task.status === 'failed';
	const result = {
		resultUrls: videosOf(task, context.url).map(({ url }) => url),
		videoDuration: task.videoSeconds,
	};
	return {
		code: 200,
		msg: 'success',
		data: {
			taskId: task.taskId,
			model: modelPath,
			state: states[task.status],
			param: JSON.stringify(task.params),
			resultJson: isFailed ? null : JSON.stringify(result),
			failCode: isFailed ? 'CONTENT_MODERATION' : null,
			failMsg: isFailed ? task.message : null,
			costTime: task.updatedAt - task.createdAt,
			completeTime: task.updatedAt,
			createTime: task.createdAt,
		},
	};
}

function balance(call: Call): Answer {
	const amount = call.caller?.keyName === 'noBalance' ? 0 : 100;
	return success({ balance: amount, total: amount, frozen: 0, currency: 'USD' });
}
