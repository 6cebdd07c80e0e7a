import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { textOf } from '../kling/input';
import type { Scene } from '../kling/scenes';
import { searchScenes } from '../kling/sceneSearch';
import { Parameters } from '../n8n/parameters';
import { outputOf, readItems, type Result } from '../n8n/output';
import { readLimit } from './getMany';

const show = { resource: ['scene'], operation: ['list'] };

export const listScenesFields: INodeProperties[] = [
	{
		displayName: 'Search',
		name: 'search',
		type: 'string',
		default: '',
		placeholder: 'e.g. birthday',
		displayOptions: { show },
		description:
			'What to look for, such as “dancing dog”, “birthday” or “Geburtstag”. Leave empty to return all scenes.',
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
 * Returns the matching scenes for every input item, one item each, so that a workflow or an agent can
 * choose one. It reads the package's own list: nothing is sent, and no credential is needed.
 *
 * @throws NodeOperationError with On Error "Stop", at the first problem
 */
export async function executeListScenes(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const { items, problems } = await readItems(context, (itemIndex) =>
		scenesFor(context, itemIndex),
	);
	return outputOf(context, [...items.flat(), ...problems]);
}

function scenesFor(context: IExecuteFunctions, itemIndex: number): Result[] {
	const parameters = new Parameters(context, itemIndex);
	const limit = readLimit(parameters);
	const text = textOf(parameters.value('search', 'Search'), 'Search');
	const images = parameters.choice('images', 'Images', {
		any: 'Any',
		single: 'One Image',
		dual: 'Two Images',
	});
	const count = images === 'single' ? 1 : images === 'dual' ? 2 : null;
	const isWanted = (scene: Scene) => count === null || scene.images === count;
	const found = searchScenes({ text, isWanted }).slice(0, limit);
	return found.map(({ name, title, images: taken, availability }) => {
		const json = { name, title, images: taken, availability };
		return { itemIndex, ok: true, item: { json, pairedItem: { item: itemIndex } } };
	});
}
