import { latin1 } from './bytes';

/** What a file is that Kling does not accept, and how to get to one that it does. */
export interface ForeignFormat {
	/** Fits behind "is". */
	what: string;
	advice: string;
}

const CONVERT = 'Convert it first, for example with the Edit Image node.';
const EXPORT = 'Save it as JPEG or PNG in an app that opens it, then use that file.';
const CHECK_SOURCE = 'Check which file the node before this one hands over.';
const CHECK_DOWNLOAD =
	'The node that downloaded it got an answer meant for people or programs, often because of a ' +
	'sign-in or an expired link. Check its URL and credentials.';
const DECODE =
	'Turn the text into a file with the Convert to File node, or set Image Input to Base64.';

/** How far to look for what a text file is. */
const TEXT_HEAD = 1024;

/** Tab, line feed, form feed, carriage return, escape. */
const TEXT_CONTROLS = [0x09, 0x0a, 0x0c, 0x0d, 0x1b];

/**
 * Signatures at the very start, `?` being any byte. Sources: WHATWG MIME Sniffing 6, RFC 9649
 * (WebP), TIFF 6.0, ISO/IEC 18181-2 and 15444-1 (JPEG XL, JPEG 2000), the formats' own pages.
 */
const SIGNATURES: Array<[start: string, what: string, advice: string]> = [
	['RIFF????WEBP', 'a WebP image', CONVERT],
	['GIF87a', 'a GIF image', CONVERT],
	['GIF89a', 'a GIF image', CONVERT],
	['BM????\0\0\0\0', 'a BMP image', CONVERT],
	['II*\0', 'a TIFF or camera raw image', CONVERT],
	['MM\0*', 'a TIFF or camera raw image', CONVERT],
	['II+\0', 'a TIFF image', CONVERT],
	['MM\0+', 'a TIFF image', CONVERT],
	['\xff\x0a', 'a JPEG XL image', EXPORT],
	['\0\0\0\x0cJXL ', 'a JPEG XL image', EXPORT],
	['\0\0\0\x0cjP  ', 'a JPEG 2000 image', EXPORT],
	['\0\0\x01\0', 'an icon (ICO)', EXPORT],
	['8BPS', 'a Photoshop document', EXPORT],
	['%PDF-', 'a PDF document', EXPORT],
	['RIFF????AVI ', 'an AVI video', CHECK_SOURCE],
	['\x1aE\xdf\xa3', 'a WebM or Matroska video', CHECK_SOURCE],
	['PK\x03\x04', 'a ZIP archive', 'Unpack it first with the Compression node.'],
	['\x1f\x8b', 'a gzip archive', 'Unpack it first with the Compression node.'],
];

/** Major brands of ISO base media files (ISO/IEC 14496-12 4.3, mp4ra.org). */
const BRANDS: Array<[brands: RegExp, what: string, advice: string]> = [
	[/^avi[fs]/, 'an AVIF image', EXPORT],
	[/^(he[iv][cxms]|mif1|msf1)/, 'a HEIC image', EXPORT],
	[/^qt/, 'a QuickTime video', CHECK_SOURCE],
	[/^/, 'an MP4 video', CHECK_SOURCE],
];

/** Kinds of text by how they start, after blanks. */
const TEXTS: Array<[start: RegExp, what: string, advice: string]> = [
	[/^<(!doctype html|html|head|body|!--[^]*<html)\b/i, 'a web page (HTML)', CHECK_DOWNLOAD],
	[/^<(svg|!doctype svg|(\?xml|!--)[^]*<svg)\b/i, 'an SVG drawing', EXPORT],
	[/^<\?xml/i, 'an XML document', CHECK_DOWNLOAD],
	[/^[{[]/, 'JSON text', CHECK_DOWNLOAD],
	[/^(data:image\/|\/9j\/|iVBORw0KGgo)/, 'base64 text rather than an image', DECODE],
	[/^/, 'text', CHECK_SOURCE],
];

/** Names a format that is neither JPEG nor PNG from its first bytes; null when it is unknown. */
export function recogniseForeign(bytes: Uint8Array): ForeignFormat | null {
	const head = latin1(bytes, 0, TEXT_HEAD);
	const signature = SIGNATURES.find(([start]) => startsLike(head, start));
	if (signature) return { what: signature[1], advice: signature[2] };
	if (head.slice(4, 8) === 'ftyp') return firstMatch(BRANDS, head.slice(8, 12));
	return isText(head) ? firstMatch(TEXTS, head.replace(/^(\xef\xbb\xbf)?\s*/, '')) : null;
}

function startsLike(head: string, start: string): boolean {
	return [...start].every((char, at) => char === '?' || char === head[at]);
}

function firstMatch(table: Array<[RegExp, string, string]>, text: string): ForeignFormat | null {
	const row = table.find(([pattern]) => pattern.test(text));
	return row ? { what: row[1], advice: row[2] } : null;
}

/** No "binary data byte" of WHATWG MIME Sniffing, and no byte where UTF-8 never has it. */
function isText(head: string): boolean {
	const codes = [...head].map((char) => char.charCodeAt(0));
	const first = codes[0] ?? 0;
	const startsInsideCharacter = first >= 0x80 && first <= 0xbf;
	return codes.length > 0 && !startsInsideCharacter && codes.every(isTextCode);
}

function isTextCode(code: number): boolean {
	return code >= 0x20 ? code < 0xf8 : TEXT_CONTROLS.includes(code);
}
