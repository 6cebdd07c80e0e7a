import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { decodeBase64 } from '../../../../nodes/kling/image/base64';
import { checkImageUrl } from '../../../../nodes/kling/input';
import { attempt } from '../../../fixtures/attempt';
import { randomCases } from '../../../harness/randomCases';

const label = 'the field "Image"';

/** What is sent for a base64 text: the same bytes in canonical form. */
function sent(text: string): string | null {
	const decoded = attempt(() => decodeBase64(text, label));
	return decoded.ok ? decoded.value.toString('base64') : null;
}

function refusal(check: () => unknown): string {
	const checked = attempt(check);
	if (checked.ok) throw new Error('was accepted');
	expect(checked.problem.description).toMatch(/^[A-Z].*\.$/);
	const text = `${checked.problem.message} ${checked.problem.description}`;
	expect(text).not.toMatch(/error|fail|invalid|problem|mistake/i);
	return checked.problem.message;
}

describe('base64', () => {
	const lineBreak = fc.constantFrom('\n', '\r\n', '\t', '\n\n  ', '\u00a0', '\ufeff');
	const prefix = fc.constantFrom(
		'',
		'data:image/png;base64,',
		'data:image/jpeg;base64,\n',
		' DATA:image/png;charset=utf-8;name=a.png;BASE64, ',
		'data:;base64,',
	);
	const form = fc.record({
		prefix,
		urlSafe: fc.boolean(),
		padded: fc.boolean(),
		width: fc.integer({ min: 1, max: 76 }),
		lineBreak: fc.option(lineBreak),
		around: fc.constantFrom('', ' ', '\r\n'),
	});

	test('in any form becomes the canonical text of the same bytes', () => {
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), form, (bytes, how) => {
				const canonical = Buffer.from(bytes).toString('base64');
				let text = how.urlSafe ? canonical.replace(/\+/g, '-').replace(/\//g, '_') : canonical;
				if (!how.padded) text = text.replace(/=+$/, '');
				if (how.lineBreak !== null) {
					text = text.replace(new RegExp(`.{${how.width}}`, 'g'), `$&${how.lineBreak}`);
				}
				const given = `${how.around}${how.prefix}${text}${how.around}`;
				expect(sent(given)).toBe(canonical);
			}),
			{ numRuns: randomCases(5_000, 'FUZZ_RUNS') },
		);
	});

	test('is decoded or refused, for any text', () => {
		const any = fc.oneof(
			fc.string({ unit: 'binary', maxLength: 60 }),
			fc.string({ unit: fc.constantFrom(...'AZaz09+/-_=% \n,;:data'), maxLength: 60 }),
		);
		fc.assert(
			fc.property(any, (text) => {
				const canonical = sent(text);
				if (canonical === null) return;
				expect(canonical).toMatch(/^[A-Za-z0-9+/]{2,}={0,2}$/);
				expect(sent(canonical)).toBe(canonical);
			}),
			{ numRuns: randomCases(5_000, 'FUZZ_RUNS') },
		);
	});

	test('is read from a data: URL that percent-encodes it', () => {
		const given = 'data:image/png;base64,%2B%2f%2BA%3D%3d';
		expect(sent(given)).toBe('+/+A');
		expect(sent('data:image/png;base64,QQ%3D%3D')).toBe('QQ==');
	});

	test('restores each plus that a form post turned into a blank', () => {
		const blank = readFileSync('test/fixtures/base64-plus-as-blank.txt', 'utf8');
		const original = readFileSync('test/fixtures/base64-plus-original.txt', 'utf8');
		expect(blank).not.toBe(original);
		expect(sent(blank)).toBe(original.trim());
		fc.assert(
			fc.property(
				fc.uint8Array({ minLength: 300, maxLength: 3000 }),
				fc.option(fc.constantFrom(64, 76)),
				prefix,
				(random, width, start) => {
					const bytes = Buffer.concat([Buffer.from('ffd8ff', 'hex'), Buffer.from(random)]);
					const canonical = bytes.toString('base64');
					const lines = width
						? canonical.replace(new RegExp(`.{${width}}(?=.)`, 'g'), '$&\r\n')
						: canonical;
					// A blank at the very end does not count; a picture has its end mark there.
					fc.pre(!/\+=*$/.test(canonical));
					expect(sent(`${start}${lines.replace(/\+/g, ' ')}`)).toBe(canonical);
				},
			),
			{ numRuns: randomCases(2_000, 'FUZZ_RUNS') },
		);
	});

	test.each([64, 76])('is read where its lines of %i have blanks between them', (width) => {
		const canonical = Buffer.alloc(500, '\xff\xfb\xef\x00', 'latin1').toString('base64');
		const text = canonical.replace(new RegExp(`.{${width}}`, 'g'), '$& ');
		expect(canonical).toContain('+');
		expect(sent(text)).toBe(canonical);
	});

	test.each([
		['base64', (text: string) => Buffer.from(text).toString('base64')],
		[
			'base64 of a data: URL',
			(text: string) => Buffer.from(`data:image/jpeg;base64,${text}`).toString('base64'),
		],
	])('that was encoded twice, as %s, is told', (_name, again) => {
		const jpeg = Buffer.from('ffd8ffe000104a464946', 'hex').toString('base64');
		const message = refusal(() => decodeBase64(again(jpeg), label));
		expect(message).toContain('was encoded as base64 twice');
	});

	test('is read where it was percent-encoded, once or twice, with a data: prefix or without', () => {
		for (const text of ['%2B%2f%2BA', '%252B/%252BA', 'data:image/png;base64,%252B%252F%252BA']) {
			expect(sent(text)).toBe('+/+A');
		}
	});

	test.each([
		['in quotes', '"+/+A"'],
		['in quotes of code', "'+/+A'"],
		['as JSON of PHP writes it', '+\\/+A'],
		['with the line breaks of JSON', '+/\\r\\n+A\\n'],
		['as a data: URL out of JSON', '"data:image\\/png;base64,+\\/+A"'],
		['with a prefix that has lost its data:', 'image/png;base64,+/+A'],
		['with what is left of a prefix', 'base64,+/+A'],
		['with a prefix without a type', 'data:base64,+/+A'],
	])('is read %s', (_name, text) => expect(sent(text)).toBe('+/+A'));

	test('gets unused bits at its end cleared', () => {
		expect(sent('QR==')).toBe('QQ==');
		expect(sent('QUJ')).toBe('QUI=');
	});

	test('is accepted with a wrong number of padding characters', () => {
		expect(sent('QQ=')).toBe('QQ==');
		expect(sent('QUJD==')).toBe('QUJD');
	});

	test('are read alike however many were read before', () => {
		const plain = (count: number) =>
			checkImageUrl(`https://example.com/${count % 7}.jpg`, label, true);
		// Often enough for the engine to compile URL.canParse, which is then wrong in Node.js 20.
		for (let count = 0; count < 100_000; count++) plain(count);
		expect(checkImageUrl('https://bücher.example/ä.jpg', label, true)).toMatch(/^https:/);
	});

	test.each([
		['', 'is empty'],
		[' \n', 'is empty'],
		['data:image/png;base64,', 'is empty'],
		['====', 'is not valid base64'],
		['QQ==QQ==', 'is not valid base64'],
		['photo.jpg', 'is not valid base64'],
		['[object Object]', 'is not valid base64'],
		['{{ $json.image }}', 'is not valid base64'],
		['QUJDR', 'has 5 base64 characters, which is not a possible length'],
		['https://example.com/secret.jpg', 'contains a URL, not base64 text'],
		['data:image/svg+xml,%3Csvg%3E', 'contains a data: URL that is not base64-encoded'],
		['data:image/png;base64', 'is not valid base64'],
		['"', 'is empty'],
		['""', 'is empty'],
		['"QQ==', 'is not valid base64'],
		['photo.jpg,QQ==', 'is not valid base64'],
		['QQ==,QQ==', 'is not valid base64'],
	])('is missing from %j, which is refused', (text, finding) => {
		const message = refusal(() => decodeBase64(text, label));
		expect(message).toContain(`The field "Image" ${finding}`);
		expect(message).not.toContain('secret');
	});

	// In quadratic time, each of these would take minutes.
	test('of 10 MB, or of 10 MB of nonsense, is checked within the time of a test', () => {
		const text = Buffer.alloc(10 * 1024 * 1024, 'kling').toString('base64');
		const lines = text.replace(/.{76}/g, '$&\r\n');
		expect(decodeBase64(`data:image/png;base64,${lines}`, label)).toHaveLength(10 * 1024 * 1024);
		attempt(() => decodeBase64('='.repeat(14_000_000), label));
		attempt(() => decodeBase64(`data:${';base64 '.repeat(1_000_000)}`, label));
		attempt(() => decodeBase64(`data:${' '.repeat(200_000)}x,`, label));
	});
});

describe('image addresses', () => {
	test.each([
		['https://example.com/cat.jpg', 'https://example.com/cat.jpg'],
		['  http://example.com/cat.jpg\n', 'http://example.com/cat.jpg'],
		['HTTPS://EXAMPLE.com', 'HTTPS://EXAMPLE.com'],
		['https://user:pass@example.com:8443/a?b=c#d', 'https://user:pass@example.com:8443/a?b=c#d'],
		['https://[2606:4700::1111]:4010/a.png', 'https://[2606:4700::1111]:4010/a.png'],
		['"https://example.com/cat.jpg"', 'https://example.com/cat.jpg'],
		["'https://example.com/cat.jpg'\n", 'https://example.com/cat.jpg'],
		['“https://example.com/cat.jpg”', 'https://example.com/cat.jpg'],
	])('are accepted as they are, apart from surrounding blanks and quotes: %j', (given, value) => {
		expect(checkImageUrl(given, label, true)).toBe(value);
	});

	test('keep their signature to the letter', () => {
		const signed = "https://s3.example.com/a/../b%2fc.jpg?X-Amz-Signature=a%2Bb'|~&X=(1)";
		expect(checkImageUrl(signed, label, true)).toBe(signed);
	});

	test('are encoded if they contain blanks or non-ASCII letters', () => {
		expect(checkImageUrl('https://bücher.example/kat ze/ä.jpg', label, true)).toBe(
			'https://xn--bcher-kva.example/kat%20ze/%C3%A4.jpg',
		);
	});

	test.each([
		['', 'is empty'],
		['   ', 'is empty'],
		['example.com/secret.jpg', 'must be an address that starts with http:// or https://'],
		['ftp://example.com/secret.jpg', 'must be an address'],
		['file:///secret.jpg', 'must be an address'],
		['javascript:alert(1)', 'must be an address'],
		['https://', 'must be an address'],
		['https:///secret.jpg', 'must be an address'],
		['https:/example.com/secret.jpg', 'must be an address'],
		['https://exa mple.com/secret', 'contains an address that cannot be read'],
		['https://user:secret@/', 'contains an address that cannot be read'],
		['https://example.com:99999/secret', 'contains an address that cannot be read'],
		['https://example.com/secret\nhttps://example.com/b', 'contains more than one line'],
		['data:image/png;base64,secret', 'contains the image itself (a data: URL), not its address'],
		['iVBORw0KGgosecret', 'contains base64 text, not an address'],
		['https://drive.google.com/file/d/secret/view?usp=sharing', 'is the address of a page'],
		['https://drive.google.com/open?id=secret', 'is the address of a page'],
		['https://www.dropbox.com/s/secret/photo.jpg?dl=0', 'is the address of a page'],
		['https://example.com/secret.html', 'is the address of a page'],
	])('are refused without being quoted: %j', (text, finding) => {
		const message = refusal(() => checkImageUrl(text, label, true));
		expect(message).toContain(`The field "Image" ${finding}`);
		expect(message).not.toContain('secret');
	});

	test.each([
		'https://drive.google.com/uc?export=download&id=1',
		'https://www.dropbox.com/scl/fi/1/photo.jpg?rlkey=2&raw=1',
		'https://dl.dropboxusercontent.com/s/1/photo.jpg',
		'https://notdropbox.com/photo.jpg',
	])('are accepted if they lead to the image: %s', (text) => {
		expect(checkImageUrl(text, label, true)).toBe(text);
	});

	test.each([
		['https://drive.google.com/file/d/1/view', /uc\?export=download&id=/],
		['https://www.dropbox.com/s/1/photo.jpg', /raw=1/],
		['https://example.com/album.htm', /copy the image address/],
	])('of a page: %s tells how to get the direct link', (text, advice) => {
		const checked = attempt(() => checkImageUrl(text, label, true));
		expect(checked.ok ? '' : checked.problem.description).toMatch(advice);
	});

	test.each([
		['https://example.com/secret.jpg\u200b', 'contains an invisible character (U+200B)'],
		['\u200bhttps://example.com/secret.jpg', 'contains an invisible character (U+200B)'],
		['https://example.com/\u202egpj.secret', 'contains an invisible character (U+202E)'],
		['https://example.com/secret\u00ad.jpg', 'contains an invisible character (U+00AD)'],
		['https://example.com/secret.jpg\u200d', 'contains an invisible character (U+200D)'],
		['https://example.com/secret\u0000.jpg', 'contains an invisible character (U+0000)'],
		['https://example.com/secret.jpg, https://example.com/b.jpg', 'contains more than one address'],
		['https://example.com/secret.jpg,https://example.com/b.jpg', 'contains more than one address'],
		['https://example.com/secret.jpg https://example.com/b.jpg', 'contains more than one address'],
		['https://example.com/secret.jpg, b.jpg', 'contains more than one address'],
		['https://example.com/secret.jpg?x=1; b.png', 'contains more than one address'],
	])('copied with something extra are reported: %j', (text, finding) => {
		const message = refusal(() => checkImageUrl(text, label, true));
		expect(message).toBe(`The field "Image" ${finding}`);
	});

	test.each([
		'https://cdn.example.com/w=1,h=2/https://example.com/a.jpg',
		'https://cdn.example.com/?url=https://example.com/a.jpg',
		'https://example.com/\u{1f468}\u200d\u{1f469}.jpg',
		'https://example.com/a, b.jpg',
	])('are accepted with anything that may be in one: %s', (text) => {
		expect(checkImageUrl(text, label, true)).toMatch(/^https:/);
	});

	test.each([
		'http://localhost:3000/secret.jpg',
		'http://127.0.0.1/secret.jpg',
		'http://192.168.1.20/secret.jpg',
		'http://10.0.0.5:8080/secret.jpg',
		'http://172.17.0.2/secret.jpg',
		'http://minio:9000/secret.jpg',
		'http://host.docker.internal/secret.jpg',
		'http://nas.local/secret.jpg',
		'http://intranet.corp/secret.jpg',
		'http://169.254.169.254/secret.jpg',
		'http://2130706433/secret.jpg',
		'http://[fd00::1]/secret.jpg',
		'http://[ff02::1]/secret.jpg',
		'http://239.1.1.1/secret.jpg',
	])('in a private network are refused for a provider elsewhere: %s', (text) => {
		const message = refusal(() => checkImageUrl(text, label, true));
		expect(message).toBe(
			'The field "Image" is an address that can only be opened on your own network',
		);
		expect(checkImageUrl(text, label, false)).toBe(text);
	});

	test('throw nothing raw and never let through what no URL parser reads', () => {
		const any = fc.oneof(
			fc.string(),
			fc.string().map((rest) => `https://${rest}`),
			fc.webUrl(),
		);
		fc.assert(
			fc.property(any, (text) => {
				const checked = attempt(() => checkImageUrl(text, label, true));
				if (checked.ok) expect(new URL(checked.value).protocol).toMatch(/^https?:$/);
			}),
			{ numRuns: randomCases(5_000, 'FUZZ_RUNS') },
		);
	});
});
