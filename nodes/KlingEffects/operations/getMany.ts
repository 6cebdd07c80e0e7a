import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { describeFailure } from '../../kling/messages';
import { matches, readFilters, type TaskFilters } from '../../kling/filters';
import { createdMs, type TaskRecord } from '../../kling/task';
import { taskItem } from '../../n8n/items';
import type { Problem } from '../../n8n/problems';
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
	const results: Result[] = [];
	for (const itemIndex of context.getInputData().keys()) {
		const listed = await listFor(context, session, itemIndex);
		results.push(...listed);
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
	const filters = readFilters(context.getNodeParameter('filters', itemIndex, {}));
	if (!filters.ok) return [refuse(itemIndex, filters.problem)];
	const limit = readLimit(context, itemIndex);
	if (limit === null) return [refuse(itemIndex, badLimit)];
	const found = await collect(session, filters.value, limit);
	if (!found.ok) {
		const { failure } = found;
		const problem = { ...describeFailure(failure, { provider, itemIndex }), failure };
		return [refuse(itemIndex, problem)];
	}
	const simplify = context.getNodeParameter('simplify', itemIndex, true) as boolean;
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
	const found: TaskRecord[] = [];
	const isFiltered = Object.keys(filters).length > 0;
	const pageSize = isFiltered ? client.largestPage : Math.min(limit, client.largestPage);
	for await (const page of client.listAll(pageSize)) {
		if (!page.ok) return page;
		found.push(...page.value.filter(({ task }) => matches(task, filters)));
		if (found.length >= limit) break;
	}
	found.sort((a, b) => createdMs(b.task) - createdMs(a.task));
	return { ok: true as const, value: found.slice(0, limit) };
}

/** At most this many results; null when the parameter holds no such number. */
export function readLimit(context: IExecuteFunctions, itemIndex: number): number | null {
	if (context.getNodeParameter('returnAll', itemIndex, false)) return Infinity;
	const limit = Number(context.getNodeParameter('limit', itemIndex, 50));
	return limit >= 1 ? Math.floor(limit) : null;
}

export const badLimit: Problem = {
	message: 'Limit must be a number from 1 up',
	description: 'Enter the largest number of results to return, or turn on Return All.',
};

function noList(displayName: string): Problem {
	return {
		message: `${displayName} has no list of tasks`,
		description:
			'Keep the task IDs that Create returns, for example in a Data Table, and use Get with each. Only Kling AI itself lists tasks.',
	};
}

function refuse(itemIndex: number, problem: Problem): Result {
	return { itemIndex, ok: false, problem };
}
