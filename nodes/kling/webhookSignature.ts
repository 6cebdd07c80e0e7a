import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';

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
export function isSignedBy(secret: string, callback: SignedCallback, now: number): boolean {
	const id = textOf(callback.headers['webhook-id']);
	const timestamp = textOf(callback.headers['webhook-timestamp']);
	const sent = Number(timestamp) * 1000;
	if (!id || !timestamp || !(Math.abs(now - sent) <= tolerance)) return false;
	const expected = signatureOf(secret, { id, timestamp, body: callback.body });
	return textOf(callback.headers['webhook-signature'])
		.split(' ')
		.filter((entry) => entry.startsWith('v1,'))
		.some((entry) => isSame(Buffer.from(entry.slice(3), 'base64'), expected));
}

/** The headers with which a callback of our own passes {@link isSignedBy}. */
export function signedHeaders(secret: string, body: string, now: number): Record<string, string> {
	const id = `msg_${randomUUID()}`;
	const timestamp = String(Math.floor(now / 1000));
	const signature = signatureOf(secret, { id, timestamp, body }).toString('base64');
	return {
		'webhook-id': id,
		'webhook-timestamp': timestamp,
		'webhook-signature': `v1,${signature}`,
	};
}

function signatureOf(
	secret: string,
	{ id, timestamp, body }: { id: string; timestamp: string; body: Buffer | string },
): Buffer {
	const key = keyIn(secret);
	return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
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
