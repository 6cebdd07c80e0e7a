import type { IExecuteFunctions } from 'n8n-workflow';
import { z } from 'zod';
import { accepted, refused, type Checked } from '../kling/checked';
import { reasonOf } from '../kling/thrown';

/**
 * Reads parameters of one item, each evaluated once and in a guard of its own: an expression that
 * throws is that item's problem and nobody else's.
 *
 * @param shape a schema for each parameter, with the parameter's name on screen as its description
 */
export function readParameters<Shape extends Record<string, z.ZodTypeAny>>(
	context: IExecuteFunctions,
	itemIndex: number,
	shape: Shape,
): Checked<{ [Name in keyof Shape]: z.infer<Shape[Name]> }> {
	const values: Record<string, unknown> = {};
	for (const [name, schema] of Object.entries(shape)) {
		const displayName = schema.description ?? name;
		try {
			const parsed = schema.safeParse(valueOf(context, name, itemIndex));
			if (!parsed.success) {
				return refused(
					`${displayName} ${parsed.error.issues[0].message}`,
					'Check the expression of this parameter.',
				);
			}
			values[name] = parsed.data;
		} catch (thrown) {
			return refused(
				`${displayName} could not be evaluated: ${reasonOf(thrown)}`,
				'Check the expression of this parameter.',
			);
		}
	}
	return accepted(values as { [Name in keyof Shape]: z.infer<Shape[Name]> });
}

/** By run of a node: the values of its parameters that have no expression, and so are the same for every item. */
const fixedValues = new WeakMap<IExecuteFunctions, Map<string, unknown>>();

/** The value for one item. To evaluate a parameter takes n8n some tenths of a millisecond, for a thousand items too long. */
function valueOf(context: IExecuteFunctions, name: string, itemIndex: number): unknown {
	const fixed = fixedValues.get(context) ?? fixedIn(context);
	fixedValues.set(context, fixed);
	if (!fixed.has(name)) return context.getNodeParameter(name, itemIndex, null);
	return fixed.get(name);
}

function fixedIn(context: IExecuteFunctions): Map<string, unknown> {
	const given = Object.entries(context.getNode().parameters);
	const names = given.filter(([, value]) => !hasExpression(value)).map(([name]) => name);
	return new Map(names.map((name) => [name, context.getNodeParameter(name, 0, null)]));
}

/** As n8n tells: a text that begins with an equals sign, at any depth. */
function hasExpression(value: unknown): boolean {
	if (typeof value === 'string') return value.startsWith('=');
	return typeof value === 'object' && value !== null && Object.values(value).some(hasExpression);
}

/** A parameter that is on or off; an expression can give the words too. */
export function flag(displayName: string, otherwise: boolean) {
	const words = z.enum(['true', 'false']).transform((word) => word === 'true');
	return z
		.union([z.boolean(), words], { errorMap: () => ({ message: 'must be true or false' }) })
		.nullish()
		.transform((given) => given ?? otherwise)
		.describe(displayName);
}

/** The options of a collection, which are judged one by one by those who use them. */
export const optionsParameter = z
	.record(z.unknown(), { errorMap: () => ({ message: 'must be an object' }) })
	.nullish()
	.transform((given) => given ?? {})
	.describe('Options');
