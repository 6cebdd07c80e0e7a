import type { IExecuteFunctions } from 'n8n-workflow';
import {
	differencesBetween,
	formOf,
	hashOf,
	isSameCreate,
	lookUpOf,
	madeIdOf,
	type Asked,
	type Difference,
	type Prints,
} from '../../kling/create/identity';
import type { Entry, Remembered } from '../../kling/create/entry';
import type { Task } from '../../kling/task';
import type { Session } from '../../n8n/session';
import { runOf } from '../../n8n/execution';
import { beginningOf, recallAfterDeath, record, takeBack, type Beginning } from './beginning';
import { enteredIn, type CheckedItem, type Entered } from './item';

const contextKey = 'klingEffects';

/** The creates that this process has noted something about since n8n loaded them from its storage. */
const noted = new WeakSet<StoredCreate>();
/** Those of them that it has started. */
const started = new WeakSet<StoredCreate>();

/** One create as stored: what was asked for, and what became of it. */
interface StoredCreate {
	/** Which of {@link Stored.entered} it was entered as. */
	form: number;
	provider: string;
	account: string;
	values: Prints;
	/** How many were started before in the same place. */
	number: number;
	/** Null before anything was sent, and when definitely no task was created. */
	state: Remembered | null;
	/** The execution in which it counts in {@link Stored.begun}. */
	claimedIn?: string;
}

interface Stored extends Beginning {
	/** n8n stores a context under the node's name, which another node may have by the time of a retry. */
	nodeId: string;
	/** The number of the node's first run: not 0 if n8n has reconstructed runs from its log. */
	firstRun: number;
	/** The parameters as entered, for each edit with which a create was started. */
	entered: Prints[];
	/** By place in the node, latest last. */
	creates: Record<string, StoredCreate[]>;
	/** New tasks started, and in which execution: a retry is another execution and starts at zero. */
	begun: { execution: string; count: number };
}

/** What is known before the session is open. */
export interface Begun {
	stored: Stored;
	/** Of the node in this execution, from 0; the same at each try of a tool's call. */
	run: number;
	isTool: boolean;
}

/** A create's place in memory, with what its item should say. */
export interface ItemEntry extends Entry {
	/** What differs between this try and the one that started the create. */
	readonly differences: ReadonlySet<Difference>;
	/** Tasks created here for what the item asked for before an edit. */
	readonly replaced: readonly Remembered[];
	/** Records the last known state of the task. */
	see(task: Task): void;
}

/**
 * What the node knows about its creates, kept in the node's context: n8n (1.123 and 2.40) carries that
 * over to the next try of Retry On Fail and to an execution started by the Retry button. After a crash
 * there is no context: then only the seed makes the same ids again. The rules in identity.ts decide
 * whether two tries are one create.
 */
export class NodeMemory {
	private readonly entered: Entered;
	private readonly account: string;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly session: Session,
		readonly begun: Begun,
	) {
		this.entered = enteredIn(context.getNode().parameters);
		const { baseUrl, secret } = session.account;
		this.account = hashOf([baseUrl, secret]).slice(0, 20);
	}

	/** To be called before anything can fail, so that a context without it means a crash. */
	static begin(context: IExecuteFunctions): Begun {
		const node = context.getContext('node') as { [contextKey]?: Stored };
		const { id: nodeId } = context.getNode();
		const { run, isTool } = runOf(context);
		const known = node[contextKey];
		const isOwn = known?.nodeId === nodeId;
		const fresh = { nodeId, firstRun: run, entered: [], creates: {} };
		const begun = { execution: '', count: 0 };
		const stored: Stored = isOwn
			? known
			: { ...beginningOf(context, known !== undefined), ...fresh, begun };
		node[contextKey] = stored;
		return { stored, run: run - stored.firstRun, isTool };
	}

	/** Call this before anything is sent. A fixed value is the same for every item. */
	async record(items: readonly CheckedItem[]): Promise<void> {
		const { account, context, session } = this;
		const { stored, run } = this.begun;
		const ids = items.flatMap(({ order }) => order.externalTaskId ?? []);
		const form = formOf(this.askedBy(items[0]), this.entered.fixed, ids);
		const canLookUp = session.provider.externalId === 'lookup';
		await record(context, stored, run, { account, form, canLookUp });
	}

	/** Call this once nothing is in progress, if nothing new may have been made. */
	async takeBack(): Promise<void> {
		const { isTool, stored } = this.begun;
		const hasMade = this.all().some((one) => one.state !== null && noted.has(one));
		// An agent calls its tools in parallel.
		if (isTool || hasMade || !(await takeBack(this.context, stored))) return;
		if (this.context.getMode() !== 'retry') return;
		// Another retry does not know them, and would count on without them.
		for (const [place, begun] of Object.entries(stored.creates)) {
			stored.creates[place] = begun.filter((one) => !started.has(one));
		}
	}

	private all(): StoredCreate[] {
		return Object.values(this.begun.stored.creates).flat();
	}

	/** The tasks that earlier tries created for an item, no matter what it asks for now. */
	createdAt(itemIndex: number): string[] {
		const begun = this.begun.stored.creates[this.placeOf(itemIndex)] ?? [];
		return begun.flatMap(({ state }) => (state?.state === 'created' ? [state.taskId] : []));
	}

	/** The create of an item: the one started by an earlier try, if the rules say that it is the same. */
	entryOf(item: CheckedItem): ItemEntry {
		const { itemIndex, order, run } = item;
		const { context, account } = this;
		const { stored } = this.begun;
		const { provider } = this.session;
		const inNode = this.placeOf(itemIndex);
		const asked = this.askedBy(item);
		const begun = (stored.creates[inNode] ??= []);
		const earlier = [...begun].reverse().find((one) => isSameCreate(this.differences(one, asked)));
		const create = earlier ?? {
			...{ provider: provider.name, account, values: asked.values, state: null },
			...{ form: 0, number: (begun.at(-1)?.number ?? -1) + 1 },
		};
		const differences = new Set(earlier && this.differences(earlier, asked));
		const inWorkflow = { workflowId: context.getWorkflow().id, node: context.getNode() };
		const { number } = create;
		const idOf = (seed: string) => madeIdOf({ seed, ...inWorkflow, inNode, number });
		const left = create.state ? [] : (stored.left ?? []);
		return {
			externalTaskId: idOf(stored.seed),
			differences,
			replaced: [
				...begun.flatMap((one) => (one !== create && one.state ? [one.state] : [])),
				...left.map((seed): Remembered => {
					const externalTaskId = order.externalTaskId ?? idOf(seed);
					const canTell = provider.externalId !== 'none';
					return { state: 'sending', ...(canTell ? { externalTaskId } : {}) };
				}),
			],
			ownsOlder: stored.ownsOlder,
			recall: () => {
				const { state, provider } = create;
				if (state) return { ...state, provider, ...lookUpOf(differences) };
				const { died } = stored;
				if (!died || noted.has(create)) return null;
				const isIdGiven = order.externalTaskId !== undefined;
				const isSceneFixed = this.entered.fixed.has('effectScene');
				return recallAfterDeath(died, account, { isIdGiven, isSceneFixed });
			},
			claim: () => {
				const execution = context.getExecutionId();
				if (stored.begun.execution !== execution) stored.begun = { execution, count: 0 };
				if (create.claimedIn === execution) return true;
				if (stored.begun.count >= (run.maxTasks ?? Infinity)) return false;
				stored.begun.count++;
				create.claimedIn = execution;
				return true;
			},
			remember: (state) => {
				if (state === null && create.claimedIn === stored.begun.execution) {
					stored.begun.count--;
					delete create.claimedIn;
				}
				noted.add(create);
				if (!begun.includes(create)) {
					begun.push(create);
					started.add(create);
				}
				// As long as no task was created, the latest request counts.
				const { values } = asked;
				if (create.state === null) Object.assign(create, { values, form: this.formOf() });
				// It was last sent with, or can be read by, this key.
				Object.assign(create, { provider: provider.name, account, state });
			},
			see: ({ status }) => {
				if (create.state?.state === 'created') create.state.status = status;
			},
			isTaken: (taskId) =>
				this.all().some(
					({ state }) =>
						state !== create.state && state?.state === 'created' && state.taskId === taskId,
				),
		};
	}

	/** The loop iteration, the item, and the arguments of an AI agent's call, as calls can share both. */
	private placeOf(itemIndex: number): string {
		const { json } = this.context.getInputData()[itemIndex] ?? {};
		const { run, isTool } = this.begun;
		return `${run}:${itemIndex}${isTool ? `:${hashOf(json).slice(0, 8)}` : ''}`;
	}

	private differences({ form, provider, account, values }: StoredCreate, now: Asked) {
		const entered = this.begun.stored.entered[form];
		return differencesBetween({ provider, account, entered, values }, now);
	}

	/** What an item asks for, as fingerprints. */
	private askedBy({ values }: CheckedItem): Asked {
		const { account, entered, session } = this;
		return { provider: session.provider.name, account, entered: entered.prints, values };
	}

	/** The index of the parameters as they are entered now. */
	private formOf(): number {
		const { entered } = this.begun.stored;
		const { prints } = this.entered;
		const known = entered.findIndex((one) => JSON.stringify(one) === JSON.stringify(prints));
		return known >= 0 ? known : entered.push(prints) - 1;
	}
}
