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

/** What the response to a read means: what `read` makes of it, unless it is a refusal or unknown. */
export function outcomeOfRead<T>(
	provider: Provider,
	response: HttpResponse,
	read: (response: JsonResponse) => T | null,
): Outcome<T> {
	const json = isJson(response) ? response : null;
	const refusal = refusalIn(provider, response, json, 'read');
	if (refusal) return failed(refusal);
	const value = json && read(json);
	return value ? { ok: true, value } : failed(failureOf(response, 'unreadable'));
}

/**
 * What became of a create. A 2xx response with a task id is a created task, whatever its code and text:
 * treating one as a refusal would mean paying for the task again. If the response is not in the
 * provider's form, everything but the id is null; a Get fills in the rest.
 */
export function outcomeOfCreate(provider: Provider, response: HttpResponse): Outcome<TaskRecord> {
	const json = isJson(response) ? response : null;
	const isTaken = json && response.status < 300;
	const created = isTaken ? (inProviderForm(provider, json) ?? byIdAlone(provider, json)) : null;
	if (created) return { ok: true, value: created };
	const refusal = refusalIn(provider, response, json, 'create');
	return failed(
		refusal
			? unlessTaskIsNamed(provider, response, json, refusal)
			: failureOf(response, 'unreadable'),
	);
}

/** A refusal that names a task is never certain, whatever its status and code. */
function unlessTaskIsNamed(
	provider: Provider,
	response: HttpResponse,
	json: JsonResponse | null,
	refusal: Failure,
): Failure {
	const { create } = behaviourOf(refusal);
	if (create === 'unclear' || create === 'exists') return refusal;
	const record = json && inProviderForm(provider, json);
	const possibleIds = record ? [record.task.taskId] : taskIdsIn(response);
	return possibleIds.length > 0 ? { ...refusal, kind: 'contradictory', possibleIds } : refusal;
}

function refusalIn(
	provider: Provider,
	response: HttpResponse,
	json: JsonResponse | null,
	call: 'create' | 'read',
): Failure | null {
	const refusal = json
		? provider.readFailure(json)
		: failureOf(response, kindOfStatus(response.status));
	if (!refusal) return null;
	const { readAs, concerns } = behaviourOf(refusal);
	// A proxy's page with status 404 or 400 says nothing about a task: only the provider's own response does.
	const isAboutTask = call === 'read' && concerns === 'task';
	if (isAboutTask && !json) return failureOf(response, 'unreadable');
	return { ...refusal, kind: readAs?.[call] ?? refusal.kind };
}

/** If an adapter throws, the id that the response may contain must not be lost. */
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
