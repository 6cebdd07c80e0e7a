/** Digits from which on an integer can be more than a number of JavaScript holds. */
const longFrom = 16;
/** No provider nests deeper than 10; what walks a value without end would overflow the stack. */
const deepest = 200;

/**
 * Parses JSON without losing digits: integers of 16 and more digits become strings. Kling's task
 * ids have 18 to 19 digits (docs/providers.md 1.3), and a gateway that sends one as a number would
 * otherwise give back the id of another task. Takes time in proportion to the length: no regular
 * expression walks the text. (The source text of a number, which a reviver gets, is not there on
 * Node.js 20.)
 *
 * @returns undefined when the text is no JSON, or nested too deeply
 */
export function parseJson(text: string): unknown {
	try {
		const safe = withLongIntegersAsTexts(text);
		// A text in a number's place could make JSON of what is none.
		const value: unknown = JSON.parse(text);
		return safe === text ? value : JSON.parse(safe);
	} catch {
		return undefined;
	}
}

/** @throws RangeError when it is nested too deeply */
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

/** Where the closing quotation mark stands. */
function endOfText(json: string, start: number): number {
	let at = start + 1;
	while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
	return at;
}

/** Where the number is over, with all that belongs to it: digits after a point are no integer. */
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
