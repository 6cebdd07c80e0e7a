import { z } from 'zod/v3';
import { moment } from './order';
import { passSchema } from './pass';
import { noMarks, seenSchema } from './seenTasks';

/** How a task can end; the values of the trigger's parameter `events`. */
export const taskEvents = ['succeed', 'failed'] as const;
export type TaskEvent = (typeof taskEvents)[number];

const count = z.number().int().min(0);

const common = {
	version: z.literal(2),
	/** A fingerprint of what is watched: if it changes, the state is void. */
	scope: z.string(),
	/** How many polls made it: of a node's two states, the later one has more. */
	polls: count,
	/** When the first response came; null before that. */
	activatedAt: moment.nullable(),
	/** When the last response came. */
	heardAt: moment,
	/** Since when each event is wanted: the activation, or the poll after it was switched on. */
	wanted: z.object({ succeed: moment.optional(), failed: moment.optional() }),
	/** Ids of tasks that had not ended, longest unread first. */
	open: z.array(z.string()),
	/** Those that the provider did not know: how often in a row, and since when. */
	missing: z.record(z.tuple([count, moment])),
	/** Ended tasks that have been handled. */
	seen: seenSchema,
};

const stateSchema = z.discriminatedUnion('watch', [
	z.object({
		...common,
		watch: z.literal('account'),
		settled: z.object({
			/** Tasks created before this are handled, except the open ones; null before the first pass. */
			since: moment.nullable(),
			/** What `since` becomes once the list has been reread as often as its order requires. */
			next: moment.nullable(),
			/** When the pass that found `next` ended. */
			nextAt: moment,
			/** How many passes have ended since, including that one. */
			readings: count,
			/** The page size of the last pass. */
			size: count,
		}),
		/** The newest creation that the last pass showed; null unless the list has proved to be newest first. */
		top: moment.nullable(),
		/** How many tasks besides the open ones an idle poll's first page must contain. */
		beside: count,
		/**
		 * The last list that fit on one page, proven by an empty page after it: its rows, its newest
		 * creation, and when that was.
		 */
		whole: z.object({ rows: count, top: moment.nullable(), at: moment }).nullable(),
		/** A pass over the list that has not ended yet. */
		pass: passSchema.nullable(),
	}),
	z.object({ ...common, watch: z.literal('taskIds') }),
]);

/**
 * What the trigger knows between two polls, as JSON: usually a few hundred bytes. About 21 bytes for each
 * running task and 8 to 12 for each that ended in the last minutes; {@link mostOpen} and {@link mostSeen}
 * limit its size. Times are on the provider's clock.
 */
export type WatchState = z.infer<typeof stateSchema>;
export type AccountState = Extract<WatchState, { watch: 'account' }>;
export type IdsState = Extract<WatchState, { watch: 'taskIds' }>;

/** Maximum number of running tasks followed (21 bytes each). While that many run, others are dropped. */
export const mostOpen = 3_000;
/**
 * Maximum number of ended tasks that are remembered (12 bytes each). The oldest are dropped first: of the
 * tasks that ended while the workflow was off, this many of the newest are emitted.
 */
export const mostSeen = 10_000;

const nothingYet = {
	version: 2 as const,
	polls: 0,
	activatedAt: null,
	heardAt: 0,
	wanted: {},
	open: [],
	missing: {},
	seen: noMarks,
};
const fresh = {
	account: {
		...nothingYet,
		settled: { since: null, next: null, nextAt: 0, readings: 0, size: 0 },
		top: null,
		beside: 0,
		whole: null,
		pass: null,
	},
	taskIds: nothingYet,
};

/** The stored state; a new one if there is none, or if it has another version or is about something else. */
export function readState<W extends WatchState['watch']>(
	stored: unknown,
	watch: W,
	scope: string,
): Extract<WatchState, { watch: W }> {
	const { data } = stateSchema.safeParse(stored);
	const isSame = data?.scope === scope && data.watch === watch;
	return (isSame ? data : { ...fresh[watch], watch, scope }) as Extract<WatchState, { watch: W }>;
}
