import { shownText } from './http';

/** A provider by its value in the credential's `provider`; `providers/index.ts` has them all. */
export type ProviderName = string;

/**
 * The life of a task in Kling's words (Kling's effects page): submitted → processing → succeed | failed.
 * Every adapter translates its provider's words into these; an undocumented word counts as `processing`,
 * because treating it as final could lose a video that was paid for.
 */
export const taskStatuses = ['submitted', 'processing', 'succeed', 'failed'] as const;
export type TaskStatus = (typeof taskStatuses)[number];

/** Whether nothing more will happen to a task with this status. */
export function isFinal(status: TaskStatus): boolean {
	return status === 'succeed' || status === 'failed';
}

/**
 * One task, the same for every provider and operation, with its fields in output order. Unknown values
 * are null.
 */
export interface Task {
	/** The provider's id. Always a string: Kling's exceed 2^53. */
	taskId: string;
	status: TaskStatus;
	videoUrl: string | null;
	effectScene: string | null;
	/** Why a task failed, in the provider's words, cleaned up by {@link shownText}. */
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
	/** The id given by the workflow, or by this package to find the task again. */
	externalTaskId: string | null;
}

/** A task, with what an item does not show. */
export interface TaskRecord {
	task: Task;
	/** All videos of the task; the first one is `task.videoUrl`. */
	videoUrls: string[];
	/** The provider's own task object, untouched. */
	raw: Record<string, unknown>;
}

/** Whether the task can still change. */
export function stillRuns({ record }: { record: TaskRecord }): boolean {
	return !isFinal(record.task.status);
}

/**
 * The record of a task with only the given values known.
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

/** The record, completed with what is known about its task if the provider's response leaves it out. */
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
 * A task seen again, with what was known before. A gateway may return an id from another system, which
 * cannot be requested here.
 */
export function seenAgain(before: Task, record: TaskRecord): TaskRecord {
	const { task, ...rest } = filledIn(record, before);
	return { ...rest, task: { ...task, taskId: before.taskId } };
}

/** The task's last change by the provider's date, in milliseconds since 1970; 0 if unknown. */
export function updatedMs(task: Task): number {
	return Date.parse(task.updatedAt ?? task.createdAt ?? '') || 0;
}

/** The task's creation by the provider's date, in milliseconds since 1970; 0 if unknown. */
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

/** Whether a task passes. Without a creation time it passes no time filter. */
export function matches(task: Task, filters: TaskFilters): boolean {
	const { status, createdAfter, createdBefore, externalTaskIdPrefix } = filters;
	const created = createdMs(task);
	if (status && !status.includes(task.status)) return false;
	if (createdAfter !== undefined && !(created >= createdAfter)) return false;
	if (createdBefore !== undefined && !(created > 0 && created < createdBefore)) return false;
	return !externalTaskIdPrefix || (task.externalTaskId ?? '').startsWith(externalTaskIdPrefix);
}
