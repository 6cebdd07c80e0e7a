import { createHmac } from 'node:crypto';

/** Seconds that a signature is good for, as in Kling's own sample (docs/providers.md 1.2). */
const lifetimeSeconds = 1_800;
/**
 * Seconds that "not before" lies in the past. Kling's sample takes 5; a clock that is ahead by more
 * is then refused with code 1003. Back-dating further costs nothing.
 */
const backDatedSeconds = 60;

/** Milliseconds that a provider's Date header may move a signature: clocks are off by hours, not by days. */
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
 * (docs/providers.md 1.2). Made for each request, so none is stored or grows old.
 *
 * @param now milliseconds since 1970, by the provider's clock where it is known
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
