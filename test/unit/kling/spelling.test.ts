import fc from 'fast-check';
import { readAccount } from '../../../nodes/kling/account';
import { redactionOf } from '../../../nodes/kling/account';
import { lettersOf, readLetters } from '../../../nodes/kling/spelling';
import { signedToken } from '../../../nodes/kling/signatures';
import { randomCases } from '../../harness/randomCases';

/** The same with a regular expression: easy to read, but many times slower on a response full of escapes. */
const escapes =
	/\\u\{?0*([\da-f]{2,5})\}?|\\x([\da-f]{2})|(\\[bfnrt])|%(?:25)*([\da-f]{2})|&(?:amp;)*#x0*([\da-f]{2,5});?|&(?:amp;)*#0*(\d{2,7});?|&(?:amp;)*([a-z]{2,8});/gi;

function unescaped([, unicode, hex, blank, percent, htmlHex, htmlNumber, name]: string[]): string {
	if (blank !== undefined) return ' ';
	if (name !== undefined) return name === 'amp' ? '&' : ' ';
	const code = Number(htmlNumber ?? parseInt(unicode ?? hex ?? percent ?? htmlHex, 16));
	return code <= 0xffff ? String.fromCharCode(code) : ' ';
}

interface Place {
	start: number;
	end: number;
}

/** Each character of a text, with its position: it is rewritten one layer after the other. */
function slowLetters(source: string, isEscaped: boolean): Array<Place & { letter: string }> {
	let text = source;
	let places: Place[] = [...Array(source.length).keys()].map((at) => ({ start: at, end: at + 1 }));
	for (let layer = 0; isEscaped && layer < 8; layer++) {
		const next: Place[] = [];
		let copied = 0;
		const rewritten = text.replace(escapes, (...match) => {
			const [all] = match as string[];
			const at = match.find((part) => typeof part === 'number') as number;
			const { start } = places[at];
			next.push(...places.slice(copied, at), { start, end: places[at + all.length - 1].end });
			copied = at + all.length;
			return unescaped(match as string[]);
		});
		places = [...next, ...places.slice(copied)];
		text = rewritten;
	}
	return places
		.map((place, at) => ({ ...place, letter: text[at].toLowerCase() }))
		.filter(({ letter }) => /^[a-z0-9]$/.test(letter));
}

const pieces =
	String.raw`\ \u \U { } 0 00 004 41 4 \x \X x % %25 25 2 5 & &amp; amp; AMP; Amp; # #x #X ; lt plus; A z b n R \n \\ - é … 9999999 110000 ffff fffff e \u005c &#38; %5C \x5c &#x25; &#`.split(
		' ',
	);
const texts = fc
	.array(fc.oneof(fc.constantFrom(...pieces, ' ', '\0'), fc.string({ maxLength: 3 })), {
		maxLength: 14,
	})
	.map((parts) => parts.join(''));

describe.each([false, true])('the letters of a text, its escapes taken off: %p', (isEscaped) => {
	test('are those that a regular expression finds, at the same places', () => {
		fc.assert(
			fc.property(texts, (text) => {
				const slow = slowLetters(text, isEscaped);
				const { letters, sourceOf } = readLetters(text, isEscaped);
				expect(letters).toBe(slow.map(({ letter }) => letter).join(''));
				expect(lettersOf(text, isEscaped)).toBe(letters);
				const last = slow.length - 1;
				const rangesOf = (from: number) => [sourceOf(from, from + 1), sourceOf(from, last + 1)];
				expect(slow.map((_, from) => rangesOf(from))).toEqual(
					slow.map(({ start, end }) => [
						{ start, end },
						{ start, end: slow[last].end },
					]),
				);
			}),
			{ numRuns: randomCases(3_000, 'FUZZ_RUNS') },
		);
	});
});

describe('a response eight times as long takes about eight times as long to search for keys', () => {
	const [accessKey, secretKey] = ['ACCESS-key/of+the?suite', 'SECRET-key/of+the?suite&more'];
	const credential = { provider: 'kling', authentication: 'accessKey', accessKey, secretKey };
	const redaction = redactionOf(readAccount(credential));
	const token = signedToken(accessKey, secretKey, 0);
	const shapes: Record<string, string> = {
		'letters and blanks': 'no face in the picture ',
		'escapes of JSON': '\\u0041',
		'escapes of URLs': '%41',
		'escapes inside of escapes': `&${'#38;'.repeat(8)}#65;`,
		'one escape that has no end, of HTML': 'amp;',
		'one escape that has no end, of URLs': '25',
		'one number that has no end': '0',
		'keys side by side': `${secretKey} `,
		'keys letter by letter': Array.from(secretKey, (one) => `&#${one.charCodeAt(0)};`).join(''),
		'tokens in one word': token.slice(0, 100),
		'tokens in words of their own': `${token} `,
	};
	const starts: Record<string, string> = { 'amp;': '&', '25': '%', '0': '\\u' };

	function secondsOf(text: string): number {
		const started = process.cpuUsage();
		redaction.text(text);
		const { user, system } = process.cpuUsage(started);
		return (user + system) / 1e6;
	}

	test.each(Object.entries(shapes))('%s', (_name, piece) => {
		const [short, long] = [1, 8].map((times) => {
			const length = times * 128 * 1024;
			const text = (starts[piece] ?? '') + piece.repeat(length / piece.length);
			// Other work on the machine makes it longer, never shorter.
			return Math.min(...Array.from({ length: 5 }, () => secondsOf(text)));
		});
		// Quadratic work takes 64 times as long.
		expect(long / Math.max(short, 0.001)).toBeLessThan(24);
	});
});
