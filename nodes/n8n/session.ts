import { readAccount, type Account } from '../kling/account';
import { Client } from '../kling/client';
import type { Clock } from '../kling/clock';
import type { Provider } from '../kling/providers';
import { systemClock } from './clock';
import { errorOf, problemOf } from './problems';
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
 * @throws NodeOperationError when the credential is not complete; nothing was sent then
 */
export async function openSession(
	context: RequestContext,
	clock: Clock = systemClock,
): Promise<Session> {
	const account = accountOf(context, await context.getCredentials(credentialName));
	const { provider } = account;
	const signal = cancelSignalOf(context);
	const client = new Client(provider, transportOf(context, account), clock, signal);
	return { account, provider, client, clock, signal };
}

function accountOf(context: RequestContext, credential: unknown): Account {
	try {
		return readAccount(credential);
	} catch (thrown) {
		throw errorOf(context.getNode(), problemOf(thrown));
	}
}
