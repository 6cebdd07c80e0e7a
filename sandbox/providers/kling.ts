import { randomUUID } from 'node:crypto';

import jwt from 'jsonwebtoken';

import {
	accessKeyNameOf,
	bearerToken,
	keyNameOf,
	makeAccessKeys,
	makeKeys,
	type Caller,
} from '../keys';
import { Refusal } from '../refusal';
import { klingTexts } from '../texts';
import type { SandboxRegion } from '../types';
import { unitsOf } from '../units';
import { answer, type Answer } from '../wire';
import { readKlingBody } from './klingBody';
import {
	callbackPayload,
	createdTask,
	klingRefusal,
	newKlingTaskId,
	taskObject,
} from './klingEnvelope';
import type { Call, Context, Provider } from './provider';

/** Keys differ per region: one console's key is unknown to the other (docs/providers.md section 1.1). */
export const klingKeys = { global: makeKeys('kling-global'), china: makeKeys('kling-china') };

/** Access keys and secrets per region. */
export const klingAccessKeys = {
	global: makeAccessKeys('kling-global'),
	china: makeAccessKeys('kling-china'),
};

/** Kling AI itself (Kling's effects page). */
export const kling: Provider = {
	name: 'kling',
	displayName: 'Kling AI',
	mounts: [
		{ prefix: '/kling', region: 'global', keys: klingKeys.global },
		{ prefix: '/kling-china', region: 'china', keys: klingKeys.china },
	],
	routes: [
		{ method: 'POST', path: /^\/v1\/videos\/effects$/, operation: 'create', answer: create },
		{ method: 'GET', path: /^\/v1\/videos\/effects$/, operation: 'list', answer: list },
		{ method: 'GET', path: /^\/v1\/videos\/effects\/([^/]+)$/, operation: 'get', answer: get },
		{ method: 'GET', path: /^\/account\/costs$/, operation: 'account', answer: costs },
	],
	authenticate,
	refuse: (code, _context, message) => klingRefusal(code, message),
	unknownRoute: () => {
		throw new Refusal(1202);
	},
	newTaskId: newKlingTaskId,
	callbacks: (context) => ({
		onlyAtEnd: false,
		isSigned: true,
		// It is not documented whether Kling repeats a callback that was not accepted.
		retryMs: [],
		payload: (task) => callbackPayload(task, context),
	}),
};

/** Every response from Kling has a request id (Kling's effects page). */
function success(data: unknown): Answer {
	return answer(200, { code: 0, message: 'SUCCEED', request_id: randomUUID(), data });
}

/** Bearer with a plain API key or an HS256 JWT (docs/providers.md section 1.2). */
function authenticate(call: Call, context: Context): Caller {
	const { region } = call;
	const header = call.headers.authorization;
	if (!header?.trim()) throw new Refusal(1001);
	const token = bearerToken(header);
	if (!token) throw new Refusal(1002);
	const keyName = keyNameOf(klingKeys[region], token) ?? signerOf(token, region, context);
	return { keyName, region };
}

function signerOf(token: string, region: SandboxRegion, context: Context): Caller['keyName'] {
	const accessKeys = klingAccessKeys[region];
	const claims = jwt.decode(token, { json: true });
	const keyName = accessKeyNameOf(accessKeys, claims?.iss);
	if (!keyName) throw new Refusal(1002);
	try {
		const clockTimestamp = Math.floor(context.options.now() / 1000);
		const { secretKey } = accessKeys[keyName];
		// No tolerance: the documented back-dating of nbf is the client's own (section 1.2).
		const payload = jwt.verify(token, secretKey, { algorithms: ['HS256'], clockTimestamp });
		// `exp` is one of the documented claims; what happens without it is unverified.
		if (typeof payload === 'string' || payload.exp === undefined) throw new Refusal(1002);
		return keyName;
	} catch (error) {
		if (error instanceof jwt.NotBeforeError) throw new Refusal(1003);
		if (error instanceof jwt.TokenExpiredError) throw new Refusal(1004);
		throw new Refusal(1002);
	}
}

async function create(call: Call, context: Context): Promise<Answer> {
	const task = await readKlingBody(call.body, { provider: 'kling' }, context);
	const { externalTaskId } = task;
	if (externalTaskId !== null && context.store.isUsed('kling', call.region, externalTaskId)) {
		throw Refusal.saying(klingTexts.externalIdUsed, externalTaskId);
	}
	return success(createdTask(context.accept(call, task)));
}

function get(call: Call, context: Context): Answer {
	const [id] = call.params;
	const task =
		context.store.byId('kling', call.region, id) ??
		context.store.byExternalId('kling', call.region, id);
	if (!task) throw Refusal.saying(klingTexts.taskNotFound, id);
	const data = { ...taskObject(task, context), watermark_info: { enabled: false } };
	return success(data);
}

/** A bare array without a total; its order is not documented (section 1.5). */
function list(call: Call, context: Context): Answer {
	const { options } = context;
	const pageNum = intFrom(call.query, 'pageNum', 1, options.lastPage);
	const most = options.largerPages === 'cut' ? Infinity : options.largestPage;
	const pageSize = Math.min(intFrom(call.query, 'pageSize', 30, most), options.largestPage);
	const start = options.listIgnoresPageNum ? 0 : (pageNum - 1) * pageSize;
	const tasks = context.store.page('kling', call.region, start, pageSize);
	const data = tasks.map((task) => taskObject(task, context));
	if (data.length > 0 || options.emptyList === 'array') return success(data);
	// JSON omits undefined.
	return success(options.emptyList === 'null' ? null : undefined);
}

function intFrom(query: URLSearchParams, name: string, fallback: number, max: number): number {
	const text = query.get(name);
	if (text === null) return fallback;
	const value = Number(text);
	if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
	throw new Refusal(1201, `${name} must be an integer between 1 and ${max}`);
}

/** Resource packs; double-wrapped, at most once a second (section 1.9). */
function costs(call: Call, context: Context): Answer {
	for (const name of ['start_time', 'end_time']) {
		if (!/^\d+$/.test(call.query.get(name) ?? '')) throw new Refusal(1200, `${name} is required`);
	}
	if (!context.limiter.admits(`costs:${call.region}`, 1)) throw new Refusal(1302);
	const now = context.options.now();
	const paid = context.store.tasks.filter(
		({ provider, keyName }) => provider === 'kling' && keyName !== 'seed',
	);
	const used = paid.reduce((sum, task) => sum + (unitsOf(task) ?? 0), 0);
	const isEmpty = call.caller?.keyName === 'noBalance';
	const pack = {
		resource_pack_name: 'Video effects (sandbox)',
		resource_pack_id: '509f3fd3d4f14e5e8b1c1e1b1a1d1c1f',
		resource_pack_type: 'decreasing_total',
		total_quantity: 100_000,
		remaining_quantity: isEmpty ? 0 : Math.max(0, 100_000 - used),
		purchase_time: now - 86_400_000,
		effective_time: now - 86_400_000,
		invalid_time: now + 30 * 86_400_000,
		status: isEmpty ? 'runOut' : 'online',
	};
	const data = { code: 0, msg: 'SUCCEED', resource_pack_subscribe_infos: [pack] };
	return success(data);
}
