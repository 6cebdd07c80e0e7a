import type {
	IExecuteData,
	IExecuteFunctions,
	IRunExecutionData,
	IWebhookDescription,
	IWebhookFunctions,
	Workflow,
} from 'n8n-workflow';

/**
 * Where callbacks wake a sleeping execution. Imported rather than written into the description,
 * because n8n's lint takes every literal `webhooks` for one that is registered with the provider;
 * this one only resumes (`restartWebhook`). The node's id ends the path: n8n (1.123 and 2.40) gives a
 * call to the node that sleeps last, so an empty ending would wake a Wait node further on.
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

/** Which run of the node this is, from 0: each round of a loop over it is a new one. */
export function runIndexOf(context: IExecuteFunctions): number {
	return Number(context.getWorkflowDataProxy(0).$runIndex ?? 0);
}

/** The address that wakes this node in this execution, with the token that n8n 2.x asks for. */
export function resumeUrlOf(context: IExecuteFunctions): string {
	const url = new URL(executionUrlOf(context));
	url.pathname += `/${encodeURIComponent(context.getNode().id)}`;
	return url.href;
}

/**
 * The token by which n8n 2.x knows an execution. It is made and stored with the execution before the
 * first node runs, and an execution that the Retry button starts has the same one.
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
 * What n8n stored of an execution when it began, as far as it can still be seen: the workflow, and
 * the items that it was started with. They are the same when n8n runs the execution again.
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
	// Where the node itself is the first one, nothing has run yet.
	const start = runs.length > 0 ? runs : context.getInputData();
	return [start, nodes, parentExecution?.executionId ?? null];
}

/** How many records of a node n8n keeps. */
const mostRecords = 2_000;

/**
 * Records keys in n8n's table of processed data, which outlives the execution. Two that do so within
 * the same milliseconds both find nothing, as n8n offers no lock.
 *
 * @returns those that were there; null where the table cannot be used
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
	// Rejected, among other reasons, when both make the table's row: then the second look finds it.
	const recorded = await Promise.resolve()
		.then(record)
		.catch(record)
		.catch(() => null);
	return recorded && new Set(recorded.processed.map(String));
}

/** Takes keys out of that table again. */
export async function forgetIn(context: IExecuteFunctions, keys: string[]): Promise<void> {
	if (keys.length === 0) return;
	await Promise.resolve()
		.then(async () => await context.helpers.removeProcessed(keys, 'node', { mode: 'entries' }))
		.catch(() => undefined);
}

/** Members that n8n-core's contexts make public and n8n-workflow's types leave out: watched by e2e/tests/parts.test.mjs. */
interface ExecutionParts {
	/** What n8n runs the node with: the head of the stack that it stores while the execution sleeps. */
	executeData?: IExecuteData;
	runExecutionData?: IRunExecutionData | null;
	workflow?: Workflow;
}

/** What n8n stores of an execution, and the sleeping node's place in it; null where n8n does not show them. */
export function storedExecutionOf(
	context: IExecuteFunctions | IWebhookFunctions,
): { entry: IExecuteData; data: IRunExecutionData } | null {
	const { executeData: entry, runExecutionData: data } = context as unknown as ExecutionParts;
	return entry?.node && entry.data && data ? { entry, data } : null;
}

const ownCallTimeoutMs = 30_000;
const probeTimeoutMs = 5_000;

/** Calls an address of this n8n. An object, so that tests can put an n8n of their own in its place. */
export const postToOwnAddress = {
	/**
	 * Not by n8n's helper: it would hold all data of the execution in memory until the deadline, and
	 * refuses n8n's own address where n8n protects itself from requests into its network.
	 *
	 * @returns the HTTP status, 0 when there was none
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
	 * Whether such a call gets through to n8n, which answers one that wakes nothing with 404 or 409. Node's
	 * `fetch` goes through no proxy, and a status of 403, 407 or 5xx is that of something in between.
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
 * Whether an AI agent runs the node as its tool. n8n makes a type of its own for that, with the
 * ending “Tool”; `isToolExecution` alone does not do: n8n 1.123 has none, and n8n 2.40's says no
 * for the tools that its engine runs.
 */
export function isTool(context: IExecuteFunctions): boolean {
	return context.getNode().type.endsWith('Tool') || (context.isToolExecution?.() ?? false);
}
