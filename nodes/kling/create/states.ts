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
	/** It was sent, or looked for by its external id; without a failure, the task is there. */
	| { step: 'send' | 'lookUp'; failure: Failure | null }
	/** It was not sent: the run was stopped, or its time was over. */
	| { step: 'stopped' };

export type Step =
	| { do: 'send' }
	/** `isKnown`: the provider says that the task exists, so it will show. */
	| { do: 'lookUp'; isKnown: boolean }
	/** With the task: `isOwn` says whether a request of this create can have made it. */
	| { do: 'take'; isOwn: boolean }
	| { do: 'refuse'; failure: Failure }
	/** Nothing was sent. */
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
	const failures = history.flatMap((one) =>
		one.step !== 'stopped' && one.step !== 'lookUp' && one.failure ? [one.failure] : [],
	);
	/** Why a request may have made a task that is not known; absent when none may have. */
	const unclear = failures.filter(isUnclear).at(-1);
	if (outcome.step === 'stopped') return unclear ? giveUp(unclear) : { do: 'drop' };
	const { step, failure } = outcome;
	if (failure === null) return { do: 'take', isOwn: step === 'send' || unclear !== undefined };
	if (step === 'lookUp') {
		// Nothing but a failure leads to a look-up.
		const cause = failures[failures.length - 1];
		const isMissing = failure.kind === 'notFound';
		const sends = history.filter((one) => one.step === 'send').length;
		const maySendAgain = isUnclear(cause) && support === 'lookup' && sends < mostSends;
		// Where look-ups are not documented, "not found" proves nothing. And not to be found in time is
		// enough to send the same id again, but not to say that nothing was paid.
		if (isMissing && maySendAgain) return { do: 'send' };
		return giveUp(cause, isMissing ? null : failure);
	}
	if (isUnclear(failure)) {
		// What is fatal and unclear was cancelled: then nothing more is asked.
		const isOver = support === 'none' || behaviourOf(failure).fatal;
		return isOver ? giveUp(failure) : { do: 'lookUp', isKnown: false };
	}
	if (behaviourOf(failure).create === 'exists') return { do: 'lookUp', isKnown: true };
	// A refusal speaks of its own request only. Where an earlier one is unclear, it may even be the
	// reason: a lost create can have used the last credit, or its id can be called a bad value.
	return unclear ? { do: 'lookUp', isKnown: false } : { do: 'refuse', failure };
}

function isUnclear(failure: Failure): boolean {
	return behaviourOf(failure).create === 'unclear';
}

function giveUp(failure: Failure, lookUp: Failure | null = null): Step {
	return { do: 'giveUp', failure, lookUp };
}
