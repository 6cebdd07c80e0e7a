import { whoLists } from '../kling/providers/support';
import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';
import { behaviourOf, type Outcome } from '../kling/failure';
import { readAccount } from '../kling/account';
import type { TaskRecord } from '../kling/task';
import {
	Budget,
	latestOfAccount,
	latestOfIds,
	mostTaskIds,
	readState,
	readTaskIds,
	scopeOf,
	taskEvents,
	watchAccount,
	watchIds,
	type PollResult,
	type WatchState,
	type WatchTerms,
} from '../kling/watch';
import { taskItem } from '../n8n/items';
import { errorOf, type Problem } from '../n8n/problems';
import { openSession, type Session } from '../n8n/session';
import { credentialName } from '../n8n/transport';
import { apiErrorOf } from './apiError';
import { PollLocks, type PollLock } from './pollLock';

/** Milliseconds for a poll where n8n does not say: its durable scheduler ends one after 45 s. */
const usualBudgetMs = 45_000;
/**
 * A passing failure of provider or network is shown once it has spoiled more than this many polls in a
 * row, or has lasted this many milliseconds: with one poll a day, five polls would be five days.
 */
const mostQuietPolls = 5;
const longestQuietMs = 900_000;
/** The key of n8n's static data. It is replaced as a whole: n8n does not notice changes inside. */
const stateKey = 'watch';

const locks = new PollLocks();

/** What the parameters ask for. */
interface Settings {
	watch: 'account' | 'taskIds';
	taskIds: string[];
	simplify: boolean;
	terms: WatchTerms;
}

/**
 * One poll: the tasks that have ended since the last one, in one emit, or null when there are none.
 * In the editor's test: the tasks that ended last, without a change to what is known.
 *
 * @throws NodeApiError when the provider refuses, or cannot be asked for several polls in a row
 * @throws NodeOperationError when the parameters or the credential cannot work
 */
export async function poll(context: IPollFunctions): Promise<INodeExecutionData[][] | null> {
	const session = await openSession(context);
	const settings = await readSettings(context, session);
	const { clock } = session;
	const budget = new Budget(clock, budgetMsOf(context));
	if (context.getMode() === 'manual') return await showLatest(context, session, settings, budget);
	const data = context.getWorkflowStaticData('node');
	const lock = locks.acquire(keyOf(context), data, clock.now(), budgetMsOf(context));
	if (!lock) return null;
	try {
		const { emitted, state } = await pollOnce(context, session, settings, budget, lock, data);
		// A poll that was replaced must not undo what the newer one knows.
		if (!lock.isValid) return null;
		data[stateKey] = state as unknown as IDataObject;
		return emitted.length === 0 ? null : [itemsOf(emitted, settings)];
	} finally {
		lock.release();
	}
}

/** @throws what {@link poll} throws, unless another poll took the place of this one */
async function pollOnce(
	context: IPollFunctions,
	session: Session,
	{ watch, taskIds, terms }: Settings,
	budget: Budget,
	lock: PollLock,
	data: IDataObject,
): Promise<PollResult<WatchState>> {
	const stored = data[stateKey];
	if (watch === 'account') {
		const state = readState(stored, watch, terms.scope);
		const result = await watchAccount(session.client, state, terms, budget);
		judge(context, session, result, state === null, lock);
		return result;
	}
	const state = readState(stored, watch, terms.scope);
	const result = await watchIds(session.client, taskIds, state, terms, budget);
	if (state === null && lock.isValid) refuseUnknown(context, taskIds, result.unknown);
	judge(context, session, result, state === null, lock);
	return result;
}

/** Decides whether a failure is shown. What the poll has found is emitted either way. */
function judge(
	context: IPollFunctions,
	{ provider }: Session,
	{ failure, emitted }: PollResult<WatchState>,
	isFirst: boolean,
	lock: PollLock,
): void {
	if (!lock.isValid) return;
	if (!failure) return lock.noteSuccess();
	const { polls, forMs } = lock.noteFailure();
	const isLong = polls > mostQuietPolls || forMs >= longestQuietMs;
	// At activation everything is shown; later, a bad minute of the network is not worth an alarm.
	const isShown = isFirst || !behaviourOf(failure).passing || isLong;
	if (isShown && emitted.length === 0)
		throw apiErrorOf(context.getNode(), failure, provider, { goesOn: !isFirst });
}

async function showLatest(
	context: IPollFunctions,
	{ client, provider }: Session,
	settings: Settings,
	budget: Budget,
): Promise<INodeExecutionData[][]> {
	const found: Outcome<TaskRecord[]> =
		settings.watch === 'account'
			? await latestOfAccount(client, settings.terms, budget)
			: await latestOfIds(client, settings.taskIds, settings.terms, budget);
	if (!found.ok) throw apiErrorOf(context.getNode(), found.failure, provider, { goesOn: false });
	if (found.value.length === 0) throw errorOf(context.getNode(), nothingYet);
	return [itemsOf(found.value, settings)];
}

function itemsOf(records: TaskRecord[], { simplify }: Settings): INodeExecutionData[] {
	return records.map((record) => taskItem(record, { simplify }));
}

async function readSettings(context: IPollFunctions, { provider }: Session): Promise<Settings> {
	const refuse = (problem: Problem) => errorOf(context.getNode(), problem);
	const watch = context.getNodeParameter('watch', 'account') as Settings['watch'];
	const wanted = context.getNodeParameter('events', []) as string[];
	const events = taskEvents.filter((event) => wanted.includes(event));
	if (events.length === 0) throw refuse(noEvents);
	if (watch === 'account' && !provider.list) throw refuse(noList(provider.displayName));
	const options = context.getNodeParameter('options', {}) as { externalTaskIdPrefix?: unknown };
	const prefix = watch === 'account' ? String(options.externalTaskIdPrefix ?? '') : '';
	const taskIds = watch === 'taskIds' ? readTaskIds(context.getNodeParameter('taskIds', '')) : [];
	if (taskIds.length > mostTaskIds) throw refuse(tooManyIds);
	return {
		watch,
		taskIds,
		simplify: context.getNodeParameter('simplify', true) as boolean,
		terms: {
			scope: await scopeIn(context, watch, prefix),
			events,
			...(prefix ? { externalTaskIdPrefix: prefix } : {}),
		},
	};
}

/** Which tasks are watched where. A new key in the same credential goes on with what is known. */
async function scopeIn(context: IPollFunctions, watch: string, prefix: string): Promise<string> {
	const account = readAccount(await context.getCredentials(credentialName));
	const { provider, baseUrl } = account.ok
		? { provider: account.value.provider.name, baseUrl: account.value.baseUrl }
		: { provider: '', baseUrl: '' };
	const { id, credentials } = context.getNode();
	const credential = credentials?.[credentialName]?.id ?? '';
	// n8n keeps static data by the node's name, and a new node may get the name of a deleted one.
	return scopeOf(id, provider, baseUrl, credential, watch, prefix);
}

function keyOf(context: IPollFunctions): string {
	return `${context.getWorkflow().id ?? ''}:${context.getNode().id}`;
}

/** n8n 1.123 does not have the method. */
function budgetMsOf(context: IPollFunctions): number {
	const { getPollBudgetMs } = context as Partial<IPollFunctions>;
	return getPollBudgetMs?.call(context) ?? usualBudgetMs;
}

/** @throws NodeOperationError when at activation not one of the ids is known: then they are another account's */
function refuseUnknown(context: IPollFunctions, taskIds: string[], unknown: string[]): void {
	if (taskIds.length === 0) throw errorOf(context.getNode(), noTaskIds);
	if (unknown.length < taskIds.length) return;
	throw errorOf(context.getNode(), unknownIds(unknown));
}

const noEvents: Problem = {
	message: 'Trigger On is empty',
	description: 'Choose Task Succeeded, Task Failed, or both.',
};

const noTaskIds: Problem = {
	message: 'Task IDs is empty',
	description:
		'Enter the ID of at least one task, as Create returns it, or set Watch to All Tasks.',
};

const tooManyIds: Problem = {
	message: `Task IDs has more than ${mostTaskIds.toLocaleString('en')} IDs`,
	description: 'Remove the IDs of tasks that have ended.',
};

const nothingYet: Problem = {
	message: 'There is no ended task to show yet',
	description:
		'Create a task with the Kling Effects node and wait until it has ended, or activate the workflow: it starts with the next task that ends.',
};

function unknownIds(unknown: string[]): Problem {
	return {
		message: `The provider knows no task with ${unknown.length > 1 ? 'these IDs' : 'this ID'}: ${unknown.slice(0, 3).join(', ')}`,
		description:
			'Check Task IDs, and that the credential belongs to the account that created the tasks.',
	};
}

/** On activation n8n (1.123 and 2.40) shows the message alone, so it has to say what to do. */
function noList(displayName: string): Problem {
	return {
		message: `${displayName} has no list of tasks, so set Watch to Task IDs instead of the whole account`,
		description: `Enter the IDs that Create returns, or keep them and look at the tasks with Schedule Trigger and Get. ${whoLists}`,
	};
}
