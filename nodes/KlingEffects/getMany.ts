import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { z } from 'zod/v3';
import { accepted, checkedBy, refused, type Checked } from '../kling/checked';
import type { Client } from '../kling/client';
import { success, type Outcome } from '../kling/failure';
import { matches, readFilters, type TaskFilters } from '../kling/filters';
import { describeFailure } from '../kling/messages';
import { whoLists } from '../kling/providers/whoCan';
import { createdMs, type TaskRecord } from '../kling/task';
import { taskItem } from '../n8n/items';
import { flag, readParameters, type Read } from '../n8n/parameters';
import { outputOfEach } from '../n8n/results';
import type { Session } from '../n8n/session';

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

/** What they ask for: {@link limitOf}. */
export const limitParameters = {
	returnAll: flag('Return All', false),
	limit: { onDemand: z.unknown().transform(checkedBy(checkLimit)).describe('Limit') },
};

function checkLimit(given: unknown): Checked<number> {
	const limit = Math.floor(Number(given ?? 50));
	if (limit >= 1) return accepted(limit);
	return refused(
		'Limit must be a number from 1 up',
		'Enter the largest number of results to return, or turn on Return All.',
	);
}

/** How many results an item asks for at most; Infinity for all. */
export function limitOf({ returnAll, limit }: Read<typeof limitParameters>): Checked<number> {
	return returnAll ? accepted(Infinity) : limit();
}

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

/** All parameters of Get Many. */
const parameters = {
	...limitParameters,
	filters: z.unknown().transform(checkedBy(readFilters)).describe('Filters'),
	simplify: flag('Simplify', true),
};

/**
 * Lists the account's tasks, newest first, one item each, for every input item.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop", at the first problem
 */
export async function executeList(
	context: IExecuteFunctions,
	{ client, provider }: Session,
): Promise<INodeExecutionData[]> {
	return await outputOfEach(context, async (itemIndex) => {
		if (!provider.list) {
			return refused(
				`${provider.displayName} has no list of tasks`,
				`Keep the task IDs that Create returns, for example in a Data Table, and use Get with each. ${whoLists}`,
			);
		}
		const read = readParameters(context, itemIndex, parameters);
		if (!read.ok) return read;
		const { filters, simplify } = read.value;
		const limit = limitOf(read.value);
		if (!limit.ok) return limit;
		const found = await collect(client, filters, limit.value);
		if (found.ok) {
			return accepted(found.value.map((record) => taskItem(record, { simplify, itemIndex })));
		}
		const { failure } = found;
		const problem = { ...describeFailure(failure, { provider, itemIndex }), failure };
		return { ok: false, problem };
	});
}

/**
 * Reads pages until enough tasks match. The order of the list is not documented, so what was read is
 * sorted here; with a limit, the newest of what the first pages hold are returned.
 */
async function collect(
	client: Client,
	filters: TaskFilters,
	limit: number,
): Promise<Outcome<TaskRecord[]>> {
	let found: TaskRecord[] = [];
	const isFiltered = Object.keys(filters).length > 0;
	const pageSize = isFiltered ? client.largestPage : Math.min(limit, client.largestPage);
	for await (const page of client.listAll(pageSize)) {
		if (!page.ok) return page;
		found = found.concat(page.value.filter(({ task }) => matches(task, filters)));
		if (found.length >= limit) break;
	}
	found.sort((a, b) => createdMs(b.task) - createdMs(a.task));
	return success(found.slice(0, limit));
}
