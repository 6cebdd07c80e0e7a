import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';
import { effectsPage, type Scene } from '../../kling/scenes';
import { searchScenes } from '../../kling/sceneSearch';

/**
 * All scenes that match the search, for the resource locator's list. One page: when the credential
 * changes, n8n looks for the chosen scene's title on the first page only (seen on n8n 1.123 and 2.40).
 */
export async function searchScenesMethod(
	this: ILoadOptionsFunctions,
	filter?: string,
): Promise<INodeListSearchResult> {
	return {
		results: searchScenes({ text: filter }).map((scene) => ({
			name: labelOf(scene),
			value: scene.name,
			...(scene.availability === 'Kling' ? { url: effectsPage } : {}),
		})),
	};
}

function labelOf({ title, images, availability }: Scene): string {
	const notes = [images === 2 ? 'two photos' : '', availability === 'Kling' ? '' : availability];
	return [title, ...notes.filter(Boolean)].join(' · ');
}
