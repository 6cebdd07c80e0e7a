import { createHash } from 'node:crypto';
import type {
	IDataObject,
	INode,
	INodeExecutionData,
	IPollFunctions,
	NodeApiError,
	NodeOperationError,
} from 'n8n-workflow';
import { behaviourOf, type Failure } from '../kling/failure';
import { InputError, prefixOf } from '../kling/input';
import { describeFailure } from '../kling/messages';
import type { Provider } from '../kling/providers';
import { whoLists } from '../kling/providers/whoCan';
import type { TaskRecord } from '../kling/task';
import { readTaskIds, watchIds } from '../kling/watch/ids';
import { latest } from '../kling/watch/latest';
import type { WatchFilter } from '../kling/watch/ledger';
import { watchList } from '../kling/watch/list';
import { Budget } from '../kling/watch/source';
import { mostOpen, type TaskEvent, type WatchState } from '../kling/watch/state';
import { errorOf, problemOf, taskItem, type Problem } from '../n8n/output';
import { choicesOf, Parameters } from '../n8n/parameters';
import { openSession, type Session } from '../n8n/session';
import { credentialName } from '../n8n/session';
import { PollLocks } from './pollLock';

/** Used if n8n does not name one: its durable scheduler ends a poll after 45 s. */
const usualBudgetMs = 45_000;
/** What n8n 2.41 names for polls outside its durable scheduler. */
const unscheduledBudgetMs = 300_000;
/** The key in n8n's static data. It is replaced as a whole: n8n does not notice changes inside it. */
const stateKey = 'watch';

const locks = new PollLocks();

/**
 * One poll: the tasks that have ended since the last one, in one emit, or null if there are none. In the
 * editor's test: the tasks that ended last, without changing the state.
 *
 * @throws NodeApiError if the provider refuses, or cannot be reached for several polls in a row
 * @throws NodeOperationError if the parameters or the credential cannot work
 */
export async function poll(context: IPollFunctions): Promise<INodeExecutionData[][] | null> {
	const session = await openSession(context);
	const { client, clock, provider } = session;
	const { taskIds, simplify, filter } = settingsOf(context, session);
	const itemsOf = (records: TaskRecord[]) => [records.map((each) => taskItem(each, { simplify }))];
	const node = context.getNode();
	// n8n 1.123 does not have the method.
	const namedMs = (context as Partial<IPollFunctions>).getPollBudgetMs?.();
	const budgetMs = namedMs ?? usualBudgetMs;
	const budget = new Budget(clock, budgetMs);
	if (context.getMode() === 'manual') {
		const found = await latest(client, taskIds, filter, budget);
		if (!found.ok) throw errorOfPoll(node, found.failure, provider, { goesOn: false });
		if (found.value.length === 0) throw errorOf(node, nothingYet);
		return itemsOf(found.value);
	}
	const data = context.getWorkflowStaticData('node');
	const lock = locks.claim({
		key: `${context.getWorkflow().id ?? ''}:${node.id}`,
		name: node.name,
		holder: data,
		now: clock.elapsed(),
		budgetMs,
		isScheduled: namedMs !== undefined && namedMs !== unscheduledBudgetMs,
	});
	if (!lock) return null;
	try {
		const known = lock.recall(data[stateKey], filter.scope);
		const result = taskIds
			? await watchIds(client, taskIds, known, filter, budget)
			: await watchList(client, known, filter, budget);
		// A poll that was replaced must not undo what the newer one knows.
		if (!lock.isValid) return null;
		const { failure, emitted, isFirst, state } = result;
		const problem = isFirst && taskIds && problemWith(taskIds, state, provider);
		if (problem) throw errorOf(node, problem);
		const isLong = lock.countFailure(failure !== null) && !lock.isActivation;
		// The first activation shows everything. Later, a bad minute of the network is not worth an
		// alarm, and a workflow that knows where it was can be activated without the provider.
		const isShown = failure && (isFirst || !behaviourOf(failure).passing || isLong);
		if (!failure || !isFirst) {
			data[stateKey] = state as unknown as IDataObject;
			lock.keep(state, emitted.length > 0);
		}
		if (isShown && emitted.length === 0)
			throw errorOfPoll(node, failure, provider, { goesOn: !isFirst });
		return emitted.length === 0 ? null : itemsOf(emitted);
	} finally {
		lock.release();
	}
}

/**
 * What the parameters ask for; `taskIds` is null for the whole account.
 *
 * @throws NodeOperationError
 */
function settingsOf(context: IPollFunctions, session: Session) {
	try {
		return readSettings(context, session);
	} catch (thrown) {
		throw errorOf(context.getNode(), problemOf(thrown));
	}
}

/** @throws InputError */
function readSettings(context: IPollFunctions, session: Session) {
	const { provider } = session;
	const parameters = Parameters.ofPoll(context);
	const watch = parameters.choice('watch', 'Watch', { account: 'All Tasks', taskIds: 'Task IDs' });
	const isAccount = watch === 'account';
	const events = choicesOf(parameters.value('events', 'Trigger On'), 'Trigger On', eventNames);
	if (events.length === 0) throw refusal(noEvents);
	if (isAccount && !provider.list) throw refusal(noList(provider.displayName));
	const { externalTaskIdPrefix: prefix } = parameters.collection('options', 'Options');
	const externalTaskIdPrefix = isAccount ? prefixOf(prefix, 'External Task ID Prefix') : '';
	const taskIds = isAccount ? null : readTaskIds(parameters.value('taskIds', 'Task IDs'));
	if (taskIds && taskIds.length > mostOpen) throw refusal(tooManyIds);
	const scope = scopeOf(context, session, watch, externalTaskIdPrefix);
	const filter: WatchFilter = { scope, events, externalTaskIdPrefix };
	return { taskIds, simplify: parameters.flag('simplify', 'Simplify', true), filter };
}

const refusal = ({ message, description }: Problem) => new InputError(message, description);

const eventNames: Record<TaskEvent, string> = { succeed: 'Task Succeeded', failed: 'Task Failed' };

/**
 * A fingerprint of which tasks are watched where, without revealing it. A new key in the same credential
 * keeps the state.
 */
function scopeOf(context: IPollFunctions, { account }: Session, ...watched: string[]): string {
	const { id, credentials } = context.getNode();
	const credential = credentials?.[credentialName]?.id ?? '';
	// n8n stores static data under the node's name, and a new node may get the name of a deleted one.
	const parts = [id, account.provider.name, account.baseUrl, credential, ...watched];
	return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}

const noEvents: Problem = {
	message: 'Trigger On is empty',
	description: 'Choose Task Succeeded, Task Failed, or both.',
};

const tooManyIds: Problem = {
	message: `Task IDs has more than ${mostOpen.toLocaleString('en')} IDs`,
	description: 'Remove the IDs of finished tasks.',
};

const nothingYet: Problem = {
	message: 'No finished tasks yet',
	description:
		'Create a task with the Kling Effects node and wait until it has finished, or activate the workflow: it starts when the next task finishes.',
};

/** Why the given ids are refused on activation; null if the provider knows any of them. */
function problemWith(
	taskIds: string[],
	{ missing }: WatchState,
	{ displayName }: Provider,
): Problem | null {
	const unknown = Object.keys(missing);
	if (taskIds.length === 0) return noTaskIds;
	if (unknown.length < taskIds.length) return null;
	return {
		message: `${displayName} has no task with ${unknown.length > 1 ? 'these IDs' : 'this ID'}: ${unknown.slice(0, 3).join(', ')}`,
		description:
			'Check Task IDs, and that the credential belongs to the account that created the tasks.',
	};
}

const noTaskIds: Problem = {
	message: 'Task IDs is empty',
	description:
		'Enter the ID of at least one task, as Create returns it, or set Watch to All Tasks.',
};

/** On activation n8n (1.123 and 2.40) only shows the message, so it must say what to do. */
function noList(displayName: string): Problem {
	return {
		message: `${displayName} has no list of tasks, so set Watch to Task IDs instead of All Tasks`,
		description: `Enter the IDs that Create returns, or store them and check the tasks with Schedule Trigger and Get. ${whoLists}`,
	};
}

const whatNext =
	'The trigger tries again at each poll, and no task that finishes in the meantime is missed.';

/**
 * The error for a poll with a failed request. n8n 2.41 reads from `failure` how long to leave the
 * provider alone; n8n 1.123 ignores it.
 *
 * @param goesOn whether later polls make up for this one
 */
function errorOfPoll(
	node: INode,
	failure: Failure,
	provider: Provider,
	{ goesOn }: { goesOn: boolean },
): NodeApiError | NodeOperationError {
	const { message, description } = describeFailure(failure, { provider });
	const outlook = goesOn && behaviourOf(failure).passing ? ` ${whatNext}` : '';
	const error = errorOf(node, { message, description: `${description}${outlook}`, failure });
	const cause = causeOf(failure, provider);
	const { retryAfterMs } = failure;
	const hint = cause === 'credential-invalid' || retryAfterMs === null ? {} : { retryAfterMs };
	return Object.assign(error, cause ? { failure: { cause, ...hint } } : {});
}

/** Why a poll failed, in n8n's words (n8n-workflow 2.41, errors/failure.d.ts), if the response proves it. */
function causeOf(failure: Failure, provider: Provider): string | null {
	const { kind, httpStatus, body } = failure;
	if (kind === 'tooManyRequests') return 'rate-limited';
	if (kind === 'providerDown' && httpStatus === 503) return 'temporarily-unavailable';
	// Any other format comes from something between n8n and the provider.
	if (body !== 'json') return null;
	if (kind === 'accountEmpty') return 'quota-exhausted';
	// A wrong clock makes a good key look bad.
	const isBadKey = kind === 'keyRefused' && !provider.isStaleSignature?.(failure);
	return isBadKey ? 'credential-invalid' : null;
}
