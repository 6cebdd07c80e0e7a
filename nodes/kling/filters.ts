import { createdMs, type Task, type TaskStatus } from './task';

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
