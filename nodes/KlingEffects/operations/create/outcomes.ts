import { describeFailure, describeUnknownOutcome } from '../../../kling/messages';
import type { Provider } from '../../../kling/providers';
import type { Problem } from '../../../n8n/problems';
import type { Result } from '../../../n8n/results';
import { lostOf, tasksOf, type Submitted, type SubmittedItems } from './submission';

/** The items whose create brought no task, with the reason. */
export function problemsOf({ submitted, stoppedBy }: SubmittedItems, provider: Provider): Result[] {
	return submitted.flatMap(({ item: { itemIndex, order }, submission }): Result[] => {
		const subject = { provider, itemIndex };
		const refuse = (problem: Problem): Result[] => [{ ok: false, itemIndex, problem }];
		if (submission.outcome === 'refused') {
			const { failure } = submission;
			return refuse({ ...describeFailure(failure, subject), failure });
		}
		if (submission.outcome === 'unknown') {
			const { failure, externalTaskId, lookUp } = submission;
			const about = { ...subject, externalTaskId, effectScene: order.effectScene, lookUp };
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

/** What to tell of the tasks that the run holds when no item will show them. */
export function tellPaid(submitted: readonly Submitted[]): string | null {
	const tasks = tasksOf(submitted).map(
		({ item, submission: { record } }) => `item ${item.itemIndex}: ${record.task.taskId}`,
	);
	const lost = lostOf(submitted).map(
		({ item: { itemIndex, order }, submission }) =>
			`item ${itemIndex} (${submission.externalTaskId ?? order.effectScene})`,
	);
	const texts = [
		tasks.length === 0
			? []
			: `Tasks that exist already: ${tasks.join(', ')}. A retry of this execution finds them and does not create them again.`,
		lost.length === 0 ? [] : `Unknown whether a task was created for: ${lost.join(', ')}.`,
	].flat();
	return texts.length === 0 ? null : texts.join(' ');
}

/** With an id that the user gave, a task of an earlier execution looks like a new one. */
export function hintsAtEarlier(submitted: readonly Submitted[]): string[] {
	return tasksOf(submitted).flatMap(({ item: { itemIndex, order }, submission }) => {
		const isEarlier = submission.outcome === 'found' && submission.isEarlier;
		if (!isEarlier || order.externalTaskId === undefined) return [];
		const { taskId, createdAt } = submission.record.task;
		const since = createdAt ? `, created ${createdAt}` : '';
		return `Item ${itemIndex}: a task with External Task ID “${order.externalTaskId}” already existed (${taskId}${since}). It is returned, and none was created or charged.`;
	});
}
