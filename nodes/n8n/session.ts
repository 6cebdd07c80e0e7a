import { sleep } from 'n8n-workflow';
import { readAccount, type Account } from '../kling/account';
import { Client } from '../kling/client';
import type { Clock } from '../kling/clock';
import type { Provider } from '../kling/providers';
import { errorOf, problemOf } from './output';
import { cancelSignalOf, credentialName, transportOf, type RequestContext } from './transport';

/** What one run of a node works with. */
export interface Session {
	account: Account;
	provider: Provider;
	client: Client;
	clock: Clock;
	/** Aborts when the execution is stopped. */
	signal: AbortSignal | undefined;
}

/**
 * Opens the provider that the node's credential names.
 *
 * @throws NodeOperationError if the credential is not complete; nothing was sent then
 */
export async function openSession(context: RequestContext): Promise<Session> {
	const account = accountOf(context, await context.getCredentials(credentialName));
	const { provider } = account;
	const signal = cancelSignalOf(context);
	const client = new Client(provider, transportOf(context, account), systemClock, signal);
	return { account, provider, client, clock: systemClock, signal };
}

function accountOf(context: RequestContext, credential: unknown): Account {
	try {
		return readAccount(credential);
	} catch (thrown) {
		throw errorOf(context.getNode(), problemOf(thrown));
	}
}

/** In milliseconds: n8n's `sleep` cannot be interrupted, and 2.40 has no `sleepWithAbort`. */
const slice = 500;
/** In milliseconds: a longer Node.js timer fires at once. */
const longestTimer = 2 ** 31 - 1;

/** Real time. */
export const systemClock: Clock = {
	now: () => Date.now(),
	elapsed: () => performance.now(),
	random: () => Math.random(),
	async sleep(ms, signal) {
		// Not by the time of day: setting the clock back would make a second last an hour.
		const end = performance.now() + ms;
		for (let left = ms; left > 0 && !signal?.aborted; left = end - performance.now()) {
			await sleep(Math.min(left, signal ? slice : longestTimer));
		}
	},
};
