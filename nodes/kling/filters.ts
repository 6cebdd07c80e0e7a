import { z } from 'zod/v3';
import { accepted, checkedBy, parsed, refused, type Checked } from './checked';
import { asObject } from './http';
import { createdMs, taskStatusSchema, type Task, type TaskStatus } from './task';

/** Which tasks of a list to keep. The provider's list has no filters of its own (Kling's effects page). */
export interface TaskFilters {
	status?: TaskStatus[];
	/** Milliseconds since 1970, inclusive. */
	createdAfter?: number;
	/** Milliseconds since 1970, exclusive. */
	createdBefore?: number;
	externalTaskIdPrefix?: string;
}

/** ISO 8601, as n8n's dates write themselves too, or seconds or milliseconds since 1970. */
const momentSchema = z
	.union([z.number(), z.string(), z.date(), z.object({ toISO: z.function() }).passthrough()])
	.transform((given) => {
		const text = given instanceof Date ? given.toISOString() : String(given);
		const number = Number(text);
		if (Number.isNaN(number)) return Date.parse(text);
		return number < 1e11 ? number * 1000 : number;
	})
	.pipe(z.number());

const enterTime = 'Enter a date and time, such as 2026-11-21T08:00:00Z.';

const filtersSchema = z.object({
	status: filter(
		'Status',
		'Choose from submitted, processing, succeed and failed.',
		z.array(taskStatusSchema),
	),
	createdAfter: filter('Created After', enterTime, momentSchema),
	createdBefore: filter('Created Before', enterTime, momentSchema),
	externalTaskIdPrefix: filter(
		'External Task ID Prefix',
		'Enter the text that the IDs begin with.',
		z.string(),
	),
});

/** A filter that is left empty filters nothing. */
function filter<T>(name: string, advice: string, schema: z.ZodType<T, z.ZodTypeDef, unknown>) {
	return z.unknown().transform(
		checkedBy((given): Checked<T | undefined> => {
			if (given === null || given === undefined || String(given) === '') return accepted(undefined);
			const { success, data } = schema.safeParse(given);
			return success ? accepted(data) : refused(`${name} cannot be read`, advice);
		}),
	);
}

/** Reads the node's filters. */
export function readFilters(given: unknown): Checked<TaskFilters> {
	const fields = asObject(given ?? {});
	if (!fields) {
		return refused('Filters cannot be read', 'Remove the filters and add them anew.');
	}
	const filters = parsed(filtersSchema, fields);
	if (!filters.ok) return filters;
	const kept = Object.entries(filters.value).filter(([, value]) => value !== undefined);
	return accepted(Object.fromEntries(kept));
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
