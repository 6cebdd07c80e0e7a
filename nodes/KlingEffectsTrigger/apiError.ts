import type { INode, NodeApiError, NodeOperationError } from 'n8n-workflow';
import { behaviourOf, type Failure, type FailureKind } from '../kling/failure';
import { describeFailure } from '../kling/messages';
import type { Provider } from '../kling/providers';
import { errorOf } from '../n8n/problems';

/** Why a poll failed, in n8n's words (n8n-workflow 2.40, errors/failure.d.ts). */
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

const whatNext = 'The trigger asks again at each poll, and no task that ends meanwhile is missed.';

/**
 * The error of a poll that a request has spoiled. n8n 2.40 reads from `failure` how long to leave
 * the provider alone; n8n 1.123 ignores it.
 *
 * @param goesOn whether later polls make up for this one
 */
export function apiErrorOf(
	node: INode,
	failure: Failure,
	provider: Provider,
	{ goesOn }: { goesOn: boolean },
): NodeApiError | NodeOperationError {
	const { message, description } = describeFailure(failure, { provider });
	const outlook = goesOn && behaviourOf(failure).passing ? ` ${whatNext}` : '';
	const problem = { message, description: `${description}${outlook}`, failure };
	return Object.assign(errorOf(node, problem), { failure: failureForN8n(failure) });
}

function failureForN8n({ kind, retryAfterMs }: Failure) {
	const cause = causes[kind] ?? 'temporarily-unavailable';
	const isTimed = cause === 'rate-limited' || cause === 'temporarily-unavailable';
	return isTimed && retryAfterMs !== null ? { cause, retryAfterMs } : { cause };
}
