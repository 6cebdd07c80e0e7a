import './environment';
import { Container } from '@n8n/di';
import * as core from 'n8n-core';
import {
	createRunExecutionData,
	NodeHelpers,
	Workflow,
	type IConnections,
	type INode,
	type INodeExecutionData,
	type INodeType,
	type INodeTypes,
	type IRun,
	type IVersionedNodeType,
} from 'n8n-workflow';
import { KlingEffects } from '../../nodes/KlingEffects/KlingEffects.node';
import { KlingEffectsTrigger } from '../../nodes/KlingEffectsTrigger/KlingEffectsTrigger.node';
import { additionalDataOf, nodeTypes as testTypes } from '../../tools/engine';
import { n8nNodeClass } from './modules';

/** Runs whole workflows, of our nodes or of n8n's, in n8n's real engine with its real helpers. */

const ofN8n = (name: string) => new (n8nNodeClass(name))() as INodeType | IVersionedNodeType;

const types: Record<string, INodeType | IVersionedNodeType> = {
	klingEffects: new KlingEffects(),
	klingEffectsTrigger: new KlingEffectsTrigger(),
	sink: testTypes.getByName('sink'),
	'n8n-nodes-base.httpRequest': ofN8n('HttpRequest'),
	'n8n-nodes-base.wait': ofN8n('Wait'),
	'n8n-nodes-base.if': ofN8n('If'),
};

const nodeTypes: INodeTypes = {
	getByName: (name) => types[name],
	getByNameAndVersion: (name, version) => NodeHelpers.getVersionedNodeType(types[name], version),
	getKnownTypes: () => ({}),
};

/** Nodes in order of running, and what leads from one's output to another: [from, output, to]. */
export interface Flow {
	nodes: INode[];
	connections: Array<[from: string, output: number, to: string]>;
}

export function nodeOf(
	name: string,
	type: string,
	typeVersion: number,
	parameters: Record<string, unknown>,
	settings: Partial<INode> = {},
): INode {
	return {
		id: name,
		name,
		type,
		typeVersion,
		position: [0, 0],
		parameters: parameters as INode['parameters'],
		...settings,
	};
}

/** One node, and what takes its items. */
export function flowOf(node: INode): Flow {
	return { nodes: [node, nodeOf('Done', 'sink', 1, {})], connections: [[node.name, 0, 'Done']] };
}

export function workflowOf({ nodes, connections }: Flow): Workflow {
	const all: IConnections = {};
	for (const [from, output, to] of connections) {
		const { main } = (all[from] ??= { main: [] });
		while (main.length <= output) main.push([]);
		main[output]!.push({ node: to, type: 'main', index: 0 });
	}
	const settings = { executionOrder: 'v1' as const };
	const id = 'workflow-1';
	return new Workflow({
		id,
		name: 'bench',
		nodes,
		connections: all,
		nodeTypes,
		active: false,
		settings,
	});
}

export interface Execution {
	run: IRun;
	/** How long it took, in milliseconds. */
	ms: number;
	startedAt: number;
	endedAt: number;
	error: { message: string; description?: string | null } | undefined;
	/** What went through the node called Done. */
	done: INodeExecutionData[];
}

export interface Started {
	ended: Promise<Execution>;
	cancel(): void;
}

let executions = 0;

/** Starts a workflow at its first node. */
export function start(
	flow: Flow,
	items: INodeExecutionData[],
	credential: Record<string, unknown>,
): Started {
	const workflow = workflowOf(flow);
	const data = createRunExecutionData({
		executionData: {
			nodeExecutionStack: [{ node: flow.nodes[0], data: { main: [items] }, source: null }],
		},
	});
	const additionalData = additionalDataOf(credential, String(++executions), workflow, 'trigger');
	const execute = new core.WorkflowExecute(additionalData, 'trigger', data);
	const startedAt = Date.now();
	const before = performance.now();
	const running = execute.processRunExecutionData(workflow);
	const ended = (async () => {
		const run = (await running) as IRun;
		const ms = performance.now() - before;
		return executionOf(run, { ms, startedAt, endedAt: Date.now() });
	})();
	return { ended, cancel: () => running.cancel() };
}

function executionOf(run: IRun, times: Pick<Execution, 'ms' | 'startedAt' | 'endedAt'>): Execution {
	const { resultData } = run.data;
	const runs = resultData.runData.Done ?? [];
	const done = runs.flatMap((task) => task.data?.main?.[0] ?? []);
	return { run, ...times, error: resultData.error, done };
}

/** Runs a workflow to its end. */
export async function execute(
	flow: Flow,
	items: INodeExecutionData[],
	credential: Record<string, unknown>,
): Promise<Execution> {
	return await start(flow, items, credential).ended;
}

/** One poll of a trigger, as the activated workflow has it. */
export async function poll(
	workflow: Workflow,
	name: string,
	credential: Record<string, unknown>,
): Promise<INodeExecutionData[][] | null> {
	const node = workflow.nodes[name];
	const additionalData = additionalDataOf(credential, '1', workflow, 'trigger');
	const context = new core.PollContext(workflow, node, additionalData, 'trigger', 'activate');
	const type = nodeTypes.getByNameAndVersion(node.type, node.typeVersion);
	return await type.poll!.call(context);
}

/** Keeps binary data as files in the folder, as n8n 2.x does by default. */
export async function keepBinaryData(localStoragePath: string): Promise<void> {
	const config = Container.get(core.BinaryDataConfig);
	Object.assign(config, { mode: 'filesystem', availableModes: ['filesystem'], localStoragePath });
	await Container.get(core.BinaryDataService).init();
}
