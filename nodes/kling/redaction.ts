import type { Account } from './account';
import { formsOf, hasAny, isOdd, readLetters, shortestSecret } from './spelling';

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
