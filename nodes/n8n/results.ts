import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { isTool } from './tool';
import { errorOf, isExplained, itemOf, problemOf, type Problem } from './problems';

/** Why an item has no result. */
export interface ItemProblem {
	itemIndex: number;
	ok: false;
	problem: Problem;
}

/** An item's result, or why it has none. */
export type Result = { itemIndex: number; ok: true; item: INodeExecutionData } | ItemProblem;

/** What a run has paid for: its tasks, and the items whose create may have made one. */
export interface Paid {
	tasks: Array<{ itemIndex: number; taskId: string }>;
	lost: string[];
}

/**
 * The output of a run, in the order of the input: with "Continue" every problem becomes an item,
 * otherwise the first one ends the run.
 *
 * @param paid what the run has paid for so far; it is added to the message, as no item will show it
 * @throws NodeApiError | NodeOperationError
 */
export function outputOf(
	context: IExecuteFunctions,
	results: readonly Result[],
	paid: Paid = { tasks: [], lost: [] },
): INodeExecutionData[] {
	const ordered = [...results].sort((a, b) => a.itemIndex - b.itemIndex);
	const cause = causeOf(ordered);
	if (cause && !context.continueOnFail()) {
		const { problem } = cause;
		const description = [problem.description, ...tellPaid(context, paid, problem.taskId)].join(' ');
		throw errorOf(context.getNode(), { ...problem, description }, cause.itemIndex);
	}
	return ordered.map((result) =>
		result.ok ? result.item : itemOf(context.getNode(), result.problem, result.itemIndex),
	);
}

/**
 * Reads each input item in a guard of its own: what is thrown for one is its problem and harms no
 * other. With On Error "Stop" the first problem ends it.
 */
export async function readItems<T>(
	context: IExecuteFunctions,
	read: (itemIndex: number) => T | Promise<T>,
): Promise<{ items: T[]; problems: ItemProblem[] }> {
	const items: T[] = [];
	const problems: ItemProblem[] = [];
	for (const itemIndex of context.getInputData().keys()) {
		try {
			items.push(await read(itemIndex));
		} catch (thrown) {
			problems.push({ itemIndex, ok: false, problem: problemOf(thrown) });
			if (!context.continueOnFail()) break;
		}
	}
	return { items, problems };
}

/** What to tell of the tasks when no item will show them, beside the one that the message is about. */
function tellPaid(
	context: IExecuteFunctions,
	{ tasks, lost }: Paid,
	about: string | undefined,
): string[] {
	const others = tasks
		.filter(({ taskId }) => taskId !== about)
		.map(({ itemIndex, taskId }) => `item ${itemIndex}: ${taskId}`);
	// An agent that is retried calls its tools with arguments of its own.
	const retry = isTool(context)
		? ''
		: ' A retry of this execution returns them and does not create them again, unless you change what they ask for.';
	return [
		others.length === 0 ? [] : `Tasks that exist already: ${others.join(', ')}.${retry}`,
		lost.length === 0 ? [] : `Unknown whether a task was created for: ${lost.join(', ')}.`,
	].flat();
}

/**
 * The output of a run that somebody's throw has ended. With "Continue" each input item becomes that
 * problem: n8n (1.123 and 2.40) answers a throw by passing the input on, as if all were well.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop"
 */
export function outputOfThrown(context: IExecuteFunctions, thrown: unknown): INodeExecutionData[] {
	const problem = problemOf(thrown);
	if (!context.continueOnFail()) {
		throw isExplained(thrown) ? thrown : errorOf(context.getNode(), problem);
	}
	return context
		.getInputData()
		.map((_, itemIndex) => itemOf(context.getNode(), problem, itemIndex));
}

/** The first problem that a provider's answer caused, or else the first one: an item that was not sent is never the cause. */
function causeOf(results: readonly Result[]) {
	const problems = results.flatMap((result) => (result.ok ? [] : [result]));
	return problems.find(({ problem }) => problem.failure) ?? problems[0];
}
