import type { INode, NodeApiError, NodeOperationError } from 'n8n-workflow';
import type { Failure, FailureKind } from '../kling/failure';
import { describeFailure } from '../kling/messages';
import type { Provider } from '../kling/providers';
import { isLasting } from '../kling/watch';
import { errorOf } from '../n8n/problems';

/** Why a poll went wrong, in n8n's words (n8n-workflow 2.40, errors/failure.d.ts). */
type Cause =
	| 'rate-limited'
	| 'quota-exhausted'
	| 'temporarily-unavailable'
	| 'credential-invalid'
	| 'configuration-invalid';

const causes: Partial<Record<FailureKind, Cause>> = {
	tooManyRequests: 'rate-limited',
	noFreeSlot: 'rate-limited',
	accountEmpty: 'quota-exhausted',
	keyRefused: 'credential-invalid',
	accountBlocked: 'credential-invalid',
	notAllowed: 'credential-invalid',
};

/**
 * The error of a poll that a request has spoiled. n8n 2.40 reads from `failure` how long to leave
 * the provider alone; n8n 1.123 takes no notice of it.
 */
export function apiErrorOf(
	node: INode,
	failure: Failure,
	provider: Provider,
): NodeApiError | NodeOperationError {
	const { message, description } = describeFailure(failure, { provider });
	const goesOn = isLasting(failure) ? '' : ' The next poll goes on where this one stopped.';
	const problem = { message, description: `${description}${goesOn}`, failure };
	return Object.assign(errorOf(node, problem), { failure: failureForN8n(failure) });
}

function failureForN8n({ kind, retryAfterMs }: Failure) {
	const cause = causes[kind] ?? 'temporarily-unavailable';
	const isTimed = cause === 'rate-limited' || cause === 'temporarily-unavailable';
	return isTimed && retryAfterMs !== null ? { cause, retryAfterMs } : { cause };
}
