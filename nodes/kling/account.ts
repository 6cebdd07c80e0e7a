import { z } from 'zod/v3';
import { accepted, checkedBy, parsed, refused, type Checked } from './checked';
import { isSigningSecret } from './signatures';
import { providerNamed, providers, type Provider } from './providers';
import type { Secret } from './providers/provider';

const text = z.string().trim().default('');

/** The data of a `klingEffectsApi` credential. */
const credentialSchema = z.object({
	// One that was saved without a provider is one of the first provider in the list.
	provider: z.string().default(providers[0].name).transform(checkedBy(readProvider)),
	region: z.string().default('global'),
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
	/** What the paths of requests are added to: without a trailing slash, with the provider's version path. */
	baseUrl: string;
	/** What callbacks are signed with; null when they are not, or when the provider signs none. */
	webhookSecret: string | null;
	secret: Secret;
}

/** Reads and checks the data of a credential, before anything is sent with it. */
export function readAccount(data: unknown): Checked<Account> {
	const credential = parsed(credentialSchema, data);
	if (!credential.ok) return credential;
	const { provider, region, baseUrl, webhookSecret } = credential.value;
	const { displayName, signs } = provider;
	const address = readBaseUrl(baseUrl || provider.defaultBaseUrl({ region }));
	if (!address) {
		return refused(
			'Base URL in the credential is not a web address',
			`Leave it empty to use ${displayName}'s own, or enter one like https://gateway.example/kling.`,
		);
	}
	const secret = readSecret(credential.value);
	if (!secret.ok) return secret;
	if (signs && webhookSecret && !isSigningSecret(webhookSecret)) {
		return refused(
			'Webhook Secret in the credential is not complete',
			`Copy the whole signing secret from the ${displayName} console, or leave the field empty.`,
		);
	}
	return accepted({
		provider,
		baseUrl: withVersion(address, provider),
		secret: secret.value,
		webhookSecret: signs ? webhookSecret || null : null,
	});
}

function readProvider(name: string): Checked<Provider> {
	const provider = providerNamed(name);
	if (provider) return accepted(provider);
	return refused(
		'The credential names a provider that this package does not know',
		`Choose one of the list: ${providers.map(({ displayName }) => displayName).join(', ')}.`,
	);
}

/** A credential keeps values of fields that are hidden: the way in counts only where it can be chosen. */
function readSecret(credential: Credential): Checked<Secret> {
	const { provider, authentication, apiKey, accessKey, secretKey } = credential;
	const isSigned = provider.signs && authentication === 'accessKey';
	if (!isSigned && apiKey) return accepted({ kind: 'key', key: apiKey });
	if (isSigned && accessKey && secretKey) return accepted({ kind: 'signed', accessKey, secretKey });
	return refused(
		`${isSigned ? 'Access Key or Secret Key' : 'API Key'} in the credential is empty`,
		`Enter the key from the ${provider.displayName} console.`,
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
export function belongsTo(account: Account, address: string): boolean {
	try {
		return new URL(address).origin === new URL(account.baseUrl).origin;
	} catch {
		return false;
	}
}
