import { behaviourOf, type Failure } from '../failure';
import type { ExternalIdSupport } from '../providers/provider';

/**
 * How one create goes on, as a state machine. A state is what has happened so far; it is drawn in
 * docs/architecture.md. Nothing is sent while an earlier request may have been accepted, unless the
 * provider has shown that it was not.
 */

/** What one step of a create has brought. */
export type StepOutcome =
	/** An earlier try of this create was sent, and its outcome is not known. */
	| { step: 'earlier'; failure: Failure }
	| { step: 'send'; result: 'accepted' | 'notSent' }
	| { step: 'send'; result: 'failed'; failure: Failure }
	/** The task was looked for by its external id. */
	| { step: 'lookUp'; result: 'found' }
	| { step: 'lookUp'; result: 'missed'; failure: Failure };

export type Step =
	| { do: 'send' }
	/** `isKnown`: the provider says that the task exists, so it will show. */
	| { do: 'lookUp'; isKnown: boolean }
	/** With the task: `isOwn` says whether a request of this create can have made it. */
	| { do: 'take'; isOwn: boolean }
	| { do: 'refuse'; failure: Failure }
	/** Nothing was sent: the run was stopped, or its time was over. */
	| { do: 'drop' }
	/** Nobody knows. `lookUp`: why the task could not be looked up, where that is the reason. */
	| { do: 'giveUp'; failure: Failure; lookUp: Failure | null };

/** A create is sent so often at most, each time after it was not found. */
const mostSends = 3;

/**
 * The next step of a create.
 *
 * @param history what happened before `outcome`, in order
 * @param support how far the provider can tell of a task by its external id; `none` also where the
 * create has no such id that could be asked for
 */
export function next(
	history: readonly StepOutcome[],
	outcome: StepOutcome,
	support: ExternalIdSupport,
): Step {
	if (outcome.step === 'lookUp') return afterLookUp(history, outcome, support);
	if (outcome.step === 'earlier') return afterUnclear(outcome.failure, support);
	const unclear = lastUnclear(history);
	if (outcome.result !== 'failed') {
		if (outcome.result === 'accepted') return { do: 'take', isOwn: true };
		return unclear ? giveUp(unclear) : { do: 'drop' };
	}
	const { failure } = outcome;
	const { create } = behaviourOf(failure);
	if (create === 'unclear') return afterUnclear(failure, support);
	if (create === 'exists') return { do: 'lookUp', isKnown: true };
	// A refusal speaks of its own request only. Where an earlier one is unclear, it may even be the
	// reason: a lost create can have used the last credit, or its id can be called a bad value.
	return unclear ? { do: 'lookUp', isKnown: false } : { do: 'refuse', failure };
}

function afterUnclear(failure: Failure, support: ExternalIdSupport): Step {
	// What is fatal and unclear was cancelled: then nothing more is asked.
	const isOver = support === 'none' || behaviourOf(failure).fatal;
	return isOver ? giveUp(failure) : { do: 'lookUp', isKnown: false };
}

function afterLookUp(
	history: readonly StepOutcome[],
	outcome: Extract<StepOutcome, { step: 'lookUp' }>,
	support: ExternalIdSupport,
): Step {
	if (outcome.result === 'found') return { do: 'take', isOwn: lastUnclear(history) !== null };
	const last = lastFailed(history);
	const isMissing = outcome.failure.kind === 'notFound';
	const wasUnclear = behaviourOf(last).create === 'unclear';
	const sends = history.filter(({ step }) => step === 'send').length;
	// Where look-ups are not documented, "not found" proves nothing. And not to be found in time is
	// enough to send the same id again, but not to say that nothing was paid.
	if (isMissing && wasUnclear && support === 'lookup' && sends < mostSends) return { do: 'send' };
	return giveUp(last, isMissing ? null : outcome.failure);
}

function giveUp(failure: Failure, lookUp: Failure | null = null): Step {
	return { do: 'giveUp', failure, lookUp };
}

type Failed = Extract<StepOutcome, { failure: Failure; step: 'send' | 'earlier' }>;

function isFailed(outcome: StepOutcome): outcome is Failed {
	return outcome.step !== 'lookUp' && 'failure' in outcome;
}

/** Why a request may have made a task that is not known; null when none may have. */
function lastUnclear(history: readonly StepOutcome[]): Failure | null {
	const unclear = history
		.filter(isFailed)
		.filter(({ failure }) => behaviourOf(failure).create === 'unclear');
	return unclear.at(-1)?.failure ?? null;
}

/** The failure that led to a look-up: nothing else does. */
function lastFailed(history: readonly StepOutcome[]): Failure {
	const failed = history.filter(isFailed);
	return failed[failed.length - 1].failure;
}
