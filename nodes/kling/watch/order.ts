import { z } from 'zod/v3';

/**
 * How far a provider's servers may disagree about the time, or how late a task may be listed, in
 * milliseconds. Each poll rereads this stretch before the last pass; a task that ended less than this
 * before the activation may be emitted.
 */
export const marginMs = 600_000;
/**
 * This many rows, each older than all before it, prove that a list is newest first as far as it was read:
 * 500 rows in random order contain about seven such rows, and 30 of them in one of 10^10 lists.
 */
const provingRows = 30;

/** Milliseconds since 1970, on the provider's clock. */
export const moment = z.number().finite();

/** Evidence that rows are newest first. */
export const orderSchema = z.object({
	/** The oldest creation so far. */
	lowest: moment.nullable(),
	/** How many rows were older than all before them. */
	steps: z.number().int(),
});
export type Order = z.infer<typeof orderSchema>;

export const noRows: Order = { lowest: null, steps: 0 };

/** The evidence after one more row; null once a row contradicts it. */
export function continueOrder(order: Order | null, stamp: number): Order | null {
	if (order === null) return null;
	const { lowest, steps } = order;
	if (lowest === null || stamp < lowest) return { lowest: stamp, steps: steps + 1 };
	return isNewer(stamp, order) ? null : order;
}

export function isProven(order: Order): boolean {
	return order.steps >= provingRows;
}

/** Rows whose times are within the margin of each other can be in any order. */
function isNewer(stamp: number, { lowest }: Order): boolean {
	return stamp > (lowest ?? Infinity) + marginMs;
}

/** What a page deeper in the list shows. */
export interface Probe {
	/** The creations of its tasks. */
	stamps: number[];
	isEmpty: boolean;
}

/**
 * Whether nothing deeper in the list is newer than what was read: checks pages at doubling depths, and
 * the last one. A list grouped by status, for example, looks newest first until its first group ends.
 *
 * @param order of all rows before `page`
 * @param lastPage the last page that can be asked for
 * @returns null if that cannot be told now
 */
export async function isOldestBelow(
	order: Order,
	page: number,
	lastPage: number,
	read: (page: number) => Promise<Probe | null>,
): Promise<boolean | null> {
	/** The deepest page known to have tasks, and the first known to have none. */
	let [deepest, empty] = [page - 1, lastPage + 1];
	for (let at = page; deepest + 1 < empty;) {
		const probe = await read(at);
		if (probe === null) return null;
		if (probe.stamps.some((stamp) => isNewer(stamp, order))) return false;
		if (probe.isEmpty) empty = at;
		else deepest = at;
		at = empty > lastPage ? Math.min(at * 2, lastPage) : Math.floor((deepest + empty) / 2);
	}
	return true;
}
