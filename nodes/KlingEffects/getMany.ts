import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import type { Client } from '../kling/client';
import type { Outcome } from '../kling/failure';
import {
	createdMs,
	matches,
	type TaskFilters,
	type TaskRecord,
	type TaskStatus,
} from '../kling/task';
import { asObject } from '../kling/http';
import { InputError, prefixOf } from '../kling/input';
import { momentIn } from '../kling/moment';
import { describeFailure } from '../kling/messages';
import { whoLists } from '../kling/providers/whoCan';
import { outputOf, readItems, taskItem, type Result } from '../n8n/output';
import { choicesOf, numberOf, Parameters } from '../n8n/parameters';
import type { Session } from '../n8n/session';

const show = { resource: ['video'], operation: ['list'] };

/** How many results to return, for tasks and for scenes. */
export const limitFields: INodeProperties[] = [
	{
		displayName: 'Return All',
		name: 'returnAll',
		type: 'boolean',
		default: false,
		displayOptions: { show: { operation: ['list'] } },
		description: 'Whether to return all results or only up to a given limit',
	},
	{
		displayName: 'Limit',
		name: 'limit',
		type: 'number',
		typeOptions: { minValue: 1 },
		default: 50,
		displayOptions: { show: { operation: ['list'], returnAll: [false] } },
		description: 'Max number of results to return',
	},
];

/**
 * The maximum number of results for an item; Infinity for all.
 *
 * @throws InputError
 */
export function readLimit(parameters: Parameters): number {
	if (parameters.flag('returnAll', 'Return All', false)) return Infinity;
	const limit = Math.floor(numberOf(parameters.value('limit', 'Limit') ?? 50));
	if (limit >= 1) return limit;
	throw new InputError(
		'Limit must be a number of at least 1',
		'Enter the maximum number of results to return, or turn on Return All.',
	);
}

const statusNames: Record<TaskStatus, string> = {
	failed: 'Failed',
	processing: 'Processing',
	submitted: 'Submitted',
	succeed: 'Succeeded',
};

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
				description: 'Only tasks created at or after this time',
			},
			{
				displayName: 'Created Before',
				name: 'createdBefore',
				type: 'dateTime',
				default: '',
				description: 'Only tasks created before this time',
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
				options: Object.entries(statusNames).map(([value, name]) => ({ name, value })),
				default: [],
				description: 'Only tasks with one of these statuses',
			},
		],
	},
];

interface Asked {
	itemIndex: number;
	limit: number;
	filters: TaskFilters;
	simplify: boolean;
}

function readItem(context: IExecuteFunctions, { provider }: Session, itemIndex: number): Asked {
	if (!provider.list) {
		throw new InputError(
			`${provider.displayName} has no list of tasks`,
			`Store the task IDs that Create returns, for example in a Data Table, and use Get for each. ${whoLists}`,
		);
	}
	const parameters = new Parameters(context, itemIndex);
	return {
		itemIndex,
		limit: readLimit(parameters),
		filters: readFilters(parameters.value('filters', 'Filters'), context.getTimezone()),
		simplify: parameters.flag('simplify', 'Simplify', true),
	};
}

/**
 * Reads the filters, each by its name on screen. An empty one filters nothing.
 *
 * @param timeZone of the workflow; applies to times without one
 * @throws InputError
 */
export function readFilters(given: unknown, timeZone: string): TaskFilters {
	const fields = asObject(given ?? {});
	if (!fields) {
		throw new InputError('Filters cannot be read', 'Remove the filters and add them again.');
	}
	const filters: TaskFilters = {};
	const { status, createdAfter, createdBefore, externalTaskIdPrefix: prefix } = fields;
	const statuses = choicesOf(status, 'Status', statusNames);
	if (statuses.length > 0) filters.status = statuses;
	const momentOf = (time: unknown, displayName: string) => readMoment(time, displayName, timeZone);
	if (!isEmpty(createdAfter)) filters.createdAfter = momentOf(createdAfter, 'Created After');
	if (!isEmpty(createdBefore)) filters.createdBefore = momentOf(createdBefore, 'Created Before');
	const begins = prefixOf(prefix, 'External Task ID Prefix');
	if (begins) filters.externalTaskIdPrefix = begins;
	return filters;
}

function isEmpty(given: unknown): boolean {
	const text = typeof given === 'string' ? given.trim() : given;
	return text === null || text === undefined || text === '';
}

/** Milliseconds: a day in the year 10,000. Larger numbers are in microseconds or smaller units. */
const latest = 2.54e14;

/**
 * Milliseconds since 1970, from ISO 8601 (as n8n's dates write themselves) or from seconds or
 * milliseconds since 1970.
 */
function readMoment(given: unknown, displayName: string, timeZone: string): number {
	const isText = typeof Object(given).toISO === 'function' || typeof given === 'string';
	const number = isText || typeof given === 'number' ? Number(String(given)) : NaN;
	let moment = number < 1e11 ? number * 1000 : number;
	if (Object.prototype.toString.call(given) === '[object Date]') moment = Number(given);
	else if (isText && Number.isNaN(number)) moment = momentIn(timeZone, String(given));
	// A year, or a spreadsheet's day number, would be a moment in 1970; 0 means everything.
	const isMoment = Number.isNaN(number) ? !Number.isNaN(moment) : number === 0 || number >= 1e9;
	if (!isMoment || Math.abs(moment) > latest) {
		throw new InputError(
			`${displayName} cannot be read`,
			'Enter a date and time, such as 2026-11-21T08:00:00Z.',
		);
	}
	return moment;
}

/**
 * Lists the account's tasks, newest first, one item each, for every input item.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop", at the first problem
 */
export async function executeList(
	context: IExecuteFunctions,
	session: Session,
): Promise<INodeExecutionData[]> {
	const { client, provider } = session;
	const stops = !context.continueOnFail();
	const { items, problems } = await readItems(context, (itemIndex) =>
		readItem(context, session, itemIndex),
	);
	const results: Result[] = [...problems];
	for (const { itemIndex, filters, limit, simplify } of items) {
		if (stops && results.some(({ ok }) => !ok)) break;
		const found = await collect(client, filters, limit);
		if (!found.ok) {
			const { failure } = found;
			const problem = { ...describeFailure(failure, { provider, itemIndex }), failure };
			results.push({ itemIndex, ok: false, problem });
			continue;
		}
		for (const record of found.value) {
			results.push({ itemIndex, ok: true, item: taskItem(record, { simplify, itemIndex }) });
		}
	}
	return outputOf(context, results);
}

/**
 * Reads pages until enough tasks match. The order of the list is not documented, so the results are
 * sorted here; with a limit, the newest tasks on the first pages are returned.
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
	return { ok: true, value: found.slice(0, limit) };
}
