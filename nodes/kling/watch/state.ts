import { z } from 'zod/v3';
import { moment, passSchema } from './pass';

/** How a task can end; the values of the trigger's parameter `events`. */
export const taskEvents = ['succeed', 'failed'] as const;
export type TaskEvent = (typeof taskEvents)[number];

const common = {
	version: z.literal(1),
	/** A fingerprint of what is watched: another one makes the state worthless. */
	scope: z.string(),
	/** Since when each event is wanted: the activation, or the poll after it was switched on. */
	wanted: z.object({ succeed: moment.optional(), failed: moment.optional() }),
	/**
	 * Ids of tasks that had not ended, the one that was not looked at for longest first, each with how
	 * often in a row the provider did not know it.
	 */
	open: z.array(z.tuple([z.string(), z.number().int().min(0)])),
	/** Ended tasks that have been handled: see {@link SeenTasks}. */
	seen: z.record(z.string().regex(/^(\d+|Infinity)$/), z.string()),
};

const stateSchema = z.discriminatedUnion('watch', [
	z.object({
		...common,
		watch: z.literal('account'),
		settled: z.object({
			/** Tasks created before this have been handled, except the open ones; null before the first pass. */
			since: moment.nullable(),
			/** What `since` becomes once the list has been read again. */
			next: moment.nullable(),
			/** When the pass ended that found `next`. */
			nextAt: moment,
		}),
		/** The newest creation that the last pass showed; null unless the list has proved to be newest first. */
		top: moment.nullable(),
		/** A pass over the list that is not at its end yet. */
		pass: passSchema.nullable(),
	}),
	z.object({ ...common, watch: z.literal('taskIds') }),
]);

/**
 * What the trigger knows between two polls, as JSON: some hundred bytes usually. About 26 bytes for
 * each task that runs and 8 for each that ended in the last minutes; see {@link mostOpen} and
 * {@link mostSeen} for its upper size.
 */
export type WatchState = z.infer<typeof stateSchema>;
export type AccountState = Extract<WatchState, { watch: 'account' }>;
export type IdsState = Extract<WatchState, { watch: 'taskIds' }>;

/** Running tasks that are followed at most (26 bytes each). While so many run, further ones are given up. */
export const mostOpen = 3_000;
/**
 * Ended tasks that are remembered at most (8 bytes each). With more, the oldest are given up first:
 * of what ended while the workflow was off, this many of the newest are emitted.
 */
export const mostSeen = 10_000;

const nothingYet = { version: 1 as const, wanted: {}, open: [], seen: {} };
const fresh = {
	account: {
		...nothingYet,
		settled: { since: null, next: null, nextAt: 0 },
		top: null,
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
