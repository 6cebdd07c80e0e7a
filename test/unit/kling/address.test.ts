import { checkImageUrl } from '../../../nodes/kling/input';

const check = (text: string) => checkImageUrl(text, 'the field "Image"', true);

/** What else can be in a cell or a field next to an address, or left in its place. */
test.each([
	['https://example.com/{{ $json.id }}.jpg', /an expression/],
	['https://example.com/%7B%7B$json.id%7D%7D.jpg', /an expression/],
	['https://example.com/[object Object]', /an expression/],
	['https://example.com/a.jpg?id=[object%20Object]', /an expression/],
	['https://example.com/undefined.jpg', /an expression, or part of one/],
	['https://example.com/photos/undefined', /an expression, or part of one/],
	['https://example.com/null.png?size=2', /an expression, or part of one/],
	['https://example.com/a.jpg">', /HTML or Markdown/],
	['https://example.com/a.jpg</a>', /HTML or Markdown/],
	['https://example.com/a.jpg<br>', /HTML or Markdown/],
	['https://example.com/a.jpg](https://example.com/b.jpg)', /HTML or Markdown/],
	['https://example.com/a-long-na…', /cut off/],
	['https://example.com/a-long-na...', /cut off/],
	['https://https://example.com/a.jpg', /http:\/\/ twice/],
	['http://https//example.com/a.jpg', /http:\/\/ twice/],
	['https://example.com/Gr\ufffd\ufffde.jpg', /could not be decoded/],
	['https://example.com/\ud83d.jpg', /could not be decoded/],
	['https://example.com/a.jpg\u200d', /invisible character \(U\+200D\)/],
	['https://example.com/a\u034f.jpg', /invisible character \(U\+034F\)/],
	['https://example.com/\u3164a.jpg', /invisible character \(U\+3164\)/],
	['https://example.com/a\u{e0041}.jpg', /invisible character \(U\+E0041\)/],
])('%s is reported, not sent', (address, finding) => {
	expect(() => check(address)).toThrow(finding);
});

test.each([
	'https://example.com/a{1}.jpg',
	'https://example.com/a.jpg?size={w}x{h}',
	'https://example.com/[a].jpg',
	'https://example.com/a.jpg?next=https://example.com',
	'https://example.com/https://example.com/a.jpg',
	'https://example.com/a...b.jpg',
	'https://example.com/undefined/a.jpg',
	'https://example.com/null-island.jpg',
])('%s is an address as it is', (address) => {
	expect(check(address)).toBe(address);
});

test('letters that are joined or varied stay: an emoji of three, a heart, a name in Japanese', () => {
	for (const name of [
		'\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
		'\u2764\ufe0f',
		'\u845b\u{e0100}',
	]) {
		const address = `https://example.com/${name}.jpg`;
		expect(check(address)).toBe(new URL(address).href);
	}
});

test('a long text full of braces is checked as fast as any other', () => {
	const started = process.cpuUsage();
	expect(check(`https://example.com/${'{{'.repeat(100_000)}`)).toMatch(/^https/);
	expect(process.cpuUsage(started).user).toBeLessThan(2_000_000);
});

test.each([
	'https://example.com/a.jpg"',
	'https://example.com/a.jpg”',
	'https://example.com/a.jpg"}',
	'https://example.com/a.jpg\\n',
])('%s contains what followed the address, which is reported and not paid', (text) => {
	expect(() => check(text)).toThrow(/ contains HTML or JSON around an address$/);
});

test.each([
	'https://b.s3.amazonaws.com/a.jpg?X-Amz-Date=20261130T000000Z&amp;X-Amz-Expires=900&amp;X-Amz-Signature=ab',
	'https://storage.googleapis.com/b/a.jpg?X-Goog-Date=20261130T000000Z&amp;X-Goog-Signature=ab',
	'https://scontent.cdninstagram.com/v/a.jpg?stp=1&amp;oh=ab&amp;oe=6',
	'https://firebasestorage.googleapis.com/v0/b/a/o/a.jpg?alt=media&amp;token=ab',
	'https://cdn.discordapp.com/attachments/1/2/a.png?ex=1&amp;is=2&amp;hm=ab',
])('%s is an address of HTML, whose signature cannot be right', (text) => {
	expect(() => check(text)).toThrow(/ contains HTML or JSON around an address$/);
});
