import { shownText } from './http';

/** A provider by the value that the credential's `provider` holds; `providers/index.ts` knows them all. */
export type ProviderName = string;

/**
 * The life of a task in Kling's words (Kling's effects page): submitted → processing → succeed | failed.
 * Every adapter translates its provider's words into these; a word that is not documented counts
 * as `processing`, because to call it final could lose a video that was paid for.
 */
export const taskStatuses = ['submitted', 'processing', 'succeed', 'failed'] as const;
export type TaskStatus = (typeof taskStatuses)[number];

/** Whether nothing more will happen to a task with this status. */
export function isFinal(status: TaskStatus): boolean {
	return status === 'succeed' || status === 'failed';
}

/** One task, the same for every provider and operation; its fields in the order of the output. Unknown values are null. */
export interface Task {
	/** The provider's id. A string always: Kling's exceed 2^53. */
	taskId: string;
	status: TaskStatus;
	videoUrl: string | null;
	effectScene: string | null;
	/** Why a task failed, in the provider's words, as {@link shownText} leaves them. */
	statusMessage: string | null;
	/** Seconds. */
	videoDuration: number | null;
	/** What the provider charged, in its own units. */
	unitsDeducted: number | null;
	/** ISO 8601. */
	createdAt: string | null;
	/** ISO 8601. */
	updatedAt: string | null;
	watermarkUrl: string | null;
	provider: ProviderName;
	/** The id that the workflow (or this package, to find the task again) gave the task. */
	externalTaskId: string | null;
}

/** A task with what an item does not show. */
export interface TaskRecord {
	task: Task;
	/** All videos of the task; the first one is `task.videoUrl`. */
	videoUrls: string[];
	/** The provider's own task object, untouched. */
	raw: Record<string, unknown>;
}

/** Whether something can still happen to the task. */
export function stillRuns({ record }: { record: TaskRecord }): boolean {
	return !isFinal(record.task.status);
}

/**
 * The record of a task of which only the given values are known.
 *
 * @param raw the provider's own task object
 */
export function recordOf(
	provider: ProviderName,
	{ taskId, statusMessage, ...known }: Partial<Omit<Task, 'videoUrl'>> & { taskId: string },
	raw: unknown = {},
	videoUrls: string[] = [],
): TaskRecord {
	const task: Task = {
		taskId,
		status: 'submitted',
		videoUrl: videoUrls[0] ?? null,
		effectScene: null,
		statusMessage: statusMessage ? shownText(statusMessage) : null,
		videoDuration: null,
		unitsDeducted: null,
		createdAt: null,
		updatedAt: null,
		watermarkUrl: null,
		provider,
		externalTaskId: null,
		...known,
	};
	return { task, videoUrls, raw: raw as Record<string, unknown> };
}

/** The record with what is known of its task from elsewhere, where the provider's answer leaves it out. */
export function filledIn(
	record: TaskRecord,
	{ effectScene, externalTaskId, createdAt }: Partial<Task>,
): TaskRecord {
	const { task } = record;
	return {
		...record,
		task: {
			...task,
			effectScene: task.effectScene ?? effectScene ?? null,
			externalTaskId: task.externalTaskId ?? externalTaskId ?? null,
			createdAt: task.createdAt ?? createdAt ?? null,
		},
	};
}

/**
 * A task as it was seen again, with what was known before. A gateway may answer with an id of another
 * system, which cannot be asked for here.
 */
export function seenAgain(before: Task, record: TaskRecord): TaskRecord {
	const { task, ...rest } = filledIn(record, before);
	return { ...rest, task: { ...task, taskId: before.taskId } };
}

/** Milliseconds since 1970, of the task's last change as the provider dates it; 0 when unknown. */
export function updatedMs(task: Task): number {
	return Date.parse(task.updatedAt ?? task.createdAt ?? '') || 0;
}

/** Milliseconds since 1970, of the task's creation as the provider dates it; 0 when unknown. */
export function createdMs(task: Task): number {
	return Date.parse(task.createdAt ?? '') || 0;
}

/** Which tasks of a list to keep. The provider's list has no filters of its own (Kling's effects page). */
export interface TaskFilters {
	status?: TaskStatus[];
	/** Milliseconds since 1970, inclusive. */
	createdAfter?: number;
	/** Milliseconds since 1970, exclusive. */
	createdBefore?: number;
	externalTaskIdPrefix?: string;
}

/** Whether a task passes. A task without a creation time passes no time filter. */
export function matches(task: Task, filters: TaskFilters): boolean {
	const { status, createdAfter, createdBefore, externalTaskIdPrefix } = filters;
	const created = createdMs(task);
	if (status && !status.includes(task.status)) return false;
	if (createdAfter !== undefined && !(created >= createdAfter)) return false;
	if (createdBefore !== undefined && !(created > 0 && created < createdBefore)) return false;
	return !externalTaskIdPrefix || (task.externalTaskId ?? '').startsWith(externalTaskIdPrefix);
}
