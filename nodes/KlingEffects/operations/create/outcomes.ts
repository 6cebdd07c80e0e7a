import type { FailureKind } from '../../../kling/failure';
import { describeFailure, describeUnknownOutcome } from '../../../kling/messages';
import type { Provider } from '../../../kling/providers';
import { adviceOn } from '../../../kling/scenes';
import type { Problem } from '../../../n8n/problems';
import type { Paid, Result } from '../../../n8n/results';
import { lostOf, tasksOf, type Submitted, type SubmittedItems } from './submission';

/** How providers refuse a scene that they do not have. */
const mayBeTheScene: FailureKind[] = ['badRequest', 'notOffered'];

/** The items whose create brought no task, with the reason. */
export function problemsOf({ submitted, stoppedBy }: SubmittedItems, provider: Provider): Result[] {
	return submitted.flatMap(({ item: { itemIndex, order }, submission }): Result[] => {
		const subject = { provider, itemIndex };
		const refuse = (problem: Problem): Result[] => [{ ok: false, itemIndex, problem }];
		if (submission.outcome === 'refused') {
			const { failure } = submission;
			const { message, description } = describeFailure(failure, subject);
			const advice = mayBeTheScene.includes(failure.kind) ? adviceOn(order.effectScene) : null;
			return refuse({
				message,
				description: advice ? `${advice} ${description}` : description,
				failure,
			});
		}
		if (submission.outcome === 'unknown') {
			const { failure, externalTaskId, lookUp, hasDied } = submission;
			const { effectScene } = order;
			const about = { ...subject, externalTaskId, effectScene, lookUp, hasDied };
			const problem = { ...describeUnknownOutcome(failure, about), failure };
			return refuse(externalTaskId ? { ...problem, externalTaskId } : problem);
		}
		if (submission.outcome !== 'notSent') return [];
		const message = stoppedBy
			? `This item was not sent: ${describeFailure(stoppedBy, { provider }).message}`
			: 'This item was not sent, because the run ended before its turn';
		const description = 'Nothing was created or charged for this item. Run it again.';
		return refuse({ message, description });
	});
}

/** What the run has paid for, or may have. */
export function paidBy(submitted: readonly Submitted[]): Paid {
	return {
		tasks: tasksOf(submitted).map(({ item: { itemIndex }, submission: { record } }) => ({
			itemIndex,
			taskId: record.task.taskId,
		})),
		lost: lostOf(submitted).map(
			({ item: { itemIndex, order }, submission }) =>
				`item ${itemIndex} (${submission.externalTaskId ?? order.effectScene})`,
		),
	};
}

/** With an id that the user gave, a task of an earlier execution looks like a new one. */
export function hintsAtEarlier(submitted: readonly Submitted[]): string[] {
	return tasksOf(submitted).flatMap(({ item: { itemIndex, order }, submission }) => {
		const isEarlier = submission.outcome === 'found' && submission.isEarlier;
		if (!isEarlier || order.externalTaskId === undefined) return [];
		const { taskId, createdAt, status, statusMessage } = submission.record.task;
		const since = createdAt ? `, created ${createdAt}` : '';
		const end =
			status === 'failed'
				? ` That task has failed: ${statusMessage ?? 'no reason given'}. For a new task, enter another External Task ID.`
				: '';
		return `Item ${itemIndex}: a task with External Task ID “${order.externalTaskId}” already existed (${taskId}${since}). It is returned, and none was created or charged.${end}`;
	});
}
