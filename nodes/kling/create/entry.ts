import type { Failure } from '../failure';
import type { ExternalIdSupport, Order } from '../providers/provider';
import type { ProviderName, TaskRecord, TaskStatus } from '../task';

/** What of an order is kept with its task, so that a later try says what was ordered. */
export type Ordered = Omit<Order, 'callbackUrl' | 'externalTaskId'>;

/** What an earlier try of the same create left behind. */
export type Remembered = {
	externalTaskId?: string;
	/** Absent where the process died that knew it. */
	order?: Ordered;
	/** Where it was sent to, if that is another one than now. */
	provider?: ProviderName;
	/** Set where it was sent with another key or to another address: see the rules in identity.ts. */
	lookUp?: 'ifReadable' | 'never';
} & (
	| {
			/** The request may have gone out, and what became of it is unknown. */
			state: 'sending';
			/** When this execution first sent it, in milliseconds since 1970. */
			sentAt?: number;
			/** How far its task can be told by the external task id of this try, where it may have had another. */
			trace?: ExternalIdSupport;
			/** The try ended with its process, or was another retry, so it is unknown whether it got as far as this create. */
			hasDied?: boolean | 'orRetried';
			/** Why it may have been ordered otherwise than now. */
			doubt?: 'edited' | 'evaluated';
			/** Whether it can be sent all the same, because the provider takes its id only once. */
			maySend?: boolean;
	  }
	| {
			/** The provider gave it a task id. */
			state: 'created';
			taskId: string;
			/** As it was seen last. */
			status?: TaskStatus;
	  }
);

/** An entry in memory, which outlives this try, for one create. */
export interface Entry {
	/** The external task id that the create gets where the user has given none. */
	externalTaskId: string;
	recall(): Remembered | null;
	/** @param state null when surely no task was made */
	remember(state: Remembered | null): void;
	/** Whether one more new task may be begun in this execution; it then counts, until it is refused. */
	claim?(): boolean;
	/** Whether another create of this execution holds the task, so that it cannot be this one's. */
	isTaken(taskId: string): boolean;
	/** Whether a task under the id that the node makes can only be this execution's, however old it is. */
	ownsOlder: boolean;
}

/** What became of a create. */
export type Submission =
	/** The task, made now. */
	| { outcome: 'created'; record: TaskRecord }
	/**
	 * The task, made by an earlier try or, when `isEarlier`, before this execution sent anything.
	 * `mayBeAnother`: whether a request of this execution may have made a second one. `mayBeEdited`: whether
	 * it may have been asked for something else.
	 */
	| {
			outcome: 'found';
			record: TaskRecord;
			/** What it was made of, where that is known. */
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
			/** Why no later request has made one, where that is known. */
			refusal?: Failure;
			externalTaskId: string | null;
			/** Why the task could not be looked up; null when nothing was looked up, or nothing was found. */
			lookUp: Failure | null;
			/** Whether it was sent, if at all, by an execution that ended with its process, or by another retry. */
			hasDied: boolean | 'orRetried';
			/** The provider that it was sent to with another key, base URL or credential than now. */
			elsewhere?: ProviderName;
	  }
	/** Nothing was sent, because the run was stopped or its time was over. */
	| { outcome: 'notSent' };
