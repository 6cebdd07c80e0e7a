import type { IExecuteFunctions } from 'n8n-workflow';
import { z } from 'zod';
import { accepted, refused, type Checked } from '../../../kling/checked';
import { checkOrder, type Order } from '../../../kling/create/order';
import { refuseModel } from '../../../kling/create/sceneRules';
import { effectTypeOf } from '../../../kling/scenes';
import { optionsParameter, readParameters } from '../../../n8n/parameters';
import { guarded } from '../../../n8n/problems';
import type { Result } from '../../../n8n/results';
import type { Session } from '../../../n8n/session';
import { amount, readFinish, readWaitOptions, type Finish, type WaitOptions } from '../finish';
import { loadImages, readImages, type ImageSource } from './images';

/** One item that passed the checks: all that Create needs of it, so that no parameter is evaluated again. */
export interface CheckedItem {
	itemIndex: number;
	order: Order;
	images: ImageSource[];
	finish: Finish;
}

/** What the options say of the run. One run serves all items, so those of the first item count. */
export interface RunOptions extends WaitOptions {
	/** The upper bound of creates in flight. */
	concurrency: number;
	waitUsing: unknown;
	callbackUrl: unknown;
}

export interface CheckedItems {
	items: CheckedItem[];
	problems: Result[];
	/** Null when no item passed. */
	run: RunOptions | null;
}

const mostConcurrency = 100;
const usualConcurrency = 20;

/** Evaluates and checks everything that can be known before paying, for all items, each by itself. */
export async function checkItems(
	context: IExecuteFunctions,
	session: Session,
): Promise<CheckedItems> {
	const all: CheckedItems = { items: [], problems: [], run: null };
	const refuse = withoutSharedIds();
	for (const itemIndex of context.getInputData().keys()) {
		const checked = await guarded(async () => await checkItem(context, session, itemIndex));
		const problem = checked.ok ? refuse(checked.value.item) : checked.problem;
		if (problem) all.problems.push({ itemIndex, ok: false, problem });
		else if (checked.ok) {
			all.items.push(checked.value.item);
			all.run ??= checked.value.run;
		}
	}
	return all;
}

const parameters = {
	effectType: z.unknown(),
	effectScene: z.unknown().describe('Effect Scene'),
	options: optionsParameter,
};

async function checkItem(
	context: IExecuteFunctions,
	session: Session,
	itemIndex: number,
): Promise<Checked<{ item: CheckedItem; run: RunOptions }>> {
	const read = readParameters(context, itemIndex, parameters);
	if (!read.ok) return read;
	const { options } = read.value;
	const effectScene = valueOf(read.value.effectScene);
	const order = checkOrder({ ...options, effectScene }, session.provider);
	if (!order.ok) return order;
	const refusedModel = refuseModel(order.value);
	if (refusedModel) return refusedModel;
	const given = read.value.effectType ?? 'single';
	const effectType = effectTypeOf(order.value.effectScene) ?? given;
	if (effectType !== 'single' && effectType !== 'dual') {
		const message = `Effect Type “${String(effectType)}” is not known`;
		return refused(message, 'Choose One Image or Two Images.');
	}
	if (effectType === 'dual' && given === 'single' && !showsSecondImage(context)) {
		return refused(
			`Effect Scene “${order.value.effectScene}” takes two images`,
			'Set Effect Type to Two Images, then enter the second one in Right Image.',
		);
	}
	const images = readImages(context, itemIndex, effectType);
	if (!images.ok) return images;
	const finish = readFinish(context, itemIndex);
	if (!finish.ok) return finish;
	// Loaded now to be judged, and again when sent, so that the images of all items are never held at once.
	const loaded = await loadImages(context, itemIndex, images.value);
	if (!loaded.ok) return loaded;
	const item = { itemIndex, order: order.value, images: images.value, finish: finish.value };
	return accepted({ item, run: readRunOptions(options) });
}

/**
 * Whether the node has the fields of a second image. Where the scene is an expression, n8n goes by
 * Effect Type, and leaves out the parameters of fields that do not show.
 */
function showsSecondImage(context: IExecuteFunctions): boolean {
	const { parameters } = context.getNode();
	return 'secondImage' in parameters || 'secondImageField' in parameters;
}

/** The value of a resource locator, or what an expression or an AI agent gave instead of one. */
function valueOf(locator: unknown): unknown {
	const isLocator = typeof locator === 'object' && locator !== null && 'value' in locator;
	return isLocator ? locator.value : locator;
}

function readRunOptions(options: Record<string, unknown>): RunOptions {
	const concurrency = Math.floor(amount(options.concurrency, 0)) || usualConcurrency;
	return {
		...readWaitOptions(options),
		concurrency: Math.min(mostConcurrency, Math.max(1, concurrency)),
		waitUsing: options.waitUsing,
		callbackUrl: options.callbackUrl,
	};
}

/** Two creates with one external task id would end up with one task. */
function withoutSharedIds() {
	const firstWith = new Map<string, number>();
	return ({ itemIndex, order: { externalTaskId: id } }: CheckedItem) => {
		if (id === undefined) return null;
		const first = firstWith.get(id);
		firstWith.set(id, first ?? itemIndex);
		if (first === undefined) return null;
		return {
			message: `Items ${first} and ${itemIndex} have the same External Task ID “${id}”`,
			description:
				'Give each item one of its own, for example with an expression on the item, or remove the option.',
		};
	};
}
