import { byEnd, Ledger, type WatchTerms } from './ledger';
import { lookAtEach, type PollTime, type Round, type Source } from './source';
import { freshState, type WatchState } from './state';

/** Ended tasks that are no longer given are remembered up to so many, in case they come back. */
const mostOthers = 1_000;

/**
 * One poll over given task ids: one request for each whose task has not ended. At the first poll,
 * tasks that have ended already are the past. A task whose id is given later is emitted even when it
 * has ended by then: nobody can tell whether it ended before, and to lose it would be worse.
 *
 * @param stored null for the first poll
 */
export async function watchIds(
	source: Pick<Source, 'getOnce'>,
	taskIds: readonly string[],
	stored: WatchState | null,
	terms: WatchTerms,
	time: PollTime,
): Promise<Round> {
	const state = stored ?? { ...freshState(terms.scope, terms.events), past: [...taskIds] };
	const ledger = new Ledger(state, terms);
	const past = new Set(state.past);
	const unknown: string[] = [];
	const failure = await lookAtEach(takeTurns(taskIds, ledger), source, time, {
		found: (taskId, record) => ledger.noteGiven(taskId, record, past.delete(taskId)),
		missing: (taskId) => {
			unknown.push(taskId);
			past.delete(taskId);
			if (ledger.noteMissing(taskId)) ledger.done.add(taskId, 0);
		},
		postpone: (taskId) => ledger.postpone(taskId),
	});
	ledger.done.forgetOthers(taskIds, mostOthers);
	const after = ledger.toState({ events: [...terms.events], isFirst: false, past: [...past] });
	return { emitted: [...ledger.emitted].sort(byEnd), state: after, failure, unknown };
}

/** Makes the given ids the open ones but for those dealt with, the ones not looked at for longest first. */
function takeTurns(taskIds: readonly string[], ledger: Ledger): string[] {
	const given = new Set(taskIds.filter((taskId) => !ledger.done.has(taskId)));
	for (const taskId of ledger.open) if (!given.has(taskId)) ledger.open.delete(taskId);
	for (const taskId of given) ledger.open.add(taskId);
	return [...ledger.open];
}

/** Reads the parameter `taskIds`: a text with ids between commas, blanks or line breaks, or a list. */
export function readTaskIds(given: unknown): string[] {
	const list: unknown[] = Array.isArray(given) ? given : [given];
	const texts = list.filter((entry) => typeof entry === 'string' || typeof entry === 'number');
	const ids = texts.flatMap((text) => String(text).split(/[\s,;"'[\]]+/));
	return [...new Set(ids.filter((id) => id !== ''))];
}
