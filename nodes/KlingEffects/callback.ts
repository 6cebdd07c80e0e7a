import type {
	IDataObject,
	IExecuteFunctions,
	INode,
	INodeExecutionData,
	IWebhookFunctions,
	IWebhookResponseData,
} from 'n8n-workflow';
import { readAccount } from '../kling/account';
import { filledIn, isFinal, taskIdIn, type TaskRecord } from '../kling/task';
import { isSignedBy } from '../kling/webhookSignature';
import { taskItem } from '../n8n/items';
import { errorOf, goesOn, itemOf, type Problem } from '../n8n/problems';
import { isPublic, resumeUrlOf } from '../n8n/resume';
import { openSession, type Session } from '../n8n/session';
import { isTool } from '../n8n/tool';
import { credentialName } from '../n8n/transport';
import { finishTask, type Finish, type ItemTask } from './operations/finish';

/**
 * Waiting without a worker: the execution sleeps in n8n's database, and the provider's callbacks wake
 * it. When its time is over n8n wakes it too, but does not run the node again (n8n 1.123 and 2.40
 * pass the input items on), so the input items are made to say what the output should then say.
 */

/**
 * Milliseconds after falling asleep at which the tasks are looked at once more, from the same
 * process: a callback that comes before n8n has stored the execution as waiting is refused by n8n.
 */
const graceMs = [5_000, 15_000];

/** Where callbacks should go, null to wait by polling, or why it cannot be done. */
export type CallbackWait = { ok: true; resumeUrl: string | null } | { ok: false; problem: Problem };

/** Judges the option Wait Using. One sleep serves all items, so the first item's parameters count. */
export function readCallbackWait(
	context: IExecuteFunctions,
	{ provider }: Session,
	waits: boolean,
	{ waitUsing = 'polling', callbackUrl }: { waitUsing?: unknown; callbackUrl?: unknown },
): CallbackWait {
	if (waitUsing !== 'polling' && waitUsing !== 'callback') {
		return refuse(`Wait Using “${String(waitUsing)}” is not known`, 'Choose Callback or Polling.');
	}
	// An AI agent waits for its tool's answer, which cannot come from an execution that sleeps.
	if (waitUsing === 'polling' || !waits || isTool(context)) return { ok: true, resumeUrl: null };
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
 * @param problems of the items that hold no task
 * @returns what n8n discards now and shows when the time is over
 */
export async function sleepUntilCallbacks(
	context: IExecuteFunctions,
	session: Session,
	tasks: readonly ItemTask[],
	problems: ReadonlyArray<{ itemIndex: number; problem: Problem }>,
	wait: { resumeUrl: string; deadline: number },
): Promise<INodeExecutionData[]> {
	const items = context.getInputData();
	for (const task of tasks) replace(items[task.itemIndex], sleepingItem(task));
	for (const { itemIndex, problem } of problems) {
		replace(items[itemIndex], problemItem(context.getNode(), problem, itemIndex));
	}
	if (!isPublic(wait.resumeUrl))
		context.addExecutionHints(unreachableHint(context, wait.resumeUrl));
	await context.putExecutionToWait(new Date(wait.deadline));
	void wakeIfDone(context, session, tasks, wait.resumeUrl);
	// A copy: with On Error "Error Output" n8n empties the array, and the input must stay.
	return [...items];
}

/** A task's item as it should be when its time is over. */
function sleepingItem({ itemIndex, record, finish: { simplify } }: ItemTask): INodeExecutionData {
	const timedOut = !isFinal(record.task.status);
	return taskItem(record, { simplify, timedOut, itemIndex });
}

/** The items are this node's own copies: what the node before it gave out stays as it is. */
function replace(item: INodeExecutionData, { json, pairedItem }: INodeExecutionData): void {
	item.json = json;
	if (pairedItem === undefined) delete item.pairedItem;
	else item.pairedItem = pairedItem;
	delete item.binary;
}

/**
 * The item of a problem in an execution that slept. Without a paired item: n8n 2.40 looks for the
 * input of an item on its way to the error output, and has none for a node that it has woken.
 */
function problemItem(node: INode, problem: Problem, itemIndex: number): INodeExecutionData {
	const { json } = itemOf(node, problem, itemIndex);
	return { json };
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
	tasks: readonly ItemTask[],
	resumeUrl: string,
): Promise<void> {
	const ids = tasks.map(({ record }) => record.task.taskId);
	for (const pause of graceMs) {
		await session.clock.sleep(pause, session.signal);
		if (session.signal?.aborted) return;
		const { state } = await lookAtAll(session, ids);
		if (state !== 'final') continue;
		// A callback of our own: whoever calls, the node looks at the tasks itself.
		await context.helpers
			.httpRequest({ method: 'POST', url: resumeUrl, body: {}, json: true, timeout: 30_000 })
			.catch(() => null);
		return;
	}
}

/** A credential that is gone or changed in the meantime is no reason to end the execution. */
async function lookFrom(context: IWebhookFunctions, taskIds: readonly string[]): Promise<Look> {
	const session = await openSession(context).catch(() => null);
	return session ? await lookAtAll(session, taskIds) : { state: 'unknown' };
}

/** `open`: one task at least has not ended. `unknown`: the provider could not be asked. */
type Look = { state: 'final'; records: TaskRecord[] } | { state: 'open' } | { state: 'unknown' };

/** Looks at the tasks, and ends at the first one that is still open: with many tasks most callbacks cost one look. */
async function lookAtAll({ client }: Session, taskIds: readonly string[]): Promise<Look> {
	const records: TaskRecord[] = [];
	for (const taskId of taskIds) {
		const outcome = await client.get(taskId);
		if (!outcome.ok) return { state: 'unknown' };
		if (!isFinal(outcome.value.task.status)) return { state: 'open' };
		records.push(outcome.value);
	}
	return { state: 'final', records };
}

/**
 * Answers a callback. What it says is not believed, as it can be forged, repeated, early or out of
 * order: the provider is asked for all tasks of the run, and only when all are final does the
 * execution go on.
 */
export async function handleCallback(context: IWebhookFunctions): Promise<IWebhookResponseData> {
	if (!(await isTrusted(context))) return answer(context, 401, 'The signature is not right');
	const items = sleepingItems(context);
	if (items === null) return answer(context, 200, 'The execution does not sleep');
	const sleeping = items.flatMap(({ json }, itemIndex) => {
		const taskId = taskIdIn(json);
		return taskId === null || 'error' in json ? [] : [{ itemIndex, taskId }];
	});
	const run = sleeping.map(({ taskId }) => taskId);
	const look = await lookOnce(run, async () => await lookFrom(context, run));
	if (look === null) return answer(context, 200, 'The tasks are being looked at already');
	// Not 200, so that a provider that repeats its callbacks does so.
	if (look.state === 'unknown') return answer(context, 503, 'The tasks could not be looked at');
	if (look.state === 'open') return answer(context, 200, 'Other tasks are still under way');
	const finish: Finish = {
		wait: true,
		simplify: context.getNodeParameter('simplify', true) as boolean,
		downloadVideo: context.getNodeParameter('downloadVideo', false) as boolean,
		outputField: context.getNodeParameter('outputField', 'data') as string,
	};
	const itemTasks = sleeping.map(({ itemIndex }, index) => ({
		itemIndex,
		record: withItem(look.records[index], items[itemIndex].json),
		finish,
	}));
	return { workflowData: [await finishAll(context, await openSession(context), items, itemTasks)] };
}

/**
 * The items of the sleeping node, or null when it does not sleep: n8n lets a callback in that comes
 * while another one wakes the execution. To throw would then end that execution as an error.
 */
function sleepingItems(context: IWebhookFunctions): INodeExecutionData[] | null {
	try {
		return context.evaluateExpression('{{ $input.all() }}', 0) as INodeExecutionData[];
	} catch {
		return null;
	}
}

const mostRemembered = 1_000;
/** Runs of this process whose tasks are looked at, and whether a further callback came meanwhile. */
const looking = new Map<string, { again: boolean }>();
/** Runs of this process that were woken: a further callback must not let one go on twice. */
const woken = new Set<string>();

/**
 * Looks for one callback at a time. A callback that comes during a look can tell of a task that was
 * just looked at, so the look is done again then.
 *
 * @returns null when another callback of the run looks, or has woken it
 */
async function lookOnce(
	taskIds: readonly string[],
	look: () => Promise<Look>,
): Promise<Look | null> {
	const run = taskIds.join(' ');
	const underWay = looking.get(run);
	if (underWay) underWay.again = true;
	if (underWay || woken.has(run)) return null;
	const entry = { again: true };
	looking.set(run, entry);
	let result: Look = { state: 'open' };
	try {
		while (entry.again && result.state !== 'final') {
			entry.again = false;
			result = await look();
		}
	} finally {
		looking.delete(run);
	}
	if (result.state === 'final') rememberWoken(run);
	return result;
}

function rememberWoken(run: string): void {
	woken.add(run);
	const [oldest] = woken;
	if (woken.size > mostRemembered) woken.delete(oldest);
}

/** The output of the run, as it would have been after polling. */
async function finishAll(
	context: IWebhookFunctions,
	session: Session,
	items: readonly INodeExecutionData[],
	itemTasks: readonly ItemTask[],
): Promise<INodeExecutionData[]> {
	const output = [...items];
	for (const one of itemTasks) {
		const result = await finishTask(context, session, one, { timedOut: false });
		if (!result.ok && !goesOn(context.getNode())) {
			throw errorOf(context.getNode(), result.problem, one.itemIndex);
		}
		output[one.itemIndex] = result.ok
			? result.item
			: problemItem(context.getNode(), result.problem, one.itemIndex);
	}
	return output;
}

/** What the provider does not repeat, but the sleeping item knows. */
function withItem(record: TaskRecord, json: IDataObject): TaskRecord {
	const { effectScene, externalTaskId } = json as Partial<Record<string, string>>;
	return filledIn(record, { effectScene, externalTaskId });
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
