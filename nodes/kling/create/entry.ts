import type { Failure } from '../failure';
import type { ExternalIdSupport, Order } from '../providers/provider';
import type { ProviderName, TaskRecord, TaskStatus } from '../task';

/** The parts of an order that are kept with its task, so that a later try knows what was ordered. */
export type Ordered = Omit<Order, 'callbackUrl' | 'externalTaskId'>;

/** What an earlier try of the same create left behind. */
export type Remembered = {
	externalTaskId?: string;
	/** Absent if the process that knew it died. */
	order?: Ordered;
	/** The provider it was sent to, if that is not the current one. */
	provider?: ProviderName;
	/** Set if it was sent with another key or to another address: see the rules in identity.ts. */
	lookUp?: 'ifReadable' | 'never';
} & (
	| {
			/** The request may have gone out, and what became of it is unknown. */
			state: 'sending';
			/** When this execution first sent it, in milliseconds since 1970. */
			sentAt?: number;
			/** How well this try's external task id identifies its task, if it may have had another. */
			trace?: ExternalIdSupport;
			/** The try died with its process, or was another retry, so it may not have got as far as this create. */
			hasDied?: boolean | 'orRetried';
			/** Why the earlier order may differ from the current one. */
			doubt?: 'edited' | 'evaluated';
			/** Whether it can be sent anyway, because the provider accepts its id only once. */
			maySend?: boolean;
	  }
	| {
			/** The provider gave it a task id. */
			state: 'created';
			taskId: string;
			/** Its last known state. */
			status?: TaskStatus;
	  }
);

/** One create's entry in memory, which outlives this try. */
export interface Entry {
	/** The external task id that the create gets if the user gives none. */
	externalTaskId: string;
	recall(): Remembered | null;
	/** @param state null if definitely no task was created */
	remember(state: Remembered | null): void;
	/** Whether this execution may start one more new task; it then counts, until it is refused. */
	claim?(): boolean;
	/** Whether another create of this execution holds the task, so that it cannot be this one's. */
	isTaken(taskId: string): boolean;
	/** Whether a task under the node's own id can only be this execution's, however old it is. */
	ownsOlder: boolean;
}

/** What became of a create. */
export type Submission =
	/** The task, just created. */
	| { outcome: 'created'; record: TaskRecord }
	/**
	 * The task, made by an earlier try or, when `isEarlier`, before this execution sent anything.
	 * `mayBeAnother`: whether a request of this execution may have made a second one. `mayBeEdited`: whether
	 * it may have been asked for something else.
	 */
	| {
			outcome: 'found';
			record: TaskRecord;
			/** What it was made from, if known. */
			order?: Ordered;
			isEarlier: boolean;
			mayBeAnother: boolean;
			mayBeEdited?: boolean;
	  }
	/** A task of an earlier try that this key cannot read, as it was seen last; nothing was sent for it. */
	| { outcome: 'elsewhere'; record: TaskRecord }
	/** Surely no task was made. */
	| { outcome: 'refused'; failure: Failure }
	/** A task may have been made. */
	| {
			outcome: 'unknown';
			/** What is known of the request that may have made one. */
			failure: Failure;
			/** Why no later request made one, if known. */
			refusal?: Failure;
			externalTaskId: string | null;
			/** Why the task could not be looked up; null if there was no look-up, or it found nothing. */
			lookUp: Failure | null;
			/** Whether it was sent, if at all, by an execution that died with its process, or by another retry. */
			hasDied: boolean | 'orRetried';
			/** The provider it was sent to, with another key, base URL or credential than the current one. */
			elsewhere?: ProviderName;
	  }
	/** Nothing was sent, because the run was stopped or its time was over. */
	| { outcome: 'notSent' };
