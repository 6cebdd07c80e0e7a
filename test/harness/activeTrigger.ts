import * as core from 'n8n-core';
import {
	NodeHelpers,
	Workflow,
	type IDataObject,
	type INode,
	type INodeExecutionData,
	type INodeTypes,
	type WorkflowActivateMode,
	type WorkflowExecuteMode,
} from 'n8n-workflow';
import { KlingEffectsTrigger } from '../../nodes/KlingEffectsTrigger/KlingEffectsTrigger.node';
import { additionalDataOf } from '../../tools/engine';

const trigger = new KlingEffectsTrigger();
const nodeTypes: INodeTypes = {
	getByName: () => trigger,
	getByNameAndVersion: () => NodeHelpers.getVersionedNodeType(trigger),
	getKnownTypes: () => ({}),
};

let workflows = 0;

export interface TriggerOptions {
	credential: Record<string, unknown>;
	credentialId?: string;
	parameters?: Record<string, unknown>;
	/** As in n8n's database. */
	staticData?: string;
	workflowId?: string;
	nodeId?: string;
	/** The node's name, under which n8n stores static data. */
	name?: string;
}

/** The milliseconds that n8n 2.41 gives a poll of its durable scheduler. */
const scheduledBudgetMs = 36_000;

/** One Kling Effects Trigger in an activated workflow, with n8n's real poll context and static data. */
export class ActiveTrigger {
	readonly workflow: Workflow;
	readonly node: INode;

	constructor(private readonly options: TriggerOptions) {
		this.node = {
			id: options.nodeId ?? 'trigger-1',
			name: options.name ?? 'Kling Effects Trigger',
			type: 'klingEffectsTrigger',
			typeVersion: 1,
			position: [0, 0],
			parameters: (options.parameters ?? {}) as INode['parameters'],
			credentials: { klingEffectsApi: { id: options.credentialId ?? '1', name: 'Kling' } },
		};
		this.workflow = new Workflow({
			id: options.workflowId ?? `workflow-${++workflows}`,
			name: 'test',
			nodes: [this.node],
			connections: {},
			nodeTypes,
			active: true,
			staticData: JSON.parse(options.staticData ?? '{}') as IDataObject,
			settings: { executionOrder: 'v1' },
		});
	}

	async poll(
		mode: WorkflowExecuteMode = 'trigger',
		{ budgetMs }: { budgetMs?: number | null } = {},
	): Promise<INodeExecutionData[] | null> {
		const context = await this.contextOf(mode);
		// Null: n8n 1.123 has no such method.
		if (budgetMs !== undefined) {
			const getPollBudgetMs = budgetMs === null ? undefined : () => budgetMs;
			Object.assign(context, { getPollBudgetMs });
		}
		const output = await trigger.poll.call(context);
		return output && output[0];
	}

	private async contextOf(mode: WorkflowExecuteMode): Promise<core.PollContext> {
		const additionalData = additionalDataOf(this.options.credential, '77', this.workflow, mode);
		const activation: WorkflowActivateMode = mode === 'manual' ? 'manual' : 'activate';
		await this.workflow.expression.acquireIsolate?.();
		return new core.PollContext(this.workflow, this.node, additionalData, mode, activation);
	}

	/** What n8n stores for the node with durable cursors. */
	private cursor: IDataObject = {};

	/**
	 * A poll in n8n 2.41 with durable cursors: it gets a copy of what n8n has stored. The copy is stored
	 * again, unless the poll throws, or is the activation's and returns null.
	 */
	async pollDurably({ isActivation = false } = {}): Promise<INodeExecutionData[] | null> {
		const copy = structuredClone(this.cursor);
		const context = await this.contextOf('trigger');
		context.getWorkflowStaticData = () => copy;
		if (!isActivation) Object.assign(context, { getPollBudgetMs: () => scheduledBudgetMs });
		const output = await trigger.poll.call(context);
		if (output !== null || !isActivation) this.cursor = structuredClone(copy);
		return output && output[0];
	}

	async idsDurably(options?: { isActivation?: boolean }): Promise<string[]> {
		return ((await this.pollDurably(options)) ?? []).map(({ json }) => json.taskId as string);
	}

	async ids(mode?: WorkflowExecuteMode): Promise<string[]> {
		return ((await this.poll(mode)) ?? []).map(({ json }) => json.taskId as string);
	}

	/** What n8n would save now, and whether it has noticed that there is something to save. */
	get saved(): { text: string; isChanged: boolean } {
		const { staticData } = this.workflow;
		return { text: JSON.stringify(staticData), isChanged: staticData.__dataChanged === true };
	}

	/** n8n restarts with what it has saved. */
	restarted(text: string, changes: Partial<TriggerOptions> = {}): ActiveTrigger {
		return new ActiveTrigger({
			...this.options,
			workflowId: this.workflow.id,
			staticData: text,
			...changes,
		});
	}
}

/** The error with which a poll ends. */
export async function errorOf(poll: Promise<unknown>): Promise<{
	name: string;
	message: string;
	description: string;
	httpCode?: string;
	failure?: unknown;
}> {
	return await poll.then(
		() => {
			throw new Error('The poll went well');
		},
		(error) => error,
	);
}
