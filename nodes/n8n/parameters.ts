import type { IExecuteFunctions, INodeParameters } from 'n8n-workflow';
import { z } from 'zod/v3';
import { accepted, checkedBy, parsed, refused, type Checked } from '../kling/checked';
import { reasonOf } from '../kling/thrown';

/**
 * The parameters of an operation: a schema for each, with the parameter's name on screen as its
 * description. One that is `onDemand` counts for some items only, and is not evaluated for the others.
 */
type Shape = Record<string, z.ZodTypeAny | { onDemand: z.ZodTypeAny }>;

/** What {@link readParameters} gives: values, and for what is on demand a function to read it, once. */
export type Read<Parameters extends Shape> = {
	[Name in keyof Parameters]: Parameters[Name] extends z.ZodTypeAny
		? z.output<Parameters[Name]>
		: Parameters[Name] extends { onDemand: infer Schema extends z.ZodTypeAny }
			? (displayName?: string) => Checked<z.output<Schema>>
			: never;
};

/**
 * Reads the parameters of one item, each evaluated once and in a guard of its own: an expression that
 * throws is that item's problem and nobody else's.
 */
export function readParameters<Parameters extends Shape>(
	context: IExecuteFunctions,
	itemIndex: number,
	parameters: Parameters,
): Checked<Read<Parameters>> {
	const values: Record<string, unknown> = {};
	for (const [name, parameter] of Object.entries(parameters)) {
		if ('onDemand' in parameter) {
			values[name] = (displayName?: string) =>
				read(context, itemIndex, name, parameter.onDemand, displayName);
			continue;
		}
		const checked = read(context, itemIndex, name, parameter);
		if (!checked.ok) return checked;
		values[name] = checked.value;
	}
	return accepted(values as Read<Parameters>);
}

/** By run of a node: its parameters as they were entered, and what those without an expression say, for all items alike. */
const runs = new WeakMap<
	IExecuteFunctions,
	{ entered: INodeParameters; fixed: Map<string, Checked<unknown>> }
>();

/** Reads one. To evaluate it takes n8n some tenths of a millisecond, for a thousand items too long. */
function read(
	context: IExecuteFunctions,
	itemIndex: number,
	name: string,
	schema: z.ZodTypeAny,
	displayName = schema.description ?? name,
): Checked<unknown> {
	const run = runs.get(context) ?? { entered: context.getNode().parameters, fixed: new Map() };
	runs.set(context, run);
	const known = run.fixed.get(name);
	if (known) return known;
	try {
		const checked = parsed(schema, context.getNodeParameter(name, itemIndex, null));
		if (!hasExpression(run.entered[name])) run.fixed.set(name, checked);
		return checked;
	} catch (thrown) {
		return refused(
			`${displayName} could not be evaluated: ${reasonOf(thrown)}`,
			'Check the expression of this parameter.',
		);
	}
}

/** As n8n tells: a text that begins with an equals sign, at any depth. */
function hasExpression(value: unknown): boolean {
	if (typeof value === 'string') return value.startsWith('=');
	return typeof value === 'object' && value !== null && Object.values(value).some(hasExpression);
}

/** A parameter that is on or off; an expression can give the words too. */
export function flag(displayName: string, otherwise: boolean) {
	const words = z.enum(['true', 'false']).transform((word) => word === 'true');
	const message = `${displayName} must be true or false`;
	return z
		.union([z.boolean(), words], { errorMap: () => ({ message }) })
		.nullish()
		.transform((given) => given ?? otherwise)
		.describe(displayName);
}

/** A parameter that is one of a few values, each with its name on screen; the first one where none is given. */
export function choice<Value extends string>(displayName: string, choices: Record<Value, string>) {
	const values = Object.keys(choices) as Value[];
	const names: string[] = Object.values(choices);
	const advice = `Choose ${names.slice(0, -1).join(', ')} or ${names.at(-1)}.`;
	const check = (given: unknown): Checked<Value> => {
		const value = values.find((one) => one === (given ?? values[0]));
		if (value !== undefined) return accepted(value);
		return refused(`${displayName} “${String(given)}” is not known`, advice);
	};
	return z.unknown().transform(checkedBy(check)).describe(displayName);
}

/** A number of at least 0, which an expression can give as text; anything else counts as not given. */
export function amount(otherwise: number) {
	return z
		.union([z.number(), z.string().min(1)])
		.pipe(z.coerce.number().min(0))
		.catch(otherwise);
}

/** A parameter that has a mode; an expression or an AI agent can give its plain value instead. */
export const locator = z.unknown().transform((given): { mode?: unknown; value: unknown } => {
	const isLocator = typeof given === 'object' && given !== null && 'value' in given;
	return isLocator ? given : { value: given };
});

/** The options of an operation, none of which need be there. */
export function optionsOf<Options extends z.ZodRawShape>(options: Options) {
	const errorMap = () => ({ message: 'Options must be an object' });
	return z.preprocess((given) => given ?? {}, z.object(options, { errorMap })).describe('Options');
}
