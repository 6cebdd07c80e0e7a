import { factsOf, type Message, type Subject } from './messages';
import type { Provider } from './providers';
import { isMadeId } from './create/identity';
import type { Task } from './task';

/** What to say about a task that failed at the provider. */
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
			: 'A retry of this execution finds this task again and does not create a new one.';
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
	return `${displayName} does not document whether it charges for failed tasks: see its usage log.`;
}

/**
 * What to do about the reasons why tasks fail. They come from Kling, and gateways pass them on, some with
 * their own words before a colon. A reason that is only quoted in the text does not count.
 */
const reasons: ReadonlyArray<[reason: RegExp, advice: string]> = [
	// docs/providers.md K23
	[
		/(^|[:\]] *)(?:parallel task over resource pack limit)\b/i,
		'All slots were in use: run the workflow again when a task has finished.',
	],
	// docs/providers.md K14 and K15
	[
		/(^|[:\]] *)(?:image pixel is invalid|the resolution or aspect ratio of the input image)\b/i,
		'Use an image with at least 300 pixels per side and a ratio from 1:2.5 to 2.5:1, and run the workflow again.',
	],
	// docs/providers.md K31
	[
		/(^|[:\]] *)(?:(failed to|cannot|could not|unable to) (download|fetch|load) (the )?(input )?image)\b/i,
		'Use a direct link to the image that opens without signing in, or send the file itself with Image Input set to Binary File, and run the workflow again.',
	],
	// docs/providers.md K15 and A4
	[
		/(^|[:\]] *)(?:failure to pass the risk control|content policy|content_moderation)\b/i,
		'Use another image: this one did not pass the content check.',
	],
	// docs/providers.md A4
	[
		/(^|[:\]] *)(?:upstream_busy|timeout)\b/i,
		'The provider was busy: run the workflow again later, with the same image.',
	],
];

/** What to do about the reason why a task failed, if it is known. */
function adviceOnReason(reason: string): string | null {
	return reasons.find(([pattern]) => pattern.test(reason))?.[1] ?? null;
}
