import { foreignAddress, isPrivateAddress } from './hosts';

/**
 * Something that the user can fix: thrown where it is found, before anything is paid, and caught once per
 * item. A provider's response is data instead: see `failure.ts`.
 */
export class InputError extends Error {
	/**
	 * @param message a heading: what is wrong, without a full stop
	 * @param description what to do about it
	 */
	constructor(
		message: string,
		readonly description: string,
	) {
		super(message);
	}
}

export const checkExpression = 'Check the expression of this parameter.';

/** Text that may be left empty: empty means absent. */
export function textOf(given: unknown, displayName: string): string | undefined {
	if (given === null || given === undefined) return undefined;
	if (typeof given !== 'string' && typeof given !== 'number') {
		throw new InputError(`${displayName} must be text`, checkExpression);
	}
	return String(given).trim() || undefined;
}

/**
 * An id, as text.
 *
 * @throws InputError for what is neither text nor number, for placeholders of a missing value, and for
 *   numbers that have lost digits: ids of 18 digits exceed what a number can hold, and spreadsheets round
 *   them too
 */
export function idOf(given: unknown, displayName: string): string | undefined {
	const id = textOf(given, displayName);
	if (id === undefined) return id;
	if (typeof given === 'number' ? !Number.isSafeInteger(given) : rounded.test(id)) {
		throw new InputError(
			`${displayName} has lost digits: it arrived as the number ${id}`,
			'Numbers hold only 16 digits. Format the column or field that holds the ID as text, and enter the ID there again.',
		);
	}
	if (noValue.test(id)) {
		throw new InputError(
			`${displayName} is “${id}”, which means that there is no value`,
			checkExpression,
		);
	}
	refuseInvisible(id, displayName, 'ID');
	return id;
}

/**
 * What ids start with; empty for all. No id starts with a blank: task ids are read without them.
 *
 * @throws InputError
 */
export function prefixOf(given: unknown, displayName: string): string {
	if (typeof given === 'string' || typeof given === 'number') return String(given).trimStart();
	if (given === null || given === undefined) return '';
	throw new InputError(
		`${displayName} cannot be read`,
		'Enter the text that the IDs start with, or remove it.',
	);
}

/** As spreadsheets, Java and Python write large numbers. */
const rounded = /^\d+([.,]\d+)?e\+\d+$|^\d[.,]\d+e\d+$|^\d{16,}\.0+$/i;

/** What JavaScript and spreadsheets write for a missing value. */
const noValue =
	/^(undefined|null|NaN|\[object \w+\]|#(N\/A|REF!|VALUE!|NAME\?|NULL!|NUM!|DIV\/0!|ERROR!))$/;

/**
 * An invisible character. Those that join or vary letters belong to some scripts and emoji, so they count
 * only at the end.
 */
const invisible =
	/[^\P{Cc}\t\r\n]|[\u2028\u2029]|(?!\p{Join_Control}|\p{Variation_Selector})\p{Default_Ignorable_Code_Point}|\p{Join_Control}$/u;

/** A refusal about `label`, which starts the sentence and so gets a capital letter. */
export function refusalOf(label: string, finding: string, description: string): InputError {
	return new InputError(
		`${label.charAt(0).toUpperCase()}${label.slice(1)} ${finding}`,
		description,
	);
}

/** @throws InputError for text with an invisible character in it, which copying can add */
export function refuseInvisible(text: string, displayName: string, noun: string): void {
	const [hidden] = invisible.exec(text) ?? [];
	if (hidden === undefined) return;
	const code = hidden.codePointAt(0) ?? 0;
	throw refusalOf(
		displayName,
		`contains an invisible character (U+${code.toString(16).toUpperCase().padStart(4, '0')})`,
		`It was copied along with the ${noun}. Delete the ${noun} and type it, or paste it as plain text.`,
	);
}

/** A text without surrounding blanks and quotes, which come along when it is copied from JSON, code or prose. */
export function unquoted(text: string): string {
	const trimmed = text.trim();
	const isQuoted = /^["'`“„‘]/.test(trimmed) && /["'`”“’]$/.test(trimmed);
	return isQuoted ? trimmed.slice(1, -1).trim() : trimmed;
}

/** What was thrown, as one short line. Never throws itself. */
export function reasonOf(thrown: unknown): string {
	// Not by its class: n8n can run expressions in a realm of their own.
	const told: unknown = typeof thrown === 'string' ? thrown : Object(thrown).message;
	const text = typeof told === 'string' ? told : '';
	return text.split('\n')[0].slice(0, 200).replace(/\.$/, '') || 'no reason given';
}

const advice = 'Enter the address of a JPEG or PNG image that starts with https:// or http://.';
const asBase64 = 'Set Image Input to Base64, or enter the address of the image.';
const asFile =
	'The provider fetches the image from the internet. Set Image Input to Binary File, or enter an address that anyone can open.';

/** One address after another; an image server's own may contain one, after a slash or an equals sign. */
const severalAddresses = /[\s,;|]https?:\/\/|\.(jpe?g|png)\S{0,300}\s?[,;|]\s/i;
/** U+FFFD, or half of a surrogate pair. */
const lost = /[\ufffd\p{Cs}]/u;

/** What does not belong in an address, phrased to follow the field's name, and what to do. */
const leftovers: Array<[pattern: RegExp, finding: string, advice: string]> = [
	[
		/\{\{.{0,200}\}\}|%7B%7B.{0,200}%7D%7D|\[object(?: |%20)\w+\]|\/(?:undefined|null|NaN)(?:\.\w{2,5})?(?:[?#]|$)/i,
		'contains an expression, or part of one, instead of its value',
		'Switch the field to Expression, and check the address in its preview.',
	],
	[
		/["”][\]}),;]{0,3}$|\\[nrt]$|&amp;(?:X-(?:Amz|Goog)-|(?:Signature|sig|token|is|hm|oh)=)/i,
		'contains HTML or JSON around an address',
		'Enter the address alone, with & where it has &amp;.',
	],
	[/[<>]|\]\(/, 'contains HTML or Markdown around an address', 'Enter the address alone.'],
	[/(…|\.\.\.|%E2%80%A6)$/i, 'was cut off: it ends in …', 'Copy the whole address.'],
	[/^https?:\/\/https?:?\/\//i, 'contains http:// twice', 'Delete the first one.'],
	[lost, 'contains a character that could not be decoded (�)', 'Read the source text as UTF-8.'],
];

/**
 * Checks an image address as far as possible without requesting it; Kling fetches it itself (Kling's
 * effects page: "ensure accessibility").
 *
 * Signed links break when they are rewritten, so a plain ASCII address is returned as entered, without
 * surrounding blanks and quotes. Any other is encoded as browsers do. User name and password in the address
 * are kept. Messages never quote an address: it may be a secret.
 *
 * @param label names the text in messages, such as `the field "Image"`
 * @param isFetchedFromInternet whether the provider is elsewhere, so that private addresses lead nowhere
 * @throws InputError
 */
export function checkImageUrl(text: string, label: string, isFetchedFromInternet: boolean): string {
	const trimmed = unquoted(text);
	if (trimmed === '') throw refusalOf(label, 'is empty', advice);
	refuseInvisible(trimmed, label, 'address');
	if (/^data:/i.test(trimmed)) {
		throw refusalOf(label, 'contains the image itself (a data: URL), not its address', asBase64);
	}
	if (/^(\/9j\/|iVBORw0KGgo)/.test(trimmed)) {
		throw refusalOf(label, 'contains base64 text, not an address', asBase64);
	}
	if (!/^https?:\/\/[^/?#]/i.test(trimmed)) {
		throw refusalOf(label, 'must be an address that starts with http:// or https://', advice);
	}
	const encoded = checkedAddress(trimmed, label, isFetchedFromInternet, {
		advice,
		ifPrivate: asFile,
	});
	const foreign = foreignAddress(new URL(encoded));
	if (foreign) throw refusalOf(label, `is the address of ${foreign.what}`, foreign.advice);
	const isPlain = /^[\x21-\x7e]+$/.test(trimmed);
	return isPlain ? trimmed : encoded;
}

/**
 * Checks what any address for the provider must be: one, complete, readable, and not in a private network.
 *
 * @returns it as browsers encode it
 * @throws InputError
 */
export function checkedAddress(
	trimmed: string,
	label: string,
	isOpenedFromInternet: boolean,
	{ advice, ifPrivate }: { advice: string; ifPrivate: string },
): string {
	refuseInvisible(trimmed, label, 'address');
	if (/[\t\r\n]/.test(trimmed)) {
		throw refusalOf(label, 'contains more than one line', 'Enter one address only.');
	}
	if (severalAddresses.test(trimmed)) {
		throw refusalOf(label, 'contains more than one address', 'Enter one address only.');
	}
	const [, finding, whatToDo] = leftovers.find(([pattern]) => pattern.test(trimmed)) ?? [];
	if (finding && whatToDo) throw refusalOf(label, finding, whatToDo);
	const encoded = encodedUrl(trimmed);
	if (encoded === null) throw refusalOf(label, 'contains an address that cannot be read', advice);
	if (isOpenedFromInternet && isPrivateAddress(encoded)) {
		throw refusalOf(label, 'is an address that can only be opened on your own network', ifPrivate);
	}
	return encoded;
}

/**
 * The address as browsers encode it, or null if it is not one. Not by `URL.canParse`: on Node.js 20 it
 * refuses letters beyond ASCII once the engine has compiled it (seen on 20.20.2).
 */
function encodedUrl(text: string): string | null {
	try {
		return new URL(text).href;
	} catch {
		return null;
	}
}
