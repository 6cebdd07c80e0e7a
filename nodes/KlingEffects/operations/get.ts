import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { describeFailure } from '../../kling/messages';
import type { Outcome } from '../../kling/failure';
import type { TaskRecord } from '../../kling/task';
import { inParallel } from '../../kling/inParallel';
import type { Problem } from '../../n8n/problems';
import { outputOf, type Result } from '../../n8n/results';
import type { Session } from '../../n8n/session';
import { readWaitOptions, waitAndFinish, type ItemTask } from './finish';

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
		description:
			'The task to get: by the ID that Create returned, or by the external task ID that you gave it. Modellix and APIModels know the first only.',
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
	const { timeoutMs, intervalMs } = readWaitOptions(context);
	const deadline = session.clock.now() + timeoutMs;
	const problems: Result[] = [];
	const itemTasks: ItemTask[] = [];
	const indices = [...context.getInputData().keys()];
	await inParallel(indices, readsAtOnce, async (itemIndex) => {
		const found = await getOne(context, session, itemIndex);
		if ('problem' in found) problems.push({ itemIndex, ok: false, problem: found.problem });
		else itemTasks.push({ itemIndex, record: found.record });
	});
	if (problems.length > 0 && !context.continueOnFail()) return outputOf(context, problems);
	const limits = { deadline, intervalMs, firstLookMs: intervalMs };
	const finished = await waitAndFinish(context, session, itemTasks, limits);
	return outputOf(context, [...problems, ...finished]);
}

type Found = { record: TaskRecord } | { problem: Problem };

async function getOne(
	context: IExecuteFunctions,
	session: Session,
	itemIndex: number,
): Promise<Found> {
	const locator = context.getNodeParameter('taskId', itemIndex, '') as unknown;
	const { mode, value } = readLocator(locator);
	if (value === '') {
		return refuse('Task ID is empty', 'Enter the ID that Create returned, or an external task ID.');
	}
	const { client, provider } = session;
	if (mode === 'id') return orProblem(await client.get(value), session, itemIndex);
	if (provider.externalId === 'none') {
		return refuse(
			`${provider.displayName} has no external task IDs`,
			'Set Task ID to By ID and enter the ID that Create returned.',
		);
	}
	return orProblem(await client.findByExternalId(value), session, itemIndex);
}

/** A locator, or a plain ID that an expression or an AI agent gave instead of one. */
function readLocator(locator: unknown): { mode: 'id' | 'externalId'; value: string } {
	const { mode, value } =
		typeof locator === 'object' && locator !== null
			? (locator as { mode?: unknown; value?: unknown })
			: { mode: 'id', value: locator };
	const text = value === null || value === undefined ? '' : String(value).trim();
	return { mode: mode === 'externalId' ? 'externalId' : 'id', value: text };
}

function orProblem(outcome: Outcome<TaskRecord>, session: Session, itemIndex: number): Found {
	if (outcome.ok) return { record: outcome.value };
	const { failure } = outcome;
	const { provider } = session;
	return { problem: { ...describeFailure(failure, { provider, itemIndex }), failure } };
}

function refuse(message: string, description: string): Found {
	return { problem: { message, description } };
}
