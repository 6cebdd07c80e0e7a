import type { FailureKind } from '../../kling/failure';
import { describeFailure, describeUnknownOutcome } from '../../kling/messages';
import type { Account } from '../../kling/account';
import { adviceOn } from '../../kling/sceneAdvice';
import type { ItemProblem, Paid, Problem } from '../../n8n/output';
import type { ItemTask } from '../afterTask/finish';
import type { Submitted, SubmittedItems } from './submitAll';

/** The tasks that items hold now. */
export function tasksOf(submitted: readonly Submitted[]): ItemTask[] {
	return submitted.flatMap(({ itemIndex, finish, submission }) =>
		'record' in submission ? [{ itemIndex, record: submission.record, finish }] : [],
	);
}

/** What the run has paid for, or may have. */
export function paidBy(submitted: readonly Submitted[]): Paid {
	const tasks = tasksOf(submitted).map(({ itemIndex, record }) => ({
		itemIndex,
		taskId: record.task.taskId,
	}));
	const lost = submitted.flatMap(({ itemIndex, order, submission }) =>
		submission.outcome === 'unknown'
			? [`item ${itemIndex} (${submission.externalTaskId ?? order.effectScene})`]
			: [],
	);
	return { tasks, lost };
}

/** With an id that the user gave, a task of an earlier execution looks like a new one. */
export function hintsAtEarlier(submitted: readonly Submitted[]): string[] {
	return submitted.flatMap(({ itemIndex, order, submission }) => {
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

/** How providers refuse a scene that they do not have. */
const mayBeTheScene: FailureKind[] = ['badRequest', 'notOffered'];

/** The items whose create brought no task, with the reason. */
export function problemsOf(
	{ submitted, stoppedBy }: SubmittedItems,
	account: Account,
): ItemProblem[] {
	const { provider } = account;
	return submitted.flatMap(({ itemIndex, order, submission }): ItemProblem[] => {
		if ('record' in submission) return [];
		const refuse = (problem: Problem): ItemProblem[] => [{ ok: false, itemIndex, problem }];
		if (submission.outcome === 'notSent') {
			const message = stoppedBy
				? `This item was not sent: ${describeFailure(stoppedBy, { provider }).message}`
				: 'This item was not sent, because the run ended before its turn';
			const description = 'Nothing was created or charged for this item. Run it again.';
			return refuse({ message, description });
		}
		const { failure } = submission;
		const { effectScene } = order;
		const subject = { provider, itemIndex };
		if (submission.outcome === 'unknown') {
			const { externalTaskId } = submission;
			const about = { ...subject, ...submission, effectScene };
			const problem = { ...describeUnknownOutcome(failure, about), failure };
			return refuse(externalTaskId ? { ...problem, externalTaskId } : problem);
		}
		const { message, description } = describeFailure(failure, subject);
		const advice = mayBeTheScene.includes(failure.kind) ? adviceOn(effectScene, account) : null;
		const advised = advice ? `${advice} ${description}` : description;
		return refuse({ message, description: advised, failure });
	});
}
