import { whoLists } from '../../kling/providers/support';
import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { z } from 'zod';
import { accepted, refused, type Checked } from '../../kling/checked';
import { describeFailure } from '../../kling/messages';
import { matches, readFilters, type TaskFilters } from '../../kling/filters';
import { createdMs, type TaskRecord } from '../../kling/task';
import { taskItem } from '../../n8n/items';
import { flag, readParameters } from '../../n8n/parameters';
import { guarded, type Problem } from '../../n8n/problems';
import { outputOf, type Result } from '../../n8n/results';
import type { Session } from '../../n8n/session';

const show = { operation: ['list'] };

/** How many results to return, of tasks and of scenes. */
export const limitFields: INodeProperties[] = [
	{
		displayName: 'Return All',
		name: 'returnAll',
		type: 'boolean',
		default: false,
		displayOptions: { show: { operation: ['list', 'listScenes'] } },
		description: 'Whether to return all results or only up to a given limit',
	},
	{
		displayName: 'Limit',
		name: 'limit',
		type: 'number',
		typeOptions: { minValue: 1 },
		default: 50,
		displayOptions: { show: { operation: ['list', 'listScenes'], returnAll: [false] } },
		description: 'Max number of results to return',
	},
];

export const listFields: INodeProperties[] = [
	{
		displayName: 'Filters',
		name: 'filters',
		type: 'collection',
		placeholder: 'Add filter',
		default: {},
		displayOptions: { show },
		options: [
			{
				displayName: 'Created After',
				name: 'createdAfter',
				type: 'dateTime',
				default: '',
				description: 'Only tasks that were created at or after this time',
			},
			{
				displayName: 'Created Before',
				name: 'createdBefore',
				type: 'dateTime',
				default: '',
				description: 'Only tasks that were created before this time',
			},
			{
				displayName: 'External Task ID Prefix',
				name: 'externalTaskIdPrefix',
				type: 'string',
				default: '',
				placeholder: 'e.g. order-',
				description: 'Only tasks whose external task ID begins with this text',
			},
			{
				displayName: 'Status',
				name: 'status',
				type: 'multiOptions',
				options: [
					{ name: 'Failed', value: 'failed' },
					{ name: 'Processing', value: 'processing' },
					{ name: 'Submitted', value: 'submitted' },
					{ name: 'Succeeded', value: 'succeed' },
				],
				default: [],
				description: 'Only tasks with one of these statuses',
			},
		],
	},
];

/**
 * Lists the account's tasks, newest first, one item each, for every input item.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop", at the first problem
 */
export async function executeList(
	context: IExecuteFunctions,
	session: Session,
): Promise<INodeExecutionData[]> {
	let results: Result[] = [];
	for (const itemIndex of context.getInputData().keys()) {
		const listed = await listFor(context, session, itemIndex);
		results = results.concat(listed);
		if (listed.some(({ ok }) => !ok) && !context.continueOnFail()) break;
	}
	return outputOf(context, results);
}

async function listFor(
	context: IExecuteFunctions,
	session: Session,
	itemIndex: number,
): Promise<Result[]> {
	const { provider } = session;
	if (!provider.list) return [refuse(itemIndex, noList(provider.displayName))];
	const read = await guarded(() => readItem(context, itemIndex));
	if (!read.ok) return [refuse(itemIndex, read.problem)];
	const { filters, limit, simplify } = read.value;
	const found = await collect(session, filters, limit);
	if (!found.ok) {
		const { failure } = found;
		const problem = { ...describeFailure(failure, { provider, itemIndex }), failure };
		return [refuse(itemIndex, problem)];
	}
	return found.value.map((record) => ({
		itemIndex,
		ok: true,
		item: taskItem(record, { simplify, itemIndex }),
	}));
}

/**
 * Reads pages until enough tasks match. The order of the list is not documented, so what was read is
 * sorted here; with a limit, the newest of what the first pages hold are returned.
 */
async function collect({ client }: Session, filters: TaskFilters, limit: number) {
	let found: TaskRecord[] = [];
	const isFiltered = Object.keys(filters).length > 0;
	const pageSize = isFiltered ? client.largestPage : Math.min(limit, client.largestPage);
	for await (const page of client.listAll(pageSize)) {
		if (!page.ok) return page;
		found = found.concat(page.value.filter(({ task }) => matches(task, filters)));
		if (found.length >= limit) break;
	}
	found.sort((a, b) => createdMs(b.task) - createdMs(a.task));
	return { ok: true as const, value: found.slice(0, limit) };
}

const parameters = { filters: z.unknown(), simplify: flag('Simplify', true) };

function readItem(
	context: IExecuteFunctions,
	itemIndex: number,
): Checked<{ filters: TaskFilters; limit: number; simplify: boolean }> {
	const read = readParameters(context, itemIndex, parameters);
	if (!read.ok) return read;
	const filters = readFilters(read.value.filters ?? {});
	if (!filters.ok) return filters;
	const limit = readLimit(context, itemIndex);
	if (!limit.ok) return limit;
	const { simplify } = read.value;
	return accepted({ filters: filters.value, limit: limit.value, simplify });
}

/** How many results an item asks for at most; Infinity for all. */
export function readLimit(context: IExecuteFunctions, itemIndex: number): Checked<number> {
	const all = readParameters(context, itemIndex, { returnAll: flag('Return All', false) });
	if (!all.ok) return all;
	if (all.value.returnAll) return accepted(Infinity);
	const given = readParameters(context, itemIndex, { limit: z.unknown().describe('Limit') });
	if (!given.ok) return given;
	const limit = Math.floor(Number(given.value.limit ?? 50));
	if (limit >= 1) return accepted(limit);
	return refused(
		'Limit must be a number from 1 up',
		'Enter the largest number of results to return, or turn on Return All.',
	);
}

function noList(displayName: string): Problem {
	return {
		message: `${displayName} has no list of tasks`,
		description: `Keep the task IDs that Create returns, for example in a Data Table, and use Get with each. ${whoLists}`,
	};
}

function refuse(itemIndex: number, problem: Problem): Result {
	return { itemIndex, ok: false, problem };
}
