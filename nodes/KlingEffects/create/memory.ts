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
import { beginningOf, record, runOf, takeBack, type Beginning } from './beginning';
import { enteredIn, valuesOf, type Entered } from './entered';
import type { CheckedItem } from './item';

const contextKey = 'klingEffects';

/** The contexts that this process knows: any other was loaded from what n8n had stored. */
const loaded = new WeakSet<Stored>();

/** The creates that this process has noted something of since it loaded them. */
const noted = new WeakSet<StoredCreate>();

/** One create, as it is kept: what was asked for, and what became of it. */
interface StoredCreate {
	/** Which of {@link Stored.entered} it was entered as. */
	form: number;
	provider: string;
	account: string;
	values: Prints;
	/** How many were begun before at the same place. */
	number: number;
	/** Null before anything was sent, and when surely no task was made. */
	state: Remembered | null;
	/** The execution in which it is one of {@link Stored.begun}. */
	claimedIn?: string;
}

interface Stored extends Beginning {
	/** n8n keeps a context by the node's name, which another node can have by the time of a retry. */
	nodeId: string;
	/** The number of the node's first run: not 0 where n8n has reconstructed runs from its log. */
	firstRun: number;
	/** The parameters as they were entered, of each edit that a create was begun with. */
	entered: Prints[];
	/** By place in the node; the latest last. */
	creates: Record<string, StoredCreate[]>;
	/** How often this was loaded from what n8n had stored: a retry, or a wait that is over. */
	loads: number;
	/** New tasks that were begun, and in which execution: a retry, which is another one, starts at zero. */
	begun: { execution: string; count: number };
}

/** A create's place in memory, with what the item should be told. */
export interface ItemEntry extends Entry {
	/** What differs between this try and the one that began the create. */
	readonly differences: ReadonlySet<Difference>;
	/** Tasks that were made here for what the item asked for before an edit. */
	readonly replaced: readonly Remembered[];
	/** Notes how the task was seen last. */
	see(task: Task): void;
}

/**
 * What the node knows of its creates, kept in the node's context: n8n (1.123 and 2.40) carries that
 * over to the next try of Retry On Fail and to an execution that the Retry button starts. What dies
 * with its process leaves no context: then the seed alone makes the same ids again. Whether two
 * tries are one create is decided by the rules in identity.ts.
 */
export class NodeMemory {
	private readonly entered: Entered;
	private readonly account: string;

	private constructor(
		private readonly context: IExecuteFunctions,
		private readonly session: Session,
		private readonly stored: Stored,
		/** Of the node in this execution, from 0; the same at each try of a tool's call. */
		readonly run: number,
		private readonly isTool: boolean,
	) {
		this.entered = enteredIn(context.getNode().parameters);
		const { baseUrl, secret } = session.account;
		this.account = hashOf([baseUrl, secret]).slice(0, 20);
	}

	/** To be called before anything can fail, so that a context without it tells of a death. */
	static begin(context: IExecuteFunctions): Stored {
		const node = context.getContext('node') as { [contextKey]?: Stored };
		const { id: nodeId } = context.getNode();
		const known = node[contextKey];
		if (known?.nodeId === nodeId) {
			if (!loaded.has(known)) known.loads++;
			loaded.add(known);
			return known;
		}
		const stored: Stored = {
			...beginningOf(context, known !== undefined),
			...{ nodeId, firstRun: runOf(context).run, entered: [], creates: {}, loads: 0 },
			begun: { execution: '', count: 0 },
		};
		node[contextKey] = stored;
		loaded.add(stored);
		return stored;
	}

	static open(context: IExecuteFunctions, session: Session): NodeMemory {
		const stored = NodeMemory.begin(context);
		const { run, isTool } = runOf(context);
		return new NodeMemory(context, session, stored, run - stored.firstRun, isTool);
	}

	/** To be called before anything is sent. What is entered as a fixed value is the same for each item. */
	async record(items: readonly CheckedItem[]): Promise<void> {
		const { account, context, session, stored } = this;
		const ids = items.flatMap(({ order }) => order.externalTaskId ?? []);
		const form = formOf(this.askedBy(items[0]), this.entered.fixed, ids);
		const canLookUp = session.provider.externalId === 'lookup';
		// Each call of a tool is a run, and n8n stores nothing between them.
		const run = this.isTool ? 0 : this.run;
		await record(context, stored, { account, form, canLookUp, run, loads: stored.loads });
	}

	/** To be called when nothing is under way any more. */
	async settle(): Promise<void> {
		const hasMade = this.all().some((one) => one.state !== null && noted.has(one));
		// An agent calls its tools side by side.
		if (!this.isTool && !hasMade) await takeBack(this.context, this.stored);
	}

	private all(): StoredCreate[] {
		return Object.values(this.stored.creates).flat();
	}

	/** The tasks that earlier tries made for an item, whatever it asks for now. */
	createdAt(itemIndex: number): string[] {
		const begun = this.stored.creates[this.placeOf(itemIndex)] ?? [];
		return begun.flatMap(({ state }) => (state?.state === 'created' ? [state.taskId] : []));
	}

	/** The create of an item: the one that an earlier try began, where the rules say that it is the same. */
	entryOf(item: CheckedItem): ItemEntry {
		const { itemIndex, order, run } = item;
		const { context, stored } = this;
		const { provider } = this.session;
		const inNode = this.placeOf(itemIndex);
		const asked = this.askedBy(item);
		// An AI agent's calls can share run and item, so there the arguments of the call count too.
		const begun = (stored.creates[inNode] ??= []);
		const earlier = [...begun].reverse().find((one) => isSameCreate(this.differences(one, asked)));
		const create = earlier ?? {
			...{ provider: provider.name, account: this.account, values: asked.values, state: null },
			...{ form: 0, number: (begun.at(-1)?.number ?? -1) + 1 },
		};
		const differences = new Set(earlier && this.differences(earlier, asked));
		const node = context.getNode();
		const workflowId = context.getWorkflow().id;
		const idOf = (seed: string) =>
			madeIdOf({ seed, workflowId, node, inNode, number: create.number });
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
				if (create.state)
					return { ...create.state, provider: create.provider, ...lookUpOf(differences) };
				const { died } = stored;
				if (!died || noted.has(create)) return null;
				const { account, trace, mayBeEdited, hasDied = true } = died;
				const isSameAccount = account === this.account;
				const maySend = died.maySend === true && isSameAccount;
				const isFixed = this.entered.fixed.has('effectScene');
				const doubt = mayBeEdited ? 'edited' : isFixed ? undefined : 'evaluated';
				const told = { state: 'sending', hasDied, maySend, doubt } as const;
				// Another account knows no task of the first: then “not found” proves nothing. Nor can an id be
				// known that was made without a token, unless the user gave it.
				const canFind = order.externalTaskId !== undefined || trace !== 'none';
				return { ...told, trace: isSameAccount ? trace : canFind ? 'unverified' : 'none' };
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
				if (!begun.includes(create)) begun.push(create);
				// As long as nothing was made, what was asked for last counts.
				if (create.state === null)
					Object.assign(create, { values: asked.values, form: this.formOf(stored) });
				// What is told of it now was sent, or can be read, with this key.
				Object.assign(create, { provider: provider.name, account: this.account, state });
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

	/** The round of a loop over the node, the item, and the arguments of an AI agent's call. */
	private placeOf(itemIndex: number): string {
		const { json } = this.context.getInputData()[itemIndex] ?? {};
		return `${this.run}:${itemIndex}${this.isTool ? `:${hashOf(json).slice(0, 8)}` : ''}`;
	}

	private differences({ form, provider, account, values }: StoredCreate, now: Asked) {
		const entered = this.stored.entered[form];
		return differencesBetween({ provider, account, entered, values }, now);
	}

	/** What an item asks for, as fingerprints. */
	private askedBy(item: CheckedItem): Asked {
		const { account, entered, session } = this;
		const values = valuesOf(item);
		return { provider: session.provider.name, account, entered: entered.prints, values };
	}

	/** Where the parameters stand as they are entered now. */
	private formOf({ entered }: Stored): number {
		const { prints } = this.entered;
		const known = entered.findIndex((one) => JSON.stringify(one) === JSON.stringify(prints));
		return known >= 0 ? known : entered.push(prints) - 1;
	}
}
