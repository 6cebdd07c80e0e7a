import type {
	INodeExecutionData,
	IWebhookDescription,
	IWebhookFunctions,
	IWebhookResponseData,
} from 'n8n-workflow';
import type { Client } from '../../kling/client';
import { isFinal, seenAgain, type TaskRecord } from '../../kling/task';
import { isSignedBy } from '../../kling/signatures';
import { openSession, systemClock } from '../../n8n/session';
import { storedExecutionOf } from '../../n8n/execution';
import type { ItemTask } from './finish';
import { answers, SelfCalls, tokenHeader, type WakeAddress } from './selfCalls';
import { storedWait } from './sleep';

/**
 * Where callbacks wake a sleeping execution. Imported rather than written into the description, because
 * n8n's lint assumes that every literal `webhooks` is registered with the provider; this one only resumes
 * (`restartWebhook`). The path ends with the node's id: n8n (1.123 and 2.40) passes a call to the node
 * that fell asleep last, so without it a Wait node further down would be woken.
 */
export const resumeWebhooks: IWebhookDescription[] = [
	{
		name: 'default',
		httpMethod: 'POST',
		responseMode: 'onReceived',
		path: '={{$nodeId}}',
		restartWebhook: true,
	},
];

/** How many waits are remembered between callbacks. */
const mostWaits = 1_000;
/** Minimum time between two looks at the tasks of a wait. */
const leastIntervalMs = 1_000;
/** By then n8n has certainly marked a woken execution as running. */
const wakingMs = 60_000;

/** Answers the callbacks that reach one n8n process. */
export class CallbackHandler {
	/** By the token of the wait, oldest first. */
	private readonly waits = new Map<string, WaitLooks>();

	/**
	 * Answers a callback. Never throws, because n8n (1.123 and 2.40) would then continue with an empty
	 * item. The content of the callback is not trusted, as it can be forged, repeated, early or out of
	 * order: the provider is asked, and the execution continues only when all tasks have ended or time is
	 * up. n8n then runs the node again, on a worker if there are any.
	 */
	async handle(context: IWebhookFunctions): Promise<IWebhookResponseData> {
		const answer = await this.answerTo(context).catch(() => 'notLookedAt' as const);
		if (typeof answer !== 'string') return { workflowData: [answer] };
		context.getResponseObject().status(answers[answer]).json({ answer });
		return { noWebhookResponse: true };
	}

	/** @returns the node's input if it should run again, or why it stays asleep */
	private async answerTo(
		context: IWebhookFunctions,
	): Promise<INodeExecutionData[] | keyof typeof answers> {
		const execution = storedExecutionOf(context);
		const wait = execution && storedWait(execution.data, execution.entry.node);
		if (!wait) return 'notLookedAt';
		const isOwn = context.getRequestObject().headers[tokenHeader] === wait.token;
		// A credential that cannot be read for a moment does not end the wait: it is tried again.
		const session = await openSession(context).catch(() => null);
		if (session && !isOwn && !(await isSigned(context, session.account.webhookSecret))) {
			return 'notSigned';
		}
		const looks = this.looksOf(wait);
		const seen = session ? await looks.look(session.client, wait.itemTasks) : 'notLookedAt';
		if (seen !== 'woken') {
			// It can arrive before its task's state changes, or be about a task that was just looked at.
			if (!isOwn) void looks.selfCalls.callSoon();
			return seen;
		}
		wait.itemTasks = looks.takeEnded(wait.itemTasks);
		// n8n has disabled the sleeping node, so that what `webhook` returns becomes its output. Enabled,
		// it runs again: n8n handles On Error, retries and the error output, and a worker downloads.
		delete execution.entry.node.disabled;
		return inputOf(execution) ?? execution.entry.data.main[0] ?? [];
	}

	private looksOf({ resumeUrl, deadline, token }: WakeAddress): WaitLooks {
		const known = this.waits.get(token);
		if (known) return known;
		const [oldest] = this.waits.keys();
		if (this.waits.size >= mostWaits) this.waits.delete(oldest);
		const looks = new WaitLooks({ resumeUrl, deadline, token });
		this.waits.set(token, looks);
		return looks;
	}
}

/** The input from before the sleep, for a retry with other parameters: see `sleepUntilCallbacks`. */
function inputOf({ entry, data }: NonNullable<ReturnType<typeof storedExecutionOf>>) {
	const source = entry.source?.main?.[0];
	const run = source && data.resultData.runData[source.previousNode]?.[source.previousNodeRun ?? 0];
	return run?.data?.main[source?.previousNodeOutput ?? 0];
}

/** Whether the provider signed the callback; without a secret in the credential, every callback passes. */
async function isSigned(context: IWebhookFunctions, secret: string | null): Promise<boolean> {
	if (secret === null) return true;
	const request = context.getRequestObject();
	// n8n does not read the raw body of a form with files, and throws if asked to.
	await request.readRawBody().catch(() => undefined);
	const body = request.rawBody as Buffer | undefined;
	const { headers } = request;
	return body !== undefined && isSignedBy(secret, { headers, body }, systemClock.now());
}

/** What a process knows about a wait between its callbacks. */
class WaitLooks {
	/** Shared with the process that fell asleep, if it is still running. */
	readonly selfCalls: SelfCalls;
	/** The tasks seen to have ended, by id. */
	private readonly ended = new Map<string, TaskRecord>();
	private lastLookAt = -Infinity;
	private wokenAt = -Infinity;
	private isLooking = false;

	constructor(private readonly address: WakeAddress) {
		this.selfCalls = new SelfCalls(address, systemClock);
	}

	/** Looks at the tasks: for one callback at a time, and no more often than the minimum interval. */
	async look(
		client: Client,
		itemTasks: readonly ItemTask[],
	): Promise<'woken' | 'stillAsleep' | 'notLookedAt'> {
		if (systemClock.now() >= this.address.deadline) return this.wake();
		if (this.isLooking) return 'stillAsleep';
		this.isLooking = true;
		try {
			const pause = this.lastLookAt + leastIntervalMs - systemClock.now();
			await systemClock.sleep(Math.max(0, pause));
			const seen = await this.lookOnce(client, itemTasks);
			this.lastLookAt = systemClock.now();
			return seen === 'woken' ? this.wake() : seen;
		} finally {
			this.isLooking = false;
		}
	}

	/** Stops at the first open task: with many tasks, most callbacks cost one or two requests. */
	private async lookOnce(client: Client, itemTasks: readonly ItemTask[]) {
		for (const { record, finish } of itemTasks) {
			const { taskId, status } = record.task;
			if (!finish.wait || isFinal(status) || this.ended.has(taskId)) continue;
			// The credential was changed; another provider knows nothing of the task.
			if (client.provider.name !== record.task.provider) return 'notLookedAt';
			const outcome = await client.get(taskId);
			if (!outcome.ok) return 'notLookedAt';
			if (!isFinal(outcome.value.task.status)) return 'stillAsleep';
			this.ended.set(taskId, seenAgain(record.task, outcome.value));
		}
		return 'woken';
	}

	/** A second callback must not wake the execution again while n8n is waking it. */
	private wake() {
		if (systemClock.now() < this.wokenAt + wakingMs) return 'stillAsleep';
		this.wokenAt = systemClock.now();
		return 'woken';
	}

	/** The tasks, with the final state of those that have ended; the wait is then over. */
	takeEnded(itemTasks: readonly ItemTask[]): ItemTask[] {
		const latest = itemTasks.map((one) => ({
			...one,
			record: this.ended.get(one.record.task.taskId) ?? one.record,
		}));
		this.ended.clear();
		return latest;
	}
}
