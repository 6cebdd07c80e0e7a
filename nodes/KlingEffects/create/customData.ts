import type { IExecuteFunctions } from 'n8n-workflow';
import type { Submission } from '../../kling/create/submit';

/** n8n keeps 10 values of 255 characters as custom data of an execution; half of them are left to the workflow. */
const mostValues = 5;
const longestValue = 255;

/**
 * Shows on the execution (Executions, custom data) what was paid for, or may have been, create by
 * create: there it stays when the run is stopped.
 */
export function showPaid(
	context: IExecuteFunctions,
): (one: { itemIndex: number; submission: Submission }) => void {
	// Once for all creates: n8n builds a new proxy for each access, which is slow.
	const { customData } = context.getWorkflowDataProxy(0).$execution as {
		customData?: { set(key: string, value: string): void };
	};
	const listUnder = (key: string, values: number) => {
		let [number, line] = [1, ''];
		return (text: string) => {
			const joined = line === '' ? text : `${line},${text}`;
			const fits = joined.length <= longestValue;
			[number, line] = fits ? [number, joined] : [number + 1, text];
			if (number <= values) customData?.set(number === 1 ? key : `${key}${number}`, line);
		};
	};
	const showTask = listUnder('klingTaskIds', mostValues);
	const showUnknown = listUnder('klingUnknown', 1);
	return ({ itemIndex, submission }) => {
		if ('record' in submission) showTask(submission.record.task.taskId);
		else if (submission.outcome === 'unknown') {
			const { externalTaskId } = submission;
			showUnknown(externalTaskId ? `${itemIndex}:${externalTaskId}` : String(itemIndex));
		}
	};
}
