import type { IExecuteFunctions } from 'n8n-workflow';
import { InputError } from '../../kling/input';
import { isTool, resumeTokenOf, resumeUrlOf, storedExecutionOf } from '../../n8n/execution';
import type { Session } from '../../n8n/session';
import { canFallAsleep } from './sleep';

const usePolling = 'Set Wait Using under Options to Polling';

/**
 * Checks whether a run can wait by callback, before anything is paid.
 *
 * @returns where callbacks should go; null to wait by polling
 * @throws InputError when it cannot
 */
export function readCallbackWait(
	context: IExecuteFunctions,
	{ provider }: Session,
	callbackUrl: string | undefined,
): string | null {
	// An AI agent waits for its tool's response, which a sleeping execution cannot give.
	if (isTool(context)) return null;
	if (!provider.takes.includes('callbackUrl')) {
		throw new InputError(
			`${provider.displayName} sends no callbacks`,
			`${usePolling}, or use a credential of another provider.`,
		);
	}
	if (callbackUrl) {
		throw new InputError(
			'Callback URL and Wait Using “Callback” cannot be combined',
			'Remove Callback URL under Options: the node gives the provider its own address.',
		);
	}
	const execution = storedExecutionOf(context);
	const resumeUrl = resumeUrlOf(context);
	const isSaved = context.getExecutionId() && context.getWorkflow().id;
	if (!execution || !isSaved || resumeUrl === null || !canFallAsleep(context, execution.data)) {
		throw new InputError(
			'This execution cannot be woken by a callback',
			`Save the workflow. If it is saved, this version of n8n cannot do it: ${usePolling}.`,
		);
	}
	const { parentExecution } = execution.data;
	// n8n 1.123 returns the calling workflow its own input instead of this one's output. Before 2.14, n8n 2
	// cannot be told from it.
	const isAwaited = parentExecution !== undefined && parentExecution.shouldResume !== false;
	if (isAwaited && resumeTokenOf(context) === null) {
		throw new InputError(
			'This version of n8n can lose the output of a sub-workflow that sleeps',
			`${usePolling}, or turn off Wait for Sub-Workflow Completion in the workflow that calls this one.`,
		);
	}
	return resumeUrl;
}
