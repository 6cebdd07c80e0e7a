const longest = 300;
/** How many characters are read: enough to remove keys from what is shown. */
export const longestRead = 1_000_000;

/** Terminal control sequences (ECMA-48), such as colors and links: they start with a control character. */
const steering = /(?:[^\P{Cc}\s]\[|\u009b)[0-?]*[ -/]*[@-~]|[^\P{Cc}\s]\]\P{Cc}*\p{Cc}?\\?/gu;
/** Invisible characters, and those that change the direction of what follows. */
const invisible =
	/[^\P{Cc}\s]|[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/**
 * One line of visible characters, without angle brackets: n8n's editor shows descriptions and hints as HTML.
 */
export function plainText(text: string): string {
	return text
		.replace(steering, '')
		.replace(invisible, '')
		.replace(/\s+/g, ' ')
		.replace(/</g, '‹')
		.replace(/>/g, '›')
		.trim();
}

/** A {@link plainText} as HTML: in a URL such as `?a=1&copy=2`, HTML would see an entity. */
export function asHtml(text: string): string {
	return plainText(text).replace(
		/&(?=#|[a-z\d]+;|amp|lt|gt|quot|copy|reg|sect|para|times|not|deg|yen|cent|pound|curren|micro|divide|shy|eth|uml)/gi,
		'&amp;',
	);
}

/**
 * A provider's text, ready to be shown: a short {@link plainText} without picture data or keys that it
 * repeats. Null if nothing is left.
 */
export function shownText(text: unknown): string | null {
	if (typeof text !== 'string') return null;
	const line = plainText(text.slice(0, longestRead))
		.replace(/[A-Za-z0-9+/_=.-]{60,}/g, '…')
		.replace(/\b(sk|Bearer)[-\s][\w.*-]{6,}/g, '…');
	if (line === '') return null;
	return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
