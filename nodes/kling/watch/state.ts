import { createHash } from 'node:crypto';
import { z } from 'zod';

/** How a task can end; the values of the trigger's parameter `events`. */
export const taskEvents = ['succeed', 'failed'] as const;
export type TaskEvent = (typeof taskEvents)[number];

const moment = z.number().finite();
const count = z.number().int().min(1);

/** A reading of the list that is not at its end yet: a poll's time was over, and the next goes on. */
const passSchema = z.object({
	/** The page to read next. */
	page: count,
	/** When the first page was asked for, on n8n's clock. */
	startedAt: moment,
	/** The newest creation seen in it, on the provider's clock. */
	top: moment.nullable(),
	/** The last task read, when everything so far was newest first by that stamp; null otherwise. */
	lastCreated: moment.nullable(),
	lastUpdated: moment.nullable(),
});
export type Pass = z.infer<typeof passSchema>;

const stateSchema = z.object({
	version: z.literal(1),
	/** A fingerprint of what is watched: another one makes the state worthless. */
	scope: z.string(),
	/** The events that were wanted when it was written. */
	events: z.array(z.enum(taskEvents)),
	/** Whether the first reading is still going on: ends that it meets are the past. */
	isFirst: z.boolean(),
	/** Ids of tasks that had not ended, the one that was not looked at for longest first. */
	open: z.array(z.string()),
	/** How often in a row the provider did not know an open task. */
	missing: z.record(z.string(), count),
	/** Ended tasks that are dealt with, as {@link markOf} writes them, by minute of the provider's clock. */
	done: z.record(z.string().regex(/^\d+$/), z.string()),
	/** Ids given at the first activation that were not looked at yet. */
	past: z.array(z.string()),
	/** Creations before this are settled, but for the open tasks; null while that is not known. */
	since: moment.nullable(),
	/** What `since` becomes when the list was read once more. */
	next: moment.nullable(),
	/** Changes before this, on the provider's clock, were to be seen; null while that is not known. */
	seenUntil: moment.nullable(),
	/** What `seenUntil` becomes when the list was read once more. */
	nextSeenUntil: moment.nullable(),
	/** The newest creation that was ever listed, on the provider's clock. */
	newest: moment.nullable(),
	/** When it was listed first, on n8n's clock, moved along where that clock has leapt since. */
	newestAt: moment,
	/** When the list was read last, on n8n's clock; null before the first reading. */
	readAt: moment.nullable(),
	/** The newest creation that the last whole reading showed. */
	top: moment.nullable(),
	pass: passSchema.nullable(),
});

/**
 * What the trigger knows between two polls, as JSON. All times are milliseconds since 1970. Some
 * hundred bytes usually: about 22 for each task that runs and 8 for each task that ended in the
 * minutes before the newest creation.
 */
export type WatchState = z.infer<typeof stateSchema>;

/** The state of a watch that begins. */
export function freshState(scope: string, events: readonly TaskEvent[]): WatchState {
	return {
		version: 1,
		scope,
		events: [...events],
		isFirst: true,
		open: [],
		missing: {},
		done: {},
		past: [],
		since: null,
		next: null,
		seenUntil: null,
		nextSeenUntil: null,
		newest: null,
		newestAt: 0,
		readAt: null,
		top: null,
		pass: null,
	};
}

/** The stored state, or null when it is none, of another version, or of something else that was watched. */
export function readState(stored: unknown, scope: string): WatchState | null {
	const parsed = stateSchema.safeParse(stored);
	return parsed.success && parsed.data.scope === scope ? parsed.data : null;
}

/** A fingerprint of what is watched. The parts may be long; none may be a secret. */
export function scopeOf(...parts: string[]): string {
	return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}

/** Characters of a mark. */
const markLength = 8;

/**
 * A task id in 48 bits, so that thousands of them stay small: with 10,000 marks kept, one task in
 * 28,000,000,000 is taken for one of them.
 */
function markOf(taskId: string): string {
	return createHash('sha256').update(taskId).digest('base64url').slice(0, markLength);
}

const minuteMs = 60_000;

/** Ended tasks that are dealt with. */
export class Done {
	private readonly minutes = new Map<number, string[]>();
	private readonly marks = new Set<string>();

	constructor(stored: WatchState['done']) {
		for (const [minute, text] of Object.entries(stored)) {
			const marks = text.match(new RegExp(`.{${markLength}}`, 'g')) ?? [];
			this.minutes.set(Number(minute), marks);
			for (const mark of marks) this.marks.add(mark);
		}
	}

	has(taskId: string): boolean {
		return this.marks.has(markOf(taskId));
	}

	/** @param until the moment until which it has to be kept, on the provider's clock; 0 for always */
	add(taskId: string, until: number): void {
		const mark = markOf(taskId);
		if (this.marks.has(mark)) return;
		this.marks.add(mark);
		const minute = Math.floor(until / minuteMs);
		const marks = this.minutes.get(minute);
		if (marks) marks.push(mark);
		else this.minutes.set(minute, [mark]);
	}

	/** Forgets what had to be kept until before that moment. */
	forget(before: number): void {
		for (const minute of [...this.minutes.keys()]) {
			if (minute === 0 || (minute + 1) * minuteMs > before) continue;
			for (const mark of this.minutes.get(minute) ?? []) this.marks.delete(mark);
			this.minutes.delete(minute);
		}
	}

	/** Of those kept for always, forgets the ones that are not among the ids, but for the latest so many. */
	forgetOthers(taskIds: readonly string[], latest: number): void {
		const wanted = new Set(taskIds.map(markOf));
		const marks = this.minutes.get(0) ?? [];
		const others = marks.filter((mark) => !wanted.has(mark));
		const dropped = new Set(others.slice(0, Math.max(0, others.length - latest)));
		for (const mark of dropped) this.marks.delete(mark);
		const kept = marks.filter((mark) => !dropped.has(mark));
		if (kept.length > 0) this.minutes.set(0, kept);
		else this.minutes.delete(0);
	}

	toJSON(): WatchState['done'] {
		const entries = [...this.minutes].map(([minute, marks]) => [String(minute), marks.join('')]);
		return Object.fromEntries(entries) as WatchState['done'];
	}
}
