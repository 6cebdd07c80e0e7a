import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { searchScenes, type Scene } from '../../kling/scenes';
import { outputOf, type Result } from '../../n8n/results';
import { badLimit, readLimit } from './getMany';

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
	const results = [...context.getInputData().keys()].flatMap((index) => scenesFor(context, index));
	return outputOf(context, results);
}

function scenesFor(context: IExecuteFunctions, itemIndex: number): Result[] {
	const limit = readLimit(context, itemIndex);
	if (limit === null) return [{ itemIndex, ok: false, problem: badLimit }];
	const images = context.getNodeParameter('images', itemIndex, 'any') as string;
	const text = String(context.getNodeParameter('search', itemIndex, '') ?? '');
	const effectType = images === 'single' || images === 'dual' ? images : undefined;
	const found = searchScenes({ text, effectType }).slice(0, limit);
	return found.map((scene) => ({ itemIndex, ok: true, item: sceneItem(scene, itemIndex) }));
}

function sceneItem(scene: Scene, itemIndex: number): INodeExecutionData {
	const { name, title, effectType, standing, listedIn } = scene;
	const images = effectType === 'dual' ? 2 : 1;
	const json = { name, title, images, standing, list: listedIn || null };
	return { json, pairedItem: { item: itemIndex } };
}
