import type {
	IExecuteData,
	IExecuteFunctions,
	IRunExecutionData,
	IWebhookFunctions,
	Workflow,
} from 'n8n-workflow';
import { randomUUID } from 'node:crypto';
import { hashOf } from '../kling/create/identity';

/** Which run of the node this is, from 0: each loop iteration is a new run. */
export function runIndexOf(context: IExecuteFunctions): number {
	return Number(context.getWorkflowDataProxy(0).$runIndex ?? 0);
}

/**
 * The address that wakes this node in this execution, with the token that n8n 2.x requires; null if n8n
 * names none.
 */
export function resumeUrlOf(context: IExecuteFunctions): string | null {
	const executionUrl = executionUrlOf(context);
	if (!executionUrl) return null;
	const url = new URL(executionUrl);
	url.pathname += `/${encodeURIComponent(context.getNode().id)}`;
	return url.href;
}

/**
 * The token by which n8n 2 identifies an execution. It is created and stored with the execution before
 * the first node runs, and an execution started by the Retry button has the same one.
 *
 * @returns null on n8n 1.123, and on n8n 2 before 2.14 (2.11 has none)
 */
export function resumeTokenOf(context: IExecuteFunctions): string | null {
	return /[?&]signature=([^&]+)/.exec(executionUrlOf(context))?.[1] ?? null;
}

function executionUrlOf(context: IExecuteFunctions): string {
	const { $execution } = context.getWorkflowDataProxy(0) as unknown as {
		$execution?: { resumeUrl?: string };
	};
	return $execution?.resumeUrl ?? '';
}

/**
 * What n8n stored about an execution when it started, as far as it can still be seen: its number, the
 * workflow, and the items that it was started with. They are the same if n8n runs the execution again. A
 * retry has another number, and maybe another workflow, but still the time of the start.
 */
function startOf(context: IExecuteFunctions, executionId: string): unknown {
	const { runExecutionData, workflow } = context as unknown as ExecutionParts;
	const { runData = {} } = runExecutionData?.resultData ?? {};
	const starts = Object.entries(runData).flatMap(([name, [first]]) =>
		first?.source.every((source) => source === null) ? [{ ...first, name }] : [],
	);
	const parent = runExecutionData?.parentExecution?.executionId ?? null;
	const runs = starts.map(({ name, data }) => [name, data?.main]);
	if (context.getMode() === 'retry' && runs.length > 0) {
		return ['retry', runs, starts.map(({ startTime }) => startTime), parent];
	}
	const nodes = Object.values(workflow?.nodes ?? {}).map(({ id, name, parameters }) => [
		...[id, name, parameters],
	]);
	// If this node is the first one, nothing has run yet.
	return [executionId, [runs.length > 0 ? runs : context.getInputData(), nodes, parent]];
}

/** How many records per node n8n keeps. */
const mostRecords = 2_000;

/**
 * Records keys in n8n's table of processed data, which outlives the execution. If two executions do so
 * within the same few milliseconds, both find nothing, as n8n offers no lock.
 *
 * @returns those that were already there; null if the table cannot be used
 */
export async function recordIn(
	context: IExecuteFunctions,
	keys: string[],
): Promise<ReadonlySet<string> | null> {
	const record = async () => {
		const { processed } = await context.helpers.checkProcessedAndRecord(keys, 'node', {
			mode: 'entries',
			maxEntries: mostRecords,
		});
		return new Set(processed.map(String));
	};
	// One reason for a rejection is that both create the table's row: then the second look finds it.
	return await record()
		.catch(record)
		.catch(() => null);
}

/** Removes keys from that table again. */
export async function forgetIn(context: IExecuteFunctions, keys: string[]): Promise<void> {
	if (keys.length === 0) return;
	const forget = async () =>
		await context.helpers.removeProcessed(keys, 'node', { mode: 'entries' });
	await forget().catch(() => undefined);
}

/**
 * Members that are public in n8n-core's contexts but missing in n8n-workflow's types: watched by
 * e2e/tests/parts.test.mjs.
 */
interface ExecutionParts {
	/** What n8n runs the node with: the top of the stack that it stores while the execution sleeps. */
	executeData?: IExecuteData;
	runExecutionData?: IRunExecutionData | null;
	workflow?: Workflow;
}

/** What n8n stores about an execution, and the sleeping node's place in it; null if n8n hides them. */
export function storedExecutionOf(
	context: IExecuteFunctions | IWebhookFunctions,
): { entry: IExecuteData; data: IRunExecutionData } | null {
	const { executeData: entry, runExecutionData: data } = context as unknown as ExecutionParts;
	return entry?.node && entry.data && data ? { entry, data } : null;
}

/**
 * Whether an AI agent runs the node as its tool. n8n makes a separate type for that, with the ending
 * “Tool”; `isToolExecution` is not enough: n8n 1.123 does not have it, and n8n 2.40's says no for tools
 * that its engine runs.
 */
export function isTool(context: IExecuteFunctions): boolean {
	return context.getNode().type.endsWith('Tool') || (context.isToolExecution?.() ?? false);
}

/**
 * Whether this is the retry of an execution that died during or after this node's run. n8n (1.123 and
 * 2.40) then reconstructs the runs of its nodes from its event log; if the node had ended in any way, n8n
 * would have stored its context too. An execution that failed before this node has no run of it.
 */
export function hasDied(context: IExecuteFunctions): boolean {
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
export function seedOf(context: IExecuteFunctions): { seed: string; isProven: boolean } {
	const token = resumeTokenOf(context);
	// Hashed, because the token opens the execution's resume address.
	if (token !== null) return { seed: hashOf(token), isProven: true };
	const executionId = context.getExecutionId();
	// A sub-workflow's execution does not wait in the queue of n8n 1.123, so it is never rerun under its
	// number. A manual one does, with OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS.
	if (!executionId || context.getMode() === 'integrated') {
		return { seed: randomUUID(), isProven: true };
	}
	const seed = hashOf([context.getInstanceId(), startOf(context, executionId)]);
	return { seed, isProven: false };
}
