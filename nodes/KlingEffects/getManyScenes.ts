import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { z } from 'zod';
import { accepted } from '../kling/checked';
import type { Scene } from '../kling/scenes';
import { searchScenes } from '../kling/sceneSearch';
import { readParameters } from '../n8n/parameters';
import { outputOfEach } from '../n8n/results';
import { limitOf, limitParameters } from './getMany';

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

/** All parameters of Get Many Scenes. */
const parameters = {
	...limitParameters,
	search: z
		.unknown()
		.transform((given) => String(given ?? ''))
		.describe('Search'),
	images: z.enum(['single', 'dual']).optional().catch(undefined).describe('Images'),
};

/**
 * Gives the scenes that fit, one item each, for every input item, so that a workflow or an agent can
 * choose one. It reads the package's own list: nothing is sent, and no credential is needed.
 *
 * @throws NodeOperationError with On Error "Stop", at the first problem
 */
export async function executeListScenes(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	return await outputOfEach(context, (itemIndex) => {
		const read = readParameters(context, itemIndex, parameters);
		if (!read.ok) return read;
		const { search: text, images: effectType } = read.value;
		const limit = limitOf(read.value);
		if (!limit.ok) return limit;
		const isWanted = ({ images }: Scene) =>
			effectType === undefined || images === (effectType === 'dual' ? 2 : 1);
		const found = searchScenes({ text, isWanted }).slice(0, limit.value);
		return accepted(
			found.map(({ name, title, images, availability }) => ({
				json: { name, title, images, availability },
				pairedItem: { item: itemIndex },
			})),
		);
	});
}
