import { z } from 'zod/v3';
import { createdMs, type TaskRecord } from '../task';
import { continueOrder, isProven, moment, noRows, orderSchema } from './order';

const count = z.number().int().min(1);

/** One pass over the list, page by page, possibly over several polls. */
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
	order: orderSchema.nullable(),
	/** See {@link AccountState.beside}. */
	beside: z.number().int().min(0),
	/**
	 * The rows of its first page if there were fewer than requested: all there are, or all that the
	 * provider gives per page.
	 */
	cutAt: count.nullable(),
	/** Whether its next page failed in the last poll. */
	isStuck: z.boolean(),
});
export type ListPass = z.infer<typeof passSchema>;

export function beginPass(size: number): ListPass {
	return {
		page: 1,
		size,
		startedAt: 0,
		top: null,
		order: noRows,
		beside: 0,
		cutAt: null,
		isStuck: false,
	};
}

/** The creation times of tasks that have one. */
export function stampsOf(records: readonly TaskRecord[]): number[] {
	return records.map(({ task }) => createdMs(task)).filter((stamp) => stamp > 0);
}

/** The pass after one more page. */
export function continuePass(
	pass: ListPass,
	records: readonly TaskRecord[],
	{ now, beside }: { now: number; beside: number },
): ListPass {
	const stamps = stampsOf(records);
	return {
		...pass,
		page: pass.page + 1,
		startedAt: pass.page === 1 ? now : pass.startedAt,
		top: stamps.reduce<number | null>((top, stamp) => Math.max(top ?? stamp, stamp), pass.top),
		order: stamps.reduce(continueOrder, pass.order),
		beside: pass.beside + beside,
	};
}

/** After this many identical pages in a row, all pages are taken to be the same. */
const mostAlike = 4;

/** Detects a provider that returns the same page for every page number: its list has no end. */
export class AlikePages {
	private tasks = '';
	private count = 0;

	add(records: readonly TaskRecord[]): void {
		const tasks = records.map(({ task }) => task.taskId).join();
		this.count = tasks === this.tasks ? this.count + 1 : 1;
		this.tasks = tasks;
	}

	get areAll(): boolean {
		return this.count >= mostAlike;
	}
}

/**
 * Whether the list starts with the newest creation seen by an earlier pass that proved the order, or with
 * later ones.
 */
export function isAsBefore(pass: ListPass, top: number | null): boolean {
	return pass.order !== null && top !== null && pass.top !== null && pass.top >= top;
}

/** Whether the rows read so far are newest first. */
export function isNewestFirst(pass: ListPass, top: number | null): boolean {
	return isAsBefore(pass, top) || (pass.order !== null && isProven(pass.order));
}
