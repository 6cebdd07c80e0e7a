import type { IExecuteFunctions, INodeParameters, IPollFunctions } from 'n8n-workflow';
import { checkExpression, InputError, reasonOf } from '../kling/input';
import { shownText } from '../kling/http';

/** The source of parameters. */
interface ItemContext extends Pick<IExecuteFunctions, 'getNode'> {
	getNodeParameter(name: string, itemIndex: number, fallback: null): unknown;
}

/**
 * Per run of a node: its parameters as entered, and the values of those without an expression, which are
 * the same for all items.
 */
const runs = new WeakMap<ItemContext, { entered: INodeParameters; fixed: Map<string, unknown> }>();

/**
 * The parameters of one item. Reading one evaluates its expression, so each is read once, and only if it
 * counts. Unusable values throw an {@link InputError} with the name on screen.
 */
export class Parameters {
	constructor(
		private readonly context: ItemContext,
		private readonly itemIndex: number,
	) {}

	/** For a poll, which has no items. */
	static ofPoll(context: IPollFunctions): Parameters {
		const getNodeParameter = (name: string) => context.getNodeParameter(name, null);
		return new Parameters({ getNode: () => context.getNode(), getNodeParameter }, 0);
	}

	/** Null if the parameter is not there. */
	value(name: string, displayName: string): unknown {
		const { context } = this;
		const run = runs.get(context) ?? { entered: context.getNode().parameters, fixed: new Map() };
		runs.set(context, run);
		// Evaluating one takes n8n a few tenths of a millisecond: too long for a thousand items.
		if (run.fixed.has(name)) return run.fixed.get(name);
		const value = this.evaluate(name, displayName);
		if (!hasExpression(run.entered[name])) run.fixed.set(name, value);
		return value;
	}

	private evaluate(name: string, displayName: string): unknown {
		try {
			return this.context.getNodeParameter(name, this.itemIndex, null);
		} catch (thrown) {
			return cannotEvaluate(displayName, thrown);
		}
	}

	/** A parameter that is on or off; an expression can also give it as a word or a number. */
	flag(name: string, displayName: string, otherwise: boolean): boolean {
		const given = wordOf(this.value(name, displayName) ?? otherwise) ?? '';
		if (/^\s*(true|1)\s*$/i.test(given)) return true;
		if (/^\s*(false|0)\s*$/i.test(given)) return false;
		throw new InputError(`${displayName} must be true or false`, checkExpression);
	}

	/** See {@link choiceOf}. */
	choice<Value extends string>(
		name: string,
		displayName: string,
		choices: Record<Value, string>,
	): Value {
		return choiceOf(this.value(name, displayName), displayName, choices);
	}

	/** A parameter with a mode; an expression or an AI agent can give a plain value instead. */
	locator(name: string, displayName: string): { mode?: unknown; value: unknown } {
		const given = this.value(name, displayName);
		const isLocator = typeof given === 'object' && given !== null && 'value' in given;
		return isLocator ? given : { value: given };
	}

	/** A collection, whose entries are all optional. */
	collection(name: string, displayName: string): Record<string, unknown> {
		const given = this.value(name, displayName) ?? {};
		if (typeof given !== 'object' || Array.isArray(given)) {
			throw new InputError(`${displayName} must be an object`, checkExpression);
		}
		return given as Record<string, unknown>;
	}
}

function cannotEvaluate(displayName: string, thrown: unknown): never {
	const message = `${displayName} could not be evaluated: ${reasonOf(thrown)}`;
	throw new InputError(message, checkExpression);
}

/** As n8n decides it: text that starts with an equals sign, at any depth. */
function hasExpression(value: unknown): boolean {
	if (typeof value === 'string') return value.startsWith('=');
	return typeof value === 'object' && value !== null && Object.values(value).some(hasExpression);
}

/**
 * One of a few values, given as such or by its name on screen, as expressions and agents do; the first one if
 * none is given.
 *
 * @throws InputError
 */
export function choiceOf<Value extends string>(
	given: unknown,
	displayName: string,
	choices: Record<Value, string>,
): Value {
	const values = Object.keys(choices) as Value[];
	const said = wordOf(given ?? values[0])
		?.trim()
		.toLowerCase();
	const value = values.find((one) =>
		[one, choices[one]].some((word) => word.toLowerCase() === said),
	);
	if (value !== undefined) return value;
	const names: string[] = Object.values(choices);
	const advice = `Choose ${names.slice(0, -1).join(', ')} or ${names.at(-1)}.`;
	const word = shownText(wordOf(given));
	const message = word ? `${displayName} “${word}” is not known` : `${displayName} must be text`;
	throw new InputError(message, advice);
}

/**
 * Several of a few values, as a list or as text with commas.
 *
 * @throws InputError
 */
export function choicesOf<Value extends string>(
	given: unknown,
	displayName: string,
	choices: Record<Value, string>,
): Value[] {
	const list: unknown[] = Array.isArray(given)
		? given
		: (wordOf(given ?? '')?.split(',') ?? [null]);
	const words = list.filter((word) => word !== '');
	const chosen = words.map((word) => choiceOf(word ?? {}, displayName, choices));
	return (Object.keys(choices) as Value[]).filter((value) => chosen.includes(value));
}

/** A value as one word; null for lists and objects, whose own conversion to text may throw. */
function wordOf(given: unknown): string | null {
	return typeof given === 'object' || typeof given === 'function' ? null : String(given);
}

/** A number, which an expression can give as text; NaN if it is not one. */
export function numberOf(given: unknown): number {
	const word = wordOf(given);
	return word === null ? NaN : Number(word);
}

/**
 * A number from 0 to `most`, which an expression can give as text.
 *
 * @throws InputError if it is neither that nor empty
 */
export function amountOf(
	given: unknown,
	displayName: string,
	otherwise: number,
	most = Infinity,
): number {
	const text =
		typeof given === 'number' || typeof given === 'string' ? String(given).trim() : given;
	if (text === undefined || text === null || text === '') return otherwise;
	const amount = typeof text === 'string' ? Number(text) : NaN;
	if (amount >= 0 && amount <= most && amount < Infinity) return amount;
	const upTo = most === Infinity ? 'of at least 0' : `from 0 to ${most}`;
	throw new InputError(
		`${displayName} must be a number ${upTo}`,
		'Enter only a number, with a point for decimals, or remove the option.',
	);
}
