import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { accepted, checkedBy, refused, type Checked } from '../kling/checked';
import { inParallel } from '../kling/inParallel';
import { describeFailure } from '../kling/messages';
import { withSupport } from '../kling/providers/whoCan';
import { locator, optionsOf, readParameters } from '../n8n/parameters';
import { guarded } from '../n8n/problems';
import { outputOf, type Result } from '../n8n/results';
import type { Session } from '../n8n/session';
import {
	finishOptions,
	finishParameters,
	readFinish,
	waitAndFinish,
	waitOf,
	type ItemTask,
	type WaitOptions,
} from './afterTask/finish';

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
		displayOptions: { show: { operation: ['get'] } },
		description: withSupport(
			'The task to get: by the ID that Create returned, or by the external task ID that you gave it',
			'externalTaskId',
		),
	},
];

/** All parameters of Get. */
const parameters = {
	taskId: locator.transform(checkedBy(checkTaskId)).describe('Task ID'),
	...finishParameters,
	options: optionsOf(finishOptions),
};

function checkTaskId({ mode, value }: { mode?: unknown; value: unknown }) {
	const taskId = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
	if (taskId) return accepted({ taskId, isExternal: mode === 'externalId' });
	return refused('Task ID is empty', 'Enter the ID that Create returned, or an external task ID.');
}

/** What one item asks for. */
interface Asked extends Omit<ItemTask, 'record'> {
	taskId: string;
	isExternal: boolean;
	wait: WaitOptions;
}

function readItem(
	context: IExecuteFunctions,
	{ provider }: Session,
	itemIndex: number,
): Checked<Asked> {
	const read = readParameters(context, itemIndex, parameters);
	if (!read.ok) return read;
	const { taskId, options, ...given } = read.value;
	if (taskId.isExternal && provider.externalId === 'none') {
		return refused(
			`${provider.displayName} has no external task IDs`,
			'Set Task ID to By ID and enter the ID that Create returned.',
		);
	}
	const finish = readFinish(given, options);
	if (!finish.ok) return finish;
	return accepted({ itemIndex, ...taskId, finish: finish.value, wait: waitOf(options) });
}

/**
 * Gets the tasks of all items, waits and downloads where asked.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop", at the first problem
 */
export async function executeGet(
	context: IExecuteFunctions,
	session: Session,
): Promise<INodeExecutionData[]> {
	const { client, clock, provider } = session;
	const problems: Result[] = [];
	const asked: Asked[] = [];
	for (const itemIndex of context.getInputData().keys()) {
		const read = await guarded(() => readItem(context, session, itemIndex));
		if (read.ok) asked.push(read.value);
		else problems.push({ itemIndex, ...read });
	}
	const refuses = () => problems.length > 0 && !context.continueOnFail();
	if (refuses() || asked.length === 0) return outputOf(context, problems);
	// One wait serves all items, so the first item's options count.
	const [{ wait }] = asked;
	const { timeoutMs, intervalMs } = wait;
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
