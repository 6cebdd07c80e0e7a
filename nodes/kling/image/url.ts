import { foreignAddress, isPrivateAddress } from '../hosts';
import { refusalOf, refuseInvisible } from '../input';

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
		/\{\{.{0,200}\}\}|%7B%7B.{0,200}%7D%7D|\[object(?: |%20)\w+\]/i,
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
 * surrounding blanks. Any other is encoded as browsers do. User name and password in the address are
 * kept. Messages never quote an address: it may be a secret.
 *
 * @param label names the text in messages, such as `the field "Image"`
 * @param isFetchedFromInternet whether the provider is elsewhere, so that private addresses lead nowhere
 * @throws InputError
 */
export function checkImageUrl(text: string, label: string, isFetchedFromInternet: boolean): string {
	const trimmed = text.trim();
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
