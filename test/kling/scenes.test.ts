import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ILoadOptionsFunctions } from 'n8n-workflow';
import { KlingEffects } from '../../nodes/KlingEffects/KlingEffects.node';
import { effectTypeOf, scenes, searchScenes } from '../../nodes/kling/scenes';

const names = scenes.map(({ name }) => name);
const { searchScenes: searchInEditor } = new KlingEffects().methods.listSearch;

/** What the editor shows for a search, page by page. */
async function search(effectType: string | undefined, filter?: string): Promise<string[]> {
	const context = {
		getCurrentNodeParameter: (name: string) => (name === 'effectType' ? effectType : undefined),
	} as unknown as ILoadOptionsFunctions;
	const shown: string[] = [];
	let token: string | undefined;
	do {
		const page = await searchInEditor.call(context, filter, token);
		expect(page.results.length).toBeLessThanOrEqual(100);
		expect(page.results.length).toBeGreaterThan(0);
		shown.push(...page.results.map(({ name }) => name));
		token = page.paginationToken as string | undefined;
	} while (token !== undefined);
	return shown;
}

describe('the catalogue', () => {
	test('holds the 335 scenes that Kling or a reseller has named, each once', () => {
		expect(scenes).toHaveLength(335);
		expect(new Set(names).size).toBe(335);
	});

	test('counts them as the lists do: 219 current, 99 older, 13 withdrawn, 4 of resellers only', () => {
		const count = (standing: string) => scenes.filter((one) => one.standing === standing).length;
		expect(['current', 'older', 'withdrawn', 'reseller'].map(count)).toEqual([219, 99, 13, 4]);
	});

	test('has the 15 two-image scenes of the newest list, and the four old ones', () => {
		const dual = searchScenes('dual');
		expect(dual.filter(({ standing }) => standing === 'current')).toHaveLength(15);
		expect(dual.slice(15).map(({ name }) => name)).toEqual([
			'hug',
			'kiss',
			'fight',
			'heart_gesture',
		]);
	});

	test('keeps names byte for byte, without blanks at their ends', () => {
		expect(names).toContain('let\u2019s_ride');
		expect(names).not.toContain("let's_ride");
		expect(names.filter((name) => name !== name.trim())).toEqual([]);
		expect(names).toEqual(expect.arrayContaining(['running_man', 'brown_bear_hug']));
	});

	test('comes newest list first, then older ones, resellers, and last what Kling has withdrawn', () => {
		const order = ['current', 'older', 'reseller', 'withdrawn'];
		const places = scenes.map(({ standing }) => order.indexOf(standing));
		expect(places).toEqual([...places].sort((a, b) => a - b));
	});

	test("is the sandbox's as well", () => {
		const read = (path: string) => readFileSync(join(__dirname, '../..', path), 'utf8');
		expect(JSON.parse(read('nodes/kling/scenes.json'))).toEqual(
			JSON.parse(read('sandbox/scenes.json')),
		);
	});
});

describe('a search', () => {
	test.each([
		['an ASCII apostrophe', "let's ride"],
		['the typographic one', 'let’s_ride'],
		['capitals', 'LET’S RIDE'],
		['a part of it', 'ride let'],
	])('finds let’s_ride by %s', (_name, filter) => {
		expect(searchScenes('single', filter).map(({ name }) => name)).toContain('let\u2019s_ride');
	});

	test('finds scenes of the chosen effect type only', () => {
		expect(searchScenes('single', 'hug_pro').map(({ name }) => name)).not.toContain('hug_pro');
		expect(searchScenes('dual', 'hug pro').map(({ name }) => name)).toEqual(['hug_pro']);
	});

	test('of nothing shows all, of nonsense none', () => {
		expect(searchScenes('single', '  ')).toHaveLength(335 - 19);
		expect(searchScenes('single', 'zzz')).toEqual([]);
	});
});

describe('the list in the editor', () => {
	test('shows every scene of one image over several pages, each once', async () => {
		const shown = await search('single');
		expect(shown).toHaveLength(335 - 19);
		expect(new Set(shown).size).toBe(shown.length);
	});

	test('shows the scenes of two images for Two Images', async () => {
		const shown = await search('dual');
		expect(shown).toHaveLength(19);
		expect(shown[0]).toBe('daily_ootd');
	});

	test('marks what Kling has withdrawn, what is older, and what only resellers have', async () => {
		expect(await search('dual', 'heart gesture')).toEqual([
			'heart_gesture_pro',
			'heart_gesture (withdrawn by Kling)',
		]);
		expect(await search('single', 'balloon parade')).toEqual([
			"balloon_parade (older: Kling's list of 2026-03)",
		]);
		expect(await search('single', 'face warp')).toEqual(['face_warp (resellers only)']);
	});

	test('gives the bare name as the value, whatever is noted beside it', async () => {
		const context = { getCurrentNodeParameter: () => 'dual' } as unknown as ILoadOptionsFunctions;
		const { results } = await searchInEditor.call(context, 'heart gesture');
		expect(results.map(({ value }) => value)).toEqual(['heart_gesture_pro', 'heart_gesture']);
	});

	test('shows scenes of one image when the effect type is not known yet', async () => {
		expect((await search(undefined)).length).toBe(335 - 19);
	});
});

describe('how many images a scene takes', () => {
	test.each([
		['hug_pro', 'dual'],
		['color_mixing', 'single'],
		['a_scene_of_next_month', null],
		// A reseller's page names it, without a word about images.
		['face_warp', null],
		['toString', null],
	])('%s: %s', (name, effectType) => expect(effectTypeOf(name)).toBe(effectType));
});
