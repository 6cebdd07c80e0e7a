import type { IExecuteFunctions, IWebhookDescription } from 'n8n-workflow';

/**
 * Where callbacks wake a sleeping execution. Imported rather than written into the description,
 * because n8n's lint takes every literal `webhooks` for one that is registered with the provider;
 * this one only resumes (`restartWebhook`). The path is empty, so that `$execution.resumeUrl` is the
 * whole address on n8n 1.123 and, with its token, on 2.40.
 */
export const resumeWebhooks: IWebhookDescription[] = [
	{
		name: 'default',
		httpMethod: 'POST',
		responseMode: 'onReceived',
		path: '',
		restartWebhook: true,
	},
];

/** The address that resumes this execution, with the token that n8n 2.x asks for. */
export function resumeUrlOf(context: IExecuteFunctions): string {
	const { $execution } = context.getWorkflowDataProxy(0) as unknown as {
		$execution: { resumeUrl: string };
	};
	return $execution.resumeUrl;
}

/**
 * The token by which n8n 2.x knows an execution. It is made and stored with the execution before the
 * first node runs, and an execution that the Retry button starts has the same one.
 *
 * @returns null on n8n 1.123
 */
export function resumeTokenOf(context: IExecuteFunctions): string | null {
	return /[?&]signature=([^&]+)/.exec(resumeUrlOf(context))?.[1] ?? null;
}

/** Hosts that only this machine or its own network can reach. */
const privateHosts =
	/^(localhost|.*\.(localhost|local|internal|lan|test)|127\..*|10\..*|192\.168\..*|169\.254\..*|172\.(1[6-9]|2\d|3[01])\..*|0\.0\.0\.0|\[(::1?|f[cde].*)\]|[^.:]+)$/i;

/** Whether a provider on the internet can, as far as the address tells, call it. */
export function isPublic(address: string): boolean {
	return !privateHosts.test(new URL(address).hostname);
}
