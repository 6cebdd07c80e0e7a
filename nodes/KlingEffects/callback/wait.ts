import { NodeHelpers, type IDataObject, type IExecuteFunctions, type INode } from 'n8n-workflow';
import type { IRunExecutionData } from 'n8n-workflow';
import type { Problem } from '../../n8n/problems';
import type { Paid } from '../../n8n/results';
import type { ItemTask } from '../operations/finish';

/** What a wait by callback needs, decided before the execution sleeps: no parameter is evaluated after it. */
export interface Wait {
	/** Which run of the node sleeps: a loop over it is a new run. */
	runIndex: number;
	/** The address that wakes it. */
	resumeUrl: string;
	/** Milliseconds since 1970. */
	deadline: number;
	intervalMs: number;
	itemTasks: ItemTask[];
	/** Of the items that hold no task. */
	problems: Array<{ itemIndex: number; ok: false; problem: Problem }>;
	paid: Paid;
	/** Whether this execution may go on: see `isFirstToWake`. */
	isClaimed?: boolean;
}

/**
 * The node's context: n8n (1.123 and 2.40) stores it with the sleeping execution, and hands it to
 * `webhook`, to the woken node, and to an execution that the Retry button starts.
 */
const contextKey = 'klingEffectsWait';

export function storeWait(context: IExecuteFunctions, wait: Omit<Wait, 'runIndex'>): Wait {
	const stored: Wait = { ...wait, runIndex: runIndexOf(context) };
	context.getContext('node')[contextKey] = stored as unknown as IDataObject;
	return stored;
}

/** The wait that this run of the node has slept through; null when it has not slept. */
export function sleptWait(context: IExecuteFunctions): Wait | null {
	const wait = context.getContext('node')[contextKey] as unknown as Wait | undefined;
	return wait?.runIndex === runIndexOf(context) ? wait : null;
}

/** The wait of a node in an execution as n8n stored it. */
export function storedWait(data: IRunExecutionData, node: INode): Wait | null {
	const wait = NodeHelpers.getContext(data, 'node', node)[contextKey] as unknown;
	return (wait as Wait | undefined) ?? null;
}

function runIndexOf(context: IExecuteFunctions): number {
	return Number(context.getWorkflowDataProxy(0).$runIndex ?? 0);
}
