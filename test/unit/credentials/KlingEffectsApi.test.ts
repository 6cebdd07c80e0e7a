import jwt from 'jsonwebtoken';
import { NodeHelpers, type IHttpRequestOptions, type INodeParameters } from 'n8n-workflow';
import { KlingEffectsApi } from '../../../credentials/KlingEffectsApi.credentials';
import { providers } from '../../../nodes/kling/providers';
import type { Sandbox, SandboxProvider } from '../../../sandbox';
import { testCredential } from '../../harness/credentialTest';
import { withSandbox } from '../../harness/setup';

const names = providers.map(({ name }) => name as SandboxProvider);

let sandbox: Sandbox;
withSandbox((started) => (sandbox = started));
beforeEach(() => sandbox.reset());
afterEach(() => {
	sandbox.options.now = () => Date.now();
});

const green = { status: 'OK', message: 'Connection successful!' };
const type = new KlingEffectsApi();
const testRequest = type.test.request as IHttpRequestOptions;
const authenticate = type.authenticate as (
	credential: Record<string, unknown>,
	request: IHttpRequestOptions,
) => Promise<IHttpRequestOptions>;

describe('the test of the credential', () => {
	test.each(names)('is green for a good key of %s, after one free request', async (name) => {
		expect(await testCredential(sandbox.credential(name))).toEqual(green);
		expect(sandbox.requests).toHaveLength(1);
		expect(sandbox.requests[0].method).toBe('GET');
		expect(sandbox.charges).toEqual([]);
	});

	test.each(names)('is red for a wrong key of %s, after one request', async (name) => {
		const credential = sandbox.credential(name, { apiKey: 'sk-nobody-knows-this' });
		const { status, message } = await testCredential(credential);
		expect(status).toBe('Error');
		expect(message).toMatch(/did not accept the key/);
		expect(message).not.toContain('sk-nobody');
		expect(sandbox.requests).toHaveLength(1);
	});

	test.each(names)(
		'says for an empty key of %s that it is empty, and sends nothing',
		async (name) => {
			const { status, message } = await testCredential(sandbox.credential(name, { apiKey: ' ' }));
			expect(status).toBe('Error');
			expect(message).toBe('API Key in the credential is empty');
			expect(sandbox.requests).toEqual([]);
		},
	);

	test('names a base URL that is none, and a provider that is unknown', async () => {
		const { message } = await testCredential(sandbox.credential('kling', { baseUrl: 'a.example' }));
		expect(message).toBe('Base URL in the credential is not a web address');
		const other = await testCredential(sandbox.credential('kling', { provider: 'acme' }));
		expect(other.message).toBe('The credential names a provider that this package does not know');
	});

	test.each(names)('is red where a web page answers instead of %s', async (name) => {
		sandbox.addFault({ kind: 'html' });
		const { status, message } = await testCredential(sandbox.credential(name));
		expect(status).toBe('Error');
		expect(message).toContain('did not respond like this provider');
		expect(message).toContain('Base URL');
	});

	test.each(names)('is red where the address of %s points elsewhere', async (name) => {
		sandbox.addFault({ kind: 'redirect', location: `${sandbox.url}/_sandbox/images/pet.png` });
		const { status } = await testCredential(sandbox.credential(name));
		expect(status).toBe('Error');
		expect(sandbox.requests).toHaveLength(1);
	});

	test.each([
		['is broken', { kind: 'status', status: 500, body: { code: 5000, message: 'oops' } }],
		['is empty', { kind: 'empty' }],
		['has an unknown shape', { kind: 'unknownShape' }],
		['is under maintenance', { kind: 'html', status: 503 }],
	] as const)('is red for every provider whose answer %s', async (_name, fault) => {
		for (const name of names) {
			const remove = sandbox.addFault(fault);
			expect((await testCredential(sandbox.credential(name))).status).toBe('Error');
			remove();
		}
	});

	test('is red where nothing listens', async () => {
		const credential = sandbox.credential('kling', { baseUrl: 'http://127.0.0.1:9' });
		expect((await testCredential(credential)).status).toBe('Error');
	});

	test('is green for a good access key and secret key of Kling AI, in both regions', async () => {
		expect(await testCredential(sandbox.accessKeyCredential())).toEqual(green);
		expect(await testCredential(sandbox.accessKeyCredential({ region: 'china' }))).toEqual(green);
		expect(sandbox.requests).toHaveLength(2);
	});

	test('is red for a wrong secret key', async () => {
		const credential = sandbox.accessKeyCredential({ secretKey: 'wrong' });
		const { status, message } = await testCredential(credential);
		expect(status).toBe('Error');
		expect(message).toMatch(/^Kling AI did not accept the key \(code 1002\)/);
	});

	test('says for a key from the other region to change Region', async () => {
		const china = sandbox.credential('kling', { region: 'china' });
		const { status, message } = await testCredential({
			...china,
			region: 'global',
			baseUrl: sandbox.baseUrl('kling', 'global'),
		});
		expect(status).toBe('Error');
		expect(message).toContain('try the other Region');
	});

	test.each([
		[1003, -3_600_000, 'ahead of'],
		[1004, 3_600_000, 'behind'],
	])('says for code %i which way the clock is off', async (code, skew, said) => {
		sandbox.options.now = () => Date.now() + skew;
		const { status, message } = await testCredential(sandbox.accessKeyCredential());
		expect(status).toBe('Error');
		expect(message).toContain(`code ${code}`);
		expect(message).toContain(said);
	});

	test('is green for an account of Kling AI without tasks', async () => {
		for (const data of [[], null]) {
			const body = { code: 0, message: 'SUCCEED', request_id: 'r', data };
			const remove = sandbox.addFault({ kind: 'status', status: 200, body });
			expect(await testCredential(sandbox.credential('kling'))).toEqual(green);
			remove();
		}
	});

	test('asks a base URL that ends in a version without a second one', async () => {
		const baseUrl = `${sandbox.baseUrl('apiModels')}/v1`;
		await testCredential(sandbox.credential('apiModels', { baseUrl }));
		expect(sandbox.requests[0].path).toBe('/apimodels/v1/balance');
	});

	test("is red for Modellix' HTTP 200 that says is_valid: false", async () => {
		const data = { is_valid: false };
		const body = { code: 0, message: 'success', data };
		sandbox.addFault({ kind: 'status', status: 200, body });
		const { status, message } = await testCredential(sandbox.credential('modellix'));
		expect(status).toBe('Error');
		expect(message).toMatch(/did not accept the key/);
	});

	test('is green for a key whose account has no credit: the key itself works', async () => {
		for (const name of names) {
			const { noBalance } = sandbox.keys[name];
			expect(await testCredential(sandbox.credential(name, { apiKey: noBalance }))).toEqual(green);
		}
	});

	test.each([1000, 1001, 1002, 1003, 1004, 1100, 1101, 1102, 1103, 1302, 1304, 5000, 5001])(
		'is red for the answer %i of Kling AI',
		async (code) => {
			sandbox.addFault({ kind: 'code', code });
			expect((await testCredential(sandbox.credential('kling'))).status).toBe('Error');
		},
	);

	test('accepts a base URL with slashes and blanks around it', async () => {
		const baseUrl = ` ${sandbox.baseUrl('cometApi')}// `;
		expect(await testCredential(sandbox.credential('cometApi', { baseUrl }))).toEqual(green);
		expect(sandbox.requests[0].path).toBe('/cometapi/v1/models');
	});

	test('is the same for a credential that was saved with nothing but its key and address', async () => {
		const { baseUrl, apiKey } = sandbox.credential('kling');
		expect(await testCredential({ baseUrl, apiKey })).toEqual(green);
	});

	test("asks the providers' own hosts when Base URL is empty", async () => {
		for (const provider of providers) {
			for (const region of ['global', 'china']) {
				const credential = { provider: provider.name, region, apiKey: 'k', baseUrl: '' };
				const { url } = await authenticate(credential, testRequest);
				expect(url).toContain(
					`${provider.defaultBaseUrl({ region })}${provider.versionPath ?? ''}/`,
				);
			}
		}
	});
});

describe('the form of the credential', () => {
	const isShown = (name: string, credential: Record<string, unknown>) => {
		const property = type.properties.find((one) => one.name === name);
		if (!property) throw new Error(`There is no field ${name}`);
		const values = { ...sandbox.credential('kling'), ...credential } as INodeParameters;
		return NodeHelpers.displayParameter(values, property, null, null);
	};

	test.each([
		['0123456789abcdef0123456789ABCDEF', true],
		[' 0123456789abcdef0123456789ABCDEF', true],
		['api-key-kling-0123456789012345678901234567890123456789012', false],
		['', false],
	])('an API Key of “%s” looks like an access key: %s', (apiKey, looksSo) => {
		expect(isShown('accessKeyNotice', { apiKey })).toBe(looksSo);
		expect(isShown('accessKeyNotice', { apiKey, authentication: 'accessKey' })).toBe(false);
		expect(isShown('accessKeyNotice', { apiKey, provider: 'kkiai' })).toBe(false);
	});

	test('a key of any shape is used', async () => {
		const apiKey = '0123456789abcdef0123456789abcdef';
		await testCredential(sandbox.credential('kling', { apiKey }));
		expect(sandbox.requests[0].headers.authorization).toBe(`Bearer ${apiKey}`);
	});

	test('says without a click that Base URL may be left empty, and that green does not prove credit', () => {
		const shown = type.properties.map(({ displayName, hint }) => `${displayName} ${hint ?? ''}`);
		expect(shown.join('\n')).toContain("Leave empty to use the provider's own address");
		expect(shown.join('\n')).toContain('not that the account has credit');
	});
});

describe('signing', () => {
	const sign = async (credential: Record<string, unknown>, request: Partial<IHttpRequestOptions>) =>
		await authenticate(credential, { url: '', ...request });

	test("makes Kling's JWT: HS256 over iss, exp and nbf and nothing else, good for 30 minutes", async () => {
		const credential = sandbox.accessKeyCredential();
		const before = Math.floor(Date.now() / 1000);
		const { headers } = await sign(credential, { url: `${String(credential.baseUrl)}/v1/x` });
		const after = Math.floor(Date.now() / 1000);
		const token = String(headers?.Authorization).replace(/^Bearer /, '');
		const decoded = jwt.verify(token, String(credential.secretKey), {
			algorithms: ['HS256'],
			complete: true,
		});
		expect(decoded.header).toEqual({ alg: 'HS256', typ: 'JWT' });
		const { iss, exp, nbf, ...others } = decoded.payload as Record<string, number>;
		expect(others).toEqual({});
		expect(iss).toBe(credential.accessKey);
		expect(exp - 1800).toBeGreaterThanOrEqual(before);
		expect(exp - 1800).toBeLessThanOrEqual(after);
		expect(exp - nbf).toBe(1860);
	});

	test('gives no key to a request to anywhere but the base URL', async () => {
		for (const credential of [sandbox.credential('kling'), sandbox.accessKeyCredential()]) {
			for (const url of [
				'https://example.com/v1/videos/effects',
				`${sandbox.url}.example.com/`,
				sandbox.url.replace('http:', 'https:'),
				'not an address',
			]) {
				const { headers } = await sign(credential, { url, headers: { accept: '*/*' } });
				expect(headers).toEqual({ accept: '*/*' });
			}
		}
	});

	test.each([
		['https://a.example/kling/v1', true],
		['https://a.example', true],
		['https://a.example:443/x', true],
		['http://a.example/kling', false],
		['https://a.example:8443/kling', false],
		['https://b.a.example/', false],
		['https://a.example.evil.example/', false],
		['https://a.example@evil.example/', false],
		['/kling', false],
	])('gives a key for https://a.example/kling to %s: %s', async (url, goes) => {
		const credential = { apiKey: 'k', baseUrl: 'https://a.example/kling' };
		const { headers } = await sign(credential, { url });
		expect('Authorization' in headers!).toBe(goes);
	});

	test('gives the key to a request that names the host apart from the path', async () => {
		const credential = sandbox.credential('kling');
		const { headers } = await sign(credential, { baseURL: sandbox.url, url: '/kling/v1' });
		expect(headers?.Authorization).toBe(`Bearer ${String(credential.apiKey)}`);
	});

	test('names the field if the credential is not complete', async () => {
		await expect(sign({ provider: 'kling', apiKey: '' }, { url: sandbox.url })).rejects.toThrow(
			'API Key in the credential is empty',
		);
	});
});
