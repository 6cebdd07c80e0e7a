/** A text as it reads once its escapes are taken off, and which part of the source a part of it stands for. */
export interface Reading {
	text: string;
	sourceOf(start: number, end: number): { start: number; end: number };
}

/** More layers than this are left on: each may be JSON, HTML or a URL inside of another. */
const mostLayers = 8;

/**
 * One layer of escapes: of JSON and JavaScript, of URLs (RFC 3986), and of HTML, each with what the same
 * language makes of itself when it escapes twice. A backslash before other characters stays: it is none
 * of the letters and digits that count.
 */
const escapes =
	/\\+u\{?0*([\da-f]{2,5})\}?|\\+x([\da-f]{2})|(\\+[bfnrt])|%(?:25)*([\da-f]{2})|&(?:amp;)*#x0*([\da-f]{2,5});?|&(?:amp;)*#0*(\d{2,7});?|&(?:amp;)*([a-z]{2,8});/gi;

function unescaped(...[, unicode, hex, blank, percent, htmlHex, htmlNumber, name]: string[]) {
	if (blank !== undefined) return ' ';
	if (name !== undefined) return name === 'amp' ? '&' : ' ';
	const code = htmlNumber ?? parseInt(unicode ?? hex ?? percent ?? htmlHex, 16);
	return Number(code) <= 0xffff ? String.fromCharCode(Number(code)) : ' ';
}

/** Takes off escapes, layer by layer, whichever language they are of. */
export function readingOf(source: string): Reading {
	let reading: Reading = { text: source, sourceOf: (start, end) => ({ start, end }) };
	for (let layer = 0; layer < mostLayers; layer++) {
		const outer = reading;
		const inner = rewritten(outer.text);
		if (inner === null) break;
		reading = {
			text: inner.text,
			sourceOf: (start, end) => {
				const range = inner.sourceOf(start, end);
				return outer.sourceOf(range.start, range.end);
			},
		};
	}
	return reading;
}

/** @returns null where there is no escape */
function rewritten(source: string): Reading | null {
	/** From `at` on, the new text is the source from `from` on, up to the next of these. */
	const pieces = [{ at: 0, from: 0 }];
	let text = '';
	let copied = 0;
	for (const match of source.matchAll(escapes)) {
		text += source.slice(copied, match.index);
		pieces.push({ at: text.length, from: match.index });
		text += unescaped(...match);
		copied = match.index + match[0].length;
		pieces.push({ at: text.length, from: copied });
	}
	if (copied === 0) return null;
	text += source.slice(copied);
	const positionOf = (at: number) => {
		let [low, high] = [0, pieces.length - 1];
		while (low < high) {
			const middle = Math.ceil((low + high) / 2);
			if (pieces[middle].at <= at) low = middle;
			else high = middle - 1;
		}
		return pieces[low].from + at - pieces[low].at;
	};
	return { text, sourceOf: (start, end) => ({ start: positionOf(start), end: positionOf(end) }) };
}
