import type { IExecuteFunctions } from 'n8n-workflow';
import type { z } from 'zod';
import { accepted, refused, type Checked, type Refused } from '../../kling/checked';
import { checkOrder, effectSceneSchema, orderOptions, type Order } from '../../kling/create/order';
import { isPrivateAddress } from '../../kling/privateAddress';
import { effectTypeOf } from '../../kling/scenes';
import { amount, choice, locator, optionsOf, readParameters } from '../../n8n/parameters';
import { guarded } from '../../n8n/problems';
import type { ItemProblem } from '../../n8n/results';
import type { Session } from '../../n8n/session';
import { finishOptions, finishParameters, readFinish, type Finish } from '../afterTask/finish';
import { imageParameters, loadImages, readImages, type LoadImage } from './images';

const mostConcurrency = 100;
const usualConcurrency = 20;

/** All parameters of Create. */
const parameters = {
	effectScene: locator
		.transform(({ value }) => value)
		.pipe(effectSceneSchema)
		.describe('Effect Scene'),
	/** Counts only for scenes that no list knows. */
	effectType: { onDemand: choice('Effect Type', { single: 'One Image', dual: 'Two Images' }) },
	...imageParameters,
	...finishParameters,
	options: optionsOf({
		...orderOptions,
		...finishOptions,
		/** The upper bound of creates in flight. */
		concurrency: amount(usualConcurrency).transform((given) =>
			Math.min(mostConcurrency, Math.floor(given) || usualConcurrency),
		),
		waitUsing: choice('Wait Using', { polling: 'Polling', callback: 'Callback' }),
	}),
};

/** One item that passed the checks: all that Create needs of it, so that no parameter is evaluated again. */
export interface CheckedItem {
	itemIndex: number;
	order: Order;
	images: LoadImage[];
	finish: Finish;
	/** One run serves all items, so what the options of the first item say of it counts. */
	options: z.output<typeof parameters.options>;
}

/** Evaluates and checks everything that can be known before paying, for all items, each by itself. */
export async function checkItems(context: IExecuteFunctions, session: Session) {
	const items: CheckedItem[] = [];
	const problems: ItemProblem[] = [];
	const firstWith = new Map<string, number>();
	for (const itemIndex of context.getInputData().keys()) {
		const read = await guarded(async () => await checkItem(context, session, itemIndex));
		const checked = read.ok ? (refuseSharedId(read.value, firstWith) ?? read) : read;
		if (checked.ok) items.push(checked.value);
		else problems.push({ itemIndex, ...checked });
	}
	return { items, problems };
}

async function checkItem(
	context: IExecuteFunctions,
	{ provider, account }: Session,
	itemIndex: number,
): Promise<Checked<CheckedItem>> {
	const read = readParameters(context, itemIndex, parameters);
	if (!read.ok) return read;
	const { effectScene, options, ...given } = read.value;
	const order = checkOrder({ effectScene, ...options }, provider);
	if (!order.ok) return order;
	const known = effectTypeOf(effectScene);
	const effectType = known ? accepted(known) : given.effectType();
	if (!effectType.ok) return effectType;
	if (effectType.value === 'dual' && !showsSecondImage(context)) {
		return refused(
			`Effect Scene “${effectScene}” takes two images`,
			'Set Effect Type to Two Images, then enter the second one in Right Image.',
		);
	}
	const isOnInternet = !isPrivateAddress(account.baseUrl);
	const images = readImages(context, itemIndex, given, effectType.value, isOnInternet);
	if (!images.ok) return images;
	const finish = readFinish(given, options);
	if (!finish.ok) return finish;
	// Loaded now to be judged, and again when sent, so that the images of all items are never held at once.
	const loaded = await loadImages(images.value);
	if (!loaded.ok) return loaded;
	const item = { itemIndex, order: order.value, images: images.value, finish: finish.value };
	return accepted({ ...item, options });
}

/**
 * Whether the node has the fields of a second image. Where the scene is an expression, n8n goes by
 * Effect Type, and leaves out the parameters of fields that do not show.
 */
function showsSecondImage(context: IExecuteFunctions): boolean {
	const { parameters: given } = context.getNode();
	return 'secondImage' in given || 'secondImageField' in given;
}

/** Two creates with one external task id would end up with one task. */
function refuseSharedId(
	{ itemIndex, order: { externalTaskId: id } }: CheckedItem,
	firstWith: Map<string, number>,
): Refused | null {
	if (id === undefined) return null;
	const first = firstWith.get(id);
	firstWith.set(id, first ?? itemIndex);
	if (first === undefined) return null;
	return refused(
		`Items ${first} and ${itemIndex} have the same External Task ID “${id}”`,
		'Give each item one of its own, for example with an expression on the item, or remove the option.',
	);
}
