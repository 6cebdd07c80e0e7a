import type { Failure, FailureKind } from '../../kling/failure';
import { describeFailure, describeUnknownOutcome } from '../../kling/messages';
import type { Account } from '../../kling/account';
import type { Submission } from '../../kling/create/entry';
import { displayNameOf, providerNamed, type Provider } from '../../kling/providers';
import { adviceOn } from '../../kling/sceneAdvice';
import { taskItem, type ItemProblem, type Paid, type Problem, type Result } from '../../n8n/output';
import type { ItemTask } from '../afterTask/finish';
import type { CheckedItem } from './item';
import type { ItemEntry } from './memory';

/** An item and what became of its create. */
export interface Submitted extends CheckedItem {
	entry: ItemEntry;
	submission: Submission;
}

/** What became of a run's creates, in the order of the items. */
export interface SubmittedItems {
	submitted: Submitted[];
	/** Why nothing more was sent, when a failure is the reason. */
	stoppedBy: Failure | null;
}

/** The tasks that items now have, and that can be looked up. */
export function tasksOf(submitted: readonly Submitted[]): ItemTask[] {
	return submitted.flatMap(({ itemIndex, finish, submission }) =>
		submission.outcome === 'created' || submission.outcome === 'found'
			? [{ itemIndex, record: submission.record, finish }]
			: [],
	);
}

/** The items of tasks at another account, in their last known state. */
export function itemsElsewhere(submitted: readonly Submitted[]): Result[] {
	return submitted.flatMap(({ itemIndex, finish, submission }): Result[] => {
		if (submission.outcome !== 'elsewhere') return [];
		const { simplify } = finish;
		return [{ itemIndex, ok: true, item: taskItem(submission.record, { simplify, itemIndex }) }];
	});
}

/** What the run has paid for, or may have, including what its items asked for before an edit. */
export function paidBy(submitted: readonly Submitted[]): Paid {
	const paid: Paid = { tasks: [], lost: [] };
	const lose = (itemIndex: number, what?: string | null) =>
		paid.lost.push(`item ${itemIndex} (${what ?? 'no ID'})`);
	for (const { itemIndex, order, submission, entry } of submitted) {
		for (const one of entry.replaced) {
			if (one.state === 'created') paid.tasks.push({ itemIndex, taskId: one.taskId });
			else lose(itemIndex, one.externalTaskId ?? one.order?.effectScene);
		}
		if ('record' in submission) {
			paid.tasks.push({ itemIndex, taskId: submission.record.task.taskId });
		} else if (submission.outcome === 'unknown') {
			lose(itemIndex, submission.externalTaskId ?? order.effectScene);
		}
	}
	return paid;
}

/** What items should say whose tasks were not created for them just now. */
export function hintsAt(submitted: readonly Submitted[], provider: Provider): string[] {
	return submitted.flatMap((one) => {
		const { itemIndex, submission } = one;
		const hints = [...hintsAtReplaced(one)];
		if (submission.outcome === 'elsewhere') hints.push(hintAtElsewhere(submission, provider));
		if (submission.outcome === 'found') hints.push(...hintsAtFound(one, submission));
		return hints.map((hint) => `Item ${itemIndex}: ${hint}`);
	});
}

type Outcome<Name> = Extract<Submission, { outcome: Name }>;

function hintAtElsewhere({ record }: Outcome<'elsewhere'>, now: Provider): string {
	const { taskId, provider } = record.task;
	const made = displayNameOf(provider);
	const where =
		provider === now.name
			? `with another ${made} key or Base URL`
			: `at ${made}, before the credential was changed`;
	return `task ${taskId} was created ${where}, and cannot be read with the current credential. It is returned as it was last seen; nothing was sent for it. To follow it, use Get with a credential for that account.`;
}

function hintsAtFound({ order, entry }: Submitted, found: Outcome<'found'>): string[] {
	const { taskId, createdAt, status, statusMessage, externalTaskId } = found.record.task;
	const again = 'For a new task, run the workflow again instead of retrying.';
	const hints: string[] = [];
	if (entry.differences.has('otherImages')) {
		hints.push(
			`the image was changed after task ${taskId} was created. That task, made from the earlier image, is returned. ${again}`,
		);
	}
	if (entry.differences.has('otherExternalId') && externalTaskId) {
		hints.push(
			`External Task ID was changed after task ${taskId} was created. That task, with external task ID “${externalTaskId}”, is returned. ${again}`,
		);
	}
	if (found.mayBeEdited) {
		hints.push(
			`task ${taskId} was made by an earlier try. If Effect Scene or another parameter was changed since, it was made with the earlier value. ${again}`,
		);
	}
	// With a user's id, a task from an earlier execution looks like a new one.
	if (found.isEarlier && order.externalTaskId !== undefined) {
		const since = createdAt ? `, created ${createdAt}` : '';
		const charged = found.mayBeAnother
			? `It is returned. Whether this run created another one is not known: look in the ${displayNameOf(found.record.task.provider)} console.`
			: 'It is returned; no new task was created or charged.';
		const end =
			status === 'failed'
				? ` That task has failed: ${statusMessage ?? 'no reason given'}. For a new task, enter another External Task ID.`
				: '';
		hints.push(
			`a task with External Task ID “${order.externalTaskId}” already existed (${taskId}${since}). ${charged}${end}`,
		);
	}
	return hints;
}

/** An edit that asks for something else leaves the earlier task behind. */
function hintsAtReplaced({ entry }: Submitted): string[] {
	return entry.replaced.map((one) => {
		const scene = one.order ? ` for effect scene “${one.order.effectScene}”` : '';
		return one.state === 'created'
			? `task ${one.taskId}${scene} was created before a parameter was changed, and is still in the account.`
			: `before a parameter was changed, a task${scene} may have been created${one.externalTaskId ? ` with external task ID ${one.externalTaskId}` : ''}.`;
	});
}

/** How providers refuse a scene they do not have. */
const mayBeTheScene: FailureKind[] = ['badRequest', 'notOffered'];

/** The items whose create led to no task, with the reason. */
export function problemsOf(
	{ submitted, stoppedBy }: SubmittedItems,
	account: Account,
): ItemProblem[] {
	const { provider } = account;
	return submitted.flatMap(({ itemIndex, order, entry, submission }): ItemProblem[] => {
		if ('record' in submission) return [];
		const refuse = (problem: Problem): ItemProblem[] => [{ ok: false, itemIndex, problem }];
		if (submission.outcome === 'notSent') {
			const message = stoppedBy
				? `This item was not sent: ${describeFailure(stoppedBy, { provider, isCreate: true }).message}`
				: 'This item was not sent because the run ended before its turn';
			const description = 'Nothing was created or charged for this item. Run it again.';
			return refuse({ message, description });
		}
		const { failure } = submission;
		const { effectScene } = order;
		const subject = { provider, itemIndex, isCreate: true };
		if (submission.outcome === 'unknown') {
			const { externalTaskId } = submission;
			const about = { ...submission, effectScene: sceneOf(entry, effectScene), itemIndex };
			const asked = providerNamed(submission.elsewhere ?? '') ?? provider;
			const problem = {
				...describeUnknownOutcome(failure, {
					...about,
					provider: asked,
					isElsewhere: submission.elsewhere !== undefined,
				}),
				failure: submission.refusal ?? failure,
			};
			return refuse(externalTaskId ? { ...problem, externalTaskId } : problem);
		}
		const { message, description } = describeFailure(failure, subject);
		const advice = mayBeTheScene.includes(failure.kind) ? adviceOn(effectScene, account) : null;
		const advised = advice ? `${advice} ${description}` : description;
		return refuse({ message, description: advised, failure });
	});
}

/** The scene that may have been ordered; an expression may give another one now. */
function sceneOf(entry: ItemEntry, now: string): string {
	return entry.recall()?.order?.effectScene ?? now;
}
