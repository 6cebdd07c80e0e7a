import { adviceOnReason } from './reasons';
import { factsOf, type Message, type Subject } from './messages';
import type { Provider } from './providers';
import { isMadeId } from './create/identity';
import type { Task } from './task';

/** What to say about a task that the provider ended as failed. */
export function describeFailedTask(
	task: Task,
	subject: Subject & { provider: Pick<Provider, 'failuresAreFree'> },
): Message {
	const { displayName } = subject.provider;
	const scene = task.effectScene ? `“${task.effectScene}”` : 'the video';
	const reason = task.statusMessage ?? 'no reason given';
	const id = task.externalTaskId;
	const again =
		id && !isMadeId(id)
			? `External task ID “${id}” is tied to this task: enter another one for a new task.`
			: 'A retry of this execution finds this task again and creates none.';
	const advice = [
		adviceOnReason(reason) ?? 'Change the image or the effect scene and run the workflow again.',
		again,
		chargeOf(task, subject.provider),
	];
	return {
		message: `${displayName} could not generate ${scene}: ${reason}`,
		description: `${advice.join(' ')} (${factsOf(null, { ...subject, taskId: task.taskId })})`,
	};
}

/** Whether a failed task was charged, as far as is known. */
function chargeOf(
	{ unitsDeducted }: Task,
	{ displayName, failuresAreFree }: Pick<Provider, 'displayName' | 'failuresAreFree'>,
): string {
	if (unitsDeducted !== null) return `${displayName} charged ${unitsDeducted} units for it.`;
	if (failuresAreFree) return `${displayName} does not charge for it.`;
	return `${displayName} does not document whether it charges for a task that failed: see its usage log.`;
}
