import type { ICredentialTestRequest } from 'n8n-workflow';
import { providers } from '../kling/providers';

/** Stands for the test's address until the account is known; by itself it leads nowhere. */
export const testAddress = '/credential-test';

/**
 * One request, free with every provider. Responses with any status go to the rules: otherwise n8n (1.123
 * and 2.41) sends a request again after a 401, and shows only the status text.
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

/** n8n's rules can only name values that mean a refusal, so the last one catches whatever is not a result. */
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
