import { z } from 'zod/v3';
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

/**
 * What a schema makes of what a user gave. The message of its first issue is the heading, and so
 * names the field; what {@link checkedBy} refuses says itself what to do.
 */
export function parsed<Schema extends z.ZodTypeAny>(
	schema: Schema,
	given: unknown,
): Checked<z.output<Schema>> {
	const result = schema.safeParse(given);
	if (result.success) return accepted(result.data as z.output<Schema>);
	const [issue] = result.error.issues;
	const advice: unknown = issue.code === 'custom' ? issue.params?.description : undefined;
	return refused(issue.message, String(advice ?? 'Check the expression of this parameter.'));
}

/** A check as a step of a schema: `z.string().transform(checkedBy(check))`. */
export function checkedBy<Given, Value>(check: (given: Given) => Checked<Value>) {
	return (given: Given, context: z.RefinementCtx): Value => {
		const checked = check(given);
		if (checked.ok) return checked.value;
		const { message, description } = checked.problem;
		context.addIssue({ code: 'custom', message, params: { description } });
		return z.NEVER;
	};
}
