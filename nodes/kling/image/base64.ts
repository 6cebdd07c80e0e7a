import { accepted, type Checked } from '../checked';
import { refusedImage } from './check';

const dataUrlStart = /^data:([^,]*),/i;
const httpUrl = /^https?:\/\//i;
const notBase64 = /[^A-Za-z0-9+/]/;
const advice = 'Enter the image file as base64 text, with or without a data: prefix.';

/**
 * Canonical base64 (RFC 4648 4) of what any common spelling of it stands for: behind a `data:`
 * prefix, broken into lines (MIME), URL-safe (RFC 4648 5), with padding missing or not.
 *
 * Kling takes base64 without a prefix only (Kling's effects page, Modellix's effects page).
 *
 * @param label names the text in messages, such as `the field "Image"`
 */
export function normaliseBase64(text: string, label: string): Checked<string> {
	if (typeof text !== 'string') return refusedImage(label, 'does not hold text', advice);
	const trimmed = text.trim();
	if (httpUrl.test(trimmed)) {
		const change = 'Set Image Input to URL, or enter the image file as base64 text.';
		return refusedImage(label, 'holds a URL, not base64 text', change);
	}
	const dataUrl = dataUrlStart.exec(trimmed);
	if (dataUrl !== null && !/;\s*base64\s*$/i.test(dataUrl[1] ?? '')) {
		return refusedImage(label, 'holds a data: URL that is not base64-encoded', advice);
	}
	const payload = dataUrl === null ? trimmed : unescaped(trimmed.slice(dataUrl[0].length));
	const digits = standardDigits(payload);
	if (digits === '') return refusedImage(label, 'is empty', advice);
	if (notBase64.test(digits)) {
		return refusedImage(label, 'is not valid base64', advice);
	}
	if (digits.length % 4 === 1) {
		const finding = `holds ${digits.length} base64 characters, a number that base64 cannot have`;
		return refusedImage(label, finding, `Check that the text is complete. ${advice}`);
	}
	return accepted(withCanonicalEnd(digits));
}

/** A data: URL may percent-encode what base64 shares with URL syntax (RFC 2397). */
function unescaped(payload: string): string {
	return payload.replace(/%(2b|2f|3d|20|0d|0a)/gi, (_, code: string) =>
		String.fromCharCode(parseInt(code, 16)),
	);
}

function standardDigits(text: string): string {
	const dense = text.replace(/\s+/g, '');
	return dense
		.replace(/-/g, '+')
		.replace(/_/g, '/')
		.replace(/={1,2}$/, '');
}

/** Pads, and clears the unused bits of the last digit, which some encoders leave set. */
function withCanonicalEnd(digits: string): string {
	const whole = digits.length - (digits.length % 4);
	const end = Buffer.from(digits.slice(whole), 'base64').toString('base64');
	return digits.slice(0, whole) + end;
}
