/** With this many digits, an integer may exceed what a JavaScript number can hold. */
const longFrom = 16;
/** No provider nests deeper than 10; walking a deeper value could overflow the stack. */
const deepest = 200;

/**
 * Parses JSON without losing digits: integers of 16 or more digits become strings. Kling's task ids have
 * 18 to 19 digits (docs/providers.md 1.3), and if a gateway sent one as a number, it would otherwise
 * become another task's id. Takes linear time: no regular expression walks the text. (On Node.js 20, a
 * reviver does not get a number's source text.)
 *
 * @returns undefined if the text is not JSON, or nested too deeply
 */
export function parseJson(text: string): unknown {
	try {
		const safe = withLongIntegersAsTexts(text);
		// A text in a number's place could turn invalid JSON into valid JSON.
		const value: unknown = JSON.parse(text);
		return safe === text ? value : JSON.parse(safe);
	} catch {
		return undefined;
	}
}

/** @throws RangeError if it is nested too deeply */
function withLongIntegersAsTexts(json: string): string {
	let safe = '';
	let copied = 0;
	let depth = 0;
	for (let at = 0; at < json.length; at++) {
		const char = json[at];
		if (char === '"') at = endOfText(json, at);
		else if (char === '{' || char === '[') depth++;
		else if (char === '}' || char === ']') depth--;
		else if (char === '-' || isDigit(json, at)) {
			const end = endOfNumber(json, at);
			if (isLongInteger(json.slice(at, end))) {
				safe += `${json.slice(copied, at)}"${json.slice(at, end)}"`;
				copied = end;
			}
			at = end - 1;
		}
		if (depth > deepest) throw new RangeError('nested too deeply');
	}
	return copied === 0 ? json : safe + json.slice(copied);
}

/** Where the closing quotation mark is. */
function endOfText(json: string, start: number): number {
	let at = start + 1;
	while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
	return at;
}

/** Where the number ends, with all its parts: digits after a point are not an integer. */
function endOfNumber(json: string, start: number): number {
	let at = start + 1;
	while (isDigit(json, at) || '.eE+-'.includes(json[at] ?? ' ')) at++;
	return at;
}

function isLongInteger(number: string): boolean {
	return number.replace('-', '').length >= longFrom && !/[.eE]/.test(number);
}

function isDigit(json: string, at: number): boolean {
	return json[at] >= '0' && json[at] <= '9';
}
