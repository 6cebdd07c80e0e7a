import * as core from 'n8n-core';
import { makeHandleToolInvocation } from 'n8n-core/dist/execution-engine/node-execution-context/utils/get-input-connection-data';
import {
	createRunExecutionData,
	NodeHelpers,
	Workflow,
	type IDataObject,
	type INode,
	type INodeExecutionData,
	type INodeType,
	type IRun,
	type IRunExecutionData,
} from 'n8n-workflow';
import { KlingEffects } from '../../../nodes/KlingEffects/KlingEffects.node';
import { rows } from '../contract/providers';
import { Workbench, failingPhoto, photo, single } from '../../harness/workbench';
import { withProcessedData } from '../../harness/setup';
import { additionalDataOf, bareDescription } from '../../../tools/engine';

/** An AI agent's tool: one call is one create, however n8n retries; two calls are two. */

const bench = Workbench.prepare();
const lookup = rows.find(({ provider }) => provider === 'kling')!;
const blind = rows.filter(({ provider }) => ['modellix', 'apiModels'].includes(provider));
const retryOnFail = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };
const toolName = 'Create Video';

/** As n8n derives it from each node that is usable as a tool. */
class Tool extends KlingEffects {
	constructor() {
		super();
		this.description = { ...this.description, name: 'klingEffectsTool', outputs: ['ai_tool'] };
	}
}

/** Calls its tool that many times with the same arguments, by asking n8n's engine to run it. */
class Agent {
	static calls: IDataObject[] = [];
	description = {
		...bareDescription,
		displayName: 'Agent',
		name: 'agent',
	};

	async execute(
		this: { getInputData(): INodeExecutionData[] },
		response: { actionResponses: unknown[] },
	) {
		if (response.actionResponses.length > 0) return [this.getInputData()];
		const actions = Agent.calls.map((input, index) => ({
			actionType: 'ExecutionNodeAction',
			nodeName: toolName,
			input,
			type: 'ai_tool',
			id: `call_${index}`,
			metadata: { itemIndex: 0 },
		}));
		return { actions, metadata: {} };
	}
}

class Start {
	description = { ...new Agent().description, name: 'start', inputs: [] };
	async execute() {
		return [[{ json: {} }]];
	}
}

function stage(row: (typeof rows)[number], settings: Partial<INode>, stored?: IRunExecutionData) {
	const type: Record<string, INodeType> = {
		klingEffectsTool: new Tool(),
		agent: new Agent() as unknown as INodeType,
		start: new Start() as unknown as INodeType,
	};
	const nodeOf = (name: string, of: string, more: Partial<INode> = {}): INode => ({
		id: name,
		name,
		type: of,
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
		...more,
	});
	const tool = nodeOf(toolName, 'klingEffectsTool', {
		parameters: { ...single, waitForCompletion: false, image: photo },
		credentials: { klingEffectsApi: { id: '1', name: 'Kling' } },
		...settings,
	} as Partial<INode>);
	const workflow = new Workflow({
		id: 'workflow-1',
		name: 'test',
		nodes: [nodeOf('Start', 'start'), nodeOf('Agent', 'agent'), tool],
		connections: {
			Start: { main: [[{ node: 'Agent', type: 'main', index: 0 }]] },
			[toolName]: { ai_tool: [[{ node: 'Agent', type: 'ai_tool', index: 0 }]] },
		},
		nodeTypes: {
			getByName: (name) => type[name],
			getByNameAndVersion: (name) => NodeHelpers.getVersionedNodeType(type[name]),
			getKnownTypes: () => ({}),
		},
		active: false,
		settings: { executionOrder: 'v1' },
	});
	const data =
		stored ??
		createRunExecutionData({
			executionData: {
				nodeExecutionStack: [
					{ node: workflow.getNode('Start')!, data: { main: [[{ json: {} }]] }, source: null },
				],
			},
			resumeToken: 'token-of-78',
		});
	const additionalData = additionalDataOf(bench.credential(row), '78', workflow, 'trigger');
	additionalData.currentNodeExecutionIndex = 0;
	return { workflow, tool: workflow.getNode(toolName)!, data, additionalData };
}

type Staged = ReturnType<typeof stage>;

/** Calls the tool like an agent that runs its tools itself. */
async function callInside({ workflow, tool, data, additionalData }: Staged, args: IDataObject[]) {
	const contextOf = (runIndex: number) =>
		new core.SupplyDataContext(
			workflow,
			tool,
			additionalData,
			'trigger',
			data,
			runIndex,
			[],
			{},
			'ai_tool',
			{ node: tool, data: { main: [[{ json: {} }]] }, source: null },
			[],
			undefined,
			workflow.getNode('Agent')!,
		);
	const type = workflow.nodeTypes.getByNameAndVersion(tool.type);
	const call = makeHandleToolInvocation(contextOf, tool, type, data as IRunExecutionData);
	return await Promise.all(
		args.map(async (one) => await call(one).catch((thrown: Error) => thrown.message)),
	);
}

/** Lets n8n's engine run the tool, as newer agents do. */
async function callByEngine({ workflow, data, additionalData }: Staged, args: IDataObject[]) {
	Agent.calls = args;
	await workflow.expression.acquireIsolate?.();
	const execute = new core.WorkflowExecute(additionalData, 'trigger', data);
	return (await execute.processRunExecutionData(workflow)) as IRun;
}

const ways = { inside: callInside, 'by the engine': callByEngine };

describe.each(Object.entries(ways))('a tool that is run %s', (_way, call) => {
	test.each(blind)(
		'$name: a lost response is paid once, no matter how it is retried',
		async (row) => {
			const staged = stage(row, retryOnFail);
			bench.sandbox.addFault({ kind: 'resetAfter', match: { operation: 'create' } });
			await call(staged, [{ prompt: 'dance' }]);
			expect(bench.requests('create')).toHaveLength(1);
			expect(bench.sandbox.charges).toHaveLength(1);
		},
	);

	test('Retry On Fail does not create a failed task again', async () => {
		const staged = stage(lookup, retryOnFail);
		Object.assign(staged.tool.parameters, { waitForCompletion: true, image: failingPhoto });
		await call(staged, [{ prompt: 'dance' }]);
		expect(bench.sandbox.charges).toHaveLength(1);
	});

	test.each([[{}], [retryOnFail]])(
		'two calls with the same arguments stay two: %j',
		async (settings) => {
			await call(stage(lookup, settings), [{ prompt: 'dance' }, { prompt: 'dance' }]);
			expect(bench.sandbox.charges).toHaveLength(2);
			const ids = bench.sandbox.charges.map(({ externalTaskId }) => externalTaskId);
			expect(new Set(ids).size).toBe(2);
		},
	);

	test('one of two equal calls loses its response: both are paid once', async () => {
		const staged = stage(blind[0], retryOnFail);
		bench.sandbox.addFault({ kind: 'resetAfter', match: { operation: 'create' }, times: 1 });
		await call(staged, [{ prompt: 'dance' }, { prompt: 'dance' }]);
		expect(bench.sandbox.charges).toHaveLength(2);
	});
});

describe('an agent in a loop', () => {
	withProcessedData();

	test.each(blind)(
		'$name: the call that crashed is paid once, where n8n saves the progress',
		async (row) => {
			const staged = stage(row, {});
			await callInside(staged, [{ prompt: 'dance' }]);
			const progress = structuredClone(staged.data);
			await callInside(staged, [{ prompt: 'sing' }]);
			expect(bench.sandbox.charges).toHaveLength(2);
			for (const _time of [1, 2]) {
				const again = stage(row, {}, structuredClone(progress));
				const [answer] = await callInside(again, [{ prompt: 'sing' }]);
				expect(answer).toMatch(/may have created the task/);
			}
			expect(bench.sandbox.charges).toHaveLength(2);
		},
	);

	test.each(rows)('$name: each round creates', async (row) => {
		const staged = stage(row, {});
		for (const prompt of ['dance', 'sing', 'dance']) {
			await callInside(staged, [{ prompt }, { prompt }]);
		}
		const progress = structuredClone(staged.data);
		await callInside(stage(row, {}, progress), [{ prompt: 'dance' }, { prompt: 'dance' }]);
		expect(bench.sandbox.charges).toHaveLength(8);
	});
});
