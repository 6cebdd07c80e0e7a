import { asObject, parseJson } from '../http';
import { idOf, unquoted } from '../input';
import { Ledger, type WatchFilter } from './ledger';
import { lookAtEach, type PollResult, type PollTime, type Source } from './source';
import { readState, type IdsState } from './state';

/** How many ended tasks whose IDs were removed are remembered, in case they come back. */
const mostOthers = 1_000;
/**
 * How many ids may be unreadable before the first poll fails: a few bad ones must not stop the others
 * from being watched.
 */
const mostFailedAtFirst = 20;

/**
 * One poll over given task ids: one request for each task that has not ended. Tasks that had ended when
 * the first poll started are ignored. A task whose id is added later is emitted even if it has already
 * ended: there is no telling whether it ended before, and losing it would be worse.
 *
 * @param stored the state of the previous poll, if there was one
 */
export async function watchIds(
	source: Pick<Source, 'getOnce'>,
	taskIds: readonly string[],
	stored: unknown,
	filter: WatchFilter,
	time: PollTime,
): Promise<PollResult<IdsState>> {
	const state = readState(stored, 'taskIds', filter.scope);
	const ledger = new Ledger(state, filter);
	const { isFirst, open, seen } = ledger;
	const given = new Set(taskIds.filter((taskId) => !seen.has(taskId)));
	for (const taskId of open) if (!given.has(taskId)) open.delete(taskId);
	for (const taskId of given) open.add(taskId);
	// The first poll reads as many as it can: if ends have no dates, only it can tell what ended before.
	const limits = isFirst ? { most: taskIds.length, mostFailed: mostFailedAtFirst } : undefined;
	const record = ledger.recordGiven.bind(ledger);
	const failure = await lookAtEach([...open], source, time, ledger, record, limits);
	// Tasks that are no longer open have ended, or were dropped.
	for (const taskId of given) if (!open.has(taskId)) seen.add(taskId, Infinity);
	seen.forgetOthers(taskIds, mostOthers);
	return { emitted: ledger.emitted, state: { ...state, ...ledger.toState() }, failure, isFirst };
}

/** Blanks separate IDs in a text; in a list, including JSON's, an entry may contain them. */
const betweenIds = /[\s,;"'`[\]，、；“”„]+/;
const betweenInList = /[\r\n\t,;，、；]+/;

/**
 * Reads the parameter `taskIds`: ids separated by commas, blanks or line breaks, or a list, which may hold
 * items that Create returned.
 *
 * @throws InputError for an id that has lost digits
 */
export function readTaskIds(given: unknown): string[] {
	const value = (typeof given === 'string' && parseJson(given)) || given;
	const isList = Array.isArray(value);
	const entries: unknown[] = isList ? value : [asObject(value) ?? given];
	const ids = entries.flatMap((entry) => {
		const one = asObject(entry)?.taskId ?? entry;
		if (typeof one === 'number') return idOf(one, 'Task IDs') ?? [];
		if (typeof one !== 'string') return [];
		return (
			one
				.split(isList ? betweenInList : betweenIds)
				.map(unquoted)
				// A dash or a point in front of each is that of a list.
				.filter((id) => /[\p{L}\p{N}]/u.test(id))
				.map((id) => idOf(id, 'Task IDs') ?? '')
		);
	});
	return [...new Set(ids)];
}
