import { Container } from '@n8n/di';
import { tmpdir } from 'node:os';
import * as core from 'n8n-core';
import {
	createRunExecutionData,
	NodeHelpers,
	Workflow,
	type ICredentialDataDecryptedObject,
	type IExecuteData,
	type IHttpRequestOptions,
	type INode,
	type INodeExecutionData,
	type INodeType,
	type INodeTypes,
	type IRun,
	type IRunExecutionData,
	type IWorkflowExecuteAdditionalData,
	type WorkflowExecuteMode,
} from 'n8n-workflow';
import { KlingEffectsApi } from '../credentials/KlingEffectsApi.credentials';
import { KlingEffects } from '../nodes/KlingEffects/KlingEffects.node';

/** Runs the node in n8n's real execution engine, with n8n's real helpers. Only the database is left out. */

/** What n8n needs in the description of a stand-in node, apart from its name. */
export const bareDescription = {
	group: ['transform'],
	version: 1,
	description: '',
	defaults: {},
	inputs: ['main'],
	outputs: ['main'],
	properties: [],
};

export const nodeName = 'Kling Effects';
const sinkName = 'After';
const errorSinkName = 'After Error';

/** Passes its items on, so that what reaches an output can be seen. */
class Sink implements INodeType {
	description = {
		displayName: 'Sink',
		name: 'sink',
		group: ['transform' as const],
		version: 1,
		description: '',
		defaults: {},
		inputs: ['main' as const],
		outputs: ['main' as const],
		properties: [],
	};

	async execute(this: { getInputData(): INodeExecutionData[] }) {
		return [this.getInputData()];
	}
}

const types: Record<string, INodeType> = {
	klingEffects: new KlingEffects(),
	sink: new Sink() as unknown as INodeType,
};

export const nodeTypes: INodeTypes = {
	getByName: (name) => types[name],
	getByNameAndVersion: (name) => NodeHelpers.getVersionedNodeType(types[name]),
	getKnownTypes: () => ({}),
};

export type BinaryMode = 'default' | 'filesystem';
let initialised: BinaryMode | undefined;

/** Chooses n8n's binary data mode: in memory as base64, or as files. */
export async function useBinaryMode(mode: BinaryMode): Promise<void> {
	if (initialised === mode) return;
	const config = Container.get(core.BinaryDataConfig);
	Object.assign(config, {
		mode,
		availableModes: [mode],
		localStoragePath: `${tmpdir()}/kling-effects-binary`,
	});
	await Container.get(core.BinaryDataService).init();
	initialised = mode;
}

export interface RunOptions {
	parameters: Record<string, unknown>;
	credential: Record<string, unknown>;
	items?: INodeExecutionData[];
	/** How often the node runs on the items within the execution, as in a loop. */
	rounds?: number;
	/** The workflow's: it applies to times without a zone. */
	timezone?: string;
	/** The node's settings: onError, retryOnFail, maxTries. */
	settings?: Partial<INode>;
	/** A new one if none is given: the same one again means an execution that n8n runs again. */
	executionId?: string;
	mode?: WorkflowExecuteMode;
	/** Carries on with an earlier run's data, as n8n's Retry button does. */
	retryOf?: RunResult;
	/** Called when the run can be cancelled. */
	onStarted?: (cancel: () => void) => void;
	workflowId?: string;
	/** The values of `$vars`. */
	vars?: Record<string, string>;
	/** The node's name, if a workflow has two of them. */
	name?: string;
	/** The token that n8n 2 stores with the execution; n8n 1 stores none. */
	resumeToken?: string | null;
	/** Stands in for the Kling Effects node: the same one, with a clock of its own. */
	nodeType?: INodeType;
}

export interface RunResult {
	run: IRun;
	/** What left the node's success output. */
	items: INodeExecutionData[];
	/** What left the node's error output. */
	errorItems: INodeExecutionData[];
	json: Array<Record<string, unknown>>;
	/** What ended the run, or undefined if it succeeded. */
	error: { message: string; description?: string | null; httpCode?: string } | undefined;
	/** The execution's custom data. */
	customData: Record<string, string>;
}

let executions = 1_000;

/** Runs one Kling Effects node on the items. */
export async function runNode(options: RunOptions): Promise<RunResult> {
	if (initialised === undefined) await useBinaryMode('default');
	const node: INode = {
		id: 'node-1',
		name: options.name ?? nodeName,
		type: 'klingEffects',
		typeVersion: 1,
		position: [0, 0],
		parameters: options.parameters as INode['parameters'],
		credentials: { klingEffectsApi: { id: '1', name: 'Kling' } },
		...options.settings,
	};
	const workflow = workflowOf(node, options);
	const items = options.items ?? [{ json: {} }];
	const executionId = options.executionId ?? String(++executions);
	const token = options.resumeToken === undefined ? `token-of-${executionId}` : options.resumeToken;
	const data = options.retryOf
		? retryData(options.retryOf.run.data, node)
		: createRunExecutionData({
				executionData: {
					nodeExecutionStack: Array.from({ length: options.rounds ?? 1 }, () => ({
						node,
						data: { main: [items] },
						source: null,
					})),
				},
				// Stored with the execution, so that a rerun has the same.
				resumeToken: token ?? '',
			});
	// n8n 2's n8n-core creates one if there is none.
	if (token === null) delete (data as { resumeToken?: string }).resumeToken;
	const mode = options.mode ?? 'trigger';
	const { credential, vars } = options;
	const additionalData = additionalDataOf(credential, executionId, workflow, mode, vars);
	const execute = new core.WorkflowExecute(additionalData, mode, data);
	await workflow.expression.acquireIsolate?.();
	const running = execute.processRunExecutionData(workflow);
	options.onStarted?.(() => running.cancel());
	const run = (await running) as IRun;
	return resultOf(run);
}

/** What n8n's Retry button starts with: the stored stack, without the failed node's run. */
function retryData(before: IRunExecutionData, node: INode): IRunExecutionData {
	const data = structuredClone(before);
	const [failed] = data.executionData?.nodeExecutionStack ?? [];
	const stack: IExecuteData[] = [{ ...(failed as IExecuteData), node }];
	data.executionData!.nodeExecutionStack = stack;
	data.resultData.runData[node.name]?.pop();
	delete data.resultData.error;
	delete data.resultData.lastNodeExecuted;
	return data;
}

function workflowOf(node: INode, { workflowId, nodeType, timezone }: RunOptions): Workflow {
	const found = (name: string) => (name === 'klingEffects' && nodeType) || types[name];
	const sink = (name: string): INode => ({
		id: name,
		name,
		type: 'sink',
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
	});
	const to = (name: string) => [{ node: name, type: 'main' as const, index: 0 }];
	return new Workflow({
		id: workflowId ?? 'workflow-1',
		name: 'test',
		nodes: [node, sink(sinkName), sink(errorSinkName)],
		connections: { [node.name]: { main: [to(sinkName), to(errorSinkName)] } },
		nodeTypes: {
			...nodeTypes,
			getByName: found,
			getByNameAndVersion: (name) => NodeHelpers.getVersionedNodeType(found(name)),
		},
		active: false,
		settings: { executionOrder: 'v1', ...(timezone ? { timezone } : {}) },
	});
}

export function additionalDataOf(
	credential: Record<string, unknown>,
	executionId: string,
	workflow: Workflow,
	mode: WorkflowExecuteMode,
	variables: Record<string, string> = {},
): IWorkflowExecuteAdditionalData {
	const type = new KlingEffectsApi();
	const hooks = new core.ExecutionLifecycleHooks(mode, executionId, {
		id: workflow.id,
		name: 'test',
		nodes: Object.values(workflow.nodes),
		connections: workflow.connectionsBySourceNode,
		active: false,
		createdAt: new Date(),
		updatedAt: new Date(),
		isArchived: false,
		activeVersionId: null,
	} as unknown as ConstructorParameters<typeof core.ExecutionLifecycleHooks>[2]);
	return {
		executionId,
		hooks,
		instanceBaseUrl: 'http://localhost:5678/',
		restApiUrl: '',
		webhookWaitingBaseUrl: 'http://localhost:5678/webhook-waiting',
		formWaitingBaseUrl: 'http://localhost:5678/form-waiting',
		variables,
		credentialsHelper: {
			getParentTypes: () => [],
			isCredentialUsableByNode: () => true,
			getDecrypted: async () => structuredClone(credential),
			preAuthentication: async () => undefined,
			runPreAuthentication: async () => undefined,
			authenticate: async (
				data: ICredentialDataDecryptedObject,
				_type: string,
				request: IHttpRequestOptions,
			) =>
				await (
					type.authenticate as (
						data: ICredentialDataDecryptedObject,
						request: IHttpRequestOptions,
					) => Promise<IHttpRequestOptions>
				)(data, request),
			getCredentialsProperties: () => [],
			updateCredentials: async () => undefined,
		},
		setExecutionStatus: () => undefined,
		sendDataToUI: () => undefined,
		logAiEvent: () => undefined,
	} as unknown as IWorkflowExecuteAdditionalData;
}

function resultOf(run: IRun): RunResult {
	const { resultData } = run.data;
	const output = (name: string) =>
		resultData.runData[name]?.flatMap((task) => task.data?.main?.[0] ?? []) ?? [];
	const items = output(sinkName);
	return {
		run,
		items,
		errorItems: output(errorSinkName),
		json: items.map(({ json }) => json),
		error: resultData.error as RunResult['error'],
		customData: resultData.metadata ?? {},
	};
}
