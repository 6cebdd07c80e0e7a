import { z } from 'zod/v3';
import { InputError } from './input';
import { isSigningSecret } from './signatures';
import { providerNamed, providers, type Provider } from './providers';
import type { Secret } from './providers/provider';

/** A field; an expression can make a number of it. */
const text = z
	.union([z.string(), z.number()])
	.transform((given) => String(given).trim())
	.catch('');

/** The data of a `klingEffectsApi` credential. */
const credentialSchema = z.object({
	provider: text,
	region: text,
	authentication: z.enum(['apiKey', 'accessKey']).catch('apiKey'),
	apiKey: text,
	accessKey: text,
	secretKey: text,
	baseUrl: text,
	webhookSecret: text,
});
type Credential = z.infer<typeof credentialSchema>;

/** Where requests go, and what proves who sends them. */
export interface Account {
	provider: Provider;
	/** `global` or `china`, where the provider has a console of its own in each; null elsewhere. */
	region: string | null;
	/** What the paths of requests are added to: without a trailing slash, with the provider's version path. */
	baseUrl: string;
	/** What callbacks are signed with; null when they are not, or when the provider signs none. */
	webhookSecret: string | null;
	secret: Secret;
}

/**
 * Reads and checks the data of a credential, before anything is sent with it.
 *
 * @throws InputError when it is not complete
 */
export function readAccount(data: unknown): Account {
	const credential = credentialSchema.parse(data);
	const { region, webhookSecret } = credential;
	// One that was saved without a provider is one of the first provider in the list.
	const name = credential.provider || providers[0].name;
	const provider = providerNamed(name);
	if (!provider) {
		throw new InputError(
			'The credential names a provider that this package does not know',
			`Choose one of the list: ${providers.map(({ displayName }) => displayName).join(', ')}.`,
		);
	}
	const { displayName, signs } = provider;
	const address = readBaseUrl(credential.baseUrl || provider.defaultBaseUrl({ region }));
	if (!address) {
		throw new InputError(
			'Base URL in the credential is not a web address',
			`Leave it empty to use ${displayName}'s own, or enter one like https://gateway.example/kling.`,
		);
	}
	const secret = readSecret(credential, provider);
	if (signs && webhookSecret && !isSigningSecret(webhookSecret)) {
		throw new InputError(
			'Webhook Secret in the credential is not complete',
			`Copy the whole signing secret from the ${displayName} console, or leave the field empty.`,
		);
	}
	return {
		provider,
		region: provider.regional ? region : null,
		baseUrl: withVersion(address, provider),
		secret,
		webhookSecret: signs ? webhookSecret || null : null,
	};
}

/** A credential keeps values of fields that are hidden: the way in counts only where it can be chosen. */
function readSecret(
	{ authentication, apiKey, accessKey, secretKey }: Credential,
	{ displayName, signs }: Provider,
): Secret {
	const isSigned = signs && authentication === 'accessKey';
	if (!isSigned && apiKey) return { kind: 'key', key: apiKey };
	if (isSigned && accessKey && secretKey) return { kind: 'signed', accessKey, secretKey };
	throw new InputError(
		`${isSigned ? 'Access Key or Secret Key' : 'API Key'} in the credential is empty`,
		`Enter the key from the ${displayName} console.`,
	);
}

/** A base URL with what stands before every path of the provider, unless it ends in a version itself. */
export function withVersion(baseUrl: string, { versionPath = '' }: Provider): string {
	return /\/v\d+$/.test(baseUrl) ? baseUrl : `${baseUrl}${versionPath}`;
}

/** The base URL without query, fragment and trailing slashes, or null when it is none. */
function readBaseUrl(text: string): string | null {
	try {
		const url = new URL(text);
		if (!/^https?:$/.test(url.protocol) || url.username || url.password) return null;
		return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
	} catch {
		return null;
	}
}

/** Whether a request to this address goes to the account's provider, so that the key may go with it. */
export function belongsTo({ baseUrl }: Account, address: string): boolean {
	try {
		return new URL(address).origin === new URL(baseUrl).origin;
	} catch {
		return false;
	}
}
