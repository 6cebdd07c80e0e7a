import { withSupport } from '../../kling/providers/support';
import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { accepted, refused, type Checked } from '../../kling/checked';
import { describeFailure } from '../../kling/messages';
import { inParallel } from '../../kling/inParallel';
import { locator, optionsOf, readParameters } from '../../n8n/parameters';
import { guarded } from '../../n8n/problems';
import { outputOf, type Result } from '../../n8n/results';
import type { Session } from '../../n8n/session';
import {
	finishParameters,
	readFinish,
	waitAndFinish,
	waitOf,
	finishOptions,
	type Finish,
	type ItemTask,
	type WaitOptions,
} from './finish';

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

/**
 * Gets the tasks of all items, waits and downloads where asked.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop", at the first problem
 */
export async function executeGet(
	context: IExecuteFunctions,
	session: Session,
): Promise<INodeExecutionData[]> {
	const problems: Result[] = [];
	const asked: Asked[] = [];
	for (const itemIndex of context.getInputData().keys()) {
		const read = await guarded(() => readItem(context, session, itemIndex));
		if (read.ok) asked.push(read.value);
		else problems.push({ itemIndex, ok: false, problem: read.problem });
	}
	const refuses = () => problems.length > 0 && !context.continueOnFail();
	if (refuses() || asked.length === 0) return outputOf(context, problems);
	const itemTasks: ItemTask[] = [];
	// One wait serves all items, so the first item's options count.
	const [{ wait }] = asked;
	const deadline = session.clock.elapsed() + wait.timeoutMs;
	await inParallel(asked, readsAtOnce, async ({ itemIndex, taskId, mode, finish }) => {
		const { client, provider } = session;
		const outcome = await (mode === 'id' ? client.get(taskId) : client.findByExternalId(taskId));
		if (outcome.ok) return void itemTasks.push({ itemIndex, record: outcome.value, finish });
		const { failure } = outcome;
		const problem = { ...describeFailure(failure, { provider, itemIndex }), failure };
		problems.push({ itemIndex, ok: false, problem });
	});
	if (refuses()) return outputOf(context, problems);
	const limits = { deadline, intervalMs: wait.intervalMs, firstLookMs: wait.intervalMs };
	const finished = await waitAndFinish(context, session, itemTasks, limits);
	return outputOf(context, [...problems, ...finished]);
}

/** What one item asks for. */
interface Asked {
	itemIndex: number;
	mode: 'id' | 'externalId';
	taskId: string;
	finish: Finish;
	wait: WaitOptions;
}

const parameters = {
	taskId: locator.describe('Task ID'),
	...finishParameters,
	options: optionsOf(finishOptions),
};

function readItem(
	context: IExecuteFunctions,
	{ provider }: Session,
	itemIndex: number,
): Checked<Asked> {
	const read = readParameters(context, itemIndex, parameters);
	if (!read.ok) return read;
	const { mode: chosen, value } = read.value.taskId;
	const mode = chosen === 'externalId' ? 'externalId' : 'id';
	const taskId = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
	if (taskId === '') {
		return refused(
			'Task ID is empty',
			'Enter the ID that Create returned, or an external task ID.',
		);
	}
	if (mode === 'externalId' && provider.externalId === 'none') {
		return refused(
			`${provider.displayName} has no external task IDs`,
			'Set Task ID to By ID and enter the ID that Create returned.',
		);
	}
	const finish = readFinish(read.value, read.value.options);
	if (!finish.ok) return finish;
	const wait = waitOf(read.value.options);
	return accepted({ itemIndex, mode, taskId, finish: finish.value, wait });
}
