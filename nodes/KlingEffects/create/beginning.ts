import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { hashOf, printsOf, type Form, type Part, type Prints } from '../../kling/create/identity';
import type { Remembered } from '../../kling/create/entry';
import type { ExternalIdSupport } from '../../kling/providers/provider';
import { forgetIn, hasDied, recordIn, resumeTokenOf, seedOf } from '../../n8n/execution';

/** What is known about an execution when its Create first runs. */
export interface Beginning {
	/** What makes the ids of this execution unique. */
	seed: string;
	/** Whether a task under an id of this execution may be older than the execution appears to be. */
	ownsOlder: boolean;
	/** The latest run of the node that was begun, from 0. */
	latest: number;
	/** The seeds of earlier tries that asked for something else, and that nothing else is known of. */
	left?: string[];
	/**
	 * Set when an execution that died with its process is run again or retried: each create may have been
	 * sent. `maySend`: it can safely be sent again to this account, which accepts its id only once.
	 * `mayBeEdited`: a person retries it, maybe with other parameters.
	 */
	died?: {
		trace: ExternalIdSupport;
		maySend?: boolean;
		mayBeEdited?: boolean;
		account?: string;
		hasDied?: 'orRetried';
		/** As it was begun, where that is known. */
		form?: Form;
	};
}

/** @param isOthers whether the context belongs to another node, which ran to its end */
export function beginningOf(context: IExecuteFunctions, isOthers = false): Beginning {
	const died = !isOthers && hasDied(context);
	const { seed, isProven } = seedOf(context);
	if (!died) return { seed, ownsOlder: isProven, latest: -1 };
	// Without a token, the node's ids differ from the earlier ones.
	const trace = resumeTokenOf(context) === null ? 'none' : 'unverified';
	return { seed, ownsOlder: isProven, latest: -1, died: { trace, mayBeEdited: true } };
}

interface About {
	/** A fingerprint of base URL and key. */
	account: string;
	form: Form;
	canLookUp: boolean;
	/** How often the context was loaded from what n8n had stored. */
	loads: number;
	/** Of the node in this execution, from 0. */
	run: number;
}

/** By run, the records that are under way or made. */
const records = new WeakMap<Beginning, Map<number, Promise<void>>>();

/** Records what outlives a death before anything is sent, and what an earlier record tells. */
export async function record(
	context: IExecuteFunctions,
	beginning: Beginning,
	about: About,
): Promise<void> {
	const made = records.get(beginning) ?? new Map<number, Promise<void>>();
	records.set(beginning, made);
	const isFirst = made.size === 0;
	const { loads, run } = about;
	const isLater = loads > 0 || !isFirst;
	const recordOnce = async () => {
		if (isFirst) await recordBeginning(context, beginning, about);
		if (isLater && run > beginning.latest) await recordRun(context, beginning, run);
		beginning.latest = Math.max(beginning.latest, run);
	};
	// An agent calls its tools side by side.
	if (!made.has(run)) made.set(run, recordOnce());
	await made.get(run);
}

/** What this process was the first to record of an execution. */
const firstRecords = new WeakMap<Beginning, string[]>();

/**
 * Takes the record of a run back of which surely nothing was made, so that a second retry of the same
 * execution need not take it for one that may have been paid.
 */
export async function takeBack(context: IExecuteFunctions, beginning: Beginning): Promise<void> {
	const keys = firstRecords.get(beginning) ?? [];
	if (beginning.died || records.get(beginning)?.size !== 1) return;
	// The next try of Retry On Fail records it again.
	records.delete(beginning);
	await forgetIn(context, keys);
}

/** After so many runs of a loop, those before are forgotten: n8n keeps no more than some records of a node. */
const mostRuns = 50;

/**
 * Records a run of a loop: with “Save execution progress”, n8n begins an execution again from what it has
 * stored between two, which the process that died had never loaded.
 */
async function recordRun(
	context: IExecuteFunctions,
	beginning: Beginning,
	run: number,
): Promise<void> {
	if (beginning.died) return;
	const keyOf = (one: number) => hashOf([beginning.seed, context.getNode().name, 'run', one]);
	const known = await recordIn(context, [keyOf(run)]);
	const isTime = run % mostRuns === 0;
	await forgetIn(
		context,
		Array.from({ length: isTime ? mostRuns : 0 }, (_, index) => keyOf(run - 1 - index)),
	);
	if (!known?.has(keyOf(run))) return void firstRecords.get(beginning)?.push(keyOf(run));
	beginning.ownsOlder = true;
	beginning.died = { trace: 'unverified', mayBeEdited: true };
}

/**
 * Records an execution and what it asks for where the record survives a crash, once each time it starts or
 * its context is loaded again (`loads`), as after a wait or by a retry. If there is already a record, n8n
 * has started the execution again, or this is a second retry: older tasks under its ids are its own, and each
 * create may have been sent. A task that is not found at the account it may have been sent to was not created.
 */
async function recordBeginning(
	context: IExecuteFunctions,
	beginning: Beginning,
	about: About,
): Promise<void> {
	const { form, loads } = about;
	// What was found when the context was loaded before stays: no later record makes it surer.
	if (loads > 0 && beginning.died) {
		const { form: before } = beginning.died;
		if (before) compare(beginning, about, (part) => before[part] === form[part]);
		if (beginning.died && !beginning.died.form) return;
	}
	for (;;) {
		const execution = hashOf([beginning.seed, context.getNode().name, loads]);
		const keyOf = (part: keyof Form) => `${execution}:${part}:${form[part]}`;
		const keys = (Object.keys(form) as Array<keyof Form>).map(keyOf);
		const known = await recordIn(context, [execution, ...keys]);
		if (!known?.has(execution)) {
			firstRecords.set(beginning, [execution, ...keys]);
			return;
		}
		// After a try of which it was not known what it asks for, that is not known of any.
		const mixed = `${execution}:mixed`;
		const isMixed = (await recordIn(context, [mixed]))?.has(mixed) ?? false;
		const isSame = (part: keyof Form) => known.has(keyOf(part)) && (part === 'target' || !isMixed);
		const isKnown = isSame('order') || isSame('expressions');
		// Else the record of an execution stays that of its first try.
		const others = keys.filter((key) => !known.has(key));
		await forgetIn(context, isKnown ? [...others, mixed] : others);
		if (beginning.died?.trace === 'none') return;
		const isRetry = loads > 0 && context.getMode() === 'retry';
		if (compare(beginning, about, isSame, isRetry)) return;
	}
}

/**
 * Notes what is known of an execution that was begun before. Where another order was entered since, as a
 * person does between two retries, nothing was sent of it: it gets ids of its own.
 *
 * @returns whether it may be the same order
 */
function compare(
	beginning: Beginning,
	{ account, form, canLookUp, loads }: About,
	isSame: (part: keyof Form) => boolean,
	isRetry = false,
): boolean {
	const isSameOrder = isSame('order');
	if (!isSameOrder && isSame('expressions')) {
		beginning.left = [...(beginning.left ?? []), beginning.seed];
		beginning.seed = hashOf([beginning.seed, 'edited']);
		delete beginning.died;
		return false;
	}
	const wasSure = loads === 0 || !beginning.died || beginning.died.trace === 'lookup';
	const isSameTarget = wasSure && isSame('target');
	beginning.ownsOlder = true;
	beginning.died = {
		trace: isSameTarget ? 'lookup' : 'unverified',
		maySend: isSameOrder && isSameTarget && canLookUp,
		mayBeEdited: !isSameOrder,
		account,
		...(isRetry || beginning.died?.hasDied ? { hasDied: 'orRetried' } : {}),
		...(isSameOrder ? { form: { ...form, target: isSameTarget ? form.target : '' } } : {}),
	};
	return true;
}

/** What can be said of a create that an execution which died, or was retried before, may have sent. */
export function recallAfterDeath(
	died: NonNullable<Beginning['died']>,
	account: string,
	{ isIdGiven, isSceneFixed }: { isIdGiven: boolean; isSceneFixed: boolean },
): Remembered {
	const { trace, maySend, mayBeEdited, hasDied = true } = died;
	const isSameAccount = died.account === account;
	const doubt = mayBeEdited ? 'edited' : isSceneFixed ? undefined : 'evaluated';
	// Another account knows no task of the first: then “not found” proves nothing. Nor can an id be
	// known that was made without a token, unless the user gave it.
	const elsewhere = isIdGiven || trace !== 'none' ? 'unverified' : 'none';
	const told = { state: 'sending', hasDied, doubt } as const;
	return isSameAccount
		? { ...told, maySend: maySend === true, trace }
		: { ...told, maySend: false, trace: elsewhere };
}

/** The parameters of Create that are compared, as they were entered. */
export interface Entered {
	/** Fingerprints, of expressions that of their text. */
	prints: Prints;
	/** Those that are no expressions. */
	fixed: ReadonlySet<Part>;
}

export function enteredIn(parameters: IDataObject): Entered {
	const { options = {}, effectScene, effectType } = parameters;
	const { imageInput, image, secondImage, imageField, secondImageField } = parameters;
	// All options together can be one expression.
	const optionOf = (name: string) =>
		typeof options === 'object' ? (options as IDataObject)[name] : options;
	const entered: Record<Part, unknown> = {
		effectScene,
		effectType,
		images: [imageInput, image, secondImage, imageField, secondImageField],
		duration: optionOf('duration'),
		mode: optionOf('mode'),
		modelName: optionOf('modelName'),
		additionalFields: optionOf('additionalFields'),
		externalTaskId: optionOf('externalTaskId'),
	};
	const parts = Object.keys(entered) as Part[];
	// n8n evaluates each text that begins so, at any depth.
	const isFixed = (part: Part) => !JSON.stringify(entered[part] ?? null).includes('"=');
	const fixed = new Set(parts.filter(isFixed));
	// Without both, how many images there are is another thing for each item.
	if (!fixed.has('effectScene') || effectType === undefined) fixed.delete('effectType');
	return { prints: printsOf(entered), fixed };
}
