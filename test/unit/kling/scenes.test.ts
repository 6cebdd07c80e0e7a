import { effectTypeOf, sceneNameOf, scenes } from '../../../nodes/kling/scenes';

const names = scenes.map(({ name }) => name);

const availabilities = ['Kling', 'older', 'resellers only', 'withdrawn'];

describe('the catalogue', () => {
	test('has the 335 scenes that Kling or a reseller has named, each once', () => {
		expect(scenes).toHaveLength(335);
		expect(new Set(names).size).toBe(335);
	});

	test('counts them as the lists do: 219 current, 99 older, 4 of resellers only, 13 withdrawn', () => {
		const count = (wanted: string) =>
			scenes.filter(({ availability }) => availability === wanted).length;
		expect(availabilities.map(count)).toEqual([219, 99, 4, 13]);
	});

	test('calls a scene Kling’s if and only if the newest list has it', () => {
		const newest = scenes
			.map(({ listedIn }) => listedIn ?? '')
			.sort()
			.at(-1);
		for (const { name, availability, listedIn } of scenes) {
			if (availability === 'withdrawn') continue;
			const expected = listedIn === newest ? 'Kling' : listedIn ? 'older' : 'resellers only';
			expect([name, availability]).toEqual([name, expected]);
		}
	});

	test('knows the 13 scenes that Kling’s list for China lacks: it has 206', () => {
		const lacking = scenes.filter(({ china }) => china === false);
		expect(lacking).toHaveLength(13);
		expect(lacking.every(({ availability }) => availability === 'Kling')).toBe(true);
	});

	test('has the 15 two-image scenes of the newest list, and the four old ones', () => {
		const dual = scenes.filter(({ images }) => images === 2);
		expect(dual.filter(({ availability }) => availability === 'Kling')).toHaveLength(15);
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
		const places = scenes.map(({ availability }) => availabilities.indexOf(availability));
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
		['first_toast_of_the_year', 'First Toast of the Year'],
	])('%s reads “%s”', (name, title) => {
		expect(scenes.find((scene) => scene.name === name)?.title).toBe(title);
	});

	test('no two scenes have the same', () => {
		expect(new Set(scenes.map(({ title }) => title)).size).toBe(scenes.length);
	});
});

describe('how many images a scene takes', () => {
	test.each([
		['hug_pro', 'dual'],
		['hug', 'dual'],
		['color_mixing', 'single'],
		['a_scene_of_next_month', null],
		// A reseller's page names it, but says nothing about images.
		['face_warp', null],
		['toString', null],
	])('%s: %s', (name, effectType) => expect(effectTypeOf(name)).toBe(effectType));
});

describe('a name that a user enters', () => {
	test('no two scenes have the same letters and digits in a row', () => {
		const lettersOf = (text: string) => text.toLowerCase().replace(/[^a-z\d]/g, '');
		const owners = new Map<string, Set<string>>();
		for (const { name, title } of scenes) {
			for (const letters of [name, title].map(lettersOf)) {
				owners.set(letters, (owners.get(letters) ?? new Set()).add(name));
			}
		}
		expect([...owners.values()].filter(({ size }) => size > 1)).toEqual([]);
	});

	test.each([
		['Hug Pro', 'hug_pro'],
		[' hug-pro ', 'hug_pro'],
		["LET'S RIDE", 'let\u2019s_ride'],
		['Argentina Goal', 'arg_goal'],
		['Football Live 9:16', 'football_live_9_16'],
		['hug', 'hug'],
		// As people, agents and spreadsheets write names.
		['HugPro', 'hug_pro'],
		['"hug_pro"', 'hug_pro'],
		['hug_pro.', 'hug_pro'],
		['🤗 Hug Pro', 'hug_pro'],
		['hug_pro\u200b', 'hug_pro'],
		['lets ride', 'let\u2019s_ride'],
		['a-scene_of Next month', 'a-scene_of Next month'],
		['🤗', '🤗'],
	])('%j is sent as %s', (entered, name) => expect(sceneNameOf(entered)).toBe(name));
});
