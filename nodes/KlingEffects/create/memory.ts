import { createHash, randomUUID } from 'node:crypto';
import type { IExecuteFunctions } from 'n8n-workflow';
import type { ExternalIdSupport, Order } from '../../kling/providers/provider';
import { generatedIdPrefix, type ProviderName } from '../../kling/task';
import type { Remembered, SubmissionMemory } from '../../kling/create/submit';
import { isTool, resumeTokenOf, runIndexOf } from '../../n8n/execution';

const contextKey = 'klingEffects';

interface Stored {
	/** What makes the keys of this execution its own. */
	seed: string;
	/** The number of the node's first run: not 0 where n8n has reconstructed runs from its log. */
	firstRun: number;
	/** Present in the retry of an execution that died with its process: each create may have been sent. */
	died?: { trace: ExternalIdSupport };
	/** By place: null for what surely made no task. */
	orders: Record<string, Remembered | null>;
}

/**
 * What the node knows of its creates, kept in the node's context: n8n (1.123 and 2.40) carries that
 * over to the next try of Retry On Fail and to an execution that the Retry button starts. What dies
 * with its process leaves no context: then the seed alone makes the same keys again. To be opened
 * before anything can fail, so that a context without it tells of such a death.
 */
export class NodeMemory {
	private readonly stored: Stored;
	private readonly run: number;

	constructor(private readonly context: IExecuteFunctions) {
		const node = context.getContext('node') as { [contextKey]?: Stored };
		const run = runOf(context);
		this.stored = node[contextKey] ??= firstStored(context, run);
		this.run = run - this.stored.firstRun;
	}

	/**
	 * The slot of one logical create: the same item of the same run with the same provider and order. A loop over
	 * the node is a new run, and a workflow that was changed before Retry asks for something else. What
	 * expressions make again with each try does not count: signed image URLs, callback URL, external id.
	 */
	slotOf(itemIndex: number, provider: ProviderName, order: Order): SubmissionMemory {
		const { context, stored } = this;
		const { died, orders, seed } = stored;
		const { effectScene, duration, mode, modelName, additionalFields } = order;
		// An AI agent's calls can share run and item, so there the parameters of the call count too.
		const call = isTool(context) ? context.getInputData()[itemIndex]?.json : null;
		const asked: unknown[] = [provider, effectScene, duration, mode, modelName, call];
		if (additionalFields) asked.push(additionalFields);
		const place = `${this.run}:${itemIndex}:${hash(asked).slice(0, 8)}`;
		const key = hash([seed, context.getWorkflow().id, context.getNode().id, place]);
		// An expression may have made another id before, so “not found” proves nothing.
		const trace = order.externalTaskId === undefined ? died?.trace : 'unverified';
		return {
			externalTaskId: `${generatedIdPrefix}${key.slice(0, 32)}`,
			recall: () => {
				if (place in orders) return orders[place];
				return died ? { state: 'sending', trace, hasDied: true } : null;
			},
			remember: (entry) => {
				orders[place] = entry;
			},
			isTaken: (taskId) =>
				Object.entries(orders).some(
					([other, entry]) =>
						other !== place && entry?.state === 'created' && entry.taskId === taskId,
				),
		};
	}
}

function firstStored(context: IExecuteFunctions, firstRun: number): Stored {
	const stored: Stored = { seed: seedOf(context), firstRun, orders: {} };
	if (!hasDied(context)) return stored;
	// Without a token, the node's ids differ from those before.
	return { ...stored, died: { trace: resumeTokenOf(context) === null ? 'none' : 'lookup' } };
}

/**
 * Whether this is the retry of an execution that died while, or after, this node ran. n8n (1.123 and
 * 2.40) then pieces the runs of its nodes together from its event log; had the node come to an end
 * of any kind, n8n would have stored its context too. An execution that failed before this node has
 * no run of it.
 */
function hasDied(context: IExecuteFunctions): boolean {
	if (context.getMode() !== 'retry') return false;
	const { $ } = context.getWorkflowDataProxy(0) as {
		$: (name: string) => { isExecuted: boolean };
	};
	return $(context.getNode().name).isExecuted;
}

/** The run in which each call of a tool was first tried, by the object that holds its arguments. */
const firstRuns = new WeakMap<object, number>();

/**
 * The node's run. When an agent runs its tools itself, n8n (1.123 and 2.40) gives each try of Retry
 * On Fail a run of its own; what the tries of one call share, and no two calls, is the object with
 * their arguments.
 */
function runOf(context: IExecuteFunctions): number {
	const run = runIndexOf(context);
	const call: unknown = isTool(context) ? context.getInputData()[0]?.json : null;
	if (typeof call !== 'object' || call === null) return run;
	const first = firstRuns.get(call) ?? run;
	firstRuns.set(call, first);
	return first;
}

/**
 * What stays the same when an execution is run again because its process died. n8n 1.123 does so by
 * itself, under the same id; on n8n 2 somebody presses Retry, which keeps the execution's token.
 */
function seedOf(context: IExecuteFunctions): string {
	const token = resumeTokenOf(context);
	// Hashed, because the token opens the execution's resume address.
	if (token !== null) return hash(token);
	const executionId = context.getExecutionId();
	return executionId ? `${context.getInstanceId()}:${executionId}` : randomUUID();
}

function hash(value: unknown): string {
	return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
