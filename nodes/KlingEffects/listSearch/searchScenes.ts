import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';
import { effectsPage, searchScenes, type Scene } from '../../kling/scenes';

/**
 * All scenes that fit the search, for the resource locator's list. One page: when the credential
 * changes, n8n looks for the chosen scene's title on the first page alone (seen on n8n 1.123 and 2.40).
 */
export async function searchScenesMethod(
	this: ILoadOptionsFunctions,
	filter?: string,
): Promise<INodeListSearchResult> {
	return {
		results: searchScenes({ text: filter }).map((scene) => ({
			name: labelOf(scene),
			value: scene.name,
			...(scene.standing === 'current' ? { url: effectsPage } : {}),
		})),
	};
}

const notes: Partial<Record<Scene['standing'], string>> = {
	older: ' · older',
	reseller: ' · resellers only',
};

function labelOf({ title, effectType, standing }: Scene): string {
	return `${title}${effectType === 'dual' ? ' · two photos' : ''}${notes[standing] ?? ''}`;
}
