import { failed, failureOf, success, type Outcome } from './failure';
import { asObject, type HttpResponse } from './http';
import type { Provider } from './providers/provider';
import { saysSuccess, idSchema } from './providers/toolkit';
import { recordOf, taskOf, type TaskRecord } from './task';

/**
 * What became of a create. A 2xx response that names a task id is a created task, whatever its code
 * and words are: to take one for a refusal would pay for the task again. All but the id is null where
 * the response is not in the provider's form; a Get tells the rest.
 */
export function readCreated(provider: Provider, response: HttpResponse): Outcome<TaskRecord> {
	const isTaken = response.status >= 200 && response.status < 300;
	const created = isTaken
		? (inProviderForm(provider, response) ?? byIdAlone(provider, response))
		: null;
	if (created) return success(created);
	const failure = provider.readFailure(response);
	if (!failure) return failed(failureOf(response, 'unreadable'));
	// A create asks for no task: what is not found is a model, or the address itself.
	return failed(failure.kind === 'notFound' ? { ...failure, kind: 'notOffered' } : failure);
}

/** An adapter that throws at a response must not hide the id that the response may hold. */
function inProviderForm(provider: Provider, response: HttpResponse): TaskRecord | null {
	try {
		const outcome = provider.readTask(response);
		return outcome.ok ? outcome.value : null;
	} catch {
		return null;
	}
}

function byIdAlone({ name, idKeys }: Provider, { json }: HttpResponse): TaskRecord | null {
	const body = asObject(json);
	const data = Array.isArray(body?.data) ? (body.data as unknown[])[0] : body?.data;
	const inner = asObject(data);
	for (const place of [inner, inner?.data, inner?.task, body?.task, body?.result, body]) {
		const raw = asObject(place);
		if (!raw) continue;
		const keys = [...idKeys, 'task_id', 'taskId', ...(raw === body ? [] : ['id'])];
		const ids = keys.map((key) => idSchema.safeParse(raw[key]));
		const taskId = ids.find(({ success: isId }) => isId)?.data;
		if (taskId) return recordOf(taskOf(name, { taskId }), [], raw);
	}
	const bare = idSchema.safeParse(data);
	// KKIAI's family: {"code": "success", "data": "<id>"}.
	const isId = bare.success && /^(?=.*\d)[\w.:-]{6,}$/.test(bare.data);
	if (!isId || !body || body.code === undefined || !saysSuccess(body.code)) return null;
	return recordOf(taskOf(name, { taskId: bare.data }), [], { [idKeys[0]]: bare.data });
}
