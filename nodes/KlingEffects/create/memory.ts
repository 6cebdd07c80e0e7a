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
import {
	beginningOf,
	recallAfterDeath,
	recordBeginning,
	runOf,
	type Beginning,
} from '../../n8n/execution';
import type { CheckedItem } from './item';

const contextKey = 'klingEffects';

/** The records of beginnings that are under way. */
const records = new WeakMap<Stored, Promise<void>>();
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

/** What is known before the session is open. */
export interface Begun {
	stored: Stored;
	/** Of the node in this execution, from 0; the same at each try of a tool's call. */
	run: number;
	isTool: boolean;
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
	private readonly entered: Prints;
	private readonly account: string;

	private constructor(
		private readonly context: IExecuteFunctions,
		private readonly session: Session,
		readonly begun: Begun,
	) {
		this.entered = printsAsEntered(context.getNode().parameters);
		const { baseUrl, secret } = session.account;
		this.account = hashOf([baseUrl, secret]).slice(0, 20);
	}

	/** To be called before anything can fail, so that a context without it tells of a death. */
	static begin(context: IExecuteFunctions): Begun {
		const node = context.getContext('node') as { [contextKey]?: Stored };
		const { id: nodeId } = context.getNode();
		const { run, isTool } = runOf(context);
		const known = node[contextKey];
		const isOwn = known?.nodeId === nodeId;
		const stored: Stored = isOwn
			? known
			: {
					...beginningOf(context, known !== undefined),
					...{ nodeId, firstRun: run, entered: [], creates: {}, loads: 0 },
					begun: { execution: '', count: 0 },
				};
		if (isOwn && !loaded.has(stored)) stored.loads++;
		loaded.add(stored);
		node[contextKey] = stored;
		return { stored, run: run - stored.firstRun, isTool };
	}

	static async open(context: IExecuteFunctions, session: Session, begun: Begun) {
		const memory = new NodeMemory(context, session, begun);
		const { stored } = begun;
		const canLookUp = session.provider.externalId === 'lookup';
		const about = { account: memory.account, canLookUp, loads: stored.loads };
		// An agent calls its tools side by side.
		if (!records.has(stored)) records.set(stored, recordBeginning(context, stored, about));
		await records.get(stored);
		return memory;
	}

	/** The tasks that earlier tries made for an item, whatever it asks for now. */
	createdAt(itemIndex: number): string[] {
		const begun = this.begun.stored.creates[this.placeOf(itemIndex)] ?? [];
		return begun.flatMap(({ state }) => (state?.state === 'created' ? [state.taskId] : []));
	}

	/** The create of an item: the one that an earlier try began, where the rules say that it is the same. */
	entryOf({ itemIndex, order, images, imagesPrint, run }: CheckedItem): ItemEntry {
		const { stored } = this.begun;
		const { provider } = this.session;
		const inNode = this.placeOf(itemIndex);
		const ordered = { ...order };
		delete ordered.callbackUrl;
		const values: Prints = {
			...printsOf({ ...ordered, effectType: images.length }),
			images: imagesPrint,
		};
		const { entered, account } = this;
		const asked: Asked = { provider: provider.name, account, entered, values };
		// An AI agent's calls can share run and item, so there the arguments of the call count too.
		const begun = (stored.creates[inNode] ??= []);
		const earlier = [...begun].reverse().find((one) => isSameCreate(this.differences(one, asked)));
		const create = earlier ?? {
			...{ provider: provider.name, account, values, state: null },
			form: 0,
			number: begun.length === 0 ? 0 : begun[begun.length - 1].number + 1,
		};
		const differences: ReadonlySet<Difference> = earlier
			? this.differences(earlier, asked)
			: new Set();
		const { context } = this;
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
				const isSameAccount = died.account === account;
				return recallAfterDeath(died, isSameAccount, order.externalTaskId !== undefined);
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
				if (create.state === null) Object.assign(create, { values, form: this.formOf() });
				// What is told of it now was sent, or can be read, with this key.
				Object.assign(create, { provider: provider.name, account, state });
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

	/** The round of a loop over the node, the item, and the arguments of an AI agent's call. */
	private placeOf(itemIndex: number): string {
		const { json } = this.context.getInputData()[itemIndex] ?? {};
		const { run, isTool } = this.begun;
		return `${run}:${itemIndex}${isTool ? `:${hashOf(json).slice(0, 8)}` : ''}`;
	}

	private differences({ form, provider, account, values }: StoredCreate, now: Asked) {
		const entered = this.begun.stored.entered[form];
		return differencesBetween({ provider, account, entered, values }, now);
	}

	/** Where the parameters stand as they are entered now. */
	private formOf(): number {
		const { entered } = this.begun.stored;
		const now = JSON.stringify(this.entered);
		const known = entered.findIndex((one) => JSON.stringify(one) === now);
		return known >= 0 ? known : entered.push(this.entered) - 1;
	}
}

/** Fingerprints of the parameters as they were entered, expressions as text. */
function printsAsEntered(parameters: IDataObject): Prints {
	const { options = {}, effectScene, effectType } = parameters;
	const { imageInput, image, secondImage, imageField, secondImageField } = parameters;
	// The whole of the options can be one expression.
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
