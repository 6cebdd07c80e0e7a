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

/** What was thrown, as one short line. Never throws itself. */
export function reasonOf(thrown: unknown): string {
	const text = thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : '';
	return text.split('\n')[0].slice(0, 200).replace(/\.$/, '') || 'no reason given';
}
