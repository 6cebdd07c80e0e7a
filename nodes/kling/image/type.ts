/** What Kling accepts: "Supported image formats include .jpg / .jpeg / .png" (Kling's effects page). */
export type ImageType = 'JPEG' | 'PNG';

const convert = 'Convert it first, for example with the Edit Image node.';
const exportAgain = 'Save it as JPEG or PNG in an app that can open it, then use that file.';
const unpack = 'Unpack it first with the Compression node.';
const unpackElsewhere = 'Unpack it first.';
export const checkSource = 'Check which file the node before this one outputs.';
const checkDownload =
	'The node that downloaded it got a page or a message instead, often because of a sign-in or an ' +
	'expired link. Check its URL and credentials.';
const asFile =
	'Read or download it as a file: in HTTP Request, set Response Format to File. Text cannot be turned back into an image.';
const damaged = 'a file that was read as text, which has damaged it';
const decode =
	'Turn the text into a file with the Convert to File node, or set Image Input to Base64.';

/** How many bytes are enough to identify a file. */
const headBytes = 1024;

/**
 * Signatures at the very start; `?` is any byte. Sources: WHATWG MIME Sniffing 6, RFC 9649 (WebP), TIFF
 * 6.0, ISO/IEC 18181-2 (JPEG XL), the formats' own pages.
 */
const signatures: Array<[start: string, what: string, advice: string]> = [
	['RIFF????WEBP', 'a WebP image', convert],
	['GIF8', 'a GIF image', convert],
	['BM????\0\0\0\0', 'a BMP image', convert],
	['II*\0', 'a TIFF or camera raw image', convert],
	['MM\0*', 'a TIFF or camera raw image', convert],
	['\xff\x0a', 'a JPEG XL image', exportAgain],
	['\0\0\0\x0cJXL ', 'a JPEG XL image', exportAgain],
	['\0\0\0\x0cjP  \r\n', 'a JPEG 2000 image', exportAgain],
	['\xff\x4f\xff\x51', 'a JPEG 2000 image', exportAgain],
	['II\xbc', 'a JPEG XR image', exportAgain],
	['\0\0\x01\0', 'an icon (ICO)', convert],
	['\0\0\x02\0', 'a cursor (CUR)', convert],
	['8BPS', 'a Photoshop document', exportAgain],
	['%!PS', 'a PostScript document', exportAgain],
	['%PDF-', 'a PDF document', exportAgain],
	['\x1aE\xdf\xa3', 'a WebM or Matroska video', checkSource],
	['RIFF????AVI ', 'an AVI video', checkSource],
	['RIFF????WAVE', 'an audio file', checkSource],
	['ID3', 'an audio file', checkSource],
	['OggS', 'an audio file or video (Ogg)', checkSource],
	['\x7fELF', 'a program', checkSource],
	['MZ?\0', 'a program', checkSource],
	['\xd0\xcf\x11\xe0', 'an Office document', exportAgain],
	['Rar!\x1a', 'a RAR archive', unpackElsewhere],
	['7z\xbc\xaf', 'a 7-Zip archive', unpackElsewhere],
	// A JPEG or PNG read as text starts like this: bytes lost or turned into letters, other line ends.
	['\xef\xbf\xbd', damaged, asFile],
	['\xc3\xbf\xc3\x98\xc3\xbf', damaged, asFile],
	['\xc2\x89PNG', damaged, asFile],
	['\x89PNG\n', damaged, asFile],
	['PK\x03\x04', 'a ZIP archive', unpack],
	['\x1f\x8b', 'a gzip archive', unpack],
	// Major brands of ISO base media files (ISO/IEC 14496-12 4.3, mp4ra.org).
	['????ftypavi', 'an AVIF image', exportAgain],
	['????ftyphe', 'a HEIC image', exportAgain],
	['????ftypmif1', 'a HEIC image', exportAgain],
	['????ftypmsf1', 'a HEIC image', exportAgain],
	['????ftypcrx ', 'a camera raw file (CR3)', exportAgain],
	['????ftypM4A ', 'an audio file', checkSource],
	['????ftyp', 'an MP4 or QuickTime video', checkSource],
];

/** Kinds of text by how they start, after blanks. */
const texts: Array<[start: RegExp, what: string, advice: string]> = [
	[/^<(!doctype html|html|head|body|!--[^]*<html)\b/i, 'a web page (HTML)', checkDownload],
	[/^<(svg|!doctype svg|(\?xml|!--)[^]*<svg)\b/i, 'an SVG drawing', exportAgain],
	[/^<\?xml/i, 'an XML document', checkDownload],
	[/^[{[]/, 'JSON text', checkDownload],
	[/^["']?(data:image\/|\/9j\/|iVBORw0KGgo)/, 'base64 text rather than an image', decode],
	[/^/, 'text', checkSource],
];

/** The type by the first bytes; null for everything that Kling does not accept. */
export function imageTypeOf(bytes: Buffer): ImageType | null {
	const head = headOf(bytes);
	if (head.startsWith('\xff\xd8\xff')) return 'JPEG';
	return head.startsWith('\x89PNG\r\n\x1a\n') ? 'PNG' : null;
}

/**
 * Names another format by the first bytes, phrased to follow "is", and how to convert it to one that
 * Kling accepts; null if unknown.
 */
export function foreignTypeOf(bytes: Buffer): { what: string; advice: string } | null {
	const head = headOf(bytes);
	const text = textOf(head);
	const row =
		signatures.find(([start]) => startsLike(head, start)) ??
		texts.find(([start]) => text !== null && start.test(text));
	return row ? { what: row[1], advice: row[2] } : null;
}

function headOf(bytes: Buffer): string {
	return bytes.toString('latin1', 0, headBytes);
}

function startsLike(head: string, start: string): boolean {
	return [...start].every((char, at) => char === '?' || char === head[at]);
}

/** The start of a text in any Unicode encoding; null if it is not text. */
function textOf(head: string): string | null {
	const isUtf16 = /^(\xff\xfe|\xfe\xff|<\0|\0<)/.test(head);
	const text = isUtf16 ? head.replace(/\0|^(\xff\xfe|\xfe\xff)/g, '') : head;
	// Only the control characters of texts (WHATWG MIME Sniffing), and no byte that UTF-8 never has.
	const isText = isUtf16 || /^[\s!-\x7f\xc0-\xf7][\s!-\xf7]*$/.test(text);
	return isText ? text.replace(/^(\xef\xbb\xbf)?\s*/, '') : null;
}
