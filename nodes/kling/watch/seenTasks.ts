import { createHash } from 'node:crypto';
import { z } from 'zod/v3';

/** Characters of a mark. */
const markLength = 8;
const minuteMs = 60_000;

/**
 * A task id in 48 bits, so that thousands of them stay small: with 10,000 marks kept, one task in
 * 28,000,000,000 is mistaken for one of them.
 */
function markOf(taskId: string): string {
	return createHash('sha256').update(taskId).digest('base64url').slice(0, markLength);
}

/** Marks as they are stored. */
export const seenSchema = z.object({
	/** Those that are always kept. */
	always: z.string(),
	/**
	 * The others by minute, oldest first: each minute as its distance from the previous one (base 36, the
	 * first from 1970), a colon, and that minute's marks.
	 */
	byMinute: z.string().regex(/^([\da-z]+:[\w-]+(,|$))*$/),
});
type StoredMarks = z.infer<typeof seenSchema>;
export const noMarks: StoredMarks = { always: '', byMinute: '' };

/** Ended tasks that have been handled, as marks of their ids. */
export class SeenTasks {
	/**
	 * The marks, oldest first, and the minute on the provider's clock until which each is kept; Infinity
	 * for always.
	 */
	private readonly marks = new Map<string, number>();
	/** How many are always kept. */
	lasting = 0;

	constructor({ always, byMinute }: StoredMarks = noMarks) {
		let minute = 0;
		for (const group of byMinute.split(',')) {
			const [distance, marks] = group.split(':');
			minute += parseInt(distance, 36);
			this.load(marks ?? '', minute);
		}
		this.load(always, Infinity);
	}

	private load(text: string, minute: number): void {
		for (const mark of text.match(new RegExp(`.{${markLength}}`, 'g')) ?? [])
			this.set(mark, minute);
	}

	private set(mark: string, minute: number): void {
		this.drop(mark);
		this.marks.set(mark, minute);
		if (minute === Infinity) this.lasting++;
	}

	private drop(mark: string): void {
		if (this.marks.get(mark) === Infinity) this.lasting--;
		this.marks.delete(mark);
	}

	get size(): number {
		return this.marks.size;
	}

	has(taskId: string): boolean {
		return this.marks.has(markOf(taskId));
	}

	/** @param until until when it must be kept, on the provider's clock; Infinity for always */
	add(taskId: string, until: number): void {
		this.set(markOf(taskId), Math.floor(until / minuteMs));
	}

	/** Forgets those that only had to be kept until before that moment. */
	forget(before: number): void {
		for (const [mark, minute] of this.marks) {
			if ((minute + 1) * minuteMs <= before) this.drop(mark);
		}
	}

	/**
	 * Forgets the oldest until at most this many are left.
	 *
	 * @returns the moment before which something was forgotten
	 */
	forgetOldest(most: number): number {
		const minutes = [...this.marks.values()].sort((a, b) => a - b);
		const before = (minutes[this.size - most - 1] + 1) * minuteMs;
		this.forget(before);
		return before;
	}

	/** Forgets those not among the ids, except this many of the latest. */
	forgetOthers(taskIds: readonly string[], latest: number): void {
		const wanted = new Set(taskIds.map(markOf));
		const others = [...this.marks.keys()].filter((mark) => !wanted.has(mark));
		for (const mark of others.slice(0, -latest)) this.drop(mark);
	}

	toJSON(): StoredMarks {
		const texts = new Map<number, string>();
		for (const [mark, minute] of this.marks) texts.set(minute, (texts.get(minute) ?? '') + mark);
		const always = texts.get(Infinity) ?? '';
		texts.delete(Infinity);
		const minutes = [...texts.keys()].sort((a, b) => a - b);
		const groups = minutes.map((minute, index) => {
			const distance = minute - (minutes[index - 1] ?? 0);
			return `${distance.toString(36)}:${texts.get(minute) ?? ''}`;
		});
		return { always, byMinute: groups.join(',') };
	}
}
