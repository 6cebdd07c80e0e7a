import type {
	IAuthenticate,
	ICredentialDataDecryptedObject,
	ICredentialTestRequest,
	ICredentialType,
	IHttpRequestOptions,
	Icon,
	INodeProperties,
} from 'n8n-workflow';
import { readAccount, type Account } from '../nodes/kling/account';
import { providers, type Provider } from '../nodes/kling/providers';
import { signingTime } from '../nodes/kling/signatures';
import { checkRequest, checkRules, testAddress } from '../nodes/n8n/credentialTest';
import { providerTimeHeader } from '../nodes/n8n/session';

const named = (wanted: (provider: Provider) => boolean | undefined) =>
	providers.filter(wanted).map(({ name }) => name);
const signers = providers.filter(({ signs }) => signs);
const signing = signers.map(({ name }) => name);

const byApiKey = { provider: signing, authentication: ['apiKey'] };
const byAccessKey = { provider: signing, authentication: ['accessKey'] };
const apiKey: INodeProperties = {
	displayName: 'API Key',
	name: 'apiKey',
	type: 'string',
	typeOptions: { password: true },
	default: '',
	required: true,
};

const providerField: INodeProperties = {
	displayName: 'Provider',
	name: 'provider',
	// With only one, there is nothing to choose.
	type: providers.length > 1 ? 'options' : 'hidden',
	options: providers
		.map(({ name, displayName }) => ({ name: displayName, value: name }))
		.sort((a, b) => a.name.localeCompare(b.name)),
	default: providers[0].name,
	description: 'The provider that issued your API key',
};

/** n8n shows a hint as HTML. */
function whereToGet(what: string, { name, url }: Provider['keysPage']): string {
	return `Get ${what} from <a href="${url}" target="_blank">${name}</a>. The connection test shows that the key works, not that the account has credit.`;
}

/** Access to a provider of Kling's video effects. */
export class KlingEffectsApi implements ICredentialType {
	name = 'klingEffectsApi';

	displayName = 'Kling Effects API';

	icon: Icon = {
		light: 'file:../nodes/icons/kling-effects.svg',
		dark: 'file:../nodes/icons/kling-effects.dark.svg',
	};

	documentationUrl =
		'https://github.com/n8n-nodes-kling-effects/n8n-nodes-kling-effects#credentials';

	properties: INodeProperties[] = [
		providerField,
		{
			displayName: 'Region',
			name: 'region',
			type: 'options',
			options: [
				{ name: 'China', value: 'china' },
				{ name: 'Global', value: 'global' },
			],
			default: 'global',
			displayOptions: { show: { provider: named(({ regional }) => regional) } },
			description: 'The console that issued the key. A key works only in its own region.',
		},
		{
			displayName: 'Authentication',
			name: 'authentication',
			type: 'options',
			options: [
				{ name: 'API Key', value: 'apiKey' },
				{ name: 'Access Key and Secret Key', value: 'accessKey' },
			],
			default: 'apiKey',
			displayOptions: { show: { provider: signing } },
		},
		// One for each provider, since each has its own page for keys.
		...providers.map(({ name, signs, keysPage }) => ({
			...apiKey,
			hint: whereToGet('it', keysPage),
			displayOptions: {
				show: { provider: [name], ...(signs ? { authentication: ['apiKey'] } : {}) },
			},
		})),
		{
			displayName:
				'This looks like an access key. If it is one, set Authentication to Access Key and Secret Key.',
			name: 'accessKeyNotice',
			type: 'notice',
			default: '',
			// The observed length (docs/providers.md K27), or with a blank; nothing is refused because of it.
			displayOptions: { show: { ...byApiKey, '/apiKey.length': [32, 33] } },
		},
		{
			displayName: 'Access Key',
			name: 'accessKey',
			type: 'string',
			default: '',
			required: true,
			displayOptions: { show: byAccessKey },
		},
		{
			displayName: 'Secret Key',
			name: 'secretKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			hint: whereToGet('both keys', signers[0].keysPage),
			displayOptions: { show: byAccessKey },
		},
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			default: '',
			placeholder: 'e.g. https://gateway.example/kling',
			hint: "Leave empty to use the provider's own address",
		},
		{
			displayName: 'Webhook Secret',
			name: 'webhookSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. whsec_…',
			displayOptions: { show: { provider: signing } },
			description:
				'Only for Wait Using “Callback”: the signing secret from the Kling AI console. With it, callbacks without Kling AI’s signature are rejected.',
		},
	];

	authenticate: IAuthenticate = withKey;

	test: ICredentialTestRequest = { request: checkRequest, rules: checkRules };
}

/**
 * Adds the headers that prove who sends the request. They only go to the account's own address: a request
 * to anywhere else (a redirect, the HTTP Request node with another URL) gets none.
 *
 * @throws InputError if the credential is not complete
 */
async function withKey(
	credentials: ICredentialDataDecryptedObject,
	options: IHttpRequestOptions,
): Promise<IHttpRequestOptions> {
	const account = readAccount(credentials);
	const request = addressed(options, account);
	const { [providerTimeHeader]: providerTime, ...headers } = request.headers ?? {};
	if (belongsTo(account, request.url)) {
		const now =
			providerTime === undefined ? Date.now() : signingTime(String(providerTime), Date.now());
		Object.assign(headers, account.provider.authorize(account.secret, now));
	}
	return { ...request, headers };
}

/** The request with its full address; the credential test goes to the account's own. */
function addressed(
	request: IHttpRequestOptions,
	{ baseUrl, provider }: Account,
): IHttpRequestOptions {
	const { baseURL = '', url } = request;
	if (url === testAddress) {
		const { path, query } = provider.check;
		return { ...request, url: `${baseUrl}${path}`, qs: query };
	}
	return /^https?:\/\//i.test(url) ? request : { ...request, baseURL: '', url: `${baseURL}${url}` };
}

/** Whether this address belongs to the account's provider, so that the key may be sent to it. */
function belongsTo({ baseUrl }: Account, address: string): boolean {
	try {
		return new URL(address).origin === new URL(baseUrl).origin;
	} catch {
		return false;
	}
}
