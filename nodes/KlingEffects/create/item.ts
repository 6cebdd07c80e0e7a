import type { IExecuteFunctions, IDataObject } from 'n8n-workflow';
import { printsOf, type Prints, type Part } from '../../kling/create/identity';
import { readOrder } from '../../kling/create/order';
import { checkedAddress, InputError } from '../../kling/input';
import { isPrivateAddress } from '../../kling/hosts';
import type { Order } from '../../kling/providers/provider';
import { effectTypeOf, type EffectType } from '../../kling/scenes';
import { amountOf, choiceOf, numberOf, Parameters } from '../../n8n/parameters';
import { readItems } from '../../n8n/output';
import type { Session } from '../../n8n/session';
import { readFinish, type Finish, type WaitOptions } from '../afterTask/finish';
import { loadImages, readImages, type LoadImage } from './images';

const mostConcurrency = 100;
const usualConcurrency = 20;

/** An item that passed the checks, with all that Create needs, so that no parameter is evaluated again. */
export interface CheckedItem {
	itemIndex: number;
	order: Order;
	images: LoadImage[];
	/** Fingerprints of what it asks for. */
	values: Prints;
	finish: Finish;
	/** One run serves all items, so the first item's options count. */
	run: RunOptions;
}

interface RunOptions {
	/** Maximum number of creates in flight. */
	concurrency: number;
	/** Maximum number of new tasks in one execution; no limit if absent. */
	maxTasks?: number;
	wait: WaitOptions;
	waitUsing: 'polling' | 'callback';
}

/** Evaluates and checks everything that can be known before paying, for each item by itself. */
export async function checkItems(context: IExecuteFunctions, session: Session) {
	const firstWith = new Map<string, number>();
	return await readItems(context, async (itemIndex) => {
		const item = await readItem(context, session, itemIndex);
		refuseSharedId(item, firstWith);
		return item;
	});
}

async function readItem(
	context: IExecuteFunctions,
	{ provider, account }: Session,
	itemIndex: number,
): Promise<CheckedItem> {
	const parameters = new Parameters(context, itemIndex);
	const { value: scene } = parameters.locator('effectScene', 'Effect Scene');
	const options = parameters.collection('options', 'Options');
	const order = readOrder(scene, options, provider);
	const { effectScene } = order;
	const effectType = effectTypeOf(effectScene) ?? readEffectType(parameters);
	if (effectType === 'dual' && !showsSecondImage(context)) {
		throw new InputError(
			`Effect Scene “${effectScene}” takes two images`,
			'Set Effect Type to Two Images, then enter the second one in Second Image.',
		);
	}
	const isOnInternet = !isPrivateAddress(account.baseUrl);
	if (order.callbackUrl) {
		checkedAddress(order.callbackUrl, 'Callback URL', isOnInternet, {
			advice: 'Enter an address that begins with https:// or http://, or remove the option.',
			ifPrivate:
				'The provider calls it from the internet. Enter an address that is reachable from there, or remove the option.',
		});
	}
	const read = readImages(context, itemIndex, parameters, effectType, isOnInternet);
	const { images, texts, photo } = read;
	const values = printsOf({ ...order, effectType: images.length, images: texts });
	const finish = { ...readFinish(parameters, options), photo };
	const concurrency = Math.floor(amountOf(options.concurrency, 'Concurrency', usualConcurrency));
	const run = {
		wait: finish,
		concurrency: Math.min(mostConcurrency, concurrency || usualConcurrency),
		waitUsing: choiceOf(options.waitUsing, 'Wait Using', {
			polling: 'Polling',
			callback: 'Callback',
		}),
		maxTasks: readMaxTasks(options.maxTasks),
	};
	// Loaded now for the checks, and again when sent, so that the images of all items are never in memory
	// at once.
	await loadImages(images);
	return { itemIndex, order, images, values, finish, run };
}

function readMaxTasks(given: unknown): number | undefined {
	if (given === undefined || given === null || given === '') return undefined;
	const most = numberOf(given);
	if (Number.isInteger(most) && most >= 1) return most;
	throw new InputError(
		'Max Tasks must be a whole number of at least 1',
		'Enter how many tasks one execution may create, or remove the option.',
	);
}

/** Only counts for scenes that no list has; null if the scene is an expression, which hides the field. */
function readEffectType(parameters: Parameters): EffectType | null {
	const given = parameters.value('effectType', 'Effect Type');
	if (given === null) return null;
	return choiceOf(given, 'Effect Type', { single: 'One Image', dual: 'Two Images' });
}

/**
 * Whether the node has the fields of a second image: n8n leaves out parameters of hidden fields, as when
 * Effect Type is One Image.
 */
function showsSecondImage(context: IExecuteFunctions): boolean {
	const { parameters } = context.getNode();
	return 'secondImage' in parameters || 'secondImageField' in parameters;
}

/** Two creates with the same external task id would end up with one task. */
function refuseSharedId(
	{ itemIndex, order: { externalTaskId: id } }: CheckedItem,
	firstWith: Map<string, number>,
): void {
	if (id === undefined) return;
	const first = firstWith.get(id);
	firstWith.set(id, first ?? itemIndex);
	if (first === undefined) return;
	throw new InputError(
		`Items ${first} and ${itemIndex} have the same External Task ID “${id}”`,
		'Give each item its own, for example with an expression, or remove the option.',
	);
}

/** The compared parameters of Create, as entered. */
export interface Entered {
	/** Fingerprints, with expressions as text. */
	prints: Prints;
	/** The ones that are not expressions. */
	fixed: ReadonlySet<Part>;
}

export function enteredIn(parameters: IDataObject): Entered {
	const { options = {}, effectScene, effectType } = parameters;
	const { imageInput, image, secondImage, imageField, secondImageField } = parameters;
	// All options together can be one expression.
	const optionOf = (name: string) =>
		typeof options === 'object' ? (options as IDataObject)[name] : options;
	const entered: Record<Part, unknown> = {
		effectScene,
		effectType,
		images: [imageInput, image, secondImage, imageField, secondImageField],
		duration: optionOf('duration'),
		mode: optionOf('mode'),
		modelName: optionOf('modelName'),
		additionalFields: optionOf('additionalFields'),
		externalTaskId: optionOf('externalTaskId'),
	};
	const parts = Object.keys(entered) as Part[];
	// n8n evaluates any text that starts like this, at any depth.
	const isFixed = (part: Part) => !JSON.stringify(entered[part] ?? null).includes('"=');
	const fixed = new Set(parts.filter(isFixed));
	// Without both, the number of images can differ between items.
	if (!fixed.has('effectScene') || effectType === undefined) fixed.delete('effectType');
	return { prints: printsOf(entered), fixed };
}
