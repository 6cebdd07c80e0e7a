import { refusedImage } from './check';

const advice = 'Enter the image file as base64 text, with or without a data: prefix.';

/**
 * The bytes that any common spelling of base64 (RFC 4648 4) stands for: behind a `data:` prefix, broken
 * into lines (MIME), URL-safe (RFC 4648 5), with padding missing or not.
 *
 * @param label names the text in messages, such as `the field "Image"`
 * @throws InputError
 */
export function decodeBase64(text: string, label: string): Buffer {
	const trimmed = text.trim();
	if (/^https?:\/\//i.test(trimmed)) {
		const change = 'Set Image Input to URL, or enter the image file as base64 text.';
		throw refusedImage(label, 'holds a URL, not base64 text', change);
	}
	const [start, mediaType] = /^data:([^,]*),/i.exec(trimmed) ?? [];
	if (mediaType !== undefined && !/;\s*base64\s*$/i.test(mediaType)) {
		throw refusedImage(label, 'holds a data: URL that is not base64-encoded', advice);
	}
	const payload = start === undefined ? trimmed : unescaped(trimmed.slice(start.length));
	const digits = payload.replace(/\s+/g, '').replace(/={1,2}$/, '');
	if (digits === '') throw refusedImage(label, 'is empty', advice);
	if (/[^\w+/-]/.test(digits)) throw refusedImage(label, 'is not valid base64', advice);
	if (digits.length % 4 === 1) {
		const finding = `holds ${digits.length} base64 characters, a number that base64 cannot have`;
		throw refusedImage(label, finding, `Check that the text is complete. ${advice}`);
	}
	return Buffer.from(digits, 'base64');
}

/** A data: URL may percent-encode what base64 shares with URL syntax (RFC 2397). */
function unescaped(payload: string): string {
	return payload.replace(/%(2b|2f|3d|20|0d|0a)/gi, (_, code: string) =>
		String.fromCharCode(parseInt(code, 16)),
	);
}
