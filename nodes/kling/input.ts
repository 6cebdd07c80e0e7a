/**
 * Something that the user can fix: thrown where it is found, before anything is paid, and caught once per
 * item. A provider's response is data instead: see `failure.ts`.
 */
export class InputError extends Error {
	/**
	 * @param message a heading: what is wrong, without a full stop
	 * @param description what to do about it
	 */
	constructor(
		message: string,
		readonly description: string,
	) {
		super(message);
	}
}

export const checkExpression = 'Check the expression of this parameter.';

/** Text that may be left empty: empty means absent. */
export function textOf(given: unknown, displayName: string): string | undefined {
	if (given === null || given === undefined) return undefined;
	if (typeof given !== 'string' && typeof given !== 'number') {
		throw new InputError(`${displayName} must be text`, checkExpression);
	}
	return String(given).trim() || undefined;
}

/**
 * An id, as text.
 *
 * @throws InputError for what is neither text nor number, for placeholders of a missing value, and for
 *   numbers that have lost digits: ids of 18 digits exceed what a number can hold, and spreadsheets round
 *   them too
 */
export function idOf(given: unknown, displayName: string): string | undefined {
	const id = textOf(given, displayName);
	if (id === undefined) return id;
	if (typeof given === 'number' ? !Number.isSafeInteger(given) : rounded.test(id)) {
		throw new InputError(
			`${displayName} has lost digits: it arrived as the number ${id}`,
			'Numbers hold only 16 digits. Format the column or field that holds the ID as text, and enter the ID there again.',
		);
	}
	if (noValue.test(id)) {
		throw new InputError(
			`${displayName} is “${id}”, which means that there is no value`,
			checkExpression,
		);
	}
	refuseInvisible(id, displayName, 'ID');
	return id;
}

/** As spreadsheets, Java and Python write large numbers. */
const rounded = /^\d+([.,]\d+)?e\+\d+$|^\d[.,]\d+e\d+$|^\d{16,}\.0+$/i;

/** What JavaScript and spreadsheets write for a missing value. */
const noValue =
	/^(undefined|null|NaN|\[object \w+\]|#(N\/A|REF!|VALUE!|NAME\?|NULL!|NUM!|DIV\/0!|ERROR!))$/;

/**
 * An invisible character. Those that join or vary letters belong to some scripts and emoji, so they count
 * only at the end.
 */
const invisible =
	/[^\P{Cc}\t\r\n]|[\u2028\u2029]|(?!\p{Join_Control}|\p{Variation_Selector})\p{Default_Ignorable_Code_Point}|\p{Join_Control}$/u;

/** A refusal about `label`, which starts the sentence and so gets a capital letter. */
export function refusalOf(label: string, finding: string, description: string): InputError {
	return new InputError(
		`${label.charAt(0).toUpperCase()}${label.slice(1)} ${finding}`,
		description,
	);
}

/** @throws InputError for text with an invisible character in it, which copying can add */
export function refuseInvisible(text: string, displayName: string, noun: string): void {
	const [hidden] = invisible.exec(text) ?? [];
	if (hidden === undefined) return;
	const code = hidden.codePointAt(0) ?? 0;
	throw refusalOf(
		displayName,
		`contains an invisible character (U+${code.toString(16).toUpperCase().padStart(4, '0')})`,
		`It was copied along with the ${noun}. Delete the ${noun} and type it, or paste it as plain text.`,
	);
}

/** What was thrown, as one short line. Never throws itself. */
export function reasonOf(thrown: unknown): string {
	const text = thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : '';
	return text.split('\n')[0].slice(0, 200).replace(/\.$/, '') || 'no reason given';
}
