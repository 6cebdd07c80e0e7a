import type { Clock } from '../../kling/clock';
import { filledIn, isFinal, type TaskRecord } from '../../kling/task';
import type { Session } from '../../n8n/session';
import type { ItemTask } from '../operations/finish';
import { callAgain, callAtDeadline, type Caller } from './ownCalls';
import type { Wait } from './wait';

/** `ready`: the execution should go on. `unknown`: the provider could not be asked. */
export type WaitState = 'ready' | 'open' | 'unknown';

/** Milliseconds from one look at the tasks of a wait to the next. */
const leastIntervalMs = 1_000;
/** Milliseconds in which n8n surely has marked a woken execution as running. */
const wakingMs = 60_000;

/** What a process knows of a wait between its callbacks. */
export class Watch {
	/** By task id, those that were seen to have ended. */
	private readonly ended = new Map<string, TaskRecord>();
	private lastLookAt = -Infinity;
	private wokenAt = -Infinity;
	private isLooking = false;
	private isCalling = false;
	/** Whether a callback came during a look: it can be about a task that was just looked at. */
	private cameMeanwhile = false;
	private secret: Caller['secret'] = async () => null;

	/** @param wait no more of it, as this is remembered when the wait is over */
	constructor(
		private readonly wait: Pick<Wait, 'resumeUrl' | 'deadline'>,
		private readonly clock: Clock,
	) {
		// The process that fell asleep calls too, if it is still there.
		void callAtDeadline({ wait, clock, secret: async () => await this.secret() });
	}

	/** Looks at the tasks: for one callback at a time, and not more often than the least interval. */
	async look(session: Session, itemTasks: readonly ItemTask[]): Promise<WaitState> {
		const { webhookSecret } = session.account;
		this.secret = async () => webhookSecret;
		if (this.clock.now() >= this.wait.deadline) return this.wake();
		this.cameMeanwhile = true;
		if (this.isLooking) return 'open';
		this.isLooking = true;
		try {
			let state: WaitState = 'open';
			for (let looks = 0; looks < 2 && this.cameMeanwhile && state !== 'ready'; looks++) {
				await this.clock.sleep(Math.max(0, this.lastLookAt + leastIntervalMs - this.clock.now()));
				this.cameMeanwhile = false;
				state = await this.lookOnce(session, itemTasks);
				this.lastLookAt = this.clock.now();
			}
			return state === 'ready' ? this.wake() : this.lookLater(state);
		} finally {
			this.isLooking = false;
		}
	}

	/** A second callback must not wake the execution again while n8n is waking it. */
	private wake(): WaitState {
		if (this.clock.now() < this.wokenAt + wakingMs) return 'open';
		this.wokenAt = this.clock.now();
		return 'ready';
	}

	/** Stops at the first task that is still open: with many tasks most callbacks cost one or two requests. */
	private async lookOnce({ client }: Session, itemTasks: readonly ItemTask[]): Promise<WaitState> {
		for (const { record, finish } of itemTasks) {
			const { taskId, status } = record.task;
			if (!finish.wait || isFinal(status) || this.ended.has(taskId)) continue;
			const outcome = await client.get(taskId);
			if (!outcome.ok) return 'unknown';
			if (!isFinal(outcome.value.task.status)) return 'open';
			this.ended.set(taskId, outcome.value);
		}
		return 'ready';
	}

	/**
	 * Has the tasks looked at again soon: a callback can be ahead of the state, and a provider that is
	 * down comes back.
	 *
	 * @param secret how to read it, where it could not be read now
	 */
	lookLater(state: WaitState, secret = this.secret): WaitState {
		if (this.isCalling) return state;
		this.isCalling = true;
		const { wait, clock } = this;
		void callAgain({ wait, clock, secret }).finally(() => {
			this.isCalling = false;
		});
		return state;
	}

	/** The tasks with what was seen of those that have ended; the wait is over then. */
	takeEnded(itemTasks: readonly ItemTask[]): ItemTask[] {
		const latest = itemTasks.map((one) => {
			const { task } = one.record;
			const seen = this.ended.get(task.taskId);
			if (!seen) return one;
			const known = filledIn(seen, task);
			// A gateway may answer with another system's id.
			return { ...one, record: { ...known, task: { ...known.task, taskId: task.taskId } } };
		});
		this.ended.clear();
		return latest;
	}
}
