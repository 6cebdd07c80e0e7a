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
	/** As n8n's database holds it. */
	staticData?: string;
	workflowId?: string;
	nodeId?: string;
}

/** One Kling Effects Trigger in an activated workflow, with n8n's real poll context and static data. */
export class ActiveTrigger {
	readonly workflow: Workflow;
	readonly node: INode;

	constructor(private readonly options: TriggerOptions) {
		this.node = {
			id: options.nodeId ?? 'trigger-1',
			name: 'Kling Effects Trigger',
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
		const additionalData = additionalDataOf(this.options.credential, '77', this.workflow, mode);
		const activation: WorkflowActivateMode = mode === 'manual' ? 'manual' : 'activate';
		await this.workflow.expression.acquireIsolate?.();
		const context = new core.PollContext(
			this.workflow,
			this.node,
			additionalData,
			mode,
			activation,
		);
		// Null: n8n 1.123 has no such method.
		if (budgetMs !== undefined) {
			const getPollBudgetMs = budgetMs === null ? undefined : () => budgetMs;
			Object.assign(context, { getPollBudgetMs });
		}
		const output = await trigger.poll.call(context);
		return output && output[0];
	}

	async ids(mode?: WorkflowExecuteMode): Promise<string[]> {
		return ((await this.poll(mode)) ?? []).map(({ json }) => json.taskId as string);
	}

	/** What n8n would save now, and whether it has noticed that there is something to save. */
	get saved(): { text: string; isChanged: boolean } {
		const { staticData } = this.workflow;
		return { text: JSON.stringify(staticData), isChanged: staticData.__dataChanged === true };
	}

	/** n8n starts again with what it has saved. */
	restarted(text: string, changes: Partial<TriggerOptions> = {}): ActiveTrigger {
		return new ActiveTrigger({
			...this.options,
			workflowId: this.workflow.id,
			staticData: text,
			...changes,
		});
	}
}

/** The error that a poll ends with. */
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
