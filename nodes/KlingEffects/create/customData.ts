import type { IExecuteFunctions } from 'n8n-workflow';
import type { Entry, Submission } from '../../kling/create/entry';

/** n8n keeps 10 values of 255 characters as custom data of an execution; one is left for the workflow. */
const mostValues = 9;
const mostOfAll = 10;
const longestValue = 255;

/** Tasks that may exist unknown are more urgent than those that can be found by id. */
const keys = { unknown: 'klingUnknown', tasks: 'klingTaskIds' } as const;

/** Prefix of an unknown one listed among the task ids, because no value was left. */
const unknownMark = '?';

interface CustomData {
	set(key: string, value: string): void;
	getAll(): Record<string, string>;
}

/**
 * Shows on the execution (Executions, custom data) what was or may have been paid for, create by create,
 * so that it remains when the run is stopped. It adds to what other runs and nodes have shown.
 *
 * @param run of the node; the same at each try
 */
export function showPaid(
	context: IExecuteFunctions,
	run: number,
): (one: { itemIndex: number; submission: Submission; entry: Entry }) => void {
	// Once for all creates: n8n builds a new proxy on each access, which is slow.
	const { customData } = Object(context.getWorkflowDataProxy(0).$execution) as {
		customData?: CustomData;
	};
	if (!customData) return () => {};
	/** The values at the time when the last one was filled up, with tasks only. */
	let full: Record<string, string> | null = null;
	const show: ReturnType<typeof showPaid> = ({ itemIndex, submission, entry }) => {
		const item = run === 0 ? String(itemIndex) : `${run}.${itemIndex}`;
		const isUnknown = submission.outcome === 'unknown';
		if (!('record' in submission) && !isUnknown) return;
		const before = customData.getAll();
		// With thousands of tasks, most are created when no more can be shown.
		if (!isUnknown && full && isSame(before, full)) return;
		const shown = new Shown(before);
		const made = 'record' in submission ? submission.record.task.externalTaskId : null;
		// It was unknown in an earlier try.
		shown.removeUnknown(item, `${item}:${made}`, `${item}:${entry.externalTaskId}`);
		if ('record' in submission) shown.addTask(submission.record.task.taskId);
		else {
			const { externalTaskId } = submission;
			shown.addUnknown(externalTaskId ? `${item}:${externalTaskId}` : item);
		}
		const changes = shown.changes();
		for (const [key, value] of changes) customData.set(key, value);
		full = changes.length === 0 && shown.isFullOfTasks ? before : null;
	};
	return (one) => {
		try {
			show(one);
		} catch {
			// Custom data only repeats what the output says, and n8n can refuse it in manual runs.
		}
	};
}

function isSame(one: Record<string, string>, other: Record<string, string>): boolean {
	const keysOfOne = Object.keys(one);
	const isLike = keysOfOne.length === Object.keys(other).length;
	return isLike && keysOfOne.every((key) => one[key] === other[key]);
}

type Kind = keyof typeof keys;

/** The values of an execution's custom data filled by the node: lists that continue in the next value. */
class Shown {
	private unknown: string[];
	private tasks: string[];
	/** Whether no further task can be shown, and nothing but tasks is. */
	isFullOfTasks = false;

	constructor(private readonly before: Record<string, string>) {
		const listOf = (kind: Kind) =>
			this.keysOf(kind).flatMap((key) => before[key].split(',').filter(Boolean));
		const tasks = listOf('tasks');
		const overflow = tasks.filter((text) => text.startsWith(unknownMark));
		this.unknown = [...listOf('unknown'), ...overflow.map((text) => text.slice(1))];
		this.tasks = tasks.filter((text) => !text.startsWith(unknownMark));
	}

	addTask(taskId: string): void {
		if (!this.tasks.includes(taskId)) this.tasks.push(taskId);
	}

	addUnknown(text: string): void {
		const one = inList(text);
		if (!this.unknown.includes(one)) this.unknown.push(one);
	}

	removeUnknown(...texts: string[]): void {
		const gone = texts.map(inList);
		this.unknown = this.unknown.filter((text) => !gone.includes(text));
	}

	/** The values that differ. n8n never removes a key, so unknown ones overflow into the others' values. */
	changes(): Array<[key: string, value: string]> {
		const [ownKeys, taskKeys] = [this.keysOf('unknown').length, this.keysOf('tasks').length];
		const others = Object.keys(this.before).length - ownKeys - taskKeys;
		const most = Math.min(mostValues, mostOfAll - others);
		const unknown = inValues(this.unknown).slice(0, Math.max(ownKeys, most - taskKeys));
		const overflow = this.unknown.slice(unknown.flatMap((value) => value.split(',')).length);
		const tasks = inValues([...overflow.map((text) => unknownMark + text), ...this.tasks]);
		const shown = tasks.slice(0, most - Math.max(unknown.length, ownKeys));
		this.isFullOfTasks = this.unknown.length === 0 && shown.length < tasks.length;
		const written = [...this.named('unknown', unknown), ...this.named('tasks', shown)];
		return written.filter(([key, value]) => this.before[key] !== value);
	}

	/** With an empty text for each value that is no longer needed. */
	private named(kind: Kind, values: string[]): Array<[string, string]> {
		const count = Math.max(values.length, this.keysOf(kind).length);
		return Array.from({ length: count }, (_, index) => [keyOf(kind, index), values[index] ?? '']);
	}

	private keysOf(kind: Kind): string[] {
		const all = Array.from({ length: mostValues }, (_, index) => keyOf(kind, index));
		return all.filter((key) => key in this.before);
	}
}

/** A user's external id can contain the comma that separates the texts. */
function inList(text: string): string {
	return text.replaceAll(',', '%2C');
}

function keyOf(kind: Kind, index: number): string {
	return index === 0 ? keys[kind] : `${keys[kind]}${index + 1}`;
}

/** The texts, joined by commas into values of the length that n8n keeps. */
function inValues(texts: readonly string[]): string[] {
	const values: string[] = [];
	for (const text of texts) {
		const last = values.at(-1);
		const joined = last === undefined ? text : `${last},${text}`;
		if (last !== undefined && joined.length <= longestValue) values[values.length - 1] = joined;
		else values.push(text.slice(0, longestValue));
	}
	return values;
}
