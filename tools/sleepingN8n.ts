import { timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'flatted';
import * as core from 'n8n-core';
import {
	createRunExecutionData,
	NodeHelpers,
	Workflow,
	type IDataDeduplicator,
	type INode,
	type INodeExecutionData,
	type INodeType,
	type IRun,
	type IRunExecutionData,
	type IWebhookResponseData,
	type IWorkflowExecuteAdditionalData,
	type WorkflowExecuteMode,
} from 'n8n-workflow';
import { KlingEffects } from '../nodes/KlingEffects/KlingEffects.node';
import { additionalDataOf, bareDescription, nodeName, useBinaryMode } from './engine';

/**
 * An n8n around the real n8n-core: a table of executions, and the steps by which n8n wakes those that
 * sleep. The steps are those of `waiting-webhooks`, `webhook-helpers`, `wait-tracker`,
 * `active-executions` and `execution.service` in n8n 2.40.7 and 1.123.81; e2e/tests/parts.test.mjs
 * watches the tracker. A sleeping execution goes through the text that n8n stores.
 */

export interface SleepingN8nOptions {
	/** 1: no token, and no check of the status when an execution is resumed. */
	line?: 1 | 2;
	parameters: Record<string, unknown>;
	credential: Record<string, unknown>;
	settings?: Partial<INode>;
	/** Nodes after `After`, one after the other. */
	further?: INode[];
	/** Types of such nodes; others pass their items on. */
	types?: Record<string, INodeType>;
	/** The Kling Effects node of a process. */
	nodeType?: () => INodeType;
	mode?: WorkflowExecuteMode;
	workflowId?: string;
	webhookUrl?: string;
	parentExecution?: IRunExecutionData['parentExecution'];
}

type Status = 'running' | 'waiting' | 'success' | 'error';

interface Row {
	status: Status;
	/** As n8n stores it. */
	data: string;
	waitTill: Date | null;
}

export interface Call {
	method?: string;
	headers?: Record<string, string>;
	/** Text as sent. */
	body?: string;
}

export interface Answer {
	status: number;
	message?: unknown;
}

/** What reached the nodes after Kling Effects in one run of them. */
export interface Downstream {
	executionId: string;
	node: string;
	items: INodeExecutionData[];
	/** Milliseconds since 1970, by the system's clock. */
	at: number;
}

export class SleepingN8n {
	readonly rows = new Map<string, Row>();
	readonly downstream: Downstream[] = [];
	/** How often n8n ran the Kling Effects node. */
	runs = 0;
	/** Set while the credential cannot be read. */
	isCredentialGone = false;
	private readonly underWay: Array<Promise<unknown>> = [];
	private processes: INodeType[];
	/** What handles calls, created once per process. */
	private forCalls: Workflow[] = [];
	private executionCount = 0;

	constructor(
		readonly options: SleepingN8nOptions,
		private readonly processCount = 1,
	) {
		this.processes = this.start();
		processedData.clear();
	}

	private start(): INodeType[] {
		const make = this.options.nodeType ?? (() => new KlingEffects());
		return Array.from({ length: this.processCount }, make);
	}

	/** All processes die and come back: their memory is gone. */
	restart(): void {
		this.forCalls = [];
		this.processes = this.start();
	}

	private get line(): 1 | 2 {
		return this.options.line ?? 2;
	}

	/** Runs the workflow, the items as often as given; resolves when the execution is over or sleeps. */
	async execute(items: INodeExecutionData[] = [{ json: {} }], times = 1): Promise<string> {
		await useBinaryMode('default');
		const executionId = String(++this.executionCount);
		const feeder = this.workflow().getNode('Feeder')!;
		const data = createRunExecutionData({
			executionData: {
				nodeExecutionStack: Array.from({ length: times }, () => ({
					node: feeder,
					data: { main: [items] },
					source: null,
				})),
			},
			...(this.line === 2 ? { resumeToken: `token-of-${executionId}` } : {}),
			...(this.options.parentExecution ? { parentExecution: this.options.parentExecution } : {}),
		});
		if (this.line === 1) delete data.resumeToken;
		this.rows.set(executionId, { status: 'running', data: stringify(data), waitTill: null });
		await this.runExecution(executionId, data, 0);
		return executionId;
	}

	/** The Retry button, with the workflow as it was. */
	async retry(executionId: string): Promise<string> {
		const data = this.dataOf(executionId);
		const { lastNodeExecuted, runData } = data.resultData;
		delete data.resultData.error;
		const runs = runData[lastNodeExecuted ?? ''];
		if (runs?.at(-1)?.error !== undefined) runs.pop();
		const retryId = String(++this.executionCount);
		this.rows.set(retryId, { status: 'running', data: stringify(data), waitTill: null });
		await this.runExecution(retryId, data, 0, 'retry');
		return retryId;
	}

	/** What a queue does with the execution of a worker that is gone: under its number, from what is stored. */
	async runAgain(executionId: string, data: string): Promise<void> {
		await this.runExecution(executionId, parse(data) as IRunExecutionData, 0);
	}

	status(executionId: string): Status {
		return this.rows.get(executionId)!.status;
	}

	dataOf(executionId: string): IRunExecutionData {
		return parse(this.rows.get(executionId)!.data) as IRunExecutionData;
	}

	error(executionId: string) {
		return this.dataOf(executionId).resultData.error as
			{ message: string; description?: string } | undefined;
	}

	/** The output of the Kling Effects node, all its runs together. */
	output(executionId: string, output = 0): INodeExecutionData[] {
		const runs = this.dataOf(executionId).resultData.runData[nodeName] ?? [];
		return runs.flatMap((run) => run.data?.main?.[output] ?? []);
	}

	after(executionId: string, node = 'After'): Downstream[] {
		return this.downstream.filter((one) => one.executionId === executionId && one.node === node);
	}

	/** A call to `/webhook-waiting/…`, as it reaches one of the processes. */
	async call(url: string, call: Call = {}, process = 0): Promise<Answer> {
		const { pathname, searchParams } = new URL(url);
		const [, , executionId, suffix] = pathname.split('/').map(decodeURIComponent);
		const row = this.rows.get(executionId);
		if (!row) return { status: 404 };
		const data = parse(row.data) as IRunExecutionData;
		let path = suffix;
		if (data.resumeToken) {
			const [token, ...rest] = (searchParams.get('signature') ?? '').split('/');
			if (!isSame(token, data.resumeToken)) return { status: 401 };
			path ??= rest.join('/');
		}
		if (row.status !== 'waiting') return { status: 409 };
		const workflow = (this.forCalls[process] ??= this.workflow('', process));
		const [entry] = data.executionData!.nodeExecutionStack;
		entry.node.disabled = true;
		data.waitTill = undefined;
		const last = data.resultData.lastNodeExecuted!;
		data.resultData.runData[last].pop();
		const node = workflow.getNode(last)!;
		const type = this.typeOf(node, process);
		const description = type.description.webhooks?.find(
			(one) =>
				one.httpMethod === (call.method ?? 'POST') &&
				one.restartWebhook === true &&
				String(workflow.expression.getSimpleParameterValue(node, one.path, 'internal', {})) ===
					(path ?? ''),
		);
		if (!description) return { status: 404 };
		return await this.resumeByWebhook({ executionId, workflow, node, type, data, call, process });
	}

	private async resumeByWebhook(resume: {
		executionId: string;
		workflow: Workflow;
		node: INode;
		type: INodeType;
		data: IRunExecutionData;
		call: Call;
		process: number;
	}): Promise<Answer> {
		const { executionId, workflow, node, type, data, call, process } = resume;
		let status = 200;
		let message: unknown;
		const additionalData = this.additionalData(
			executionId,
			workflow,
		) as IWorkflowExecuteAdditionalData & {
			httpRequest: unknown;
			httpResponse: unknown;
		};
		additionalData.httpRequest = requestOf(call);
		additionalData.httpResponse = {
			status(code: number) {
				status = code;
				return this;
			},
			json(body: unknown) {
				message = body;
				return this;
			},
		};
		const webhookData = { webhookDescription: { name: 'default' } };
		type Parameters = ConstructorParameters<typeof core.WebhookContext>;
		const context = new core.WebhookContext(
			workflow,
			node,
			additionalData,
			this.mode,
			webhookData as Parameters[4],
			[],
			data,
		);
		let result: IWebhookResponseData;
		try {
			result = await type.webhook!.call(context as never);
		} catch (error) {
			// n8n (both lines) continues with an empty item and without the output of earlier nodes.
			const { message: text, stack } = error as Error;
			data.resultData = {
				runData: {},
				lastNodeExecuted: node.name,
				error: { ...(error as object), message: text, stack } as never,
			};
			status = 500;
			result = { noWebhookResponse: true, workflowData: [[{ json: {} }]] };
		}
		if (result.workflowData === undefined) return { status, message };
		const [entry] = data.executionData!.nodeExecutionStack;
		entry.data.main = result.workflowData;
		if (this.line === 2) entry.metadata = { ...entry.metadata, forwardAllOutputs: true } as never;
		if (!this.claim(executionId, data)) return { status: 500 };
		this.inBackground(this.runExecution(executionId, data, process));
		return { status, message: 'Workflow was started' };
	}

	/** What `ActiveExecutions.add` does with a resumed execution. */
	private claim(executionId: string, data: IRunExecutionData): boolean {
		const row = this.rows.get(executionId)!;
		if (this.line === 2 && row.status !== 'waiting') return false;
		Object.assign(row, { status: 'running', data: stringify(data), waitTill: null });
		return true;
	}

	/** n8n's own time-out, if the execution's time is over. */
	async timeOver(executionId: string, now: number): Promise<void> {
		const row = this.rows.get(executionId)!;
		if (row.waitTill === null || row.waitTill.getTime() > now) return;
		await this.resumeByTimer(executionId);
	}

	/** What `WaitTracker.startExecution` does: on n8n 1 in any status but success. */
	async resumeByTimer(executionId: string): Promise<void> {
		if (this.status(executionId) === 'success') return;
		const data = this.dataOf(executionId);
		if (!this.claim(executionId, data)) return;
		await this.runExecution(executionId, data, 0);
	}

	private inBackground(work: Promise<unknown>): void {
		this.underWay.push(work);
	}

	/** Resolves when every execution that was woken is over or sleeps again. */
	async settled(): Promise<void> {
		while (this.underWay.length > 0) await this.underWay.shift();
	}

	private async runExecution(
		executionId: string,
		data: IRunExecutionData,
		process: number,
		mode = this.mode,
	): Promise<void> {
		const workflow = this.workflow(executionId, process);
		const additionalData = this.additionalData(executionId, workflow);
		// n8n looks up the workflow's nodes again; the stack has what it stored.
		const execute = new core.WorkflowExecute(additionalData, mode, data);
		await workflow.expression.acquireIsolate?.();
		const run = (await execute.processRunExecutionData(workflow)) as IRun;
		const row = this.rows.get(executionId)!;
		const status = run.waitTill ? 'waiting' : run.data.resultData.error ? 'error' : 'success';
		Object.assign(row, { status, data: stringify(run.data), waitTill: run.waitTill ?? null });
	}

	private get mode(): WorkflowExecuteMode {
		return this.options.mode ?? 'trigger';
	}

	private additionalData(executionId: string, workflow: Workflow) {
		const additionalData = additionalDataOf(
			this.options.credential,
			executionId,
			workflow,
			this.mode,
		);
		additionalData.webhookWaitingBaseUrl = `${this.options.webhookUrl ?? 'https://n8n.example.com'}/webhook-waiting`;
		const { getDecrypted } = additionalData.credentialsHelper;
		additionalData.credentialsHelper.getDecrypted = async (...given) => {
			if (this.isCredentialGone) throw new Error('Credential with ID "1" does not exist');
			return await getDecrypted.apply(additionalData.credentialsHelper, given);
		};
		return additionalData;
	}

	private typeOf({ type, name }: INode, process: number, executionId = ''): INodeType {
		if (type.startsWith('klingEffects')) return this.processes[process];
		const own = this.options.types?.[type];
		if (own) return own;
		return sinkOf((items) =>
			this.downstream.push({ executionId, node: name, items, at: Date.now() }),
		);
	}

	private workflow(executionId = '', process = 0): Workflow {
		const node = (name: string, type: string): INode => ({
			id: `id of ${name}`,
			name,
			type,
			typeVersion: 1,
			position: [0, 0],
			parameters: {},
		});
		const kling: INode = {
			...node(nodeName, 'klingEffects'),
			parameters: structuredClone(this.options.parameters) as INode['parameters'],
			credentials: { klingEffectsApi: { id: '1', name: 'Kling' } },
			...this.options.settings,
		};
		const { further = [] } = this.options;
		const nodes = [node('Feeder', 'feeder'), kling, node('After', 'After'), ...further];
		const to = (name: string) => [{ node: name, type: 'main' as const, index: 0 }];
		const errorSink = node('After Error', 'After Error');
		const connections = Object.fromEntries(
			nodes.slice(0, -1).map(({ name }, index) => [
				name,
				{
					main: name === nodeName ? [to('After'), to('After Error')] : [to(nodes[index + 1].name)],
				},
			]),
		);
		const found = (type: string) => {
			if (type.startsWith('klingEffects')) return this.counted(this.processes[process]);
			const owner = [...nodes, errorSink].find((one) => one.type === type)!;
			return this.typeOf(owner, process, executionId);
		};
		return new Workflow({
			id: this.options.workflowId ?? 'workflow-1',
			name: 'test',
			nodes: [...nodes, errorSink],
			connections,
			nodeTypes: {
				getByName: found,
				getByNameAndVersion: (type) => NodeHelpers.getVersionedNodeType(found(type)),
				getKnownTypes: () => ({}),
			},
			active: false,
			settings: { executionOrder: 'v1' },
		});
	}

	private counted(type: INodeType): INodeType {
		const counted = Object.create(type) as INodeType;
		// eslint-disable-next-line @typescript-eslint/no-this-alias
		const n8n = this;
		counted.execute = async function (this: never) {
			n8n.runs++;
			return await type.execute!.call(this);
		};
		return counted;
	}
}

/** n8n's table of processed data, which all processes share: read, then written, without a lock. */
const processedData = new Map<string, string[]>();

const deduplicator = {
	async checkProcessedAndRecord(items: string[], _scope: string, { node }: { node?: INode }) {
		const before = processedData.get(node?.id ?? '') ?? [];
		const isOld = (item: string) => before.includes(item);
		const fresh = items.filter((item) => !isOld(item));
		processedData.set(node?.id ?? '', [...before, ...fresh]);
		return { new: fresh, processed: items.filter(isOld) };
	},
	async removeProcessed(items: string[], _scope: string, { node }: { node?: INode }) {
		const before = processedData.get(node?.id ?? '') ?? [];
		processedData.set(
			node?.id ?? '',
			before.filter((item) => !items.includes(item)),
		);
	},
} as unknown as IDataDeduplicator;

/**
 * Gives the engine that table, as in a whole n8n, until {@link closeProcessedData}; the engine alone has
 * none.
 */
export async function openProcessedData(): Promise<void> {
	closeProcessedData();
	await core.DataDeduplicationService.init(deduplicator);
}

export function closeProcessedData(): void {
	Object.assign(core.DataDeduplicationService, { instance: undefined });
}

/** As when a database is restored. */
export function forgetProcessedData(): void {
	processedData.clear();
}

function isSame(given: string, expected: string): boolean {
	return (
		given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected))
	);
}

/** The request as n8n's body parser leaves it. */
function requestOf({ headers = {}, body = '{}' }: Call) {
	const request: {
		headers: Record<string, string>;
		rawBody?: Buffer;
		readRawBody(): Promise<void>;
	} = {
		headers: { 'content-type': 'application/json', ...headers },
		async readRawBody() {
			// n8n has already read the stream to get a form's files.
			if (this.headers['content-type'].startsWith('multipart/form-data')) {
				throw new Error('stream is not readable');
			}
			this.rawBody = Buffer.from(body);
		},
	};
	return request;
}

function sinkOf(note: (items: INodeExecutionData[]) => void): INodeType {
	return {
		description: { ...bareDescription, displayName: 'Sink', name: 'sink' },
		async execute(this: { getInputData(): INodeExecutionData[] }) {
			const items = this.getInputData();
			note(structuredClone(items));
			return [items];
		},
	} as unknown as INodeType;
}
