import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { failed, failureWithoutResponse, type Failure } from '../../../kling/failure';
import { behaviourOf } from '../../../kling/failure';
import { describeFailure, describeUnknownOutcome } from '../../../kling/messages';
import type { Order } from '../../../kling/create/order';
import type { EffectType } from '../../../kling/scenes';
import { Admission } from '../../../kling/create/admission';
import { follow } from '../../../kling/follow';
import { inParallel } from '../../../kling/inParallel';
import { submit, orderToSend, type Submission } from '../../../kling/create/submit';
import { isFinal } from '../../../kling/task';
import { loadImages } from './images';
import { NodeMemory, showTaskIds, showUnknown } from './memory';
import type { Problem } from '../../../n8n/problems';
import { outputOf, type Result } from '../../../n8n/results';
import type { Session } from '../../../n8n/session';
import { sleepUntilCallbacks } from '../../callback';
import { waitAndFinish, type ItemTask, type WaitOptions } from '../finish';

const mostConcurrency = 100;
const usualConcurrency = 20;

/** One item that passed the checks. */
export interface CheckedItem {
	itemIndex: number;
	effectType: EffectType;
	order: Order;
}

interface Submitted {
	checkedItem: CheckedItem;
	submission: Submission;
}

/** A create of which nobody knows whether it made a task. */
interface Lost extends Submitted {
	submission: Extract<Submission, { outcome: 'unknown' }>;
}

/** One execution of Create, over all items that passed the checks. */
export class CreateRun {
	private readonly memory: NodeMemory;
	private readonly admission: Admission;
	private readonly deadline: number;
	private readonly concurrency: number;
	private readonly submitted: Submitted[] = [];
	private readonly itemTasks: ItemTask[] = [];

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly session: Session,
		private readonly wait: WaitOptions,
		/** Where callbacks should go; null to wait by polling. */
		private readonly resumeUrl: string | null,
	) {
		const { clock, signal } = session;
		this.memory = new NodeMemory(context);
		this.deadline = clock.now() + wait.timeoutMs;
		this.concurrency = readConcurrency(context);
		// Without time to wait, a create is still sent once.
		const deadline = Math.max(this.deadline, clock.now() + 60_000);
		const { concurrency } = this;
		const stopsAtRefusal = !context.continueOnFail();
		this.admission = new Admission({ concurrency, deadline, stopsAtRefusal }, clock, signal);
	}

	/** Creates, or finds, the task of each item. */
	async submitAll(checkedItem: readonly CheckedItem[]): Promise<void> {
		// Twice as many as may be sent: those that look for a lost task do not hold up the others.
		await inParallel(checkedItem, this.concurrency * 2, async (one) => {
			const submitted = { checkedItem: one, submission: await this.submitOne(one) };
			this.submitted.push(submitted);
			this.note(submitted);
		});
		this.itemTasks.sort((a, b) => a.itemIndex - b.itemIndex);
	}

	private async submitOne({ itemIndex, effectType, order }: CheckedItem): Promise<Submission> {
		const { client, clock, signal, provider } = this.session;
		const memory = this.memory.slotOf(itemIndex, provider.name, order);
		const sent = orderToSend(this.withCallback(order), provider, memory);
		const send = async () => {
			// The images passed the check, but n8n throws when a file has gone from its store since.
			const loaded = await loadImages(this.context, itemIndex, effectType).catch(() => null);
			return loaded?.ok
				? await client.create({ ...sent, images: loaded.images })
				: failed(failureWithoutResponse('imageGone', loaded?.problem.message ?? null));
		};
		const { admission } = this;
		return await submit(sent, { send, client, admission, memory, clock, signal });
	}

	private withCallback(order: Order): Order {
		return this.resumeUrl === null ? order : { ...order, callbackUrl: this.resumeUrl };
	}

	/** Stops sending where the rest would meet the same, or where n8n will drop the rest's output. */
	private note({ checkedItem, submission }: Submitted): void {
		if (submission.outcome === 'created' || submission.outcome === 'found') {
			this.itemTasks.push({ itemIndex: checkedItem.itemIndex, record: submission.record });
			showTaskIds(
				this.context,
				this.itemTasks.map(({ record }) => record.task.taskId),
			);
			this.hintAtEarlier(checkedItem, submission);
			return;
		}
		if (submission.outcome === 'unknown') this.noteUnknown();
		const cause = causeOf(submission);
		if (cause && (behaviourOf(cause).fatal || !this.context.continueOnFail()))
			this.admission.stop(cause);
	}

	/** With an id that the user gave, a task of an earlier execution looks like a new one. */
	private hintAtEarlier({ itemIndex, order }: CheckedItem, submission: Submission): void {
		const isEarlier = submission.outcome === 'found' && submission.by === 'duplicate';
		if (!isEarlier || order.externalTaskId === undefined) return;
		const { taskId, createdAt } = submission.record.task;
		const since = createdAt ? `, created ${createdAt}` : '';
		this.context.addExecutionHints({
			type: 'info',
			location: 'outputPane',
			message: `Item ${itemIndex}: a task with External Task ID “${order.externalTaskId}” was there already (${taskId}${since}). It is returned, and none was created or charged.`,
		});
	}

	private noteUnknown(): void {
		const names = this.unknown().map(({ checkedItem: { itemIndex }, submission }) =>
			submission.externalTaskId ? `${itemIndex}:${submission.externalTaskId}` : String(itemIndex),
		);
		showUnknown(this.context, names);
	}

	/**
	 * Waits where asked and gives the output of all items.
	 *
	 * @param refused the items that did not pass the checks
	 * @throws NodeApiError | NodeOperationError with On Error "Stop", at the first problem
	 */
	async finish(refused: readonly Result[]): Promise<INodeExecutionData[]> {
		const problems = [...refused, ...this.problems()];
		if (problems.length > 0 && !this.context.continueOnFail()) return this.output(problems);
		if (this.resumeUrl !== null && (await this.canSleep())) {
			return await this.sleep(this.resumeUrl, problems);
		}
		const finished = await waitAndFinish(this.context, this.session, this.itemTasks, {
			deadline: this.deadline,
			intervalMs: this.wait.intervalMs,
			firstLookMs: this.wait.intervalMs,
		});
		return this.output([...problems, ...finished]);
	}

	private output(results: readonly Result[]): INodeExecutionData[] {
		return outputOf(this.context, results, this.paid());
	}

	/**
	 * Whether callbacks will come, and any is still to come. A task of an earlier try calls the address
	 * of an execution that is over, so a retry waits by polling.
	 */
	private async canSleep(): Promise<boolean> {
		if (this.submitted.some(({ submission }) => submission.outcome === 'found')) return false;
		const now = this.session.clock.now();
		const records = this.itemTasks.map(({ record }) => record);
		const look = { deadline: now, intervalMs: 0, firstLookMs: 0 };
		const followed = await follow(records, look, this.session);
		for (const [index, { record }] of followed.entries()) this.itemTasks[index].record = record;
		return this.itemTasks.some(({ record }) => !isFinal(record.task.status));
	}

	private async sleep(
		resumeUrl: string,
		problems: readonly Result[],
	): Promise<INodeExecutionData[]> {
		const wait = { resumeUrl, deadline: this.deadline };
		const left = problems.flatMap((result) => (result.ok ? [] : [result]));
		return await sleepUntilCallbacks(this.context, this.session, this.itemTasks, left, wait);
	}

	private problems(): Result[] {
		return this.submitted.flatMap(({ checkedItem, submission }): Result[] => {
			const problem = this.problemOf(checkedItem, submission);
			return problem ? [{ ok: false, itemIndex: checkedItem.itemIndex, problem }] : [];
		});
	}

	private problemOf({ itemIndex, order }: CheckedItem, submission: Submission): Problem | null {
		const subject = { provider: this.session.provider, itemIndex };
		if (submission.outcome === 'refused') {
			const { failure } = submission;
			return { ...describeFailure(failure, subject), failure };
		}
		if (submission.outcome === 'unknown') {
			const { failure, externalTaskId, lookUp } = submission;
			const { effectScene } = order;
			const about = { ...subject, externalTaskId, effectScene, lookUp };
			return {
				...describeUnknownOutcome(failure, about),
				failure,
				...(externalTaskId ? { externalTaskId } : {}),
			};
		}
		return submission.outcome === 'notSent' ? this.describeNotSent() : null;
	}

	private describeNotSent(): Problem {
		const description = 'Nothing was created or charged for this item. Run it again.';
		const cause = this.admission.stoppedBy;
		if (!cause) {
			const message = 'This item was not sent, because the run ended before its turn';
			return { message, description };
		}
		const { message } = describeFailure(cause, { provider: this.session.provider });
		return { message: `This item was not sent: ${message}`, description };
	}

	/** What to tell of the tasks that the run holds when no item will show them. */
	private paid(): string | null {
		const tasks = this.itemTasks.map(
			({ itemIndex, record }) => `item ${itemIndex}: ${record.task.taskId}`,
		);
		const lost = this.unknown().map(
			({ checkedItem: { itemIndex, order }, submission }) =>
				`item ${itemIndex} (${submission.externalTaskId ?? order.effectScene})`,
		);
		const texts = [
			tasks.length === 0
				? []
				: `Tasks that exist already: ${tasks.join(', ')}. A retry of this execution finds them and does not create them again.`,
			lost.length === 0
				? []
				: `Nobody knows whether there is a task for these: ${lost.join(', ')}.`,
		].flat();
		return texts.length === 0 ? null : texts.join(' ');
	}

	private unknown(): Lost[] {
		const lost = this.submitted.filter((one): one is Lost => one.submission.outcome === 'unknown');
		return lost.sort((a, b) => a.checkedItem.itemIndex - b.checkedItem.itemIndex);
	}
}

/** Why nothing more may be sent: the failure itself, or that of the look-up after it. */
function causeOf(submission: Submission): Failure | null {
	if (submission.outcome === 'refused') return submission.failure;
	if (submission.outcome !== 'unknown') return null;
	const { failure, lookUp } = submission;
	return lookUp && behaviourOf(lookUp).fatal ? lookUp : failure;
}

function readConcurrency(context: IExecuteFunctions): number {
	const given = Number(context.getNodeParameter('options.concurrency', 0, usualConcurrency));
	const whole = Math.floor(given) || usualConcurrency;
	return Math.min(mostConcurrency, Math.max(1, whole));
}
