import {
	NodeApiError,
	NodeOperationError,
	type IDataObject,
	type INode,
	type INodeExecutionData,
} from 'n8n-workflow';
import type { Failure } from '../kling/failure';
import { InputError, reasonOf } from '../kling/input';
import type { Message } from '../kling/messages';

/** Why an item brings no result. */
export interface Problem extends Message {
	/** Absent when it was found before anything was sent. */
	failure?: Failure;
	taskId?: string;
	externalTaskId?: string;
	/** Of a task whose video could not be downloaded. */
	videoUrl?: string | null;
}

/** What was thrown, as an item's problem: an {@link InputError} and n8n's own errors in their words. */
export function problemOf(thrown: unknown): Problem {
	if (thrown instanceof InputError || isExplained(thrown)) {
		return { message: thrown.message, description: thrown.description ?? '' };
	}
	return {
		message: `Something unexpected happened: ${reasonOf(thrown)}`,
		description: 'Report this to the makers of the package, with what the node was given.',
	};
}

export function isExplained(thrown: unknown): thrown is NodeOperationError | NodeApiError {
	return thrown instanceof NodeOperationError || thrown instanceof NodeApiError;
}

/** The error that n8n shows for a problem. */
export function errorOf(
	node: INode,
	problem: Problem,
	itemIndex?: number,
): NodeApiError | NodeOperationError {
	const { message, description, failure } = problem;
	const shown = { description, ...(itemIndex === undefined ? {} : { itemIndex }) };
	if (!failure) return new NodeOperationError(node, message, shown);
	const httpCode = failure.httpStatus === null ? undefined : String(failure.httpStatus);
	return new NodeApiError(node, {}, { ...shown, message, ...(httpCode ? { httpCode } : {}) });
}

/**
 * The item that stands for a problem when the node goes on. For the error output it holds `error`
 * and `message` alone: n8n 1.123 sends an item with any other key to the success output. n8n adds
 * the input's json to it there.
 */
export function itemOf(node: INode, problem: Problem, itemIndex: number): INodeExecutionData {
	const { message, description } = problem;
	const json: IDataObject = { error: message, message: description };
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
