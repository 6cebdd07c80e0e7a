import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { errorOf, isExplained, itemOf, problemOf, type Problem } from './problems';

/** An item's result, or why it has none. */
export type Result =
	| { itemIndex: number; ok: true; item: INodeExecutionData }
	| { itemIndex: number; ok: false; problem: Problem };

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
	paid: string | null = null,
): INodeExecutionData[] {
	const ordered = [...results].sort((a, b) => a.itemIndex - b.itemIndex);
	const cause = causeOf(ordered);
	if (cause && !context.continueOnFail()) {
		const { description } = cause.problem;
		const full = { ...cause.problem, description: paid ? `${description} ${paid}` : description };
		throw errorOf(context.getNode(), full, cause.itemIndex);
	}
	return ordered.map((result) =>
		result.ok ? result.item : itemOf(context.getNode(), result.problem, result.itemIndex),
	);
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
