import { createHash } from 'node:crypto';

/** Characters of a mark. */
const markLength = 8;
const minuteMs = 60_000;

/**
 * A task id in 48 bits, so that thousands of them stay small: with 10,000 marks kept, one task in
 * 28,000,000,000 is taken for one of them.
 */
function markOf(taskId: string): string {
	return createHash('sha256').update(taskId).digest('base64url').slice(0, markLength);
}

/** Ended tasks that have been handled, as marks of their ids. */
export class SeenTasks {
	/** The marks, oldest first, and until which minute of the provider's clock each is kept; Infinity for always. */
	private readonly marks = new Map<string, number>();

	constructor(stored: Record<string, string>) {
		for (const [minute, text] of Object.entries(stored)) {
			const marks = text.match(new RegExp(`.{${markLength}}`, 'g')) ?? [];
			for (const mark of marks) this.marks.set(mark, Number(minute));
		}
	}

	get size(): number {
		return this.marks.size;
	}

	/** How many are kept always. */
	get lasting(): number {
		return [...this.marks.values()].filter((minute) => minute === Infinity).length;
	}

	has(taskId: string): boolean {
		return this.marks.has(markOf(taskId));
	}

	/** @param until the moment until which it has to be kept, on the provider's clock; Infinity for always */
	add(taskId: string, until: number): void {
		this.marks.set(markOf(taskId), Math.floor(until / minuteMs));
	}

	/** Forgets what had to be kept only until before that moment. */
	forget(before: number): void {
		for (const [mark, minute] of this.marks) {
			if ((minute + 1) * minuteMs <= before) this.marks.delete(mark);
		}
	}

	/**
	 * Forgets the oldest until no more than this many are left.
	 *
	 * @returns the moment before which something was forgotten
	 */
	forgetOldest(most: number): number {
		const minutes = [...this.marks.values()].sort((a, b) => a - b);
		const before = (minutes[this.size - most - 1] + 1) * minuteMs;
		this.forget(before);
		return before;
	}

	/** Forgets those that are not among the ids, except this many of the latest. */
	forgetOthers(taskIds: readonly string[], latest: number): void {
		const wanted = new Set(taskIds.map(markOf));
		const others = [...this.marks.keys()].filter((mark) => !wanted.has(mark));
		for (const mark of others.slice(0, -latest)) this.marks.delete(mark);
	}

	/** The marks by their minutes. */
	toJSON(): Record<string, string> {
		const texts: Record<string, string> = {};
		for (const [mark, minute] of this.marks) texts[minute] = (texts[minute] ?? '') + mark;
		return texts;
	}
}
