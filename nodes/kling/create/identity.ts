import { createHash } from 'node:crypto';
import type { ProviderName } from '../task';

/**
 * When two tries are one create. This decides what is paid, and whose video an item gets, so it is all in
 * this file: what is compared, the table of what a difference means, and the id of a create.
 */

/** The parameters of Create that are compared. Images and External Task ID are not part of the order. */
export const comparedParts = [
	'effectScene',
	'effectType',
	'duration',
	'mode',
	'modelName',
	'additionalFields',
	'images',
	'externalTaskId',
] as const;
export type Part = (typeof comparedParts)[number];
/** A short fingerprint of each one that is present. */
export type Prints = Partial<Record<Part, string>>;

/** What a try asks for. */
export interface Asked {
	provider: ProviderName;
	/** A fingerprint of base URL and key. */
	account: string;
	/** The parameters as entered: expressions as text, the same for all items. */
	entered: Prints;
	/** Their values for this item in this try. */
	values: Prints;
}

/** What can differ between two tries in the same place. */
export type Difference =
	/** An expression gives another value, but its text is the same. */
	| 'mood'
	/** A parameter was edited, and says the same for this item. */
	| 'sameValue'
	/** A parameter of the order was edited, and says something else for this item. */
	| 'otherOrder'
	/** Those of the images were: the item says that its task was made before (KlingEffects/create/tell.ts). */
	| 'otherImages'
	/** External Task ID was, which it says too. */
	| 'otherExternalId'
	/** The key, or the base URL of the same provider. */
	| 'otherAccount'
	| 'otherProvider';

interface Rule {
	/** Whether it is still the same create. */
	isSame: boolean;
	/**
	 * Where its task may be looked up: at any account that can read it, or nowhere. Not finding it at
	 * another account proves nothing, so nothing is sent in either case.
	 */
	lookUp?: 'ifReadable' | 'never';
}

/** The rules, with a test for each. Time alone is no difference; another place or execution has another id. */
const rules: Record<Difference, Rule> = {
	mood: { isSame: true },
	sameValue: { isSame: true },
	otherOrder: { isSame: false },
	otherImages: { isSame: true },
	otherExternalId: { isSame: true },
	otherAccount: { isSame: true, lookUp: 'ifReadable' },
	otherProvider: { isSame: true, lookUp: 'never' },
};

/** What differs between a try and an earlier one. */
export function differencesBetween(earlier: Asked, now: Asked): Set<Difference> {
	const found = new Set<Difference>();
	for (const part of comparedParts) {
		const isEdited = earlier.entered[part] !== now.entered[part];
		const isOther = earlier.values[part] !== now.values[part];
		if (isEdited && isOther) found.add(editOf(part));
		else if (isEdited) found.add('sameValue');
		else if (isOther) found.add('mood');
	}
	if (earlier.provider !== now.provider) found.add('otherProvider');
	else if (earlier.account !== now.account) found.add('otherAccount');
	return found;
}

function editOf(part: Part): Difference {
	if (part === 'images') return 'otherImages';
	return part === 'externalTaskId' ? 'otherExternalId' : 'otherOrder';
}

/** Fingerprints of what a try asks for, to compare once the try itself is no longer known. */
export interface Form {
	/** The order's parameters that are expressions, by their text. */
	expressions: string;
	/** The whole order. What is not an expression counts by its value, however it is written. */
	order: string;
	/** The account, and the external task ids that the user gives. */
	target: string;
}

/** @param fixed the parameters with one value for all items, as they are not expressions */
export function formOf(
	{ entered, values, account }: Asked,
	fixed: ReadonlySet<Part>,
	externalTaskIds: readonly string[],
): Form {
	const parts = comparedParts.filter((part) => editOf(part) === 'otherOrder');
	const expressions = parts.map((part) => (fixed.has(part) ? null : entered[part]));
	const order = parts.map((part) => (fixed.has(part) ? values[part] : entered[part]));
	return {
		expressions: printOf(expressions),
		order: printOf([expressions, order]),
		target: printOf([account, externalTaskIds]),
	};
}

/** Whether a try asks for the create that an earlier one asked for. */
export function isSameCreate(differences: ReadonlySet<Difference>): boolean {
	return [...differences].every((one) => rules[one].isSame);
}

/** Where the task of an earlier try may be looked up. */
export function lookUpOf(differences: ReadonlySet<Difference>): Pick<Rule, 'lookUp'> {
	const [lookUp] = [...differences].flatMap((one) => rules[one].lookUp ?? []);
	return lookUp ? { lookUp } : {};
}

/** The place of a create. Any difference here means another create. */
export interface Place {
	/** What makes the ids of this execution unique. */
	seed: string;
	workflowId: string | undefined;
	node: { id: string; name: string };
	/** The loop iteration, the item, and the arguments of an AI agent's call. */
	inNode: string;
	/** How many creates were started here before, each after an edit. */
	number: number;
}

/**
 * The external task id that the node makes for a create: the same in each try, and different for any
 * other create.
 */
export function madeIdOf({ seed, workflowId, node, inNode, number }: Place): string {
	const hash = hashOf([seed, workflowId, node.id, node.name, inNode, number]);
	const digits = BigInt(`0x${hash.slice(0, 16)}`) % 10n ** BigInt(madeDigits);
	return `n8n-${digits.toString().padStart(madeDigits, '0')}`;
}

/**
 * Short, because n8n shows 9 values of 255 characters; among a million tasks, the chance of two sharing
 * one is 1 in 20,000.
 */
const madeDigits = 16;

/** Whether the node made this external task id. */
export function isMadeId(externalTaskId: string): boolean {
	return /^n8n-\d{16}$/.test(externalTaskId);
}

/** A fingerprint that reveals nothing about the value. */
export function hashOf(value: unknown): string {
	return createHash('sha256')
		.update(JSON.stringify(value) ?? '')
		.digest('hex');
}

/** A short one, for values that are only compared with the previous one. */
export function printOf(value: unknown): string {
	return hashOf(value).slice(0, 10);
}

/** The fingerprints of the values of all parameters that are present. */
export function printsOf(values: Partial<Record<Part, unknown>>): Prints {
	const prints: Prints = {};
	for (const part of comparedParts) {
		if (values[part] !== undefined) prints[part] = printOf(values[part]);
	}
	return prints;
}
