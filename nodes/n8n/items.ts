import type {
	IBinaryKeyData,
	IDataObject,
	INodeExecutionData,
	INodeProperties,
} from 'n8n-workflow';
import type { TaskRecord } from '../kling/task';

/** The parameter of both nodes that decides which form an item has. */
export const simplifyField: INodeProperties = {
	displayName: 'Simplify',
	name: 'simplify',
	type: 'boolean',
	default: true,
	description:
		'Whether to return a simplified version of the response instead of the raw data of the provider',
};

export interface ItemOptions {
	simplify: boolean;
	/** Whether a wait ran out before the task ended. */
	timedOut?: boolean;
	binary?: IBinaryKeyData;
	/** The input item that the task came from; absent for a trigger. */
	itemIndex?: number;
}

/** The output item of a task. */
export function taskItem(record: TaskRecord, options: ItemOptions): INodeExecutionData {
	const json = options.simplify ? ({ ...record.task } as IDataObject) : ownObject(record.raw);
	if (options.timedOut) json.timedOut = true;
	return {
		json,
		...(options.binary ? { binary: options.binary } : {}),
		...(options.itemIndex === undefined ? {} : { pairedItem: { item: options.itemIndex } }),
	};
}

/**
 * The provider's own object. A key `error` is renamed: n8n takes an item with one for a failed item,
 * and with Retry On Fail would run the paid node again (n8n 1.123 even when its value is null).
 */
function ownObject(raw: Record<string, unknown>): IDataObject {
	const { error, ...rest } = raw;
	return ('error' in raw ? { ...rest, taskError: error } : rest) as IDataObject;
}
