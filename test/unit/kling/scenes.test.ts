import type { ILoadOptionsFunctions } from 'n8n-workflow';
import { KlingEffects } from '../../../nodes/KlingEffects/KlingEffects.node';
import {
	adviceOn,
	effectTypeOf,
	sceneNameOf,
	scenes,
	searchScenes,
} from '../../../nodes/kling/scenes';
import sceneWords from '../../../nodes/kling/sceneWords.json';
import { runNode, type RunOptions } from '../../../tools/engine';

const names = scenes.map(({ name }) => name);
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

const found = (text: string) => searchScenes({ text }).map(({ name }) => name);

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
		const dual = scenes.filter(({ effectType }) => effectType === 'dual');
		expect(dual.filter(({ standing }) => standing === 'current')).toHaveLength(15);
		const withdrawn = ['hug', 'kiss', 'fight', 'heart_gesture'];
		expect(dual.slice(15).map(({ name }) => name)).toEqual(withdrawn);
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
});

describe('titles', () => {
	test.each([
		['hug_pro', 'Hug Pro'],
		['let\u2019s_ride', 'Let\u2019s Ride'],
		['football_live_9_16', 'Football Live 9:16'],
		['daily_ootd', 'Daily OOTD'],
		['arg_hot_dance', 'Argentina Hot Dance'],
		['3d_cartoon_2', '3D Cartoon 2'],
	])('%s reads “%s”', (name, title) => {
		expect(scenes.find((scene) => scene.name === name)?.title).toBe(title);
	});

	test('no two scenes have the same', () => {
		expect(new Set(scenes.map(({ title }) => title)).size).toBe(scenes.length);
	});
});

describe('a search', () => {
	test.each([
		['an ASCII apostrophe', "let's ride"],
		['the typographic one', 'let’s_ride'],
		['capitals', 'LET’S RIDE'],
		['its words in another order', 'ride let'],
	])('finds let’s_ride by %s', (_name, filter) => {
		expect(found(filter)[0]).toBe('let\u2019s_ride');
	});

	test.each([
		['kiss', ['kiss_pro', 'snow_night_kiss', 'eternal_kiss']],
		['hug pro', ['hug_pro', 'tiger_hug_pro']],
		['argentina', ['arg_goal', 'arg_hot_dance']],
	])('for “%s” finds scenes of one and of two photos, the newest first', (text, first) => {
		expect(found(text).slice(0, first.length)).toEqual(first);
	});

	test.each([
		['football', 'bicycle_kick'],
		['Soccer', 'football_dance'],
		['dancing dance', 'samba_fever'],
		['birthdays', 'champagne_birthday'],
		['baby', 'instant_kid'],
		['pets', 'martial_meow'],
		['money', 'make_it_rain'],
		['mone', 'get_rich_quick'],
		['couple', 'hug_pro'],
		['christmas', 'santa_gift'],
		['dog', 'disco_paws'],
		['cartoon', 'anime_figure'],
	])('by what people call it: “%s” finds %s', (text, name) => {
		expect(found(text.split(' ').at(-1)!)).toContain(name);
	});

	test('shows names with the word before those that only mean it', () => {
		const dances = found('dance');
		expect(dances.slice(0, 3)).toEqual(['arg_hot_dance', 'bra_hot_dance', 'dance_with_dragon']);
		expect(dances.indexOf('samba_fever')).toBeGreaterThan(dances.indexOf('pet_dance'));
	});

	test('of nothing shows all that can be had, of nonsense none', () => {
		expect(found('  ')).toHaveLength(335 - 13);
		expect(found('zzz')).toEqual([]);
	});

	test('every other word stands for names that exist', () => {
		const parts = new Set(names.flatMap((name) => [name, ...name.split('_')]));
		const others = Object.values(sceneWords).flatMap((words) => words.split(' '));
		expect(others.filter((word) => !parts.has(word))).toEqual([]);
		for (const word of Object.keys(sceneWords)) expect(found(word)).not.toEqual([]);
	});
});

describe('the list in the editor', () => {
	test('shows all scenes that can be had at once, the 219 of the newest list first', async () => {
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

	test('leaves out what Kling has withdrawn', async () => {
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

describe('how many images a scene takes', () => {
	test.each([
		['hug_pro', 'dual'],
		['hug', 'dual'],
		['color_mixing', 'single'],
		['a_scene_of_next_month', null],
		// A reseller's page names it, without a word about images.
		['face_warp', null],
		['toString', null],
	])('%s: %s', (name, effectType) => expect(effectTypeOf(name)).toBe(effectType));
});

describe('a name that a user enters', () => {
	test.each([
		['Hug Pro', 'hug_pro'],
		[' hug-pro ', 'hug_pro'],
		["LET'S RIDE", 'let\u2019s_ride'],
		['Argentina Goal', 'arg_goal'],
		['Football Live 9:16', 'football_live_9_16'],
		['hug', 'hug'],
		['a-scene_of Next month', 'a-scene_of Next month'],
	])('%j is sent as %s', (entered, name) => expect(sceneNameOf(entered)).toBe(name));

	test.each([
		['hug_por', 'Did you mean hug_pro?'],
		['huggpro', 'Did you mean hug_pro?'],
		['pet_danse', 'Did you mean pet_dance?'],
		['thumbs', null],
		['a_scene_of_next_month', null],
		['hug_pro', null],
		['hug', 'Kling has withdrawn hug. Try hug_pro instead.'],
		['girlfriend', 'Kling has withdrawn girlfriend.'],
	])('once %s is refused, the advice is: %s', (name, advice) => {
		expect(adviceOn(name)).toBe(advice);
	});
});

describe('Get Many Scenes', () => {
	const list = async (parameters: Record<string, unknown>, options: Partial<RunOptions> = {}) =>
		await runNode({
			parameters: { operation: 'listScenes', ...parameters },
			credential: {},
			settings: { credentials: undefined },
			...options,
		});

	test('needs no credential and gives 50 scenes of the newest list', async () => {
		const { json, error } = await list({});
		expect(error).toBeUndefined();
		expect(json).toHaveLength(50);
		expect(json[0]).toEqual({
			name: 'african_sway',
			title: 'African Sway',
			images: 1,
			standing: 'current',
			list: '2026-09',
		});
	});

	test('searches, for each item with its own words', async () => {
		const items = ['kiss', 'face warp'].map((words) => ({ json: { words } }));
		const { json } = await list({ search: '={{ $json.words }}', images: 'any' }, { items });
		expect(json.map(({ name }) => name)).toEqual([...found('kiss'), 'face_warp']);
		expect(json.at(-1)).toMatchObject({ standing: 'reseller', list: null });
	});

	test('finds scenes of two images only', async () => {
		const { json } = await list({ images: 'dual', returnAll: true });
		expect(json).toHaveLength(15);
		expect(new Set(json.map(({ images }) => images))).toEqual(new Set([2]));
	});

	test('says what a limit must be', async () => {
		const { error } = await list({ limit: 0 });
		expect(error?.message).toBe('Limit must be a number from 1 up');
	});
});
