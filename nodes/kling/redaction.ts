import type { Account } from './account';

/** A shorter text is no key, and can be part of an id or an address. */
const shortestSecret = 8;

/** Takes an account's secrets out of what a provider says: it may repeat them, and what it says is shown. */
export interface Redaction {
	text(text: string): string;
	/** @param source the JSON text that the value was read from */
	json(value: unknown, source: string): unknown;
}

/** The redaction of keys, of the webhook secret and of signatures made with them, however they are written. */
export function redactionOf(account: Account): Redaction {
	const { kind, ...parts } = account.secret;
	const secrets = [...Object.values(parts), account.webhookSecret ?? ''];
	const patterns = secrets.flatMap(formsOf).map(escaped);
	// A signature goes on with what differs from one to the next.
	const starts = kind === 'signed' ? formsOf(signatureStart(account)) : [];
	const all = [...starts.map((start) => `${escaped(start)}[\\w.+/=-]*`), ...patterns];
	const pattern = new RegExp(all.join('|') || '$^', 'g');
	const text = (from: string) => from.replace(pattern, '…');
	return {
		text,
		json: (value, source) => {
			// What is written anew has one spelling only: no \\u0073 hides a letter.
			if (!source.includes('\\') && source.search(pattern) === -1) return value;
			try {
				return JSON.parse(text(JSON.stringify(value))) as unknown;
			} catch {
				return undefined;
			}
		},
	};
}

/** A secret in plain, JSON-escaped, URL-encoded and base64 form. */
function formsOf(secret: string): string[] {
	if (secret.length < shortestSecret) return [];
	const encoded = encodeURIComponent(secret);
	const lowerCase = encoded.replace(/%../g, (code) => code.toLowerCase());
	const inJson = JSON.stringify(secret).slice(1, -1);
	const base64 = [0, 1, 2].map((offset) => base64Of(secret, offset));
	const urlSafe = base64.map((form) => form.replace(/\+/g, '-').replace(/\//g, '_'));
	return [...new Set([secret, inJson, encoded, lowerCase, ...base64, ...urlSafe])];
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
