import {
	behaviourOf,
	failed,
	failureOf,
	kindOfStatus,
	taskIdsIn,
	type Failure,
	type Outcome,
} from './failure';
import { asObject, isJson, type HttpResponse, type JsonResponse } from './http';
import type { Provider } from './providers/provider';
import { saysSuccess, idSchema } from './providers/toolkit';
import { recordOf, type TaskRecord } from './task';

/** What the response to a read means: what `read` makes of it, unless it is a refusal or in no known form. */
export function outcomeOfRead<T>(
	provider: Provider,
	response: HttpResponse,
	read: (response: JsonResponse) => T | null,
): Outcome<T> {
	const refusal = refusalIn(provider, response, 'read');
	if (refusal) return failed(refusal);
	const value = isJson(response) ? read(response) : null;
	return value ? { ok: true, value } : failed(failureOf(response, 'unreadable'));
}

/**
 * What became of a create. A 2xx response that names a task id is a created task, whatever its code
 * and words are: to take one for a refusal would pay for the task again. All but the id is null where
 * the response is not in the provider's form; a Get tells the rest.
 */
export function outcomeOfCreate(provider: Provider, response: HttpResponse): Outcome<TaskRecord> {
	const isTaken = response.status < 300 && isJson(response);
	const created = isTaken
		? (inProviderForm(provider, response) ?? byIdAlone(provider, response))
		: null;
	if (created) return { ok: true, value: created };
	const refusal = refusalIn(provider, response, 'create');
	return failed(
		refusal ? unlessTaskIsNamed(provider, response, refusal) : failureOf(response, 'unreadable'),
	);
}

/** A refusal that names a task is none that is sure, whatever its status and code are. */
function unlessTaskIsNamed(provider: Provider, response: HttpResponse, refusal: Failure): Failure {
	const { create } = behaviourOf(refusal);
	if (create === 'unclear' || create === 'exists') return refusal;
	const record = isJson(response) ? inProviderForm(provider, response) : null;
	const possibleIds = record ? [record.task.taskId] : taskIdsIn(response);
	return possibleIds.length > 0 ? { ...refusal, kind: 'contradictory', possibleIds } : refusal;
}

function refusalIn(
	provider: Provider,
	response: HttpResponse,
	call: 'create' | 'read',
): Failure | null {
	const refusal = isJson(response)
		? provider.readFailure(response)
		: failureOf(response, kindOfStatus(response.status));
	if (!refusal) return null;
	const { readAs, concerns } = behaviourOf(refusal);
	// A proxy's page with status 404 or 400 says nothing about a task: only the provider's own words do.
	const isAboutTask = call === 'read' && concerns === 'task';
	if (isAboutTask && !isJson(response)) return failureOf(response, 'unreadable');
	return { ...refusal, kind: readAs?.[call] ?? refusal.kind };
}

/** An adapter that throws at a response must not hide the id that the response may hold. */
function inProviderForm(provider: Provider, response: JsonResponse): TaskRecord | null {
	try {
		return provider.readTask(response);
	} catch {
		return null;
	}
}

function byIdAlone({ name, idKeys }: Provider, { json: body }: JsonResponse): TaskRecord | null {
	const data = Array.isArray(body.data) ? (body.data as unknown[])[0] : body.data;
	const inner = asObject(data);
	for (const place of [inner, inner?.data, inner?.task, body.task, body.result, body]) {
		const raw = asObject(place);
		if (!raw) continue;
		const keys = [...idKeys, 'task_id', 'taskId', ...(raw === body ? [] : ['id'])];
		const ids = keys.map((key) => idSchema.safeParse(raw[key]));
		const taskId = ids.find(({ success: isId }) => isId)?.data;
		if (taskId) return recordOf(name, { taskId }, raw);
	}
	// KKIAI's family: {"code": "success", "data": "<id>"}.
	const { data: taskId } = idSchema.safeParse(data);
	const isId = taskId !== undefined && /^(?=.*\d)[\w.:-]{6,}$/.test(taskId);
	if (!isId || body.code === undefined || !saysSuccess(body.code)) return null;
	return recordOf(name, { taskId }, { [idKeys[0]]: taskId });
}
