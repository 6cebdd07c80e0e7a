/** The letters and digits of a text, in lower case, and where a part of them was in it. */
export interface Reading {
	letters: string;
	sourceOf(start: number, end: number): { start: number; end: number };
}

/** A shorter text is not a key, and may be part of an id or an address. */
export const shortestSecret = 8;

/** Deeper layers are left alone: each may be JSON, HTML or a URL inside another. */
const mostLayers = 8;

const codeOf = (character: string) => character.charCodeAt(0);
const [backslash, percent, ampersand] = [...'\\%&'].map(codeOf);
const [zero, two, five, hash, semicolon, blank] = [...'025#; '].map(codeOf);
const [openBrace, closeBrace] = [...'{}'].map(codeOf);
const [a, m, p, u, x] = [...'ampux'].map(codeOf);
const blanks = new Set([...'bfnrt'].map(codeOf));

/** By character code: the value of a digit or letter as a digit, up to 35; higher for all others. */
const noDigit = 99;
const digits = new Uint8Array(0x10000).fill(noDigit);
for (let value = 0; value < 36; value++) {
	for (const form of [value.toString(36), value.toString(36).toUpperCase()]) {
		digits[codeOf(form)] = value;
	}
}
/** Lower case of a letter; a digit stays the same. */
const smallOf = (code: number) => code | 0x20;
const isName = (code: number) => digits[code] >= 10 && digits[code] < noDigit;

/**
 * A text whose escapes are removed in place, layer by layer: each becomes one character. Written by hand,
 * because regular expressions took seconds for a response of up to ten megabytes.
 */
class Layers {
	/** With a 0 after the text, which stops every look-ahead. */
	private readonly codes: Uint16Array;
	/** Where each character, and the end, was in the source. */
	readonly starts: Uint32Array | null;
	private length: number;
	/** What the last escape stands for. */
	private meant = 0;

	constructor(source: string, withStarts: boolean) {
		const codes = new Uint16Array(source.length + 1);
		for (let at = 0; at < source.length; at++) codes[at] = source.charCodeAt(at);
		this.codes = codes;
		this.length = source.length;
		this.starts = withStarts ? new Uint32Array(source.length + 1).map((_, at) => at) : null;
	}

	takeOff(): this {
		for (let layer = 0; layer < mostLayers && this.takeLayer(); layer++);
		return this;
	}

	/** The letters and digits; fills `places` with their positions here. */
	letters(places?: Uint32Array): string {
		const { codes, length } = this;
		const letters = Buffer.allocUnsafe(length);
		let count = 0;
		for (let at = 0; at < length; at++) {
			const code = codes[at];
			if (digits[code] === noDigit) continue;
			if (places) places[count] = at;
			letters[count++] = smallOf(code);
		}
		return letters.toString('latin1', 0, count);
	}

	/** @returns whether there was one */
	private takeLayer(): boolean {
		const { codes, starts, length } = this;
		let to = 0;
		for (let at = 0; at < length; to++) {
			const code = codes[at];
			if (starts) starts[to] = starts[at];
			const isStart = code === backslash || code === percent || code === ampersand;
			const end = isStart ? this.endOfEscape(code, at + 1) : 0;
			codes[to] = end ? this.meant : code;
			at = end || at + 1;
		}
		if (starts) starts[to] = starts[length];
		codes[to] = 0;
		this.length = to;
		return to < length;
	}

	/** Of JSON and JavaScript, of URLs (RFC 3986), or of HTML; 0 if none starts here. */
	private endOfEscape(first: number, at: number): number {
		if (first === percent) return this.endOfPercent(at);
		return first === ampersand ? this.endOfEntity(at) : this.endOfBackslash(at);
	}

	/** `\u41`, `\u0041`, `\u{41}`, `\x41`, `\n`. Before other characters it stays: it is not a letter. */
	private endOfBackslash(at: number): number {
		const kind = smallOf(this.codes[at]);
		if (kind === x) return this.endOfPair(at + 1);
		if (kind === u) {
			const brace = this.codes[at + 1] === openBrace ? 1 : 0;
			return this.behind(closeBrace, this.endOfNumber(at + 1 + brace, 16, 5));
		}
		return blanks.has(kind) ? this.mean(blank, at + 1) : 0;
	}

	/** `%41`, `%2541`, `%252541`… */
	private endOfPercent(at: number): number {
		let end = at;
		while (this.codes[end] === two && this.codes[end + 1] === five) end += 2;
		return this.endOfPair(end) || (end > at ? this.mean(percent, end) : 0);
	}

	/** `&#65;`, `&#x41;`, `&plus;`, and the same with `&amp;` instead of `&`, even several times. */
	private endOfEntity(at: number): number {
		const { codes } = this;
		let end = at;
		while (this.isAmp(end)) end += 4;
		if (codes[end] === hash) {
			const isHex = smallOf(codes[end + 1]) === x;
			const number = isHex ? this.endOfNumber(end + 2, 16, 5) : this.endOfNumber(end + 1, 10, 7);
			if (number) return this.behind(semicolon, number);
		}
		let name = end;
		while (name - end <= 8 && isName(codes[name])) name++;
		const isNamed = name - end >= 2 && name - end <= 8 && codes[name] === semicolon;
		if (isNamed) return this.mean(blank, name + 1);
		return end > at ? this.mean(codes[end - 4] === a ? ampersand : blank, end) : 0;
	}

	private isAmp(at: number): boolean {
		const { codes } = this;
		const isName = smallOf(codes[at]) === a && smallOf(codes[at + 1]) === m;
		return isName && smallOf(codes[at + 2]) === p && codes[at + 3] === semicolon;
	}

	private endOfPair(at: number): number {
		const high = digits[this.codes[at]];
		if (high >= 16) return 0;
		const low = digits[this.codes[at + 1]];
		return low < 16 ? this.mean(high * 16 + low, at + 2) : 0;
	}

	/** Of at least two digits; leading zeros do not count towards `most`. */
	private endOfNumber(at: number, radix: number, most: number): number {
		const { codes } = this;
		let [end, value] = [at, 0];
		while (codes[end] === zero) end++;
		const last = end + most;
		for (; end < last && digits[codes[end]] < radix; end++) {
			value = value * radix + digits[codes[end]];
		}
		return end - at < 2 ? 0 : this.mean(value <= 0xffff ? value : blank, end);
	}

	private behind(code: number, end: number): number {
		return end && this.codes[end] === code ? end + 1 : end;
	}

	private mean(code: number, end: number): number {
		this.meant = code;
		return end;
	}
}

/** The letters (in lower case) and digits of a text, as is or without its escapes, in any language. */
export function lettersOf(text: string, isEscaped = false): string {
	const layers = new Layers(text, false);
	return (isEscaped ? layers.takeOff() : layers).letters();
}

/** Whether a text, as is or without its escapes, contains any of the forms from {@link formsOf}. */
export function hasAny(forms: readonly string[], text: string, isEscaped = false): boolean {
	const letters = lettersOf(text, isEscaped);
	return forms.some((form) => letters.includes(form));
}

/** {@link lettersOf} a text, with their positions. */
export function readLetters(text: string, isEscaped: boolean): Reading {
	const layers = new Layers(text, true);
	if (isEscaped) layers.takeOff();
	const starts = layers.starts!;
	const places = new Uint32Array(text.length);
	return {
		letters: layers.letters(places),
		sourceOf: (start, end) => ({ start: starts[places[start]], end: starts[places[end - 1] + 1] }),
	};
}

/**
 * The letters and digits of a secret's spellings: plain, byte by byte in hexadecimal, decimal and octal
 * digits, and in base64 at any offset.
 */
export function formsOf(secret: string): string[] {
	if (!isKnownByLetters(secret)) return [];
	const bytes = [...Buffer.from(secret)];
	const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0'));
	const spellings = [
		secret,
		...['', '0x', 'u00'].map((start) => hex.map((digits) => start + digits).join('')),
		bytes.join(''),
		...[1, 3].map((width) => bytes.map((byte) => byte.toString(8).padStart(width, '0')).join('')),
		...[0, 1, 2].map((offset) => base64Of(secret, offset)),
	].map((text) => lettersOf(text));
	return [...spellings, lettersOf(secret, true)].filter((form) => form.length >= shortestSecret);
}

function isKnownByLetters(secret: string): boolean {
	return lettersOf(secret).length >= shortestSecret;
}

/** Whether a secret has too few letters and digits to be recognized by them. */
export function isOdd(secret: string): boolean {
	return secret.length >= shortestSecret && !isKnownByLetters(secret);
}

/** A text's base64 digits that do not depend on what is around it, `offset` bytes after a third one. */
function base64Of(text: string, offset: number): string {
	const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]);
	const whole = Math.floor((bytes.length * 8) / 6);
	return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), whole);
}
