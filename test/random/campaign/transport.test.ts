import type { IExecuteFunctions } from 'n8n-workflow';
import { readAccount } from '../../../nodes/kling/account';
import { transportOf } from '../../../nodes/n8n/session';

const account = readAccount({ provider: 'modellix', apiKey: 'key-of-a-provider' });

/** What the transport makes of a request for which n8n's helper throws. */
async function replyTo(thrown: unknown) {
	const helpers = { httpRequestWithAuthentication: async () => await Promise.reject(thrown) };
	const send = transportOf({ helpers } as unknown as IExecuteFunctions, account);
	return await send({ method: 'POST', path: '/', timeoutMs: 1 });
}

const fetchFailed = (code: string) =>
	Object.assign(new TypeError('fetch failed'), { cause: { code } });

/** The network fails in ways that a sandbox on the same machine cannot show. */
describe('a request without an answer', () => {
	test.each([
		['connection refused', { code: 'ECONNREFUSED', syscall: 'connect' }],
		['name not found', { code: 'ENOTFOUND', syscall: 'getaddrinfo' }],
		['no route while connecting', { code: 'EHOSTUNREACH', syscall: 'connect' }],
		[
			'no route, as n8n 2.40 wraps it',
			{ httpCode: 'ENETUNREACH', cause: { code: 'ENETUNREACH', syscall: 'connect' } },
		],
		[
			'no route, as n8n 1.123 words it',
			{ httpCode: 'EHOSTUNREACH', messages: ['connect EHOSTUNREACH 10.0.0.1:443'] },
		],
		['an address that does not answer', { code: 'ETIMEDOUT', syscall: 'connect' }],
		[
			'no address that answers, of several',
			{
				cause: {
					code: 'ETIMEDOUT',
					errors: [
						{ code: 'ETIMEDOUT', syscall: 'connect' },
						{ code: 'ENETUNREACH', syscall: 'connect' },
					],
				},
			},
		],
		['no local port left', { message: 'connect EADDRNOTAVAIL 10.0.0.1:443 - Local (0.0.0.0:0)' }],
		['a connection that never stood, as fetch tells it', fetchFailed('UND_ERR_CONNECT_TIMEOUT')],
		[
			"a private address, for n8n 2.40's protection",
			{ message: 'The request was blocked because it resolves to a restricted IP address' },
		],
	])('never arrived: %s', async (_name, thrown) => {
		expect(await replyTo(thrown)).toMatchObject({ kind: 'unreachable' });
	});

	test.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
		'never arrived, because the certificate is not trusted: %s',
		async (code) => {
			expect(await replyTo({ cause: { code } })).toMatchObject({ kind: 'untrusted', code });
		},
	);

	test.each([
		// The route can be lost while waiting for the answer: the create was sent, and perhaps paid for.
		['no route while reading', { code: 'EHOSTUNREACH', syscall: 'read' }],
		['no route, at an unknown moment', { httpCode: 'EHOSTUNREACH' }],
		['a reset connection', { code: 'ECONNRESET' }],
		['a time-out', { code: 'ECONNABORTED' }],
		['a time-out while reading', { code: 'ETIMEDOUT', syscall: 'read' }],
		['a connection that was lost, as fetch tells it', fetchFailed('UND_ERR_SOCKET')],
		['no response in time, as fetch tells it', fetchFailed('UND_ERR_HEADERS_TIMEOUT')],
		[
			'several reasons, of which one may have come later',
			{ errors: [{ code: 'EHOSTUNREACH', syscall: 'connect' }, { code: 'ECONNRESET' }] },
		],
		// A gateway's words about the next system.
		[
			'a refusal, as n8n words it',
			{ httpCode: '502', messages: ['connect ECONNREFUSED 10.0.0.1'] },
		],
		['a refusal with a status', { status: 504, message: 'connect ETIMEDOUT 10.0.0.1:443' }],
		['a refusal below', { cause: { statusCode: 500, code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' } }],
		['several reasons, none of them given', { errors: [] }],
		['anything else', new Error('odd')],
		['nothing at all', undefined],
	])('may have arrived: %s', async (_name, thrown) => {
		expect(await replyTo(thrown)).toMatchObject({ kind: 'noResponse' });
	});
});
