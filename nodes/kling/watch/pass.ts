import { z } from 'zod/v3';
import { createdMs, type TaskRecord } from '../task';

/**
 * Milliseconds by which servers of a provider may disagree about the time, or a task may be listed
 * late. This long a stretch before the last pass is read again in each poll; a task that ended less
 * than this before the activation may be emitted.
 */
export const marginMs = 600_000;
/**
 * So many rows, each older than all before it, prove that a list is newest first: 500 rows in a
 * random order hold some seven such rows, and 30 of them once in 10^10 lists.
 */
const provingRows = 30;

/** Milliseconds since 1970, on the provider's clock. */
export const moment = z.number().finite();
const count = z.number().int().min(1);

/** One pass over the list, page by page, maybe in several polls. */
export const passSchema = z.object({
	/** The page to read next. */
	page: count,
	/** Tasks in a page. */
	size: count,
	/** When the first page was read. */
	startedAt: moment,
	/** The newest creation seen in it. */
	top: moment.nullable(),
	/** Evidence that the order is newest first; null once something contradicted it. */
	order: z
		.object({
			/** The oldest creation so far. */
			lowest: moment.nullable(),
			/** Rows that were each older than all before. */
			steps: z.number().int(),
		})
		.nullable(),
	/** Whether its next page failed in the last poll. */
	isStuck: z.boolean(),
});
export type ListPass = z.infer<typeof passSchema>;

export function beginPass(size: number): ListPass {
	const order = { lowest: null, steps: 0 };
	return { page: 1, size, startedAt: 0, top: null, order, isStuck: false };
}

/** The pass after one more page. */
export function continuePass(
	pass: ListPass,
	records: TaskRecord[],
	providerTime: number,
): ListPass {
	const stamps = records.map(({ task }) => createdMs(task)).filter((stamp) => stamp > 0);
	return {
		...pass,
		page: pass.page + 1,
		startedAt: pass.page === 1 ? providerTime : pass.startedAt,
		top: stamps.reduce<number | null>((top, stamp) => Math.max(top ?? stamp, stamp), pass.top),
		order: stamps.reduce(continueOrder, pass.order),
	};
}

/**
 * Whether the list is surely newest first, as far as it was read.
 *
 * @param top the newest creation that an earlier pass showed, where that proved the order: a list
 *   that is newest first begins with it, or with what came later
 */
export function isNewestFirst({ order, top: newTop }: ListPass, top: number | null): boolean {
	const isAsBefore = top !== null && newTop !== null && newTop >= top;
	return order !== null && (isAsBefore || order.steps >= provingRows);
}

/** Rows whose stamps are within the margin of each other can stand in any order. */
function continueOrder(order: ListPass['order'], stamp: number): ListPass['order'] {
	if (order === null) return null;
	const { lowest, steps } = order;
	if (lowest === null || stamp < lowest) return { lowest: stamp, steps: steps + 1 };
	return stamp > lowest + marginMs ? null : order;
}
