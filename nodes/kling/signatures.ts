import { createHmac, timingSafeEqual } from 'node:crypto';

/** Milliseconds that a signed callback may be old or ahead (docs/providers.md 1.6). */
const tolerance = 5 * 60_000;

/** The parts of a callback that its signature covers. */
export interface SignedCallback {
	/** Headers with lower-case names. */
	headers: Readonly<Record<string, unknown>>;
	/** The body, byte for byte as it arrived. */
	body: Buffer | string;
}

/**
 * Whether Kling sent a callback: the Standard Webhooks scheme, opt-in since 2026-08-07
 * (docs/providers.md 1.6). HMAC-SHA256 over `id.timestamp.body`; the header holds one entry for each
 * valid secret, so that a secret can be changed without a gap.
 *
 * @param secret as the console shows it, `whsec_` and base64
 * @param now milliseconds since 1970
 */
export function isSignedBy(
	secret: string,
	{ headers, body }: SignedCallback,
	now: number,
): boolean {
	const id = textOf(headers['webhook-id']);
	const timestamp = textOf(headers['webhook-timestamp']);
	const sent = Number(timestamp) * 1000;
	if (!id || !timestamp || !(Math.abs(now - sent) <= tolerance)) return false;
	const signed = createHmac('sha256', keyIn(secret)).update(`${id}.${timestamp}.`).update(body);
	const expected = signed.digest();
	return textOf(headers['webhook-signature'])
		.split(' ')
		.filter((entry) => entry.startsWith('v1,'))
		.some((entry) => isSame(Buffer.from(entry.slice(3), 'base64'), expected));
}

function keyIn(secret: string): Buffer {
	return Buffer.from(secret.trim().replace(/^whsec_/, ''), 'base64');
}

/** Whether a secret holds a key: an empty one is known to everybody. */
export function isSigningSecret(secret: string): boolean {
	return keyIn(secret).length > 0;
}

function isSame(given: Buffer, expected: Buffer): boolean {
	return given.length === expected.length && timingSafeEqual(given, expected);
}

function textOf(header: unknown): string {
	return typeof header === 'string' ? header : '';
}
