import type { Message } from './messages';

/** What a user gave, fit to be used, or what to tell the user instead. */
export type Checked<T> = { ok: true; value: T } | Refused;

/** Why something cannot be used. Nothing was sent. */
export interface Refused {
	ok: false;
	problem: Message;
}

export function accepted<T>(value: T): Checked<T> {
	return { ok: true, value };
}

/**
 * @param message a heading: what is wrong, without a full stop
 * @param description what to do about it
 */
export function refused(message: string, description: string): Refused {
	return { ok: false, problem: { message, description } };
}
