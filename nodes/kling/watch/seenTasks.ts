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

/**
 * Ended tasks that have been handled: marks of their ids, by the minute of the provider's clock until
 * which they have to be kept, and under 0 those that are kept forever.
 */
export class SeenTasks {
	private readonly minutes = new Map<number, string[]>();
	private readonly marks = new Set<string>();

	constructor(stored: Record<string, string>) {
		for (const [minute, text] of Object.entries(stored)) {
			const marks = text.match(new RegExp(`.{${markLength}}`, 'g')) ?? [];
			this.minutes.set(Number(minute), marks);
			for (const mark of marks) this.marks.add(mark);
		}
	}

	get size(): number {
		return this.marks.size;
	}

	/** How many are kept forever. */
	get lasting(): number {
		return this.minutes.get(0)?.length ?? 0;
	}

	has(taskId: string): boolean {
		return this.marks.has(markOf(taskId));
	}

	/** @param until the moment until which it has to be kept, on the provider's clock; 0 for forever */
	add(taskId: string, until: number): void {
		const mark = markOf(taskId);
		if (this.marks.has(mark)) return;
		this.marks.add(mark);
		const minute = Math.floor(until / minuteMs);
		const marks = this.minutes.get(minute);
		if (marks) marks.push(mark);
		else this.minutes.set(minute, [mark]);
	}

	/** Forgets what had to be kept only until before that moment. */
	forget(before: number): void {
		for (const minute of [...this.minutes.keys()]) {
			if (minute !== 0 && (minute + 1) * minuteMs <= before) this.drop(minute);
		}
	}

	/**
	 * Forgets the oldest until no more than this many are left.
	 *
	 * @returns the moment before which something was forgotten
	 */
	forgetOldest(most: number): number {
		const dated = [...this.minutes.keys()].filter((minute) => minute !== 0).sort((a, b) => a - b);
		let before = 0;
		for (const minute of dated) {
			if (this.size <= most) break;
			this.drop(minute);
			before = (minute + 1) * minuteMs;
		}
		return before;
	}

	/** Of those kept forever, forgets the ones that are not among the ids, except this many of the latest. */
	forgetOthers(taskIds: readonly string[], latest: number): void {
		const wanted = new Set(taskIds.map(markOf));
		const marks = this.minutes.get(0) ?? [];
		const others = marks.filter((mark) => !wanted.has(mark));
		const dropped = new Set(others.slice(0, Math.max(0, others.length - latest)));
		this.drop(0);
		const kept = marks.filter((mark) => !dropped.has(mark));
		for (const mark of kept) this.marks.add(mark);
		if (kept.length > 0) this.minutes.set(0, kept);
	}

	toJSON(): Record<string, string> {
		const entries = [...this.minutes].map(([minute, marks]) => [String(minute), marks.join('')]);
		return Object.fromEntries(entries) as Record<string, string>;
	}

	private drop(minute: number): void {
		for (const mark of this.minutes.get(minute) ?? []) this.marks.delete(mark);
		this.minutes.delete(minute);
	}
}
