import {
	NodeApiError,
	NodeOperationError,
	sleep,
	type IBinaryKeyData,
	type IDataObject,
	type IExecuteFunctions,
	type INode,
	type INodeExecutionData,
	type INodeProperties,
} from 'n8n-workflow';
import type { Failure } from '../kling/failure';
import { InputError, reasonOf } from '../kling/input';
import type { Message } from '../kling/messages';
import { asHtml, plainText } from '../kling/http';
import type { TaskRecord } from '../kling/task';
import { isTool } from './execution';

/** The parameter of both nodes that decides the form of an item. */
export const simplifyField: INodeProperties = {
	displayName: 'Simplify',
	name: 'simplify',
	type: 'boolean',
	default: true,
	description:
		'Whether to return a simplified version of the response instead of the raw data of the provider',
};

interface ItemOptions {
	simplify: boolean;
	/** Whether the wait ended before the task did. */
	timedOut?: boolean;
	binary?: IBinaryKeyData;
	/** The input item that the task belongs to; absent for a trigger. */
	itemIndex?: number;
}

/** The output item of a task. */
export function taskItem(record: TaskRecord, options: ItemOptions): INodeExecutionData {
	const json = options.simplify ? ({ ...record.task } as IDataObject) : ownObject(record.raw);
	if (options.timedOut) json.timedOut = true;
	return {
		json,
		...(options.binary ? { binary: options.binary } : {}),
		...(options.itemIndex === undefined ? {} : { pairedItem: { item: options.itemIndex } }),
	};
}

/**
 * The provider's own object. A key `error` is renamed: n8n treats an item with one as failed, and with
 * Retry On Fail would run the paid node again (n8n 1.123 even if its value is null).
 */
function ownObject(raw: Record<string, unknown>): IDataObject {
	const { error, ...rest } = raw;
	return ('error' in raw ? { ...rest, taskError: error } : rest) as IDataObject;
}

/** Why an item has no result. */
export interface Problem extends Message {
	/** Absent if it was found before anything was sent. */
	failure?: Failure;
	taskId?: string;
	externalTaskId?: string;
	/** The task whose video could not be downloaded. */
	videoUrl?: string | null;
}

/** What was thrown, as an item's problem: an {@link InputError} and n8n's own errors keep their words. */
export function problemOf(thrown: unknown): Problem {
	if (thrown instanceof InputError || isExplained(thrown)) {
		return { message: thrown.message, description: thrown.description ?? '' };
	}
	return {
		message: `Something unexpected happened: ${reasonOf(thrown)}`,
		description: 'Report this to the package maintainers, with the input of the node.',
	};
}

/** By name, because npm can install a second copy of n8n-workflow next to the package. */
function isExplained(thrown: unknown): thrown is NodeOperationError | NodeApiError {
	return /^Node(Operation|Api)Error$/.test(String(Object(thrown).name));
}

/** The error that n8n shows for a problem. */
export function errorOf(
	node: INode,
	problem: Problem,
	itemIndex?: number,
): NodeApiError | NodeOperationError {
	const { failure } = problem;
	const message = plainText(problem.message);
	const description = asHtml(problem.description);
	const shown = { description, ...(itemIndex === undefined ? {} : { itemIndex }) };
	if (!failure) return new NodeOperationError(node, message, shown);
	const httpCode = failure.httpStatus === null ? undefined : String(failure.httpStatus);
	return new NodeApiError(node, {}, { ...shown, message, ...(httpCode ? { httpCode } : {}) });
}

/** Shows a hint in the node's output pane. */
export function addHint(
	context: IExecuteFunctions,
	type: 'info' | 'warning',
	message: string,
): void {
	// The tools of AI agents have none in n8n 1.117; that must not cost them a paid task.
	const { addExecutionHints } = context as Partial<IExecuteFunctions>;
	addExecutionHints?.call(context, { type, location: 'outputPane', message: asHtml(message) });
}

/**
 * The item for a problem when the node continues. For the error output it has only `error` and `message`:
 * n8n 1.123 sends an item with any other key to the success output. n8n adds the input's json there.
 */
export function itemOf(node: INode, problem: Problem, itemIndex: number): INodeExecutionData {
	const json: IDataObject = {
		error: plainText(problem.message),
		message: plainText(problem.description),
	};
	if (node.onError !== 'continueErrorOutput') json.details = detailsOf(problem);
	return { json, pairedItem: { item: itemIndex } };
}

function detailsOf({ failure, taskId, externalTaskId, videoUrl }: Problem): IDataObject {
	return {
		taskId: taskId ?? null,
		externalTaskId: externalTaskId ?? null,
		...(videoUrl ? { videoUrl } : {}),
		code: failure?.code ?? null,
		httpCode: failure?.httpStatus ?? null,
		requestId: failure?.requestId ?? null,
		...(failure?.excerpt ? { response: failure.excerpt } : {}),
		...(failure?.possibleIds.length ? { possibleTaskIds: failure.possibleIds } : {}),
	};
}

/** Why an item has no result. */
export interface ItemProblem {
	itemIndex: number;
	ok: false;
	problem: Problem;
}

/** An item's result, or why it has none. */
export type Result = { itemIndex: number; ok: true; item: INodeExecutionData } | ItemProblem;

/** What a run has paid for: its tasks, and the items whose create may have created one. */
export interface Paid {
	tasks: Array<{ itemIndex: number; taskId: string }>;
	lost: string[];
}

/**
 * The output of a run, in input order: with "Continue" every problem becomes an item, otherwise the first
 * one ends the run.
 *
 * @param paid what the run has paid for so far; added to the message, as no item will show it
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

/** How long reading may block n8n's server and its other executions. */
const longestTurnMs = 50;

/**
 * Reads each input item separately: what is thrown for one is its own problem and affects no other. With
 * On Error "Stop", the first problem ends it.
 */
export async function readItems<T>(
	context: IExecuteFunctions,
	read: (itemIndex: number) => T | Promise<T>,
): Promise<{ items: T[]; problems: ItemProblem[] }> {
	const items: T[] = [];
	const problems: ItemProblem[] = [];
	let turnBegan = performance.now();
	for (const itemIndex of context.getInputData().keys()) {
		if (performance.now() - turnBegan > longestTurnMs) {
			await sleep(0);
			turnBegan = performance.now();
		}
		try {
			items.push(await read(itemIndex));
		} catch (thrown) {
			problems.push({ itemIndex, ok: false, problem: problemOf(thrown) });
			if (!context.continueOnFail()) break;
		}
	}
	return { items, problems };
}

/** What to say about tasks that no item will show, besides the one that the message is about. */
function tellPaid(
	context: IExecuteFunctions,
	{ tasks, lost }: Paid,
	about: string | undefined,
): string[] {
	const others = tasks
		.filter(({ taskId }) => taskId !== about)
		.map(({ itemIndex, taskId }) => `item ${itemIndex}: ${taskId}`);
	// A retried agent calls its tools with new arguments.
	const retry = isTool(context)
		? ''
		: ' A retry of this execution returns them and does not create them again, unless you change what they ask for.';
	return [
		others.length === 0 ? [] : `Tasks that already exist: ${others.join(', ')}.${retry}`,
		lost.length === 0 ? [] : `It is not known whether a task was created for: ${lost.join(', ')}.`,
	].flat();
}

/**
 * The output of a run that ended with a throw. With "Continue", each input item becomes that problem:
 * otherwise n8n (1.123 and 2.40) passes the input on, as if all were well.
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

/**
 * The first problem caused by a provider's response, or else the first one: an item that was not sent is
 * never the cause.
 */
function causeOf(results: readonly Result[]) {
	const problems = results.flatMap((result) => (result.ok ? [] : [result]));
	return problems.find(({ problem }) => problem.failure) ?? problems[0];
}
