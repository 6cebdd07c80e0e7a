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
	/** A fingerprint of what is watched: another one makes the state worthless. */
	scope: z.string(),
	/** How many polls made it: of two states of a node, the later one has more. */
	polls: count,
	/** When the first response came; null before it, when nothing is known. */
	activatedAt: moment.nullable(),
	/** When the last response came. */
	heardAt: moment,
	/** Since when each event is wanted: the activation, or the poll after it was switched on. */
	wanted: z.object({ succeed: moment.optional(), failed: moment.optional() }),
	/** Ids of tasks that had not ended, the one that was not looked at for longest first. */
	open: z.array(z.string()),
	/** Those of them that the provider did not know: how often in a row, and since when. */
	missing: z.record(z.tuple([count, moment])),
	/** Ended tasks that have been handled. */
	seen: seenSchema,
};

const stateSchema = z.discriminatedUnion('watch', [
	z.object({
		...common,
		watch: z.literal('account'),
		settled: z.object({
			/** Tasks created before this have been handled, except the open ones; null before the first pass. */
			since: moment.nullable(),
			/** What `since` becomes once the list has been read again, as often as its order demands. */
			next: moment.nullable(),
			/** When the pass ended that found `next`. */
			nextAt: moment,
			/** How many passes have been at their end since, with that one. */
			readings: count,
			/** The size of the last pass's pages. */
			size: count,
		}),
		/** The newest creation that the last pass showed; null unless the list has proved to be newest first. */
		top: moment.nullable(),
		/** How many tasks the first page of an idle poll has to hold beside the open ones. */
		beside: count,
		/** The last list that stood on one page, as an empty one after it has proved: its rows, its newest creation, and when that was. */
		whole: z.object({ rows: count, top: moment.nullable(), at: moment }).nullable(),
		/** A pass over the list that is not at its end yet. */
		pass: passSchema.nullable(),
	}),
	z.object({ ...common, watch: z.literal('taskIds') }),
]);

/**
 * What the trigger knows between two polls, as JSON: some hundred bytes usually. About 21 bytes for
 * each task that runs and 8 to 12 for each that ended in the last minutes; see {@link mostOpen} and
 * {@link mostSeen} for its upper size. Times are on the provider's clock.
 */
export type WatchState = z.infer<typeof stateSchema>;
export type AccountState = Extract<WatchState, { watch: 'account' }>;
export type IdsState = Extract<WatchState, { watch: 'taskIds' }>;

/** Running tasks that are followed at most (21 bytes each). While so many run, further ones are given up. */
export const mostOpen = 3_000;
/**
 * Ended tasks that are remembered at most (12 bytes each). With more, the oldest are given up first:
 * of what ended while the workflow was off, this many of the newest are emitted.
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

/** The stored state; a new one when there is none, or it is of another version or of something else that was watched. */
export function readState<W extends WatchState['watch']>(
	stored: unknown,
	watch: W,
	scope: string,
): Extract<WatchState, { watch: W }> {
	const { data } = stateSchema.safeParse(stored);
	const isSame = data?.scope === scope && data.watch === watch;
	return (isSame ? data : { ...fresh[watch], watch, scope }) as Extract<WatchState, { watch: W }>;
}
