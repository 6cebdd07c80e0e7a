import type { Client, Dated } from '../client';
import type { Clock } from '../clock';
import { behaviourOf, failed, failureWithoutResponse, type Failure } from '../failure';
import { providerNamed } from '../providers';
import type { Order, Provider } from '../providers/provider';
import { createdMs, filledIn, recordOf, type TaskRecord } from '../task';
import type { Entry, Remembered, Submission } from './entry';
import { isMadeId } from './identity';

/**
 * The pauses before each look-up of a task whose response was lost. Kling shows new tasks at once (152
 * reads of new tasks, no miss); a gateway may need a moment.
 */
export const settleMs = [500, 1_500, 4_000];
/** The same if the provider says that the task exists: then it will show up. */
export const settleKnownMs = [0, 1_000, 3_000, 6_000, 10_000, 10_000];
/** How much older than its request a new task may look: clocks differ, and some give whole seconds. */
const clockMargin = 2_000;
/** The same if an older task would belong to another execution. */
const foreignMargin = 60_000;

/** Stands for the response that an earlier try never saw. */
export const unknownSince = failureWithoutResponse('noResponse');

/** What it takes to look up the task of an earlier try. */
export interface FindDependencies {
	client: Client;
	memory: Entry;
	clock: Clock;
	signal?: AbortSignal;
}

export async function recover(
	earlier: Remembered & { state: 'created' },
	client: Client,
): Promise<Submission> {
	const outcome = await client.get(earlier.taskId);
	// A task that another key cannot read is another account's, unless it just cannot be read right now.
	if (!outcome.ok && earlier.lookUp && !behaviourOf(outcome.failure).passing) {
		return elsewhere(earlier);
	}
	// The id is known and paid for: it must not be lost because the provider cannot be reached right now.
	const record = outcome.ok ? outcome.value : lastSeen(earlier, client.provider);
	return {
		outcome: 'found',
		// Not with the current scene: without an order, it may have been another one.
		record: filledIn(record, { ...earlier.order, externalTaskId: earlier.externalTaskId }),
		isEarlier: false,
		mayBeAnother: false,
	};
}

/** What can be said about a create that was sent to an account that cannot be asked. */
export function elsewhere(earlier: Remembered): Submission {
	if (earlier.state === 'created') {
		const provider = providerNamed(earlier.provider ?? '') ?? { name: '', idKeys: ['task_id'] };
		return { outcome: 'elsewhere', record: lastSeen(earlier, provider) };
	}
	const { externalTaskId = null, provider } = earlier;
	const told = { failure: unknownSince, lookUp: null, externalTaskId, hasDied: false };
	return { outcome: 'unknown', ...told, elsewhere: provider };
}

function lastSeen(
	{ taskId, status, externalTaskId, order }: Remembered & { state: 'created' },
	{ name, idKeys }: Pick<Provider, 'name' | 'idKeys'>,
): TaskRecord {
	const known = { taskId, status: status ?? 'submitted', effectScene: order?.effectScene ?? null };
	const told = { ...known, externalTaskId: externalTaskId ?? null } as const;
	return recordOf(name, told, { [idKeys[0]]: taskId });
}

export async function lookFor(
	order: Order,
	delays: readonly number[],
	{ client, clock, signal }: FindDependencies,
): Promise<Dated<TaskRecord>> {
	let last: Dated<TaskRecord> = { ...failed(unknownSince), providerTime: null };
	for (const delay of delays) {
		await clock.sleep(delay * (0.75 + clock.random() / 2), signal);
		if (signal?.aborted) return { ...last, ...failed(failureWithoutResponse('cancelled')) };
		last = await client.findByExternalId(order.externalTaskId ?? '');
		// A refused key or a redirect will be the same next time.
		const mayPass =
			!last.ok && (last.failure.kind === 'notFound' || behaviourOf(last.failure).passing);
		if (!mayPass) return last;
	}
	return last;
}

/**
 * A task found under the order's external id, unless it belongs to another create: one of this run, or
 * one of an earlier execution with the same made id.
 */
export function found(
	order: Order,
	{ value: record, providerTime }: { value: TaskRecord; providerTime: number | null },
	unclear: Failure | null,
	{ client, clock, memory }: FindDependencies,
): Submission {
	if (memory.isTaken(record.task.taskId)) {
		return refuse(failureWithoutResponse('duplicateExternalId'), memory);
	}
	const earlier = memory.recall();
	// By the provider's clock, like the task's own time.
	const ahead = clock.now() - (providerTime ?? clock.now());
	const sentAt = ((earlier?.state === 'sending' && earlier.sentAt) || ahead) - ahead;
	const madeAt = createdMs(record.task);
	const isOlderBy = (margin: number) => madeAt > 0 && madeAt + margin < sentAt;
	// A provider with look-ups refuses a second task with the same id.
	const mayBeAnother = unclear !== null && client.provider.externalId !== 'lookup';
	const isOwn = memory.ownsOlder || !isMadeId(order.externalTaskId ?? '');
	if (!isOwn && (isOlderBy(foreignMargin) || (unclear === null && madeAt === 0))) {
		const failure = failureWithoutResponse('otherExecution');
		if (!mayBeAnother) return refuse(failure, memory);
		return { outcome: 'unknown', failure, lookUp: null, externalTaskId: null, hasDied: false };
	}
	const isEarlier = unclear === null || isOlderBy(clockMargin);
	const doubt = earlier?.state === 'sending' ? earlier.doubt : undefined;
	// Not the current scene, if the order is not known and may have been different.
	const isKnown = !doubt && !isEarlier;
	const { externalTaskId, ...ordered } = order;
	delete ordered.callbackUrl;
	const effectScene = isKnown ? ordered.effectScene : null;
	return {
		outcome: 'found',
		record: filledIn(record, { externalTaskId, effectScene }),
		...(isKnown ? { order: ordered } : {}),
		isEarlier,
		mayBeAnother: isEarlier && mayBeAnother,
		mayBeEdited: doubt === 'edited',
	};
}

export function refuse(failure: Failure, memory: Entry): Submission {
	memory.remember(null);
	return { outcome: 'refused', failure };
}
