import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { inParallel } from '../kling/pace';
import { idOf, InputError } from '../kling/input';
import { describeFailure } from '../kling/messages';
import { withSupport } from '../kling/providers/whoCan';
import { Parameters } from '../n8n/parameters';
import { outputOf, readItems } from '../n8n/output';
import type { Session } from '../n8n/session';
import { readFinish, waitAndFinish, type ItemTask } from './afterTask/finish';

const readsAtOnce = 10;

export const getFields: INodeProperties[] = [
	{
		displayName: 'Task ID',
		name: 'taskId',
		type: 'resourceLocator',
		default: { mode: 'id', value: '' },
		required: true,
		modes: [
			{
				displayName: 'By ID',
				name: 'id',
				type: 'string',
				placeholder: 'e.g. 842163450012345678',
			},
			{
				displayName: 'By External ID',
				name: 'externalId',
				type: 'string',
				placeholder: 'e.g. order-4711',
			},
		],
		displayOptions: { show: { resource: ['video'], operation: ['get'] } },
		description: withSupport(
			'The task to get: by the ID that Create returned, or by the external task ID that you gave it',
			'externalTaskId',
		),
	},
];

/** What one item asks for. */
interface Asked extends Omit<ItemTask, 'record'> {
	taskId: string;
	isExternal: boolean;
}

function readItem(context: IExecuteFunctions, { provider }: Session, itemIndex: number): Asked {
	const parameters = new Parameters(context, itemIndex);
	const { mode, value } = parameters.locator('taskId', 'Task ID');
	const isExternal = mode === 'externalId';
	// No provider's ID has quotes, which JSON and spreadsheet cells put around it.
	const isText = typeof value === 'string' && !isExternal;
	const taskId = idOf(isText ? value.replace(/^\s*["'“‘]|["'”’]\s*$/g, '') : value, 'Task ID');
	if (!taskId) {
		throw new InputError(
			'Task ID is empty',
			'Enter the ID that Create returned, or an external task ID.',
		);
	}
	if (isExternal && provider.externalId === 'none') {
		throw new InputError(
			`${provider.displayName} has no external task IDs`,
			'Set Task ID to By ID and enter the ID that Create returned.',
		);
	}
	const options = parameters.collection('options', 'Options');
	const finish = readFinish(parameters, options);
	return { itemIndex, taskId, isExternal, finish };
}

/**
 * Gets the tasks of all items, then waits and downloads if requested.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop", at the first problem
 */
export async function executeGet(
	context: IExecuteFunctions,
	session: Session,
): Promise<INodeExecutionData[]> {
	const { client, clock, provider } = session;
	const { items: asked, problems } = await readItems(context, (itemIndex) =>
		readItem(context, session, itemIndex),
	);
	const refuses = () => problems.length > 0 && !context.continueOnFail();
	if (refuses() || asked.length === 0) return outputOf(context, problems);
	// One wait serves all items, so the first item's options count.
	const [{ finish: first }] = asked;
	const { timeoutMs, intervalMs } = first;
	const deadline = clock.elapsed() + timeoutMs;
	const itemTasks: ItemTask[] = [];
	await inParallel(asked, readsAtOnce, async ({ itemIndex, taskId, isExternal, finish }) => {
		const found = await (isExternal ? client.findByExternalId(taskId) : client.get(taskId));
		if (found.ok) return void itemTasks.push({ itemIndex, record: found.value, finish });
		const { failure } = found;
		const problem = { ...describeFailure(failure, { provider, itemIndex }), failure };
		problems.push({ itemIndex, ok: false, problem });
	});
	if (refuses()) return outputOf(context, problems);
	const limits = { deadline, intervalMs, firstLookMs: intervalMs };
	const finished = await waitAndFinish(context, session, itemTasks, limits);
	return outputOf(context, [...problems, ...finished]);
}
