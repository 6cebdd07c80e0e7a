import { z } from 'zod';
import { accepted, refused, type Checked } from './checked';
import { isSigningSecret } from './webhookSignature';
import { providerNamed, providers, type Provider } from './providers';
import type { Secret } from './providers/provider';

/** A credential that was saved without a provider is one of the first provider in the list. */
const defaultProvider = providers[0].name;

/** The data of a `klingEffectsApi` credential. */
const credentialSchema = z.object({
	provider: z.string().default(defaultProvider),
	region: z.string().default('global'),
	authentication: z.enum(['apiKey', 'accessKey']).catch('apiKey'),
	apiKey: z.string().trim().default(''),
	accessKey: z.string().trim().default(''),
	secretKey: z.string().trim().default(''),
	baseUrl: z.string().trim().default(''),
	webhookSecret: z.string().trim().default(''),
});

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
	const parsed = credentialSchema.safeParse(data);
	const provider = parsed.success ? providerNamed(parsed.data.provider) : undefined;
	if (!parsed.success || !provider) return refuseProvider();
	const credential = parsed.data;
	const address = readBaseUrl(credential.baseUrl || provider.defaultBaseUrl(credential));
	if (!address) {
		return refused(
			'Base URL in the credential is not a web address',
			`Leave it empty to use ${provider.displayName}'s own, or enter one like https://gateway.example/kling.`,
		);
	}
	const baseUrl = withVersion(address, provider);
	const secret = readSecret(credential, provider);
	if (!secret) {
		const missing = isSigned(credential, provider) ? 'Access Key or Secret Key' : 'API Key';
		return refused(
			`${missing} in the credential is empty`,
			`Enter the key from the ${provider.displayName} console.`,
		);
	}
	if (provider.signs && credential.webhookSecret && !isSigningSecret(credential.webhookSecret)) {
		return refused(
			'Webhook Secret in the credential is not complete',
			`Copy the whole signing secret from the ${provider.displayName} console, or leave the field empty.`,
		);
	}
	const webhookSecret = provider.signs ? credential.webhookSecret || null : null;
	return accepted({ provider, baseUrl, secret, webhookSecret });
}

/** A base URL with what stands before every path of the provider, unless it ends in a version itself. */
export function withVersion(baseUrl: string, { versionPath = '' }: Provider): string {
	return /\/v\d+$/.test(baseUrl) ? baseUrl : `${baseUrl}${versionPath}`;
}

type Credential = z.infer<typeof credentialSchema>;

/** A credential keeps values of fields that are hidden: the way in counts only where it can be chosen. */
function isSigned({ authentication }: Credential, { signs }: Provider): boolean {
	return signs === true && authentication === 'accessKey';
}

function readSecret(credential: Credential, provider: Provider): Secret | null {
	const { apiKey, accessKey, secretKey } = credential;
	if (!isSigned(credential, provider)) return apiKey ? { kind: 'key', key: apiKey } : null;
	return accessKey && secretKey ? { kind: 'signed', accessKey, secretKey } : null;
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

function refuseProvider(): Checked<Account> {
	const names = providers.map(({ displayName }) => displayName);
	return refused(
		'The credential names a provider that this package does not know',
		`Choose one of the list: ${names.join(', ')}.`,
	);
}

/** Whether a request to this address goes to the account's provider, so that the key may go with it. */
export function belongsTo(account: Account, address: string): boolean {
	try {
		return new URL(address).origin === new URL(account.baseUrl).origin;
	} catch {
		return false;
	}
}
