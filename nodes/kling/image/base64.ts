import { refusalOf, unquoted } from '../input';

const advice = 'Enter the image file as base64 text, with or without a data: prefix.';

/** The start of a picture as base64 (JPEG, PNG, WebP, GIF), or of a whole data: URL. */
const startsOfImages = /^\s*(data:image\/|\/9j\/|iVBORw0KGgo|UklGR|R0lGOD)/;

/**
 * Decodes any common form of base64 (RFC 4648 4): after a `data:` prefix, in quotes, broken into lines
 * (MIME), URL-safe (RFC 4648 5), with or without padding, and as it arrives from a form post
 * (application/x-www-form-urlencoded), which turns each `+` into a blank.
 *
 * @param label names the text in messages, such as `the field "Image"`
 * @throws InputError
 */
export function decodeBase64(text: string, label: string): Buffer {
	const trimmed = unquoted(text);
	if (/^https?:\/\//i.test(trimmed)) {
		const change = 'Set Image Input to URL, or enter the image file as base64 text.';
		throw refusalOf(label, 'contains a URL, not base64 text', change);
	}
	const [prefix] = /^[^,]*,/.exec(trimmed) ?? [''];
	const isBase64 = /(?:^|[;:])\s*base64\s*,$/i.test(prefix);
	if (!isBase64 && /^data:[^,]*,/i.test(prefix)) {
		throw refusalOf(label, 'contains a data: URL that is not base64-encoded', advice);
	}
	const payload = unescaped(trimmed.slice(isBase64 ? prefix.length : 0)).trim();
	const digits = withLostPluses(payload)
		.replace(/\s+/g, '')
		.replace(/={1,2}$/, '');
	if (digits === '') throw refusalOf(label, 'is empty', advice);
	if (/[^\w+/-]/.test(digits)) throw refusalOf(label, 'is not valid base64', advice);
	if (digits.length % 4 === 1) {
		const finding = `has ${digits.length} base64 characters, which is not a possible length`;
		throw refusalOf(label, finding, `Check that the text is complete. ${advice}`);
	}
	const bytes = Buffer.from(digits, 'base64');
	if (startsOfImages.test(bytes.toString('latin1', 0, 40))) {
		const finding = 'was encoded as base64 twice: decoded, it is base64 text, not an image';
		throw refusalOf(label, finding, 'Encode the image file only once.');
	}
	return bytes;
}

/**
 * Characters that base64 shares with URL syntax may be percent-encoded (RFC 2397), even several times. JSON
 * may have a backslash before a slash (PHP does) and in place of a line break.
 */
function unescaped(payload: string): string {
	return payload
		.replace(/%(?:25)*(2b|2f|3d|20|0d|0a)/gi, (_, code: string) =>
			String.fromCharCode(parseInt(code, 16)),
		)
		.replace(/\\+(?:[nrt]|(?=\/))/g, (escape) => (/[nrt]$/.test(escape) ? '\n' : ''));
}

/**
 * Line breaks are noise, but a blank inside a line is a lost `+`. At the edges of lines it is one only if
 * all lines have the same length with it, and not all of them have one there.
 */
function withLostPluses(payload: string): string {
	// URL-safe base64 has no plus that could be lost.
	if (!payload.includes(' ') || /[-_]/.test(payload)) return payload;
	const lines = payload.split(/[^\S ]+/).filter((line) => line !== '');
	if (lines.length === 1 && isOfEqualParts(payload)) return payload;
	const [full, behind] = [lines.slice(0, -1), lines.slice(1)];
	const isWhole =
		full.every((line) => line.length === lines[0].length) &&
		!(full.length > 0 && full.every((line) => line.endsWith(' '))) &&
		!(behind.length > 0 && behind.every((line) => line.startsWith(' ')));
	return lines.map((line) => (isWhole ? line : line.trim()).replaceAll(' ', '+')).join('');
}

/** The line lengths of PEM and MIME: a one-line field turns each line break into a blank. */
const lineLengths = [64, 76];

function isOfEqualParts(line: string): boolean {
	if (!lineLengths.includes(line.indexOf(' '))) return false;
	const [first, ...others] = line.split(' ');
	const last = others.pop() ?? '';
	return last.length <= first.length && others.every(({ length }) => length === first.length);
}
