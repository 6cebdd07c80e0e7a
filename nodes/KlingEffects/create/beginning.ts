import { randomUUID } from 'node:crypto';
import type { IExecuteFunctions } from 'n8n-workflow';
import { hashOf } from '../../kling/create/identity';
import type { ExternalIdSupport } from '../../kling/providers/provider';
import { isTool, recordIn, resumeTokenOf, runIndexOf, startOf } from '../../n8n/execution';

/** What is known about an execution when its Create first runs. */
export interface Beginning {
	/** What makes the ids of this execution unique. */
	seed: string;
	/** Whether a task under an id of this execution may be older than the execution appears to be. */
	ownsOlder: boolean;
	/**
	 * Set when an execution that died with its process is run again or retried: each create may have been
	 * sent. `maySend`: it can safely be sent again to this account, which accepts its id only once.
	 * `mayBeEdited`: a person retries it, maybe with other parameters.
	 */
	died?: { trace: ExternalIdSupport; maySend?: boolean; mayBeEdited?: boolean; account?: string };
}

/** @param isOthers whether the context belongs to another node, which ran to its end */
export function beginningOf(context: IExecuteFunctions, isOthers = false): Beginning {
	const died = !isOthers && hasDied(context);
	const { seed, isProven } = seedOf(context);
	if (!died) return { seed, ownsOlder: isProven };
	// Without a token, the node's ids differ from the earlier ones.
	const trace = resumeTokenOf(context) === null ? 'none' : 'unverified';
	return { seed, ownsOlder: isProven, died: { trace, mayBeEdited: true } };
}

/**
 * Records an execution and its account where the record survives a crash, once each time it starts or its
 * context is loaded again (`loads`), as after a wait or by a retry. If there is already a record, n8n has
 * started the execution again: older tasks under its ids are its own, and each create may have been sent.
 * A task that is not found at the account it may have been sent to was not created.
 */
export async function recordBeginning(
	context: IExecuteFunctions,
	beginning: Beginning,
	{ account, canLookUp, loads }: { account: string; canLookUp: boolean; loads: number },
): Promise<void> {
	const execution = hashOf([beginning.seed, context.getNode().name, loads]);
	const atAccount = hashOf([execution, account]);
	const known = await recordIn(context, [execution, atAccount]);
	if (!known?.has(execution)) return;
	beginning.ownsOlder = true;
	const isSameAccount = known.has(atAccount);
	if (beginning.died?.trace === 'none') return;
	const trace = isSameAccount ? 'lookup' : 'unverified';
	// A retry by a person may have been edited; what n8n runs again is unchanged.
	const mayBeEdited = beginning.died?.mayBeEdited ?? context.getMode() === 'retry';
	const maySend = !mayBeEdited && isSameAccount && canLookUp;
	beginning.died = { mayBeEdited, trace, maySend, account };
}

/**
 * Whether this is the retry of an execution that died during or after this node's run. n8n (1.123 and
 * 2.40) then reconstructs the runs of its nodes from its event log; if the node had ended in any way, n8n
 * would have stored its context too. An execution that failed before this node has no run of it.
 */
function hasDied(context: IExecuteFunctions): boolean {
	if (context.getMode() !== 'retry') return false;
	const { $ } = context.getWorkflowDataProxy(0) as {
		$: (name: string) => { isExecuted: boolean };
	};
	return $(context.getNode().name).isExecuted;
}

/** The run in which each tool call was first tried, by the object with its arguments. */
const firstRuns = new WeakMap<object, number>();

/**
 * The node's run, and whether it is an agent's tool. When an agent runs its tools itself, n8n (1.123 and
 * 2.40) gives each try of Retry On Fail its own run; retries of one call share the same arguments object,
 * and different calls never do.
 */
export function runOf(context: IExecuteFunctions): { run: number; isTool: boolean } {
	const run = runIndexOf(context);
	if (!isTool(context)) return { run, isTool: false };
	const call: unknown = context.getInputData()[0]?.json;
	if (typeof call !== 'object' || call === null) return { run, isTool: true };
	const first = firstRuns.get(call) ?? run;
	firstRuns.set(call, first);
	return { run: first, isTool: true };
}

/**
 * What makes the ids of an execution unique. It stays the same when the execution is run again because
 * its process died, and differs in an execution that only has the same number, after a backup was
 * restored or the database was moved.
 *
 * @returns `isProven`: no other execution can have the same
 */
function seedOf(context: IExecuteFunctions): { seed: string; isProven: boolean } {
	const token = resumeTokenOf(context);
	// Hashed, because the token opens the execution's resume address.
	if (token !== null) return { seed: hashOf(token), isProven: true };
	const executionId = context.getExecutionId();
	// A sub-workflow's execution does not wait in the queue of n8n 1.123, so it is never rerun under its
	// number. A manual one does, with OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS.
	if (!executionId || context.getMode() === 'integrated') {
		return { seed: randomUUID(), isProven: true };
	}
	const seed = hashOf([context.getInstanceId(), executionId, startOf(context)]);
	return { seed, isProven: false };
}
