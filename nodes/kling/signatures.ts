import { createHmac, timingSafeEqual } from 'node:crypto';

/** For how many seconds a signature is valid, as in Kling's own sample (docs/providers.md 1.2). */
const lifetimeSeconds = 1_800;
/**
 * How many seconds "not before" lies in the past. Kling's sample uses 5, so a clock that is further ahead
 * is refused with code 1003. Back-dating more costs nothing.
 */
const backDatedSeconds = 60;

/** How far a provider's Date header may shift a signature: clocks are off by hours, not by days. */
const longestShiftMs = 86_400_000;

/**
 * The time to sign for, in milliseconds since 1970.
 *
 * @param providerTime the provider's Date header, or anything else for the machine's own time
 */
export function signingTime(providerTime: string, now: number): number {
	const shift = (Date.parse(providerTime) || now) - now;
	return now + Math.max(-longestShiftMs, Math.min(shift, longestShiftMs));
}

/**
 * Kling's token for an access key and a secret key: a JWT with HS256 over `iss`, `exp` and `nbf`
 * (docs/providers.md 1.2). Made for each request, so none is stored or expires.
 *
 * @param now milliseconds since 1970, by the provider's clock if known
 */
export function signedToken(accessKey: string, secretKey: string, now: number): string {
	const seconds = Math.floor(now / 1000);
	const signed = [
		{ alg: 'HS256', typ: 'JWT' },
		{ iss: accessKey, exp: seconds + lifetimeSeconds, nbf: seconds - backDatedSeconds },
	]
		.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
		.join('.');
	const signature = createHmac('sha256', secretKey).update(signed).digest('base64url');
	return `${signed}.${signature}`;
}

/** How old or how far ahead a signed callback may be, in milliseconds (docs/providers.md 1.6). */
const tolerance = 5 * 60_000;

/** The parts of a callback that its signature covers. */
interface SignedCallback {
	/** Headers with lower-case names. */
	headers: Readonly<Record<string, unknown>>;
	/** The body, byte for byte as it arrived. */
	body: Buffer | string;
}

/**
 * Whether Kling sent a callback: the Standard Webhooks scheme, opt-in since 2026-08-07 (docs/providers.md
 * 1.6). HMAC-SHA256 over `id.timestamp.body`; the header has one entry for each valid secret, so that a
 * secret can be changed without a gap.
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

/** Whether a secret contains a key: an empty one does not count. */
export function isSigningSecret(secret: string): boolean {
	return keyIn(secret).length > 0;
}

function isSame(given: Buffer, expected: Buffer): boolean {
	return given.length === expected.length && timingSafeEqual(given, expected);
}

function textOf(header: unknown): string {
	return typeof header === 'string' ? header : '';
}
