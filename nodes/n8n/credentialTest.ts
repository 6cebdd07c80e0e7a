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

const provider = "($credentials.provider || 'kling')";
const region = "($credentials.region || 'global')";

/**
 * One request, free at every provider. An answer with any status is let through to the rules: n8n
 * (1.123 and 2.40) sends a request again after a 401, and shows the status text only.
 */
export const checkRequest: ICredentialTestRequest['request'] = {
	baseURL: `={{ (($credentials.baseUrl || '').trim() || ${JSON.stringify(addresses)}[${provider} + ' ' + ${region}]).replace(/\\/+$/, '') }}`,
	url: `={{ ${JSON.stringify(paths)}[${provider}] }}`,
	method: 'GET',
	ignoreHttpStatusErrors: true,
	disableFollowRedirect: true,
	timeout: 30_000,
};

const wrongKey =
	'The provider did not accept the key. Check that it is complete and belongs to this provider.';

/** n8n's rules can only name values that mean a refusal, so the last one catches all that is no result. */
export const checkRules: ICredentialTestRequest['rules'] = [
	...providers.flatMap(({ displayName, advice }) =>
		Object.entries(advice ?? {}).map(([code, text]) =>
			rule('code', Number(code), `${displayName} did not accept the key (code ${code}). ${text}`),
		),
	),
	rule('code', 1000, wrongKey),
	rule('code', 401, wrongKey),
	rule('data.is_valid', false, wrongKey),
	rule('error.type', 'comet_api_error', wrongKey),
	rule('error.type', 'new_api_error', wrongKey),
	rule(
		'data',
		undefined,
		'The address did not answer as this provider does. Check the key, Provider and Base URL.',
	),
];

function rule(key: string, value: unknown, message: string) {
	return { type: 'responseSuccessBody' as const, properties: { key, value, message } };
}
