import { matches } from '../filters';
import { createdMs, isFinal, type TaskRecord } from '../task';
import { success, type Outcome } from '../failure';
import { byEnd, type WatchTerms } from './ledger';
import { lookAtEach, type PollTime, type Source } from './source';

/** How many ended tasks a test shows. */
export const mostLatest = 5;
/** How many pages a test reads at most. */
const mostPages = 10;

/**
 * The tasks that ended last, as a sample for the editor; oldest end first. Where the list is not
 * newest first, they are the latest of the pages that were read.
 */
export async function latestOfAccount(
	source: Pick<Source, 'listOnce' | 'largestPage'>,
	terms: WatchTerms,
	time: PollTime,
): Promise<Outcome<TaskRecord[]>> {
	const pageSize = source.largestPage;
	const found = new Map<string, TaskRecord>();
	let last = Infinity;
	let isNewestFirst = true;
	for (let page = 1; page <= mostPages && time.isLeft; page++) {
		const outcome = await time.ask(async () => await source.listOnce(page, pageSize));
		if (!outcome.ok) return outcome;
		for (const record of outcome.value) {
			isNewestFirst &&= createdMs(record.task) <= last;
			last = createdMs(record.task);
			if (isWanted(record, terms)) found.set(record.task.taskId, record);
		}
		const isEnough = isNewestFirst && found.size >= mostLatest;
		if (isEnough || outcome.value.length < pageSize) break;
	}
	return success(latest([...found.values()]));
}

/** The same of given tasks. An id that the provider does not know is ignored. */
export async function latestOfIds(
	source: Pick<Source, 'getOnce'>,
	taskIds: readonly string[],
	terms: WatchTerms,
	time: PollTime,
): Promise<Outcome<TaskRecord[]>> {
	const found: TaskRecord[] = [];
	const failure = await lookAtEach(taskIds, source, time, {
		found: (_taskId, record) => {
			if (isWanted(record, terms)) found.push(record);
		},
	});
	return failure ? { ok: false, failure } : success(latest(found));
}

function isWanted({ task }: TaskRecord, terms: WatchTerms): boolean {
	const { events, externalTaskIdPrefix } = terms;
	return isFinal(task.status) && matches(task, { status: [...events], externalTaskIdPrefix });
}

function latest(records: TaskRecord[]): TaskRecord[] {
	return records.sort(byEnd).slice(-mostLatest);
}
