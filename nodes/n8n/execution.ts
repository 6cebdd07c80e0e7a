import type {
	IExecuteData,
	IExecuteFunctions,
	IRunExecutionData,
	IWebhookDescription,
	IWebhookFunctions,
	Workflow,
} from 'n8n-workflow';

/**
 * Where callbacks wake a sleeping execution. Imported rather than written into the description, because
 * n8n's lint assumes that every literal `webhooks` is registered with the provider; this one only resumes
 * (`restartWebhook`). The path ends with the node's id: n8n (1.123 and 2.40) passes a call to the node
 * that fell asleep last, so without it a Wait node further down would be woken.
 */
export const resumeWebhooks: IWebhookDescription[] = [
	{
		name: 'default',
		httpMethod: 'POST',
		responseMode: 'onReceived',
		path: '={{$nodeId}}',
		restartWebhook: true,
	},
];

/** Which run of the node this is, from 0: each loop iteration is a new run. */
export function runIndexOf(context: IExecuteFunctions): number {
	return Number(context.getWorkflowDataProxy(0).$runIndex ?? 0);
}

/** The address that wakes this node in this execution, with the token that n8n 2.x requires. */
export function resumeUrlOf(context: IExecuteFunctions): string {
	const url = new URL(executionUrlOf(context));
	url.pathname += `/${encodeURIComponent(context.getNode().id)}`;
	return url.href;
}

/**
 * The token by which n8n 2.x identifies an execution. It is created and stored with the execution before
 * the first node runs, and an execution started by the Retry button has the same one.
 *
 * @returns null on n8n 1.123
 */
export function resumeTokenOf(context: IExecuteFunctions): string | null {
	return /[?&]signature=([^&]+)/.exec(executionUrlOf(context))?.[1] ?? null;
}

function executionUrlOf(context: IExecuteFunctions): string {
	const { $execution } = context.getWorkflowDataProxy(0) as unknown as {
		$execution: { resumeUrl: string };
	};
	return $execution.resumeUrl;
}

/**
 * What n8n stored about an execution when it started, as far as it can still be seen: the workflow, and
 * the items that it was started with. They are the same if n8n runs the execution again.
 */
export function startOf(context: IExecuteFunctions): unknown {
	const { runExecutionData, workflow } = context as unknown as ExecutionParts;
	const { runData = {} } = runExecutionData?.resultData ?? {};
	const runs = Object.entries(runData).flatMap(([name, [first]]) =>
		first?.source.every((source) => source === null) ? [[name, first.data?.main]] : [],
	);
	const nodes = Object.values(workflow?.nodes ?? {}).map(({ id, name, parameters }) => [
		...[id, name, parameters],
	]);
	const { parentExecution } = runExecutionData ?? {};
	// If this node is the first one, nothing has run yet.
	const start = runs.length > 0 ? runs : context.getInputData();
	return [start, nodes, parentExecution?.executionId ?? null];
}

/** How many records per node n8n keeps. */
const mostRecords = 1_000;

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
	const record = async () =>
		await context.helpers.checkProcessedAndRecord(keys, 'node', {
			mode: 'entries',
			maxEntries: mostRecords,
		});
	// One reason for a rejection is that both create the table's row: then the second look finds it.
	const recorded = await Promise.resolve()
		.then(record)
		.catch(record)
		.catch(() => null);
	return recorded && new Set(recorded.processed.map(String));
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

const ownCallTimeoutMs = 30_000;
const probeTimeoutMs = 5_000;

/** Calls an address of this n8n. An object, so that tests can replace it with their own n8n. */
export const postToOwnAddress = {
	/**
	 * Not with n8n's helper: it would keep all of the execution's data in memory until the deadline, and
	 * refuses n8n's own address if n8n protects its network.
	 *
	 * @returns the HTTP status, 0 if there was none
	 */
	async post(url: string, body: string, headers: Record<string, string>): Promise<number> {
		return await fetch(url, {
			method: 'POST',
			body,
			headers: { 'content-type': 'application/json', ...headers },
			signal: AbortSignal.timeout(ownCallTimeoutMs),
		}).then(
			async (response) => {
				await response.body?.cancel();
				return response.status;
			},
			() => 0,
		);
	},

	/**
	 * Whether such a call reaches n8n, which answers 404 or 409 if it wakes nothing. Node's `fetch` uses
	 * no proxy, and a status of 403, 407 or 5xx comes from something in between.
	 */
	async isReached(url: string): Promise<boolean> {
		const status = await fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) }).then(
			async (response) => {
				await response.body?.cancel();
				return response.status;
			},
			() => 0,
		);
		return status > 0 && status < 500 && status !== 403 && status !== 407;
	},
};

/**
 * Whether an AI agent runs the node as its tool. n8n makes a separate type for that, with the ending
 * “Tool”; `isToolExecution` is not enough: n8n 1.123 does not have it, and n8n 2.40's says no for tools
 * that its engine runs.
 */
export function isTool(context: IExecuteFunctions): boolean {
	return context.getNode().type.endsWith('Tool') || (context.isToolExecution?.() ?? false);
}
