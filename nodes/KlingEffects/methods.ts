import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';
import { searchScenes, type EffectType, type Scene } from '../kling/scenes';

const pageSize = 100;

const notes: Record<Scene['standing'], (scene: Scene) => string> = {
	current: () => '',
	older: ({ listedIn }) => ` (older: Kling's list of ${listedIn})`,
	reseller: () => ' (resellers only)',
	withdrawn: () => ' (withdrawn by Kling)',
};

/** The scenes of the chosen effect type, for the resource locator's list. */
export async function searchScenesMethod(
	this: ILoadOptionsFunctions,
	filter?: string,
	paginationToken?: string,
): Promise<INodeListSearchResult> {
	const effectType = (this.getCurrentNodeParameter('effectType') ?? 'single') as EffectType;
	const found = searchScenes(effectType, filter);
	const start = Number(paginationToken) || 0;
	const end = start + pageSize;
	return {
		results: found.slice(start, end).map((scene) => ({
			name: `${scene.name}${notes[scene.standing](scene)}`,
			value: scene.name,
		})),
		...(end < found.length ? { paginationToken: String(end) } : {}),
	};
}
