import jwt from 'jsonwebtoken';
import { signedToken, signingTime } from '../../../nodes/kling/signatures';

const now = Date.parse('2026-11-21T08:00:00.999Z');
const seconds = Math.floor(now / 1000);
const claims = { iss: 'ak-1', exp: seconds + 1800, nbf: seconds - 60 };

test.each(['secret-key', 'with + and / and =', 'ümläut 你好', 'a'])(
	'the token of the secret “%s” holds for jsonwebtoken, with iss, exp and nbf alone',
	(secret) => {
		const token = signedToken('ak-1', secret, now);
		const options = { algorithms: ['HS256' as const], clockTimestamp: seconds };
		expect(jwt.verify(token, secret, options)).toEqual(claims);
		expect(() => jwt.verify(token, `${secret}x`, options)).toThrow('invalid signature');
	},
);

test('the token is the one that jsonwebtoken would sign', () => {
	const theirs = jwt.sign(claims, 'secret', { noTimestamp: true });
	const mine = signedToken('ak-1', 'secret', now);
	expect(jwt.decode(mine)).toEqual(jwt.decode(theirs));
	expect(mine.split('.')[0]).toBe(theirs.split('.')[0]);
});

test('the token is valid from a minute before to half an hour after, and no longer', () => {
	const token = signedToken('ak-1', 'secret', now);
	const at = (clockTimestamp: number) => () =>
		jwt.verify(token, 'secret', { algorithms: ['HS256'], clockTimestamp });
	expect(at(seconds - 61)).toThrow('jwt not active');
	expect(at(seconds - 60)).not.toThrow();
	expect(at(seconds + 1799)).not.toThrow();
	expect(at(seconds + 1800)).toThrow('jwt expired');
});

test.each([
	['Sat, 21 Nov 2026 09:00:00 GMT', '2026-11-21T09:00:00.000Z'],
	['Sat, 01 Jan 2000 00:00:00 GMT', '2026-11-20T08:00:00.999Z'],
	['Sat, 01 Jan 2050 00:00:00 GMT', '2026-11-22T08:00:00.999Z'],
	['no date', '2026-11-21T08:00:00.999Z'],
])('a Date header of “%s” signs for %s: a day off at most', (header, used) => {
	expect(new Date(signingTime(header, now)).toISOString()).toBe(used);
});
