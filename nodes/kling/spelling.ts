/** A text that was made of another one, and where a part of it stood there. */
export interface Reading {
	text: string;
	sourceOf(start: number, end: number): { start: number; end: number };
}

/** More layers than this are left on: each may be JSON, HTML or a URL inside of another. */
const mostLayers = 8;

/**
 * One layer of escapes: of JSON and JavaScript, of URLs (RFC 3986), and of HTML. A backslash before other
 * characters stays: it is none of the letters and digits that count.
 */
const escapes =
	/\\u\{?0*([\da-f]{2,5})\}?|\\x([\da-f]{2})|(\\[bfnrt])|%(?:25)*([\da-f]{2})|&(?:amp;)*#x0*([\da-f]{2,5});?|&(?:amp;)*#0*(\d{2,7});?|&(?:amp;)*([a-z]{2,8});/gi;

function unescaped([, unicode, hex, blank, percent, htmlHex, htmlNumber, name]: string[]): string {
	if (blank !== undefined) return ' ';
	if (name !== undefined) return name === 'amp' ? '&' : ' ';
	const code = Number(htmlNumber ?? parseInt(unicode ?? hex ?? percent ?? htmlHex, 16));
	return code <= 0xffff ? String.fromCharCode(code) : ' ';
}

/** The letters and digits of a text. */
export function lettersOf(text: string): string {
	return text.replace(/[^A-Za-z0-9]+/g, '');
}

/** The text without escapes, layer by layer, whichever language they are of. */
export function withoutEscapes(text: string): string {
	let plain = text;
	for (let layer = 0; layer < mostLayers; layer++) {
		const outer = plain;
		plain = outer.replace(escapes, (...match) => unescaped(match as string[]));
		if (plain === outer) break;
	}
	return plain;
}

/** {@link lettersOf} a text, before or after {@link withoutEscapes}, with where they stood in it. */
export function readLetters(source: string, isEscaped: boolean): Reading {
	const readings = [{ text: source, sourceOf: (start: number, end: number) => ({ start, end }) }];
	for (let layer = 0; isEscaped && layer < mostLayers; layer++) {
		const inner = rewritten(readings[0].text, escapes, unescaped);
		if (inner.text === readings[0].text) break;
		readings.unshift(inner);
	}
	readings.unshift(rewritten(readings[0].text, /[^A-Za-z0-9]+/g, () => ''));
	return {
		text: readings[0].text,
		sourceOf: (start, end) =>
			readings.reduce((range, reading) => reading.sourceOf(range.start, range.end), { start, end }),
	};
}

function rewritten(source: string, pattern: RegExp, to: (match: string[]) => string): Reading {
	/** From `at` on, the new text is the source from `from` on, up to the next of these. */
	const pieces = [{ at: 0, from: 0 }];
	const texts: string[] = [];
	let [length, copied] = [0, 0];
	const add = (text: string) => {
		texts.push(text);
		length += text.length;
	};
	for (const match of source.matchAll(pattern)) {
		add(source.slice(copied, match.index));
		pieces.push({ at: length, from: match.index });
		add(to(match));
		copied = match.index + match[0].length;
		pieces.push({ at: length, from: copied });
	}
	add(source.slice(copied));
	/** How many of the pieces begin before a place. */
	const countBefore = (at: number): number => {
		let [low, high] = [0, pieces.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			if (pieces[middle].at < at) low = middle + 1;
			else high = middle;
		}
		return low;
	};
	const positionOf = (index: number, at: number) => pieces[index].from + at - pieces[index].at;
	return {
		text: texts.join(''),
		sourceOf: (start, end) => {
			const behind = countBefore(end);
			const isEdge = pieces[behind]?.at === end;
			return {
				start: positionOf(countBefore(start + 1) - 1, start),
				end: positionOf(isEdge ? behind : behind - 1, end),
			};
		},
	};
}
