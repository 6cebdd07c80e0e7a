import { readAccount } from '../../../nodes/kling/account';

test('a credential with only a key is for Kling AI, global', () => {
	expect(readAccount({ apiKey: 'k' })).toMatchObject({
		provider: { name: 'kling' },
		baseUrl: 'https://api-singapore.klingai.com',
		secret: { kind: 'key', key: 'k' },
	});
});

test.each([
	['kling', 'global', 'https://api-singapore.klingai.com'],
	['kling', 'china', 'https://api-beijing.klingai.com'],
	['cometApi', 'global', 'https://api.cometapi.com'],
	['kkiai', 'global', 'https://www.kkiai.com'],
	['modellix', 'global', 'https://api.modellix.ai'],
	['apiModels', 'global', 'https://apimodels.app/api/v1'],
	// A value left over from Kling AI.
	['modellix', 'china', 'https://api.modellix.ai'],
])('%s (%s) is asked at %s', (provider, region, baseUrl) => {
	expect(readAccount({ provider, region, apiKey: 'k' }).baseUrl).toBe(baseUrl);
});

test.each([
	['http://localhost:4010/modellix', 'http://localhost:4010/modellix'],
	[' https://gateway.example/kling/// ', 'https://gateway.example/kling'],
	['"https://gateway.example/kling"', 'https://gateway.example/kling'],
	['https://gateway.example/?key=1#x', 'https://gateway.example'],
	['HTTPS://Gateway.Example:443/a', 'https://gateway.example/a'],
])('a base URL of %j is used as %s', (baseUrl, used) => {
	expect(readAccount({ apiKey: 'k', baseUrl }).baseUrl).toBe(used);
});

test.each([
	['https://api.apimodels.app/v1', 'https://api.apimodels.app/v1'],
	['https://apimodels.app/api/v1/', 'https://apimodels.app/api/v1'],
	['https://apimodels.app', 'https://apimodels.app/api/v1'],
	['http://localhost:4010/apimodels', 'http://localhost:4010/apimodels/api/v1'],
])('for APIModels a base URL of %s is asked at %s', (baseUrl, used) => {
	expect(readAccount({ provider: 'apiModels', apiKey: 'k', baseUrl }).baseUrl).toBe(used);
});

test.each(['gateway.example', 'ftp://a', 'https://', 'https://me:pw@a.example', 'file:///etc'])(
	'a base URL of %j is refused',
	(baseUrl) => {
		expect(() => readAccount({ apiKey: 'k', baseUrl })).toThrow(
			'Base URL in the credential is not a web address',
		);
	},
);

test('blanks that were copied along with a key are left out', () => {
	expect(readAccount({ apiKey: ' k\n' }).secret).toEqual({ kind: 'key', key: 'k' });
});

test('access key and secret key count for Kling AI only', () => {
	const keys = { authentication: 'accessKey', accessKey: 'ak', secretKey: 'sk', apiKey: 'k' };
	expect(readAccount({ ...keys, provider: 'kling' }).secret).toEqual({
		kind: 'signed',
		accessKey: 'ak',
		secretKey: 'sk',
	});
	expect(readAccount({ ...keys, provider: 'cometApi' }).secret).toEqual({ kind: 'key', key: 'k' });
});

test.each([
	[{}, 'API Key in the credential is empty'],
	[{ authentication: 'accessKey', accessKey: 'a' }, 'Access Key or Secret Key in the credential'],
	[{ provider: 'acme', apiKey: 'k' }, 'The credential names a provider that this package'],
])('for %j, the message says what is missing', (data, message) => {
	expect(() => readAccount(data)).toThrow(message);
});

test('a number as a key, as a vault can give it, is read as text', () => {
	expect(readAccount({ apiKey: 12345678 }).secret).toEqual({ kind: 'key', key: '12345678' });
});

test.each([
	[{ apiKey: null }, 'API Key in the credential has no value'],
	[{ apiKey: Number('842163450012345678') }, 'API Key in the credential is not text'],
	[{ apiKey: { value: 'k' } }, 'API Key in the credential is not text'],
	[{ apiKey: true }, 'API Key in the credential is not text'],
	[{ apiKey: 'k', baseUrl: null }, 'Base URL in the credential has no value'],
	[{ apiKey: 'k', webhookSecret: null }, 'Webhook Secret in the credential has no value'],
	[{ apiKey: 'k', provider: null }, 'Provider in the credential has no value'],
	[
		{ authentication: 'accessKey', accessKey: 'a', secretKey: null },
		'Secret Key in the credential has no value',
	],
])('%j, as a vault can give it, is reported by the field’s name', (data, message) => {
	expect(() => readAccount(data)).toThrow(message);
});

test('an irrelevant field may contain anything', () => {
	const data = { provider: 'kkiai', apiKey: 'k', accessKey: null, webhookSecret: null, region: 5 };
	expect(readAccount(data).secret).toEqual({ kind: 'key', key: 'k' });
});

test.each(['whsec_', 'whsec_ ', 'whsec_!', '='])(
	'a webhook secret that holds no key (%j) is refused when it is read',
	(webhookSecret) => {
		expect(() => readAccount({ apiKey: 'k', webhookSecret })).toThrow(
			'Webhook Secret in the credential is not complete',
		);
		// Providers that do not sign callbacks have no such field; its old value does not count.
		expect(
			readAccount({ provider: 'modellix', apiKey: 'k', webhookSecret }).webhookSecret,
		).toBeNull();
	},
);

test.each([
	[{ apiKey: 'key-1234567890\u200b' }, 'API Key'],
	[{ apiKey: 'key-12345\n67890' }, 'API Key'],
	[{ apiKey: 'sk-abcd…wxyz' }, 'API Key'],
	// As consoles show a key that was made before, and as password fields show any.
	[{ apiKey: 'sk-abcd****wxyz' }, 'API Key'],
	[{ apiKey: 'sk-abcd...wxyz' }, 'API Key'],
	[{ apiKey: '••••••••••••' }, 'API Key'],
	[
		{ authentication: 'accessKey', accessKey: 'ak', secretKey: 'sk-1234567890\u200b' },
		'Secret Key',
	],
])('%j is reported by the field’s name', (data, name) => {
	expect(() => readAccount(data)).toThrow(new RegExp(`^${name} in the credential `));
});

test.each([
	'Bearer key-1234567890',
	'bearer  key-1234567890',
	'"key-1234567890"',
	"'key-1234567890'",
	'“key-1234567890”',
	'"Bearer key-1234567890"',
])('%j is its key', (apiKey) => {
	expect(readAccount({ apiKey }).secret).toEqual({ kind: 'key', key: 'key-1234567890' });
});
