import type { IExecuteFunctions } from 'n8n-workflow';
import { hashOf, type Form } from '../../kling/create/identity';
import type { Remembered } from '../../kling/create/entry';
import type { ExternalIdSupport } from '../../kling/providers/provider';
import { forgetIn, hasDied, recordIn, resumeTokenOf, seedOf } from '../../n8n/execution';

/** What is known about an execution when its Create first runs. */
export interface Beginning {
	/** What makes the ids of this execution unique. */
	seed: string;
	/** Whether a task under an id of this execution may be older than the execution appears to be. */
	ownsOlder: boolean;
	/** The latest run of the node that is recorded, from 0. */
	latest: number;
	/** How many processes are known to have recorded it: each retry, and each part between two waits. */
	loads: number;
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
	const { seed, isProven: ownsOlder } = seedOf(context);
	const begun = { seed, ownsOlder, latest: -1, loads: 0 };
	if (!died) return begun;
	// Without a token, the node's ids differ from the earlier ones.
	const trace = resumeTokenOf(context) === null ? 'none' : 'unverified';
	return { ...begun, died: { trace, mayBeEdited: true } };
}

interface About {
	/** A fingerprint of base URL and key. */
	account: string;
	form: Form;
	canLookUp: boolean;
}

/** What this process records, or has recorded. */
interface Records {
	/** How many processes had recorded before. */
	loads: number;
	/** In progress or made, by run. */
	byRun: Map<number, Promise<void>>;
	last: Promise<void>;
	/** What {@link takeBack} has to remove. */
	own: string[];
	/** What it has to restore. */
	before: Pick<Beginning, 'seed' | 'left' | 'latest' | 'loads'>;
}

const records = new WeakMap<Beginning, Records>();

/**
 * Before anything is sent, records what has to survive a crash, and reads what an earlier try recorded.
 *
 * @param run of the node in this execution, from 0
 */
export async function record(
	context: IExecuteFunctions,
	beginning: Beginning,
	run: number,
	about: About,
): Promise<void> {
	const made = records.get(beginning) ?? recordsOf(beginning);
	records.set(beginning, made);
	const isFirst = made.byRun.size === 0;
	// n8n can restart from what it stored between two runs, even if none of them has recorded anything.
	const isLater = made.loads > 0 || run > 0;
	const recordOnce = async () => {
		if (isFirst) await recordBeginning(context, beginning, made, about);
		if (isLater && run > beginning.latest) await recordRun(context, beginning, made, run);
		beginning.latest = Math.max(beginning.latest, run);
	};
	// An agent calls its tools side by side, but n8n reads and writes its table without a lock.
	if (!made.byRun.has(run)) {
		made.last = made.last.then(recordOnce);
		made.byRun.set(run, made.last);
	}
	await made.byRun.get(run);
}

function recordsOf(beginning: Beginning): Records {
	const { seed, left, latest, loads } = beginning;
	beginning.loads++;
	const before = { seed, left, latest, loads };
	return { loads, byRun: new Map(), last: Promise.resolve(), own: [], before };
}

/**
 * Removes the record of a run that surely made nothing, so that a second retry of the same execution does
 * not mistake it for one that may have been paid. The next one to record takes its place: the next try of
 * Retry On Fail, or a retry of either execution.
 *
 * @returns whether it is now as if the run had never started
 */
export async function takeBack(context: IExecuteFunctions, beginning: Beginning): Promise<boolean> {
	const made = records.get(beginning);
	if (beginning.died || made?.byRun.size !== 1) return false;
	records.delete(beginning);
	Object.assign(beginning, made.before);
	await forgetIn(context, made.own);
	return made.own.length > 0;
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
	{ own }: Records,
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
	if (!known) return;
	if (!known.has(keyOf(run))) return void own.push(keyOf(run));
	beginning.ownsOlder = true;
	beginning.died = { trace: 'unverified', mayBeEdited: true };
}

/**
 * Records an execution and what it asks for where the record survives a crash, once each time it starts or
 * its context is loaded again, as after a wait or by a retry. If there is already a record, n8n has
 * started the execution again, or this is a second retry: older tasks under its ids are its own, and each
 * create may have been sent. A task that is not found at the account it may have been sent to was not created.
 */
async function recordBeginning(
	context: IExecuteFunctions,
	beginning: Beginning,
	made: Records,
	about: About,
): Promise<void> {
	const { form } = about;
	let { loads } = made;
	// What an earlier load found stays: no later record can make it more certain.
	if (loads > 0 && beginning.died) {
		const { form: before } = beginning.died;
		if (before) compare(beginning, { ...about, loads }, (part) => before[part] === form[part]);
		if (beginning.died && !beginning.died.form) return;
	}
	for (;;) {
		const execution = hashOf([beginning.seed, context.getNode().name, loads]);
		const keyOf = (part: keyof Form) => `${execution}:${part}:${form[part]}`;
		const keys = (Object.keys(form) as Array<keyof Form>).map(keyOf);
		const known = await recordIn(context, [execution, ...keys]);
		if (!known?.has(execution)) {
			if (known) made.own = [execution, ...keys];
			return;
		}
		// Once it is unknown what one try asked for, it is unknown for all of them.
		const mixed = `${execution}:mixed`;
		const isMixed = (await recordIn(context, [mixed]))?.has(mixed) ?? true;
		const isSame = (part: keyof Form) => known.has(keyOf(part)) && (part === 'target' || !isMixed);
		const isKnown = isSame('order') || isSame('expressions');
		// Otherwise the record stays that of the first try.
		const others = keys.filter((key) => !known.has(key));
		await forgetIn(context, isKnown ? [...others, mixed] : others);
		if (beginning.died?.trace === 'none') return;
		const isRetry = context.getMode() === 'retry' && (loads > 0 || !beginning.died);
		const isOthers = beginning.died?.maySend && !isSame('order') && isSame('expressions');
		const mayBeOwn = isOthers || compare(beginning, { ...about, loads }, isSame, isRetry);
		if (mayBeOwn && !beginning.died?.maySend) return;
		// A retry of the earlier one has to find what is sent now.
		if (mayBeOwn) beginning.loads = ++loads + 1;
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
	{ account, form, canLookUp, loads }: About & { loads: number },
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
