import { InputError, refuseInvisible, unquoted } from './input';
import { isSigningSecret } from './signatures';
import { providers, type Provider } from './providers/index';
import type { Secret } from './providers/provider';
import { formsOf, hasAny, isOdd, readLetters, shortestSecret } from './spelling';

/** The fields of a `klingEffectsApi` credential, by their names on screen. */
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
/** Reads one field; only those that count are read. */
type ReadField = (name: keyof typeof fields) => string;

/**
 * A field as text. A vault that an expression asks can give a number, and null where it has no such secret:
 * that must not count as a field that was left empty.
 *
 * @throws InputError
 */
function fieldOf(data: unknown, name: keyof typeof fields): string {
	const { [name]: given = '' } = Object(data) as Record<string, unknown>;
	const isNumber = typeof given === 'number' && Number.isSafeInteger(given);
	const label = `${fields[name]} in the credential`;
	if (typeof given === 'string' || isNumber) return wholeText(String(given).trim(), label);
	const what = given === null ? 'has no value' : 'is not a text';
	throw new InputError(
		`${label} ${what}`,
		'If it is an expression, check the name of the secret, and that it is stored as text.',
	);
}

/** @throws InputError for a text that a copy has cut off, broken, or brought something along with */
function wholeText(given: string, label: string): string {
	const text = /^\W.*\W$/.test(given) ? unquoted(given) : given;
	if (!/^[\x20-\x7e]*$/.test(text)) refuseInvisible(text, label, 'value');
	const [damage] = /[\r\n…]|[*.•●]{3}/.exec(text) ?? [];
	if (damage === undefined) return text;
	const isCut = damage.trim() !== '';
	throw new InputError(
		`${label} ${isCut ? `was cut off: it holds ${damage}` : 'holds more than one line'}`,
		// Consoles show most of a key as asterisks or dots once it was made.
		'Copy the whole value again with the copy button of the console, or make a new one there.',
	);
}

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
	const read: ReadField = (name) => fieldOf(data, name);
	// One that was saved without a provider is one of the first provider in the list.
	const name = read('provider') || providers[0].name;
	const provider = providers.find((one) => one.name === name);
	if (!provider) {
		throw new InputError(
			'The credential names a provider that this package does not know',
			`Choose one of the list: ${providers.map(({ displayName }) => displayName).join(', ')}.`,
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

/** A credential keeps values of fields that are hidden: the way in counts only where it can be chosen. */
function readSecret(read: ReadField, { displayName, signs }: Provider): Secret {
	const isSigned = signs && read('authentication') === 'accessKey';
	if (isSigned) {
		const [accessKey, secretKey] = [read('accessKey'), read('secretKey')];
		if (accessKey && secretKey) return { kind: 'signed', accessKey, secretKey };
	} else {
		// As documentation shows it in a header.
		const key = read('apiKey').replace(/^(Authorization:\s*)?Bearer\s+/i, '');
		if (key) return { kind: 'key', key };
	}
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

/** Takes an account's secrets out of what a provider says: it may repeat them, and what it says is shown. */
export interface Redaction {
	text(text: string): string;
	/** @param source the JSON text that the value was read from */
	json<T>(value: T, source: string): { value: T; source: string };
}

/**
 * The redaction of keys, of the webhook secret and of signatures made with them, however they are
 * written: what is compared is the letters, all small, and digits alone, before and after all escapes are
 * taken off.
 */
export function redactionOf(account: Account): Redaction {
	const { kind, ...parts } = account.secret;
	const secrets = [...Object.values(parts), account.webhookSecret ?? ''];
	// A signature goes on with what differs from one to the next.
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
		/** By where they begin, the ends of what is taken out. */
		const ends = new Uint32Array(source.length);
		for (const form of forms) {
			let word = 0;
			for (const at of placesOf(form, letters)) {
				const { start, end } = sourceOf(at, at + form.length);
				// All that stand in one word end with it.
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

/** The value with its texts, names and numbers rewritten. `parseJson` gives none that is nested without end. */
function mapTexts(value: unknown, text: (from: string) => string): unknown {
	if (typeof value === 'string') return text(value);
	if (typeof value === 'number') return text(String(value)) === String(value) ? value : '…';
	if (typeof value !== 'object' || value === null) return value;
	if (Array.isArray(value)) return value.map((one) => mapTexts(one, text));
	return Object.fromEntries(
		Object.entries(value).map(([name, one]) => [text(name), mapTexts(one, text)]),
	);
}

/** What the signatures of an account have in common, whenever they are made. */
function signatureStart({ provider, secret }: Account): string {
	const [one, other] = [0, 4e12].map((now) =>
		Object.values(provider.authorize(secret, now)).join(' '),
	);
	let length = 0;
	while (length < one.length && one[length] === other[length]) length++;
	return one.slice(0, length).split(' ').pop() ?? '';
}
