import { success, type Outcome } from '../failure';
import { matches, type TaskRecord } from '../task';
import { byEnd, Ledger, type WatchFilter } from './ledger';
import { lookAtEach, type PollTime, type Source } from './source';
import { readState } from './state';

/** How many ended tasks a test shows. */
const mostLatest = 5;

/**
 * A sample for the editor: the tasks that ended last, from the list's first page or the given ids; oldest
 * end first. An id that the provider does not know is ignored.
 */
export async function latest(
	source: Pick<Source, 'listOnce' | 'largestPage' | 'getOnce'>,
	taskIds: readonly string[] | null,
	filter: WatchFilter,
	time: PollTime,
): Promise<Outcome<TaskRecord[]>> {
	const outcome = taskIds
		? await readEach(source, taskIds, filter, time)
		: await readNewest(source);
	if (!outcome.ok) return outcome;
	const { events, externalTaskIdPrefix } = filter;
	const isWanted = ({ task }: TaskRecord) =>
		matches(task, { status: [...events], externalTaskIdPrefix });
	return success(outcome.value.filter(isWanted).sort(byEnd).slice(-mostLatest));
}

async function readNewest(
	source: Pick<Source, 'listOnce' | 'largestPage'>,
): Promise<Outcome<TaskRecord[]>> {
	const outcome = await source.listOnce(1, source.largestPage);
	return outcome.ok ? success(outcome.value.records) : outcome;
}

async function readEach(
	source: Pick<Source, 'getOnce'>,
	taskIds: readonly string[],
	filter: WatchFilter,
	time: PollTime,
): Promise<Outcome<TaskRecord[]>> {
	const found: TaskRecord[] = [];
	// It is thrown away: a sample does not change the state.
	const ledger = new Ledger(readState(null, 'taskIds', filter.scope), filter);
	const record = (_taskId: string, each: TaskRecord) => void found.push(each);
	const failure = await lookAtEach(taskIds, source, time, ledger, record);
	return failure ? { ok: false, failure } : success(found);
}
