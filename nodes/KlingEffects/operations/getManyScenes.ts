import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { z } from 'zod';
import { accepted, type Checked } from '../../kling/checked';
import { searchScenes, type Scene } from '../../kling/scenes';
import { readParameters } from '../../n8n/parameters';
import { guarded } from '../../n8n/problems';
import { outputOf, type Result } from '../../n8n/results';
import { readLimit } from './getMany';

const show = { operation: ['listScenes'] };

export const listScenesFields: INodeProperties[] = [
	{
		displayName: 'Search',
		name: 'search',
		type: 'string',
		default: '',
		placeholder: 'e.g. birthday',
		displayOptions: { show },
		description:
			'Only scenes whose name fits these words, or that are known by them, such as “money” or “football”',
	},
	{
		displayName: 'Images',
		name: 'images',
		type: 'options',
		options: [
			{ name: 'Any', value: 'any' },
			{ name: 'One Image', value: 'single' },
			{ name: 'Two Images', value: 'dual' },
		],
		default: 'any',
		displayOptions: { show },
		description: 'Only scenes that take this many images',
	},
];

/**
 * Gives the scenes that fit, one item each, for every input item, so that a workflow or an agent can
 * choose one. It reads the package's own list: nothing is sent, and no credential is needed.
 *
 * @throws NodeOperationError with On Error "Stop", at the first problem
 */
export async function executeListScenes(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const results: Result[] = [];
	for (const itemIndex of context.getInputData().keys()) {
		const found = await guarded(() => scenesFor(context, itemIndex));
		if (found.ok) results.push(...found.value);
		else results.push({ itemIndex, ok: false, problem: found.problem });
	}
	return outputOf(context, results);
}

const parameters = { images: z.unknown(), search: z.unknown().describe('Search') };

function scenesFor(context: IExecuteFunctions, itemIndex: number): Checked<Result[]> {
	const limit = readLimit(context, itemIndex);
	if (!limit.ok) return limit;
	const read = readParameters(context, itemIndex, parameters);
	if (!read.ok) return read;
	const { images, search } = read.value;
	const effectType = images === 'single' || images === 'dual' ? images : undefined;
	const found = searchScenes({ text: String(search ?? ''), effectType }).slice(0, limit.value);
	return accepted(
		found.map((scene) => ({ itemIndex, ok: true, item: sceneItem(scene, itemIndex) })),
	);
}

function sceneItem(scene: Scene, itemIndex: number): INodeExecutionData {
	const { name, title, effectType, standing, listedIn } = scene;
	const images = effectType === 'dual' ? 2 : 1;
	const json = { name, title, images, standing, list: listedIn || null };
	return { json, pairedItem: { item: itemIndex } };
}
