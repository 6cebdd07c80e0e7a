import { InputError, refuseInvisible, unquoted } from './input';
import { isSigningSecret } from './signatures';
import { providers, type Provider } from './providers';
import type { Secret } from './providers/provider';
import { formsOf, hasAny, isOdd, readLetters, shortestSecret } from './spelling';

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
function wholeText(given: string, label: string): string {
	const text = /^\W.*\W$/.test(given) ? unquoted(given) : given;
	if (!/^[\x20-\x7e]*$/.test(text)) refuseInvisible(text, label, 'value');
	const [damage] = /[\r\n…]|[*.•●]{3}/.exec(text) ?? [];
	if (damage === undefined) return text;
	const isCut = damage.trim() !== '';
	throw new InputError(
		`${label} ${isCut ? `was cut off: it contains ${damage}` : 'contains more than one line'}`,
		// Once a key has been made, consoles show most of it as asterisks or dots.
		'Copy the whole value again with the copy button in the console, or make a new one there.',
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

/** Removes an account's secrets from what a provider says: it may repeat them, and its words are shown. */
export interface Redaction {
	text(text: string): string;
	/** @param source the JSON text that the value was read from */
	json<T>(value: T, source: string): { value: T; source: string };
}

/**
 * Redacts keys, the webhook secret and signatures made with them, however they are written: only
 * lower-case letters and digits are compared, before and after all escapes are removed.
 */
export function redactionOf(account: Account): Redaction {
	const { kind, ...parts } = account.secret;
	const secrets = [...Object.values(parts), account.webhookSecret ?? ''];
	// The rest of a signature differs from one to the next.
	const starts = kind === 'signed' ? formsOf(signatureStart(account)) : [];
	const forms = [...new Set([...starts, ...secrets.flatMap(formsOf)])];
	const odd = secrets.filter(isOdd);

	const text = (source: string): string => {
		if (source.length < shortestSecret) return source;
		let rest = odd.reduce((from, secret) => from.replaceAll(secret, shown), source);
		if (hasAny(forms, rest)) rest = withoutForms(rest, false);
		const hasEscapes = /[\\%&]/.test(rest);
		return hasEscapes && hasAny(forms, rest, true) ? withoutForms(rest, true) : rest;
	};
	const withoutForms = (source: string, isEscaped: boolean): string => {
		const { letters, sourceOf } = readLetters(source, isEscaped);
		/** Where each removed part ends, by where it starts. */
		const ends = new Uint32Array(source.length);
		for (const form of forms) {
			let word = 0;
			for (const at of placesOf(form, letters)) {
				const { start, end } = sourceOf(at, at + form.length);
				// All matches within one word end where the word ends.
				if (end > word) word = starts.includes(form) ? endOfWord(source, end) : end;
				ends[start] = Math.max(ends[start], word);
			}
		}
		return withoutRanges(source, ends);
	};
	return {
		text,
		json<T>(value: T, source: string) {
			const told = text(source);
			return { source: told, value: told === source ? value : (mapTexts(value, text) as T) };
		},
	};
}

const shown = '…';

function placesOf(part: string, text: string): number[] {
	const places: number[] = [];
	for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) {
		places.push(at);
	}
	return places;
}

function endOfWord(text: string, from: number): number {
	const word = /[\w.+/=-]*/y;
	word.lastIndex = from;
	return from + (word.exec(text)?.[0].length ?? 0);
}

function withoutRanges(text: string, ends: Uint32Array): string {
	const parts: string[] = [];
	let copied = 0;
	for (let start = 0; start < ends.length; start++) {
		if (ends[start] === 0) continue;
		if (start >= copied) parts.push(text.slice(copied, start), shown);
		copied = Math.max(copied, ends[start]);
	}
	return parts.join('') + text.slice(copied);
}

/** The value with its texts, names and numbers rewritten. `parseJson` limits how deep it is nested. */
function mapTexts(value: unknown, text: (from: string) => string): unknown {
	if (typeof value === 'string') return text(value);
	if (typeof value === 'number') return text(String(value)) === String(value) ? value : '…';
	if (typeof value !== 'object' || value === null) return value;
	if (Array.isArray(value)) return value.map((one) => mapTexts(one, text));
	return Object.fromEntries(
		Object.entries(value).map(([name, one]) => [text(name), mapTexts(one, text)]),
	);
}

/** What all signatures of an account have in common. */
function signatureStart({ provider, secret }: Account): string {
	const [one, other] = [0, 4e12].map((now) =>
		Object.values(provider.authorize(secret, now)).join(' '),
	);
	let length = 0;
	while (length < one.length && one[length] === other[length]) length++;
	return one.slice(0, length).split(' ').pop() ?? '';
}
