import type { IExecuteFunctions } from 'n8n-workflow';

/**
 * Whether an AI agent runs the node as its tool. n8n makes a type of its own for that, with the
 * ending “Tool”; `isToolExecution` alone does not do: n8n 1.123 has none, and n8n 2.40's says no
 * for the tools that its engine runs.
 */
export function isTool(context: IExecuteFunctions): boolean {
	return context.getNode().type.endsWith('Tool') || (context.isToolExecution?.() ?? false);
}
