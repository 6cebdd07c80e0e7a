import type { ICredentialTestRequest } from 'n8n-workflow';
import { providers } from '../kling/providers';

/** What the credential test asks, per provider and region, as text that an expression can look up. */
const addresses = Object.fromEntries(
	providers.flatMap((provider) =>
		['global', 'china'].map((region) => [
			`${provider.name} ${region}`,
			provider.defaultBaseUrl({ region }),
		]),
	),
);
const paths = Object.fromEntries(
	providers.map(({ name, check }) => {
		const query = Object.entries(check.query ?? {}).map(([key, value]) => `${key}=${value}`);
		return [name, query.length > 0 ? `${check.path}?${query.join('&')}` : check.path];
	}),
);
const versions = Object.fromEntries(
	providers.map(({ name, versionPath = '' }) => [name, versionPath]),
);

const provider = `($credentials.provider || '${providers[0].name}')`;
const region = "($credentials.region || 'global')";
const base = `(($credentials.baseUrl || '').trim() || ${JSON.stringify(addresses)}[${provider} + ' ' + ${region}]).replace(/\\/+$/, '')`;

/**
 * One request, free at every provider. An answer with any status is let through to the rules: n8n
 * (1.123 and 2.40) sends a request again after a 401, and shows the status text only.
 */
export const checkRequest: ICredentialTestRequest['request'] = {
	baseURL: `={{ ${base} }}`,
	// With the version path before it, as in the account (nodes/kling/account.ts).
	url: `={{ (/\\/v\\d+$/.test(${base}) ? '' : ${JSON.stringify(versions)}[${provider}]) + ${JSON.stringify(paths)}[${provider}] }}`,
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
		message:
			'The address did not answer as this provider does. Check the key, Provider and Base URL.',
	},
].map(({ key, value, message = wrongKey }) => ({
	type: 'responseSuccessBody',
	properties: { key, value, message },
}));
