import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	IWebhookFunctions,
	IWebhookResponseData,
} from 'n8n-workflow';
import { readAccount } from '../kling/account';
import { isFinal, taskIdIn, type TaskRecord } from '../kling/task';
import { inParallel } from '../kling/tasks/follow';
import { isSignedBy } from '../kling/webhookSignature';
import { taskItem } from '../n8n/items';
import { errorOf, goesOn, itemOf, type Problem } from '../n8n/problems';
import { isPublic, resumeUrlOf } from '../n8n/resume';
import { openSession, type Session } from '../n8n/session';
import { credentialName } from '../n8n/transport';
import { finishTask, type Held } from './operations/shared';

/**
 * Waiting without a worker: the execution sleeps in n8n's database, and the provider's callbacks wake
 * it. When its time is over n8n wakes it too, but does not run the node again (n8n 1.123 and 2.40
 * pass the input items on), so the input items are made to say what the output should then say.
 */

/** Looks at single tasks under way at once. */
const looksAtOnce = 10;
/**
 * Milliseconds after falling asleep at which the tasks are looked at once more, from the same
 * process: a callback that comes before n8n has stored the execution as waiting is refused by n8n.
 */
const graceMs = [5_000, 15_000];

/** Where callbacks should go, null to wait by polling, or why it cannot be done. */
export type CallbackWait = { ok: true; resumeUrl: string | null } | { ok: false; problem: Problem };

/** Reads the option Wait Using. One sleep serves all items, so the first item's parameters count. */
export function readCallbackWait(context: IExecuteFunctions, { provider }: Session): CallbackWait {
	const { waitUsing = 'polling', callbackUrl } = context.getNodeParameter('options', 0, {}) as {
		waitUsing?: string;
		callbackUrl?: string;
	};
	if (waitUsing !== 'polling' && waitUsing !== 'callback') {
		return refuse(`Wait Using “${waitUsing}” is not known`, 'Choose Callback or Polling.');
	}
	const waits = context.getNodeParameter('waitForCompletion', 0, false) === true;
	// An AI agent waits for its tool's answer, which cannot come from an execution that sleeps.
	const isTool = context.isToolExecution?.() ?? false;
	if (waitUsing === 'polling' || !waits || isTool) return { ok: true, resumeUrl: null };
	if (!provider.takes.includes('callbackUrl')) {
		return refuse(
			`${provider.displayName} sends no callbacks`,
			'Set Wait Using under Options to Polling, or use a credential of another provider.',
		);
	}
	if (callbackUrl) {
		return refuse(
			'Callback URL and Wait Using “Callback” exclude each other',
			'Remove Callback URL under Options: the node gives the provider an address of its own.',
		);
	}
	return { ok: true, resumeUrl: resumeUrlOf(context) };
}

/**
 * Puts the execution to sleep until callbacks have come for all tasks, or until the deadline.
 *
 * @param others the items that hold no open task, in their final form
 * @returns what n8n discards now and shows when the time is over
 */
export async function sleepUntilCallbacks(
	context: IExecuteFunctions,
	session: Session,
	tasks: readonly Held[],
	others: ReadonlyMap<number, INodeExecutionData>,
	wait: { resumeUrl: string; deadline: number },
): Promise<INodeExecutionData[]> {
	const items = context.getInputData();
	const byItem = new Map(tasks.map(({ itemIndex, record }) => [itemIndex, record]));
	for (const [itemIndex, item] of items.entries()) {
		const record = byItem.get(itemIndex);
		const asleep = record ? sleepingItem(context, record, itemIndex) : others.get(itemIndex);
		if (asleep) replace(item, asleep);
	}
	if (!isPublic(wait.resumeUrl))
		context.addExecutionHints(unreachableHint(context, wait.resumeUrl));
	await context.putExecutionToWait(new Date(wait.deadline));
	void wakeIfDone(context, session, tasks, wait.resumeUrl);
	return items;
}

/** A task's item as it should be when its time is over. */
function sleepingItem(
	context: IExecuteFunctions,
	record: TaskRecord,
	itemIndex: number,
): INodeExecutionData {
	const simplify = context.getNodeParameter('simplify', itemIndex, true) as boolean;
	const timedOut = !isFinal(record.task.status);
	return taskItem(record, { simplify, timedOut, itemIndex });
}

/** The items are this node's own copies: what the node before it gave out stays as it is. */
function replace(item: INodeExecutionData, { json, pairedItem }: INodeExecutionData): void {
	item.json = json;
	item.pairedItem = pairedItem;
	delete item.binary;
}

function unreachableHint(context: IExecuteFunctions, resumeUrl: string) {
	const { host } = new URL(resumeUrl);
	return {
		type: 'warning' as const,
		location: 'outputPane' as const,
		message: `The provider cannot call ${host} from the internet, so “${context.getNode().name}” will sleep until its Timeout. Set the environment variable WEBHOOK_URL of n8n to its public address, or set Wait Using to Polling.`,
	};
}

async function wakeIfDone(
	context: IExecuteFunctions,
	session: Session,
	tasks: readonly Held[],
	resumeUrl: string,
): Promise<void> {
	for (const pause of graceMs) {
		await session.clock.sleep(pause, session.signal);
		const ids = tasks.map(({ record }) => record.task.taskId);
		const records = session.signal?.aborted ? null : await lookAtAll(session, ids);
		if (records === null || !records.every(({ task }) => isFinal(task.status))) continue;
		// A callback of our own: whoever calls, the node looks at the tasks itself.
		await context.helpers
			.httpRequest({ method: 'POST', url: resumeUrl, body: {}, json: true, timeout: 30_000 })
			.catch(() => null);
		return;
	}
}

/** The tasks as they are now, or null when one of them could not be looked at. */
async function lookAtAll(
	{ client }: Session,
	taskIds: readonly string[],
): Promise<TaskRecord[] | null> {
	const records: TaskRecord[] = [];
	await inParallel(taskIds, looksAtOnce, async (taskId, index) => {
		const outcome = await client.look(taskId);
		if (outcome.ok) records[index] = outcome.value;
	});
	return Object.keys(records).length === taskIds.length ? records : null;
}

/**
 * Answers a callback. What it says is not believed, as it can be forged, repeated, early or out of
 * order: the provider is asked for all tasks of the run, and only when all are final does the
 * execution go on.
 */
export async function handleCallback(context: IWebhookFunctions): Promise<IWebhookResponseData> {
	if (!(await isTrusted(context))) return answer(context, 401, 'The signature is not right');
	const items = context.evaluateExpression('{{ $input.all() }}', 0) as INodeExecutionData[];
	const sleeping = items.flatMap(({ json }, itemIndex) => {
		const taskId = taskIdIn(json);
		return taskId === null || 'error' in json ? [] : [{ itemIndex, taskId }];
	});
	const session = await openSession(context);
	const ids = sleeping.map(({ taskId }) => taskId);
	const records = await lookAtAll(session, ids);
	// Not 200, so that a provider that repeats its callbacks does so.
	if (records === null) return answer(context, 503, 'The tasks could not be looked at');
	if (!records.every(({ task }) => isFinal(task.status))) {
		return answer(context, 200, 'Other tasks are still under way');
	}
	if (isBeingWoken(ids)) return answer(context, 200, 'The execution goes on already');
	const held = sleeping.map(({ itemIndex }, index) => ({
		itemIndex,
		record: withItem(records[index], items[itemIndex].json),
	}));
	return { workflowData: [await finishAll(context, session, items, held)] };
}

/** The output of the run, as it would have been after polling. */
async function finishAll(
	context: IWebhookFunctions,
	session: Session,
	items: readonly INodeExecutionData[],
	held: readonly Held[],
): Promise<INodeExecutionData[]> {
	const options = {
		simplify: context.getNodeParameter('simplify', true) as boolean,
		downloadVideo: context.getNodeParameter('downloadVideo', false) as boolean,
		outputField: context.getNodeParameter('outputField', 'data') as string,
	};
	const output = [...items];
	for (const one of held) {
		const result = await finishTask(context, session, one, options, { timedOut: false });
		if (!result.ok && !goesOn(context.getNode())) {
			throw errorOf(context.getNode(), result.problem, one.itemIndex);
		}
		output[one.itemIndex] = result.ok
			? result.item
			: itemOf(context.getNode(), result.problem, one.itemIndex);
	}
	return output;
}

/** What the provider does not repeat, but the sleeping item knows. */
function withItem(record: TaskRecord, json: IDataObject): TaskRecord {
	const { effectScene, externalTaskId } = json as Partial<Record<string, string>>;
	const { task } = record;
	return {
		...record,
		task: {
			...task,
			effectScene: task.effectScene ?? effectScene ?? null,
			externalTaskId: task.externalTaskId ?? externalTaskId ?? null,
		},
	};
}

const mostRemembered = 1_000;
const woken = new Set<string>();

/** Whether another callback of the same run wakes the execution just now; it would go on twice. */
function isBeingWoken(taskIds: readonly string[]): boolean {
	const run = taskIds.join(' ');
	if (woken.has(run)) return true;
	woken.add(run);
	const [oldest] = woken;
	if (woken.size > mostRemembered) woken.delete(oldest);
	return false;
}

/** Whether the callback is signed as the credential's secret asks; without a secret all are let in. */
async function isTrusted(context: IWebhookFunctions): Promise<boolean> {
	const account = readAccount(await context.getCredentials(credentialName));
	const secret = account.ok ? account.value.webhookSecret : null;
	if (secret === null) return true;
	const request = context.getRequestObject();
	await request.readRawBody();
	return isSignedBy(secret, { headers: request.headers, body: request.rawBody }, Date.now());
}

/** An answer that leaves the execution asleep. */
function answer(context: IWebhookFunctions, status: number, message: string): IWebhookResponseData {
	context.getResponseObject().status(status).json({ message });
	return { noWebhookResponse: true };
}

function refuse(message: string, description: string): CallbackWait {
	return { ok: false, problem: { message, description } };
}
