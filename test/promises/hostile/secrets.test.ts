import { readAccount } from '../../../nodes/kling/account';
import { redactionOf } from '../../../nodes/kling/account';
import { signedToken } from '../../../nodes/kling/signatures';
import { byId, single } from '../../harness/workbench';
import { withInstantClock } from '../../harness/setup';
import { runNode } from '../../../tools/engine';
import { HostileServer, providerNames } from './server';

const hostile = HostileServer.prepare();
withInstantClock();

const key = 'sk/key+of"the\\hostile?suite=42';
const accessKey = 'ACCESS-key/of+the?suite';
const secretKey = 'SECRET-key/of+the?suite&more';
const webhookSecret = 'whsec_c2VjcmV0LW9mLXRoZS1zdWl0ZQ==';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const inJson = (text: string) => JSON.stringify(text).slice(1, -1);
const inPhp = (text: string) => inJson(text).replaceAll('/', '\\/');
/** How a provider can repeat a secret inside a JSON text. */
const spellings: Record<string, (secret: string) => string> = {
	plain: (secret) => JSON.stringify(secret).slice(1, -1),
	'URL-encoded': (secret) => encodeURIComponent(secret),
	'URL-encoded in small letters': (secret) =>
		encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
	'escaped letter by letter': (secret) =>
		[...secret].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
	'with escaped slashes': (secret) => JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/'),
	'escaped twice': (secret) => JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
	'as PHP escapes JSON, inside of JSON': (secret) => inJson(inPhp(secret)),
	'as PHP escapes JSON, twice': (secret) => inPhp(inPhp(secret)),
	'in HTML entities': (secret) =>
		secret
			.replaceAll('&', '&amp;')
			.replaceAll('"', '&quot;')
			.replaceAll('/', '&#x2F;')
			.replaceAll('+', '&plus;')
			.replaceAll('\\', '&#92;'),
	'letter by letter in HTML': (secret) =>
		[...secret].map((char) => `&#${char.charCodeAt(0)};`).join(''),
	'in HTML, escaped twice': (secret) =>
		[...secret].map((char) => `&amp;#x${char.charCodeAt(0).toString(16)};`).join(''),
	'URL-encoded twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
	'URL-encoded letter by letter': (secret) =>
		[...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
	'URL-encoded, then in HTML': (secret) =>
		encodeURIComponent(secret).replaceAll('%', '&#37;').replaceAll('k', '&#107;'),
	'split by a blank': (secret) => inJson(`${secret.slice(0, 9)} ${secret.slice(9)}`),
	'split by a line end': (secret) => inJson(`${secret.slice(0, 9)}\r\n${secret.slice(9)}`),
	'split by blanks all over': (secret) => inJson([...secret].join(' ')),
	'in hexadecimal digits': (secret) => Buffer.from(secret).toString('hex'),
	'in large hexadecimal digits': (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
	'in pairs of hexadecimal digits': (secret) =>
		Buffer.from(secret)
			.toString('hex')
			.replace(/..(?=.)/g, '$&:'),
	'in bytes of C': (secret) =>
		Array.from(Buffer.from(secret), (byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(', '),
	'as a Buffer of Node.js': (secret) => inJson(JSON.stringify(Buffer.from(secret))),
	'in octal digits, three each': (secret) =>
		inJson(
			Array.from(Buffer.from(secret), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
		),
	'in octal digits': (secret) =>
		inJson(Array.from(Buffer.from(secret), (byte) => `\\${byte.toString(8)}`).join('')),
	'as escape() of old browsers writes it': (secret) =>
		Array.from(secret, (one) => `%u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
	'in quoted-printable': (secret) =>
		Array.from(Buffer.from(secret), (byte) => `=${byte.toString(16).toUpperCase()}`).join(''),
	'in escapes of CSS': (secret) =>
		inJson(Array.from(secret, (one) => `\\${one.charCodeAt(0).toString(16)} `).join('')),
	'in large letters': (secret) => inJson(secret.toUpperCase()),
	'in small letters': (secret) => inJson(secret.toLowerCase()),
	base64: (secret) => base64(secret),
	'base64 behind one letter': (secret) => base64(`u${secret}`),
	'base64 behind a user name': (secret) => base64(`me:${secret}:x`),
	'base64 for URLs': (secret) => Buffer.from(`ab${secret}`).toString('base64url'),
};

/** The longest part of a secret left in a text, in any spelling. */
function leftOf(secret: string, text: string): string[] {
	const core = secret.slice(4, -4);
	const forms = [core, encodeURIComponent(core), JSON.stringify(core).slice(1, -1)];
	const digits = [0, 1, 2].map((offset) => base64('x'.repeat(offset) + secret).slice(8, -8));
	const bytes = [...Buffer.from(core)];
	const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0'));
	const written = [
		core,
		...['', '0x', 'u00'].map((start) => hex.map((byte) => start + byte).join('')),
		bytes.join(''),
		...[1, 3].map((width) => bytes.map((byte) => byte.toString(8).padStart(width, '0')).join('')),
	];
	const lettersIn = (from: string) => from.replace(/[\W_]/g, '').toLowerCase();
	const all = lettersIn(text);
	return [
		...[...forms, ...digits].filter((form) => text.includes(form)),
		...written.map(lettersIn).filter((form) => all.includes(form)),
	];
}

describe.each(Object.entries(spellings))('a secret that comes back %s', (_name, spell) => {
	test.each(providerNames)(
		'%s: reaches no item, message or log of an execution',
		async (provider) => {
			const body = `{"code":1201,"message":"bad ${spell(key)} key","request_id":"${spell(key)}","data":{"task_id":"1","${spell(key)}":"${spell(key)}","task_status_msg":"${spell(key)}"},"error":{"message":"bad ${spell(key)}","code":"${spell(key)}"}}`;
			for (const status of [200, 400]) {
				hostile.behaviour = (_request, response) =>
					void response
						.writeHead(status, { 'x-request-id': encodeURIComponent(key), 'x-key': base64(key) })
						.end(body);
				for (const parameters of [
					{ operation: 'get', taskId: byId('1'), waitForCompletion: false, simplify: false },
					{ ...single, waitForCompletion: false, downloadVideo: false, simplify: false },
				]) {
					const credential = { ...hostile.credential(provider), apiKey: key };
					const { run } = await runNode({ parameters, credential });
					expect(leftOf(key, JSON.stringify(run))).toEqual([]);
				}
			}
		},
	);

	test('of any kind is removed', () => {
		const credential = { provider: 'kling', authentication: 'accessKey', accessKey, secretKey };
		const account = readAccount({ ...credential, webhookSecret });
		const redaction = redactionOf(account);
		const token = signedToken(accessKey, secretKey, Date.parse('2026-11-21T13:00:00Z'));
		for (const secret of [accessKey, secretKey, webhookSecret, token]) {
			const source = `{"said":["a ${spell(secret)} b"]}`;
			const said = redaction.json(JSON.parse(source) as { said: string[] }, source).value;
			expect(leftOf(secret, JSON.stringify(said))).toEqual([]);
			expect(said.said[0]).toMatch(/^a /);
			expect(leftOf(secret, redaction.text(`x ${JSON.parse(`"${spell(secret)}"`)}`))).toEqual([]);
		}
	});
});

describe('redaction', () => {
	const account = readAccount({ provider: 'modellix', apiKey: 'short' });

	test('leaves alone what is too short to be a key', () => {
		const redaction = redactionOf(account);
		expect(redaction.text('a short text')).toBe('a short text');
		expect(redaction.json({ short: 'short' }, '{"short":"short\\n"}').value).toEqual({
			short: 'short',
		});
	});

	test('returns the same value if there is nothing to remove', () => {
		const value = { __proto__: null, text: 'a "b" \\ c', list: [1, null, true] };
		const redaction = redactionOf(account);
		expect(redaction.json(value, JSON.stringify(value)).value).toEqual(value);
		expect(redaction.json(undefined, '\\').value).toBeUndefined();
	});
});
