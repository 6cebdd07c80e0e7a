import { InputError, refuseInvisible } from './input';
import { isSigningSecret } from './signatures';
import { providers, type Provider } from './providers';
import type { Secret } from './providers/provider';

/** The fields of a `klingEffectsApi` credential, with their names on screen. */
const fields = {
	provider: 'Provider',
	region: 'Region',
	authentication: 'Authentication',
	apiKey: 'API Key',
	accessKey: 'Access Key',
	secretKey: 'Secret Key',
	baseUrl: 'Base URL',
	webhookSecret: 'Webhook Secret',
} as const;
/** Reads one field; only relevant fields are read. */
type ReadField = (name: keyof typeof fields) => string;

/**
 * A field as text. An expression that reads from a vault can give a number, or null if there is no such
 * secret: that must not count as a field left empty.
 *
 * @throws InputError
 */
function fieldOf(data: unknown, name: keyof typeof fields): string {
	const { [name]: given = '' } = Object(data) as Record<string, unknown>;
	const isNumber = typeof given === 'number' && Number.isSafeInteger(given);
	const label = `${fields[name]} in the credential`;
	if (typeof given === 'string' || isNumber) return wholeText(String(given).trim(), label);
	const what = given === null ? 'has no value' : 'is not text';
	throw new InputError(
		`${label} ${what}`,
		'If it is an expression, check the name of the secret, and that it is stored as text.',
	);
}

/** @throws InputError for text that was cut off or broken when it was copied, or has something extra */
function wholeText(text: string, label: string): string {
	if (/^[\x20-\x7e]*$/.test(text)) return text;
	refuseInvisible(text, label, 'value');
	const [damage] = /[\r\n…]/.exec(text) ?? [];
	if (damage === undefined) return text;
	throw new InputError(
		`${label} ${damage === '…' ? 'was cut off: it contains …' : 'contains more than one line'}`,
		'Copy the whole value again with the copy button in the console.',
	);
}

/** Where requests go, and the secret that proves who sends them. */
export interface Account {
	provider: Provider;
	/** `global` or `china`, if the provider has a separate console in each; otherwise null. */
	region: string | null;
	/** The prefix of request paths: no trailing slash, with the provider's version path. */
	baseUrl: string;
	/** The secret that signs callbacks; null if there is none, or the provider does not sign them. */
	webhookSecret: string | null;
	secret: Secret;
}

/**
 * Reads and checks a credential's data, before anything is sent with it.
 *
 * @throws InputError if it is not complete
 */
export function readAccount(data: unknown): Account {
	const read: ReadField = (name) => fieldOf(data, name);
	// A credential saved without a provider belongs to the first one in the list.
	const name = read('provider') || providers[0].name;
	const provider = providers.find((one) => one.name === name);
	if (!provider) {
		throw new InputError(
			'The credential names a provider that this package does not know',
			`Choose one from the list: ${providers.map(({ displayName }) => displayName).join(', ')}.`,
		);
	}
	const { displayName, signs } = provider;
	const region = provider.regional ? read('region') : null;
	const address = readBaseUrl(read('baseUrl') || provider.defaultBaseUrl({ region: region ?? '' }));
	if (!address) {
		throw new InputError(
			'Base URL in the credential is not a web address',
			`Leave it empty to use ${displayName}'s own, or enter one like https://gateway.example/kling.`,
		);
	}
	const secret = readSecret(read, provider);
	const webhookSecret = signs ? read('webhookSecret') : '';
	if (webhookSecret && !isSigningSecret(webhookSecret)) {
		throw new InputError(
			'Webhook Secret in the credential is not complete',
			`Copy the whole signing secret from the ${displayName} console, or leave the field empty.`,
		);
	}
	return {
		provider,
		region,
		baseUrl: withVersion(address, provider),
		secret,
		webhookSecret: webhookSecret || null,
	};
}

/** A credential keeps the values of hidden fields: Authentication counts only where it can be chosen. */
function readSecret(read: ReadField, { displayName, signs }: Provider): Secret {
	const isSigned = signs && read('authentication') === 'accessKey';
	if (isSigned) {
		const [accessKey, secretKey] = [read('accessKey'), read('secretKey')];
		if (accessKey && secretKey) return { kind: 'signed', accessKey, secretKey };
	} else {
		// As the documentation shows it in a header.
		const key = read('apiKey').replace(/^(Authorization:\s*)?Bearer\s+/i, '');
		if (key) return { kind: 'key', key };
	}
	throw new InputError(
		`${isSigned ? 'Access Key or Secret Key' : 'API Key'} in the credential is empty`,
		`Enter the key from the ${displayName} console.`,
	);
}

/** A base URL with the provider's path prefix, unless it already ends in a version. */
export function withVersion(baseUrl: string, { versionPath = '' }: Provider): string {
	return /\/v\d+$/.test(baseUrl) ? baseUrl : `${baseUrl}${versionPath}`;
}

/** The base URL without query, fragment and trailing slashes, or null if it is not one. */
function readBaseUrl(text: string): string | null {
	try {
		const url = new URL(text);
		if (!/^https?:$/.test(url.protocol) || url.username || url.password) return null;
		return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
	} catch {
		return null;
	}
}
