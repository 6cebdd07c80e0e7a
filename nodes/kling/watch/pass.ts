import { z } from 'zod';
import { createdMs, type TaskRecord } from '../task';

/**
 * Milliseconds by which servers of a provider may disagree about the time, or a task may be listed
 * late. This long a stretch before the last pass is read again in each poll; a task that ended less
 * than this before the activation may be emitted.
 */
export const marginMs = 600_000;
/** This many bits of evidence prove an order: chance alone shows it once in 2^30 lists. */
const enoughBits = 30;

const count = z.number().int().min(1);
const moment = z.number().finite();

/** One pass over the list, page by page, maybe in several polls. Times are on the provider's clock. */
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
			/** Rows read so far. */
			rows: z.number().int(),
			/** The rows at the end that are too close in time to prove anything: the first of them, and how many. */
			group: z.object({ first: moment, rows: z.number().int() }),
			bits: z.number(),
		})
		.nullable(),
	/** Whether its next page failed in the last poll. */
	isStuck: z.boolean(),
});
export type ListPass = z.infer<typeof passSchema>;

export function beginPass(size: number): ListPass {
	const order = { lowest: null, rows: 0, group: { first: 0, rows: 0 }, bits: 0 };
	return { page: 1, size, startedAt: 0, top: null, order, isStuck: false };
}

/** The pass after one more page. */
export function continuePass(
	pass: ListPass,
	records: TaskRecord[],
	providerTime: number,
): ListPass {
	const stamps = records.map(({ task }) => createdMs(task));
	const dated = stamps.filter((stamp) => stamp > 0);
	return {
		...pass,
		page: pass.page + 1,
		startedAt: pass.page === 1 ? providerTime : pass.startedAt,
		top: dated.reduce<number | null>((top, stamp) => Math.max(top ?? stamp, stamp), pass.top),
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
	return order !== null && (isAsBefore || order.bits >= enoughBits);
}

/**
 * Of all orders that rows can have, how few would look like this? Rows whose stamps are within the
 * margin of each other can stand in any order.
 */
function continueOrder(order: ListPass['order'], stamp: number): ListPass['order'] {
	if (order === null || stamp === 0) return order;
	if (order.lowest !== null && stamp > order.lowest + marginMs) return null;
	const rows = order.rows + 1;
	const isNewGroup = order.lowest === null || stamp < order.group.first - marginMs;
	const group = isNewGroup
		? { first: stamp, rows: 1 }
		: { ...order.group, rows: order.group.rows + 1 };
	return {
		lowest: Math.min(order.lowest ?? stamp, stamp),
		rows,
		group,
		bits: order.bits + Math.log2(rows / group.rows),
	};
}
