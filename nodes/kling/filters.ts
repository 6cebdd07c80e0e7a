import { z } from 'zod';
import type { Message } from './messages';
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

const emptyAsAbsent = (value: unknown) =>
	value === '' || value === null || (Array.isArray(value) && value.length === 0)
		? undefined
		: value;

/** ISO 8601, or seconds or milliseconds since 1970. */
const momentSchema = z
	.union([z.number(), z.string(), z.date(), z.object({ toISO: z.function() }).passthrough()])
	.transform((moment, context) => {
		const text = typeof moment === 'object' && 'toISO' in moment ? String(moment) : moment;
		const number = Number(text);
		const time =
			typeof text === 'object' || Number.isNaN(number)
				? new Date(text).getTime()
				: number < 1e11
					? number * 1000
					: number;
		if (!Number.isNaN(time)) return time;
		context.addIssue({ code: 'custom', message: 'not a time' });
		return z.NEVER;
	});

const filtersSchema = z.object({
	status: z.preprocess(emptyAsAbsent, z.array(taskStatusSchema).optional()),
	createdAfter: z.preprocess(emptyAsAbsent, momentSchema.optional()),
	createdBefore: z.preprocess(emptyAsAbsent, momentSchema.optional()),
	externalTaskIdPrefix: z.preprocess(emptyAsAbsent, z.string().optional()),
});

const names: Record<string, [name: string, advice: string]> = {
	status: ['Status', 'Choose from submitted, processing, succeed and failed.'],
	createdAfter: ['Created After', 'Enter a date and time, such as 2026-11-21T08:00:00Z.'],
	createdBefore: ['Created Before', 'Enter a date and time, such as 2026-11-21T08:00:00Z.'],
	externalTaskIdPrefix: ['External Task ID Prefix', 'Enter the text that the IDs begin with.'],
};

/** Reads the node's filters; a filter that is left empty filters nothing. */
export function readFilters(
	given: unknown,
): { ok: true; value: TaskFilters } | { ok: false; problem: Message } {
	const parsed = filtersSchema.safeParse(given ?? {});
	if (parsed.success) {
		const kept = Object.entries(parsed.data).filter(([, value]) => value !== undefined);
		return { ok: true, value: Object.fromEntries(kept) };
	}
	const [name, advice] = names[String(parsed.error.issues[0]?.path[0])] ?? [
		'Filters',
		'Remove the filters and add them anew.',
	];
	return { ok: false, problem: { message: `${name} cannot be read`, description: advice } };
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
