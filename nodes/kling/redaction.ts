import type { Account } from './account';
import { readingOf } from './spelling';

/** A shorter text is no key, and can be part of an id or an address. */
const shortestSecret = 8;

/** Takes an account's secrets out of what a provider says: it may repeat them, and what it says is shown. */
export interface Redaction {
	text(text: string): string;
	/** @param source the JSON text that the value was read from */
	json<T>(value: T, source: string): { value: T; source: string };
}

/**
 * The redaction of keys, of the webhook secret and of signatures made with them, however they are
 * written: what is compared is the letters and digits alone, once all escapes are taken off.
 */
export function redactionOf(account: Account): Redaction {
	const { kind, ...parts } = account.secret;
	const secrets = [...Object.values(parts), account.webhookSecret ?? ''];
	// A signature goes on with what differs from one to the next.
	const starts = kind === 'signed' ? formsOf(signatureStart(account)) : [];
	const all = [...starts.map((start) => `${start}[\\w.+/=-]*`), ...secrets.flatMap(formsOf)];
	const pattern = new RegExp([...new Set(all)].join('|') || '$^', 'g');

	const text = (source: string): string => {
		const plain = source.replace(pattern, '…');
		const reading = readingOf(plain);
		if (reading.text.search(pattern) === -1) return plain;
		let rest = '';
		let copied = 0;
		for (const { index, 0: found } of reading.text.matchAll(pattern)) {
			const { start, end } = reading.sourceOf(index, index + found.length);
			rest += `${plain.slice(copied, start)}…`;
			copied = end;
		}
		return rest + plain.slice(copied);
	};
	return {
		text,
		json<T>(value: T, source: string) {
			const told = text(source);
			return { source: told, value: told === source ? value : (mapTexts(value, text) as T) };
		},
	};
}

/** A secret's spellings, as patterns: plain, in hexadecimal digits, and in base64 wherever it begins in there. */
function formsOf(secret: string): string[] {
	if (secret.length < shortestSecret) return [];
	const hex = Buffer.from(secret).toString('hex');
	const base64 = [0, 1, 2].map((offset) => base64Of(secret, offset));
	const plain = patternOf(readingOf(secret).text) ?? escaped(secret);
	const others = [secret, hex, hex.toUpperCase(), ...base64].map(patternOf);
	return [plain, ...others.filter((pattern) => pattern !== null)];
}

/** Letters and digits, with anything else between them; null for a text with too few of them. */
function patternOf(text: string): string | null {
	const characters = text.replace(/[^A-Za-z0-9]/g, '');
	return characters.length < shortestSecret ? null : [...characters].join('[^A-Za-z0-9]*');
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

/** The digits of a text in base64 that do not depend on what stands around it, `offset` bytes behind a third one. */
function base64Of(text: string, offset: number): string {
	const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]);
	const whole = Math.floor((bytes.length * 8) / 6);
	return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), whole);
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

function escaped(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
