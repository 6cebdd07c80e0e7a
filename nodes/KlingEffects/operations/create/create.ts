import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { checkEffectType, checkOrder } from '../../../kling/create/order';
import { loadImages } from './images';
import { errorOf, type Problem } from '../../../n8n/problems';
import { outputOf, type Result } from '../../../n8n/results';
import type { Session } from '../../../n8n/session';
import { readCallbackWait } from '../../callback';
import { CreateRun, type CheckedItem } from './run';
import { readWaitOptions } from '../finish';

type Checked =
	| { ok: true; checkedItem: CheckedItem }
	| { ok: false; itemIndex: number; problem: Problem };

/**
 * Creates the tasks of all items, waits and downloads where asked.
 *
 * @throws NodeApiError | NodeOperationError with On Error "Stop": at the first problem, before
 * anything is sent when it is one of the input
 */
export async function executeCreate(
	context: IExecuteFunctions,
	session: Session,
): Promise<INodeExecutionData[]> {
	const checked = await checkItems(context, session);
	const refused: Result[] = checked.filter((entry) => !entry.ok);
	if (refused.length > 0 && !context.continueOnFail()) return outputOf(context, refused);
	const callback = readCallbackWait(context, session);
	if (!callback.ok) throw errorOf(context.getNode(), callback.problem);
	const run = new CreateRun(context, session, readWaitOptions(context), callback.resumeUrl);
	await run.submitAll(checked.flatMap((entry) => (entry.ok ? [entry.checkedItem] : [])));
	return await run.finish(refused);
}

/** Checks everything that can be known before paying, for all items. */
async function checkItems(context: IExecuteFunctions, session: Session): Promise<Checked[]> {
	const checked: Checked[] = [];
	for (const itemIndex of context.getInputData().keys()) {
		const checkedItem = checkItem(context, session, itemIndex);
		// Loaded now to be judged, and again when sent, so that the images of all items are never held at once.
		const images = checkedItem.ok
			? await loadImages(context, itemIndex, checkedItem.checkedItem.effectType)
			: { ok: true as const };
		checked.push(images.ok ? checkedItem : { ok: false, problem: images.problem, itemIndex });
	}
	return withoutSharedIds(checked);
}

/** Two creates with one external task id would end up with one task. */
function withoutSharedIds(all: readonly Checked[]): Checked[] {
	const firstWith = new Map<string, number>();
	return all.map((one): Checked => {
		const id = one.ok ? one.checkedItem.order.externalTaskId : undefined;
		if (!one.ok || id === undefined) return one;
		const { itemIndex } = one.checkedItem;
		const first = firstWith.get(id);
		firstWith.set(id, first ?? itemIndex);
		if (first === undefined) return one;
		const message = `Items ${first} and ${itemIndex} have the same External Task ID “${id}”`;
		const description =
			'Give each item one of its own, for example with an expression on the item, or remove the option.';
		return { ok: false, itemIndex, problem: { message, description } };
	});
}

function checkItem(context: IExecuteFunctions, session: Session, itemIndex: number): Checked {
	const effectType = context.getNodeParameter('effectType', itemIndex, 'single');
	if (effectType !== 'single' && effectType !== 'dual') {
		const message = `Effect Type “${String(effectType)}” is not known`;
		return {
			ok: false,
			itemIndex,
			problem: { message, description: 'Choose One Image or Two Images.' },
		};
	}
	const effectScene = context.getNodeParameter('effectScene', itemIndex, '', {
		extractValue: true,
	});
	const options = context.getNodeParameter('options', itemIndex, {});
	const checked = checkOrder({ ...options, effectScene }, session.provider);
	if (!checked.ok) return { ok: false, problem: checked.problem, itemIndex };
	const problem = checkEffectType(checked.value.effectScene, effectType);
	if (problem) return { ok: false, problem, itemIndex };
	return { ok: true, checkedItem: { itemIndex, effectType, order: checked.value } };
}
