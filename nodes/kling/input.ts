/**
 * Something that the user can put right: it is thrown where it is found, before anything is paid, and
 * caught once for each item. What a provider answers is no such thing, but data: see `failure.ts`.
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

/** A text that may be left empty: an empty one is the same as none. */
export function textOf(given: unknown, displayName: string): string | undefined {
	if (given === null || given === undefined) return undefined;
	if (typeof given !== 'string' && typeof given !== 'number') {
		throw new InputError(`${displayName} must be a text`, checkExpression);
	}
	return String(given).trim() || undefined;
}

/**
 * An id, as text.
 *
 * @throws InputError for what is neither text nor number, and for numbers that have lost digits: ids of 18
 * digits exceed what a number holds, and spreadsheets round them too
 */
export function idOf(given: unknown, displayName: string): string | undefined {
	const id = textOf(given, displayName);
	const isRounded =
		(typeof given === 'number' && !Number.isSafeInteger(given)) ||
		/^\d+([.,]\d+)?e\+\d+$/i.test(id ?? '');
	if (!isRounded) return id;
	throw new InputError(
		`${displayName} has lost digits: it came as the number ${id}`,
		'Numbers hold 16 digits only. Format the column or field that holds the ID as text, and enter the ID there again.',
	);
}

/** What was thrown, as one short line. Never throws itself. */
export function reasonOf(thrown: unknown): string {
	const text = thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : '';
	return text.split('\n')[0].slice(0, 200).replace(/\.$/, '') || 'no reason given';
}
