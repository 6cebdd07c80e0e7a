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
	/** The latest run of the node that has started, from 0. */
	latest: number;
	/** The seeds of earlier tries that asked for something else and left nothing but their record. */
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
		/** What it asked for, if known. */
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

/** The records in progress or made, by run. */
const records = new WeakMap<Beginning, Map<number, Promise<void>>>();

/** Before anything is sent, records what has to survive a crash, and reads what an earlier try recorded. */
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

/** What this process was the first to record for an execution. */
const firstRecords = new WeakMap<Beginning, string[]>();

/**
 * Removes the record of a run that surely made nothing, so that a second retry of the same execution does
 * not mistake it for one that may have been paid.
 */
export async function takeBack(context: IExecuteFunctions, beginning: Beginning): Promise<void> {
	const keys = firstRecords.get(beginning) ?? [];
	if (beginning.died || records.get(beginning)?.size !== 1) return;
	// The next try of Retry On Fail records it again.
	records.delete(beginning);
	await forgetIn(context, keys);
}

/** After this many runs of a loop, earlier ones are forgotten: n8n keeps only so many records per node. */
const mostRuns = 50;

/**
 * Records a run of a loop: with “Save execution progress”, n8n restarts a crashed execution from what it
 * stored between two runs, which does not show that the later run had started.
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
	// What an earlier load found stays: no later record can make it more certain.
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
		// Once it is unknown what one try asked for, it is unknown for all of them.
		const mixed = `${execution}:mixed`;
		const isMixed = (await recordIn(context, [mixed]))?.has(mixed) ?? false;
		const isSame = (part: keyof Form) => known.has(keyOf(part)) && (part === 'target' || !isMixed);
		const isKnown = isSame('order') || isSame('expressions');
		// Otherwise the record stays that of the first try.
		const others = keys.filter((key) => !known.has(key));
		await forgetIn(context, isKnown ? [...others, mixed] : others);
		if (beginning.died?.trace === 'none') return;
		const isRetry = loads > 0 && context.getMode() === 'retry';
		if (compare(beginning, about, isSame, isRetry)) return;
	}
}

/**
 * Notes what is known of an execution that was started before. If a different order was entered since, as
 * between two retries, nothing of it was sent: it gets its own ids.
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

/** What is known of a create that a crashed execution, or an earlier retry, may have sent. */
export function recallAfterDeath(
	died: NonNullable<Beginning['died']>,
	account: string,
	{ isIdGiven, isSceneFixed }: { isIdGiven: boolean; isSceneFixed: boolean },
): Remembered {
	const { trace, maySend, mayBeEdited, hasDied = true } = died;
	const isSameAccount = died.account === account;
	const doubt = mayBeEdited ? 'edited' : isSceneFixed ? undefined : 'evaluated';
	// Another account lacks the first one's tasks, so “not found” proves nothing. Nor can an id made without
	// a token be known, unless the user gave it.
	const elsewhere = isIdGiven || trace !== 'none' ? 'unverified' : 'none';
	const told = { state: 'sending', hasDied, doubt } as const;
	return isSameAccount
		? { ...told, maySend: maySend === true, trace }
		: { ...told, maySend: false, trace: elsewhere };
}

/** The compared parameters of Create, as entered. */
export interface Entered {
	/** Fingerprints, with expressions as text. */
	prints: Prints;
	/** The ones that are not expressions. */
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
	// n8n evaluates any text that starts like this, at any depth.
	const isFixed = (part: Part) => !JSON.stringify(entered[part] ?? null).includes('"=');
	const fixed = new Set(parts.filter(isFixed));
	// Without both, the number of images can differ between items.
	if (!fixed.has('effectScene') || effectType === undefined) fixed.delete('effectType');
	return { prints: printsOf(entered), fixed };
}
