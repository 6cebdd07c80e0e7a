import type { INode, NodeApiError, NodeOperationError } from 'n8n-workflow';
import { behaviourOf, type Failure, type FailureKind } from '../kling/failure';
import { describeFailure } from '../kling/messages';
import type { Provider } from '../kling/providers';
import { errorOf } from '../n8n/output';

/** Why a poll failed, in n8n's words (n8n-workflow 2.40, errors/failure.d.ts); the others are `temporarily-unavailable`. */
const causes: Partial<Record<FailureKind, string>> = {
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
	const error = errorOf(node, { message, description: `${description}${outlook}`, failure });
	const { kind, retryAfterMs } = failure;
	const cause = causes[kind] ?? 'temporarily-unavailable';
	const hint = cause === 'credential-invalid' || retryAfterMs === null ? {} : { retryAfterMs };
	return Object.assign(error, { failure: { cause, ...hint } });
}
