import type { ILoadOptionsFunctions } from 'n8n-workflow';
import { KlingEffects } from '../../../../nodes/KlingEffects/KlingEffects.node';

const { searchScenes: searchInEditor } = new KlingEffects().methods.listSearch;

/** What the editor shows for a search. */
async function shownFor(filter?: string) {
	const { results, paginationToken } = await searchInEditor.call(
		{} as ILoadOptionsFunctions,
		filter,
	);
	expect(paginationToken).toBeUndefined();
	return results;
}

describe('the list in the editor', () => {
	test('shows all available scenes at once, the 219 of the newest list first', async () => {
		const shown = await shownFor();
		expect(shown).toHaveLength(335 - 13);
		expect(shown.slice(0, 219).filter(({ name }) => / · (older|resellers)/.test(name))).toEqual([]);
		expect(shown.slice(219).filter(({ name }) => / · (older|resellers)/.test(name))).toHaveLength(
			103,
		);
	});

	test('has readable names, and says which take two photos, are older, or only with resellers', async () => {
		const label = async (filter: string) => (await shownFor(filter)).map(({ name }) => name);
		expect(await label('hug_pro')).toEqual(['Hug Pro · two photos', 'Tiger Hug Pro']);
		expect(await label('balloon parade')).toEqual(['Balloon Parade · older']);
		expect(await label('face warp')).toEqual(['Face Warp · resellers only']);
	});

	test('leaves out withdrawn scenes', async () => {
		const values = (await shownFor('heart gesture')).map(({ value }) => value);
		expect(values).toContain('heart_gesture_pro');
		expect(values).not.toContain('heart_gesture');
	});

	test('links the scenes of Kling’s newest list to its page of effects', async () => {
		const [hug] = await shownFor('hug_pro');
		expect(hug).toMatchObject({
			value: 'hug_pro',
			url: 'https://kling.ai/document-api/video-effect-price',
		});
		const [balloon] = await shownFor('balloon parade');
		expect(balloon.url).toBeUndefined();
	});
});
