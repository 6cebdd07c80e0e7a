import type { IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
import { isSignedBy } from '../../kling/webhookSignature';
import { systemClock } from '../../n8n/clock';
import { storedExecutionOf } from '../../n8n/resume';
import { openSession, type Session } from '../../n8n/session';
import { answers } from './ownCalls';
import { storedWait, type Wait } from './wait';
import { Watch } from './watch';

/** Waits that are remembered between their callbacks. */
const mostWatches = 1_000;

/** Answers the callbacks that reach one process of n8n. */
export class CallbackHandler {
	/** By wait, the oldest first. */
	private readonly watches = new Map<string, Watch>();

	constructor(private readonly open: typeof openSession = openSession) {}

	/**
	 * Answers a callback; never throws, as n8n (1.123 and 2.40) would then go on with an empty item. What
	 * the callback says is not trusted, as it can be forged, repeated, early or out of order: the
	 * provider is asked, and only when all tasks have ended, or the time is over, does the execution go
	 * on. n8n then runs the node again, on a worker where there are any.
	 */
	async handle(context: IWebhookFunctions): Promise<IWebhookResponseData> {
		try {
			return await this.answerTo(context);
		} catch {
			return answer(context, answers.notLookedAt, 'The tasks could not be looked at');
		}
	}

	private async answerTo(context: IWebhookFunctions): Promise<IWebhookResponseData> {
		const execution = storedExecutionOf(context);
		const wait = execution && storedWait(execution.data, execution.entry.node);
		if (!wait) return answer(context, answers.stillAsleep, 'Nothing waits here');
		const watch = this.watchOf(wait);
		// A credential that cannot be read for a moment does not end the wait: it is asked for again.
		const session = await this.open(context).catch(() => null);
		if (session && !(await isTrusted(context, session))) {
			return answer(context, answers.notSigned, 'The signature is not right');
		}
		const state = session
			? await watch.look(session, wait.itemTasks)
			: watch.lookLater('unknown', async () => (await this.open(context)).account.webhookSecret);
		if (state === 'open') return answer(context, answers.stillAsleep, 'Tasks are still under way');
		if (state === 'unknown') {
			return answer(context, answers.notLookedAt, 'The tasks could not be looked at');
		}
		wait.itemTasks = watch.takeEnded(wait.itemTasks);
		// n8n has disabled the sleeping node, so that what `webhook` returns becomes its output. Enabled, it
		// runs again: then On Error, retries and the error output are n8n's own, and downloads are a worker's.
		delete execution.entry.node.disabled;
		return { workflowData: [execution.entry.data.main[0] ?? []] };
	}

	private watchOf({ runIndex, resumeUrl, deadline }: Wait): Watch {
		const key = `${runIndex} ${resumeUrl}`;
		const known = this.watches.get(key);
		if (known) return known;
		const [oldest] = this.watches.keys();
		if (this.watches.size >= mostWatches) this.watches.delete(oldest);
		const watch = new Watch({ resumeUrl, deadline }, systemClock);
		this.watches.set(key, watch);
		return watch;
	}
}

/** Whether the callback is signed with the credential's secret; without a secret every callback passes. */
async function isTrusted(
	context: IWebhookFunctions,
	{ account: { webhookSecret }, clock }: Session,
): Promise<boolean> {
	if (webhookSecret === null) return true;
	const request = context.getRequestObject();
	// n8n reads no raw body of a form with files, and throws when asked to.
	const body = await request.readRawBody().then(
		() => request.rawBody as Buffer | undefined,
		() => undefined,
	);
	const { headers } = request;
	return body !== undefined && isSignedBy(webhookSecret, { headers, body }, clock.now());
}

/** An answer that leaves the execution asleep. */
function answer(context: IWebhookFunctions, status: number, message: string): IWebhookResponseData {
	context.getResponseObject().status(status).json({ message });
	return { noWebhookResponse: true };
}
