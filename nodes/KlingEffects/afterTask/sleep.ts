import { randomUUID } from 'node:crypto';
import {
	NodeHelpers,
	type IDataObject,
	type IExecuteFunctions,
	type INode,
	type INodeExecutionData,
	type IRunExecutionData,
} from 'n8n-workflow';
import { isPrivateAddress } from '../../kling/hosts';
import { hashOf } from '../../kling/create/identity';
import { stillRuns } from '../../kling/task';
import { runIndexOf, storedExecutionOf } from '../../n8n/execution';
import {
	itemOf,
	outputOf,
	taskItem,
	type ItemProblem,
	type Paid,
	type Result,
	addHint,
} from '../../n8n/output';
import type { Session } from '../../n8n/session';
import type { ItemTask } from './finish';
import { lastResortMs, postToOwnAddress, SelfCalls, type WakeAddress } from './selfCalls';

/**
 * What a wait by callback needs. All of it is decided before the execution sleeps: no parameter is
 * evaluated afterwards.
 */
export interface Wait extends WakeAddress {
	/** Which run of the node sleeps: each loop iteration is a new run. */
	runIndex: number;
	/** A fingerprint of the parameters as entered: a retry may have different ones. */
	entered: string;
	intervalMs: number;
	itemTasks: ItemTask[];
	/** The problems of items without a task. */
	problems: ItemProblem[];
	paid: Paid;
	/** Whether this execution may continue: see `isFirstToWake` in wake.ts. */
	isClaimed?: boolean;
}

/**
 * The node's context: n8n (1.123 and 2.40) stores it with the sleeping execution and passes it to
 * `webhook`, to the woken node, and to an execution started by the Retry button.
 */
const contextKey = 'klingEffectsWait';

/** The wait that this run of the node slept through; null if it did not sleep. */
export function sleptWait(context: IExecuteFunctions): Wait | null {
	const wait = context.getContext('node')[contextKey] as unknown as Wait | undefined;
	if (!wait || wait.runIndex !== runIndexOf(context)) return null;
	const isEdited = context.getMode() === 'retry' && wait.entered !== fingerprintOf(context);
	return isEdited ? null : wait;
}

function fingerprintOf(context: IExecuteFunctions): string {
	return hashOf(context.getNode().parameters);
}

/** The wait of a node in an execution as n8n stored it. */
export function storedWait(data: IRunExecutionData, node: INode): Wait | null {
	const wait = NodeHelpers.getContext(data, 'node', node)[contextKey] as unknown;
	return (wait as Wait | undefined) ?? null;
}

/** Whether n8n has what it takes to sleep, and stores the context that the node sees with the execution. */
export function canFallAsleep(context: IExecuteFunctions, data: IRunExecutionData): boolean {
	const stored = NodeHelpers.getContext(data, 'node', context.getNode());
	return stored === context.getContext('node') && typeof context.putExecutionToWait === 'function';
}

/** By then n8n has certainly stored a sleeping execution as waiting. */
const storedWithinMs = 15_000;

/**
 * Puts the execution to sleep until callbacks have come for all tasks, or until the deadline. When it is
 * woken, n8n runs the node again, which finds the wait in its context and continues in `wake.ts`.
 *
 * @returns no items: n8n would only show them while the execution sleeps, and would retry the node at
 *   once if the first one were a problem; null if n8n does not let it sleep, and nothing has changed
 */
export async function sleepUntilCallbacks(
	context: IExecuteFunctions,
	{ clock }: Session,
	asleep: Omit<Wait, 'runIndex' | 'token' | 'entered'>,
): Promise<INodeExecutionData[] | null> {
	const stored = storedExecutionOf(context);
	if (!stored) return null;
	const { entry, data } = stored;
	const own = {
		runIndex: runIndexOf(context),
		entered: fingerprintOf(context),
		token: randomUUID(),
	};
	const wait: Wait = { ...asleep, ...own };
	const memory = context.getContext('node');
	memory[contextKey] = wait as unknown as IDataObject;
	const input = entry.data;
	// What n8n passes on if the execution is never woken. The input items themselves stay unchanged.
	entry.data = { ...input, main: [lastKnownItems(context, wait)] };
	const { resumeUrl, deadline, token } = wait;
	const doubt = await doubtAbout(resumeUrl);
	if (doubt) {
		const until = `so “${context.getNode().name}” may sleep until its Timeout`;
		addHint(
			context,
			'warning',
			`${doubt[0]}, ${until}. ${doubt[1]}, or set Wait Using to Polling.`,
		);
	}
	try {
		await context.putExecutionToWait(new Date(deadline + lastResortMs));
	} catch {
		delete memory[contextKey];
		delete data.waitTill;
		entry.data = input;
		return null;
	}
	const storedBy = clock.now() + storedWithinMs;
	void new SelfCalls({ resumeUrl, deadline, token }, clock, storedBy).callSoon();
	return [];
}

/** Why an address may fail to wake an execution, and what to do; null if nothing suggests that. */
async function doubtAbout(resumeUrl: string): Promise<[why: string, advice: string] | null> {
	const { host, origin } = new URL(resumeUrl);
	if (isPrivateAddress(resumeUrl)) {
		return [
			`The provider cannot call ${host} from the internet`,
			'Set N8N_WEBHOOK_URL (WEBHOOK_URL in older versions) in the environment of n8n to its public address',
		];
	}
	if (await postToOwnAddress.isReached(resumeUrl)) return null;
	return [
		`n8n does not reach its own address ${origin}`,
		'Let the machine that runs n8n reach it without a proxy, correct N8N_WEBHOOK_URL (WEBHOOK_URL in older versions)',
	];
}

/**
 * The items of a wait that never ended: the states from before sleeping. An item with a problem is not
 * paired: n8n 2.40 would look for the input of an item on its way to the error output.
 */
function lastKnownItems(context: IExecuteFunctions, wait: Wait): INodeExecutionData[] {
	const tasks = wait.itemTasks.map((one): Result => {
		const { itemIndex, record, finish } = one;
		const timedOut = finish.wait && stillRuns(one);
		const item = taskItem(record, { simplify: finish.simplify, timedOut, itemIndex });
		return { itemIndex, ok: true, item };
	});
	const problems = wait.problems.map(({ itemIndex, problem }): Result => {
		const { json } = itemOf(context.getNode(), problem, itemIndex);
		return { itemIndex, ok: true, item: { json } };
	});
	return outputOf(context, [...tasks, ...problems]);
}
