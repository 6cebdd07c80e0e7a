import type { TaskRecord } from '../task';
import { byEnd, endMs, Ledger, type WatchTerms } from './ledger';
import { marginMs } from './pass';
import { lookAtEach, type PollResult, type PollTime, type Source } from './source';
import { freshIds, type IdsState } from './state';

/** How many ended tasks that are no longer given are remembered, in case they come back. */
const mostOthers = 1_000;
/** Milliseconds: the clock of a response is read in whole seconds. */
const clockGrainMs = 1_000;

/** The result of one poll over given ids. */
export interface IdsResult extends PollResult<IdsState> {
	/** The given ids that the provider did not know in this poll. */
	unknown: string[];
}

/**
 * One poll over given task ids: one request for each whose task has not ended. Tasks that had ended
 * when the first poll began are the past. A task whose id is given later is emitted even when it has
 * ended by then: nobody can tell whether it ended before, and to lose it would be worse.
 *
 * @param stored null for the first poll
 */
export async function watchIds(
	source: Pick<Source, 'getOnce'>,
	taskIds: readonly string[],
	stored: IdsState | null,
	terms: WatchTerms,
	time: PollTime,
): Promise<IdsResult> {
	const state = stored ?? freshIds(terms.scope);
	const ledger = new Ledger(state, terms);
	const known = new Set(state.open);
	const unknown: string[] = [];
	const looking = {
		found: (id: string, record: TaskRecord, providerTime: number) => {
			ledger.noteTime(providerTime);
			ledger.noteGiven(id, record, isPast(id, record));
		},
		missing: (taskId: string) => {
			unknown.push(taskId);
			if (ledger.noteMissing(taskId)) ledger.seen.add(taskId, 0);
		},
		postpone: (taskId: string) => ledger.postpone(taskId),
	};
	const isPast = (id: string, { task }: TaskRecord) =>
		stored === null
			? endMs(task) === 0 || ledger.hasEndedBefore(task, clockGrainMs)
			: known.has(id) && ledger.hasEndedBefore(task, -marginMs);
	// The first poll looks at all that its time allows: where ends are not dated, only it can tell the past.
	const most = stored === null ? taskIds.length : undefined;
	const failure = await lookAtEach(takeTurns(taskIds, ledger), source, time, looking, most);
	ledger.seen.forgetOthers(taskIds, mostOthers);
	const emitted = [...ledger.emitted].sort(byEnd);
	return { emitted, state: { ...state, ...ledger.toState() }, failure, unknown };
}
/** Makes the given ids the open ones, except those already handled; those not read for longest come first. */
function takeTurns(taskIds: readonly string[], ledger: Ledger): string[] {
	const given = new Set(taskIds.filter((taskId) => !ledger.seen.has(taskId)));
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
