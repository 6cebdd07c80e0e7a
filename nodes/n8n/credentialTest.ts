import type { ICredentialTestRequest } from 'n8n-workflow';
import { providers } from '../kling/providers';

/** Stands for the address of the test until the account is known: it leads nowhere by itself. */
export const testAddress = '/credential-test';

/**
 * One request, free at every provider. An answer with any status is let through to the rules: n8n
 * (1.123 and 2.41) sends a request again after a 401, and shows the status text only.
 */
export const checkRequest: ICredentialTestRequest['request'] = {
	url: testAddress,
	method: 'GET',
	ignoreHttpStatusErrors: true,
	disableFollowRedirect: true,
	timeout: 30_000,
};

const wrongKey =
	'The provider did not accept the key. Check that it is complete and belongs to this provider.';

/** n8n's rules can only name values that mean a refusal, so the last one catches all that is no result. */
export const checkRules: ICredentialTestRequest['rules'] = [
	...providers.flatMap(({ check }) => check.refusals),
	{
		key: 'data',
		value: undefined,
		message: `The address did not respond like this provider. Check ${providers.length > 1 ? 'the key, Provider' : 'the key'} and Base URL.`,
	},
].map(({ key, value, message = wrongKey }) => ({
	type: 'responseSuccessBody',
	properties: { key, value, message },
}));
