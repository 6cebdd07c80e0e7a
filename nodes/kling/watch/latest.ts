import { success, type Outcome } from '../failure';
import { matches, type TaskRecord } from '../task';
import { byEnd, Ledger, type WatchTerms } from './ledger';
import { lookAtEach, type PollTime, type Source } from './source';
import { readState } from './state';

/** How many ended tasks a test shows. */
const mostLatest = 5;

/**
 * A sample for the editor: of the list's first page, or of the given tasks, those that ended last;
 * oldest end first. An id that the provider does not know is ignored.
 */
export async function latest(
	source: Pick<Source, 'listOnce' | 'largestPage' | 'getOnce'>,
	taskIds: readonly string[] | null,
	terms: WatchTerms,
	time: PollTime,
): Promise<Outcome<TaskRecord[]>> {
	const outcome = taskIds
		? await readEach(source, taskIds, terms, time)
		: await source.listOnce(1, source.largestPage);
	if (!outcome.ok) return outcome;
	const { events, externalTaskIdPrefix } = terms;
	const isWanted = ({ task }: TaskRecord) =>
		matches(task, { status: [...events], externalTaskIdPrefix });
	return success(outcome.value.filter(isWanted).sort(byEnd).slice(-mostLatest));
}

async function readEach(
	source: Pick<Source, 'getOnce'>,
	taskIds: readonly string[],
	terms: WatchTerms,
	time: PollTime,
): Promise<Outcome<TaskRecord[]>> {
	const found: TaskRecord[] = [];
	// Nobody keeps this one: a sample changes nothing that is known.
	const ledger = new Ledger(readState(null, 'taskIds', terms.scope), terms);
	const note = (_taskId: string, record: TaskRecord) => void found.push(record);
	const failure = await lookAtEach(taskIds, source, time, ledger, note);
	return failure ? { ok: false, failure } : success(found);
}
