import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import {
	differencesBetween,
	hashOf,
	isSameCreate,
	lookUpOf,
	madeIdOf,
	printsOf,
	type Asked,
	type Difference,
	type Prints,
} from '../../kling/create/identity';
import type { Entry, Remembered } from '../../kling/create/entry';
import type { Task } from '../../kling/task';
import type { Session } from '../../n8n/session';
import { beginningOf, recordBeginning, runOf, type Beginning } from './beginning';
import type { CheckedItem } from './item';

const contextKey = 'klingEffects';

/** Records of beginnings in progress. */
const records = new WeakMap<Stored, Promise<void>>();
/** The contexts that this process knows: any other was loaded from n8n's storage. */
const loaded = new WeakSet<Stored>();

/** The creates that this process has recorded something about since it loaded them. */
const noted = new WeakSet<StoredCreate>();

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
	/** How often this was loaded from n8n's storage: by a retry, or after a wait. */
	loads: number;
	/** New tasks started, and in which execution: a retry is another execution and starts at zero. */
	begun: { execution: string; count: number };
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
	private readonly entered: Prints;
	private readonly account: string;

	private constructor(
		private readonly context: IExecuteFunctions,
		private readonly session: Session,
		private readonly stored: Stored,
		/** Of the node in this execution, from 0; the same for each try of a tool call. */
		readonly run: number,
		private readonly isTool: boolean,
	) {
		this.entered = enteredIn(context.getNode().parameters);
		const { baseUrl, secret } = session.account;
		this.account = hashOf([baseUrl, secret]).slice(0, 20);
	}

	/** To be called before anything can fail, so that a context without it means a crash. */
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

	static async open(context: IExecuteFunctions, session: Session): Promise<NodeMemory> {
		const stored = NodeMemory.begin(context);
		const { run, isTool } = runOf(context);
		const memory = new NodeMemory(context, session, stored, run - stored.firstRun, isTool);
		const canLookUp = session.provider.externalId === 'lookup';
		// An agent calls its tools in parallel.
		if (!records.has(stored)) {
			const about = { account: memory.account, canLookUp, loads: stored.loads };
			records.set(stored, recordBeginning(context, stored, about));
		}
		await records.get(stored);
		return memory;
	}

	/** The tasks that earlier tries created for an item, no matter what it asks for now. */
	createdAt(itemIndex: number): string[] {
		const begun = this.stored.creates[this.placeOf(itemIndex)] ?? [];
		return begun.flatMap(({ state }) => (state?.state === 'created' ? [state.taskId] : []));
	}

	/** The create of an item: the one started by an earlier try, if the rules say that it is the same. */
	entryOf({ itemIndex, order, images, imagesPrint, run }: CheckedItem): ItemEntry {
		const { context, stored } = this;
		const { provider } = this.session;
		const inNode = this.placeOf(itemIndex);
		const ordered = { ...order };
		delete ordered.callbackUrl;
		const values: Prints = {
			...printsOf({ ...ordered, effectType: images.length }),
			images: imagesPrint,
		};
		const asked: Asked = {
			provider: provider.name,
			account: this.account,
			entered: this.entered,
			values,
		};
		// An AI agent's calls can share run and item, so the arguments of the call count too.
		const begun = (stored.creates[inNode] ??= []);
		const earlier = [...begun].reverse().find((one) => isSameCreate(this.differences(one, asked)));
		const create = earlier ?? {
			...{ provider: provider.name, account: this.account, values, state: null },
			form: 0,
			number: begun.length === 0 ? 0 : begun[begun.length - 1].number + 1,
		};
		const differences: ReadonlySet<Difference> = earlier
			? this.differences(earlier, asked)
			: new Set();
		const node = context.getNode();
		const { seed } = stored;
		const workflowId = context.getWorkflow().id;
		return {
			externalTaskId: madeIdOf({ seed, workflowId, node, inNode, number: create.number }),
			differences,
			replaced: begun.flatMap((one) => (one !== create && one.state ? [one.state] : [])),
			ownsOlder: stored.ownsOlder,
			recall: () => {
				if (create.state)
					return { ...create.state, provider: create.provider, ...lookUpOf(differences) };
				const { died } = stored;
				if (!died || noted.has(create)) return null;
				const { account, trace, mayBeEdited } = died;
				const isGiven = order.externalTaskId !== undefined;
				const isSameAccount = account === this.account;
				const maySend = died.maySend === true && isSameAccount;
				const told = { state: 'sending', hasDied: true, maySend, mayBeEdited } as const;
				// An expression may have given another id, and another account lacks the first one's
				// tasks: “not found” then proves nothing. An id made without a token is unknown too.
				if (maySend || (isSameAccount && !isGiven)) return { ...told, trace };
				return { ...told, trace: isGiven || trace !== 'none' ? 'unverified' : 'none' };
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
				// As long as no task was created, the latest request counts.
				if (create.state === null) Object.assign(create, { values, form: this.formOf(stored) });
				// It was last sent with, or can be read by, this key.
				Object.assign(create, { provider: provider.name, account: this.account, state });
			},
			see: ({ status }) => {
				if (create.state?.state === 'created') create.state.status = status;
			},
			isTaken: (taskId) =>
				Object.values(stored.creates)
					.flat()
					.some(
						({ state }) =>
							state !== create.state && state?.state === 'created' && state.taskId === taskId,
					),
		};
	}

	/** The loop iteration, the item, and the arguments of an AI agent's call. */
	private placeOf(itemIndex: number): string {
		const { json } = this.context.getInputData()[itemIndex] ?? {};
		return `${this.run}:${itemIndex}${this.isTool ? `:${hashOf(json).slice(0, 8)}` : ''}`;
	}

	private differences({ form, provider, account, values }: StoredCreate, now: Asked) {
		const entered = this.stored.entered[form];
		return differencesBetween({ provider, account, entered, values }, now);
	}

	/** The index of the parameters as they are entered now. */
	private formOf({ entered }: Stored): number {
		const now = JSON.stringify(this.entered);
		const known = entered.findIndex((one) => JSON.stringify(one) === now);
		return known >= 0 ? known : entered.push(this.entered) - 1;
	}
}

/** Fingerprints of the parameters as entered, with expressions as text. */
function enteredIn(parameters: IDataObject): Prints {
	const { options = {}, effectScene, effectType } = parameters;
	const { imageInput, image, secondImage, imageField, secondImageField } = parameters;
	// All options together can be one expression.
	const optionOf = (name: string) =>
		typeof options === 'object' ? (options as IDataObject)[name] : options;
	const ofOptions = ['duration', 'mode', 'modelName', 'additionalFields', 'externalTaskId'];
	return printsOf({
		effectScene,
		effectType,
		images: [imageInput, image, secondImage, imageField, secondImageField],
		...Object.fromEntries(ofOptions.map((name) => [name, optionOf(name)])),
	});
}
