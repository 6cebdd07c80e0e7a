import { scenes } from '../../../nodes/kling/scenes';
import { searchScenes } from '../../../nodes/kling/sceneSearch';
import sceneWords from '../../../nodes/kling/sceneWords.json';

const found = (text: string) => searchScenes({ text }).map(({ name }) => name);

describe('what people type, and the first scene they see', () => {
	test.each([
		// Names, as they are and as people write them.
		['hug pro', 'hug_pro'],
		['HUG-PRO', 'hug_pro'],
		["let's ride", 'let’s_ride'],
		['LET’S RIDE', 'let’s_ride'],
		['ride let', 'let’s_ride'],
		['argentina', 'arg_goal'],
		['brazil', 'bra_goal'],
		['petdance', 'pet_dance'],
		['day to night', 'day_to_night'],
		['balloon parade', 'balloon_parade'],
		['face warp', 'face_warp'],
		['9:16', 'football_live_9_16'],
		['dollar', 'dollar_rain_pro'],
		// Forms of words.
		['kissing', 'kiss_pro'],
		['kisses', 'kiss_pro'],
		['hugging', 'hug_pro'],
		['dancing dog', 'pet_dance'],
		['dog dance', 'pet_dance'],
		['my dog is dancing', 'pet_dance'],
		['birthdays', 'birthday_board'],
		['puppies', 'pet_dance'],
		['running', 'running'],
		['flying', 'magic_carpet_ride'],
		['smiling', 'expression_challenge'],
		// Typos of one letter.
		['birtday', 'birthday_board'],
		['brithday', 'birthday_board'],
		['chrismas', 'steampunk_christmas'],
		['hugg', 'hug_pro'],
		['haloween', 'halloween_escape'],
		['mony', 'lucky_money_come'],
		['foto of a dogg', 'pet_dance'],
		['brithdays', 'birthday_board'],
		['danicng', 'football_dance'],
		// Synonyms.
		['bday', 'birthday_board'],
		['x-mas', 'steampunk_christmas'],
		['xmas', 'steampunk_christmas'],
		['santa claus', 'santa_gift'],
		['happy new year', 'new_year_feast'],
		['world cup', 'football_dance'],
		['soccer', 'soccer_star'],
		['smile', 'expression_challenge'],
		['funny', 'wiggle_faces_pets'],
		['graduation', 'great_success'],
		['mother', 'surprise_bouquet'],
		["mother's day", 'surprise_bouquet'],
		['dad', 'thumbs_up_pro'],
		['dog', 'pet_dance'],
		['cat', 'martial_meow'],
		['a video of a cat', 'martial_meow'],
		['car', 'f1_live'],
		['couple', 'hug_pro'],
		['money', 'lucky_money_come'],
		['superhero', 'venomous_spider'],
		['wedding', 'eternal_kiss'],
		['fireworks', 'summer_fireworks'],
		['angel', 'pure_white_wings'],
		['magician', 'maestro_of_magic'],
		['basketball', 'air_dunk'],
		['kung fu', 'fight_pro'],
		['boxing', 'fight_pro'],
		['valentines day', 'send_my_love'],
		['cute puppy', 'pet_dance'],
		['surfing', 'surfsurf'],
		['christmas tree', 'magic_match_tree'],
	])('%s: %s', (text, first) => {
		expect(found(text)[0]).toBe(first);
	});
});

describe('the most common words in other languages find the same as in English', () => {
	test.each([
		['birthday', ['Geburtstag', 'cumpleaños', 'aniversário', 'anniversaire', '生日', '誕生日']],
		['christmas', ['Weihnachten', 'Navidad', 'Natal', 'Noël', '圣诞节', 'クリスマス']],
		['new year', ['Neujahr', 'año nuevo', 'ano novo', 'nouvel an', '新年', 'お正月']],
		['dance', ['tanzen', 'bailar', 'dançar', 'danser', '跳舞', 'ダンス']],
		['hug', ['Umarmung', 'abrazo', 'abraço', 'câlin', '拥抱', 'ハグ']],
		['kiss', ['Kuss', 'beso', 'beijo', 'bisou', '亲吻', 'キス']],
		['dog', ['Hund', 'perro', 'cachorro', 'chien', '狗', '犬']],
		['cat', ['Katze', 'gato', 'gata', 'chat', '猫', 'ネコ']],
		['love', ['Liebe', 'amor', 'romântico', 'amour', '爱', '恋']],
		['heart', ['Herz', 'corazón', 'coração', 'cœur', '爱心', 'ハート']],
		['football', ['Fußball', 'fútbol', 'futebol', 'foot', '足球', 'サッカー']],
		['flower', ['Blumen', 'flores', 'flor', 'fleurs', '花', 'お花']],
		['money', ['Geld', 'dinero', 'dinheiro', 'argent', '钱', 'お金']],
		['baby', ['Kleinkind', 'bebé', 'bebê', 'bébé', '宝宝', '赤ちゃん']],
		['wedding', ['Hochzeit', 'boda', 'casamento', 'mariage', '婚礼', '結婚式']],
		['party', ['Party', 'fiesta', 'festa', 'fête', '派对', 'パーティー']],
		['funny', ['lustig', 'divertido', 'engraçado', 'drôle', '搞笑', '面白い']],
		['smile', ['Lächeln', 'sonrisa', 'sorriso', 'sourire', '微笑', '笑顔']],
		['mother', ['Mutter', 'mamá', 'mãe', 'maman', '妈妈', 'お母さん']],
		['fly', ['fliegen', 'volar', 'voar', 'voler', '飞', '飛ぶ']],
		['fire', ['Feuer', 'fuego', 'fogo', 'feu', '火', '炎']],
		['car', ['Auto', 'coche', 'carro', 'voiture', '汽车', '車']],
		['pet', ['Haustier', 'mascota', 'estimação', 'animal de compagnie', '宠物', 'ペット']],
	])('%s: %j', (english, others) => {
		const wanted = found(english);
		for (const text of others) {
			expect([text, found(text)[0]]).not.toEqual([text, undefined]);
			expect([text, wanted.includes(found(text)[0])]).toEqual([text, true]);
		}
	});

	test.each([
		['“feliz cumpleaños”', 'feliz cumpleaños', 'birthday_board'],
		['“joyeux anniversaire”', 'joyeux anniversaire', 'birthday_board'],
		['a word without its accent', 'cumpleanos', 'birthday_board'],
		['a word with ue for ü', 'kuessen', 'kiss_pro'],
		['a common slip', 'Geburstag', 'birthday_board'],
		['a sentence', 'vidéo de mon chien qui danse', 'pet_dance'],
		['Chinese, without blanks', '小狗跳舞', 'pet_dance'],
		['Japanese, without blanks', '犬のダンス', 'pet_dance'],
		['congratulations in Japanese', '誕生日おめでとう', 'birthday_board'],
	])('%s: %s finds %s', (_name, text, first) => {
		expect(found(text)[0]).toBe(first);
	});
});

describe('the order of what is found', () => {
	test('goes by how well all words fit together', () => {
		const dances = found('dog dance');
		expect(dances[0]).toBe('pet_dance');
		expect(dances.indexOf('disco_paws')).toBeGreaterThan(dances.indexOf('lion_dance_pet'));
	});

	test('has names with the word before those that only mean it', () => {
		const dances = found('dance');
		expect(dances.indexOf('samba_fever')).toBeGreaterThan(dances.indexOf('yangge_dance'));
	});

	test.each(['dog', 'cat', 'face', 'birthday', 'cake', 'pet'])(
		'“%s”: what Kling has comes before what only resellers have',
		(text) => {
			const places = searchScenes({ text }).map(({ availability }) => availability);
			expect(places[0]).toBe('Kling');
			expect(places.indexOf('resellers only')).toBe(
				places.length - places.filter((one) => one === 'resellers only').length,
			);
		},
	);

	test('has a resellers’ scene first if searched by its name', () => {
		expect(found('pet dog')[0]).toBe('pet_dog');
		expect(found('birthday_cake')[0]).toBe('birthday_cake');
	});

	test.each(['car', 'anime', 'santa'])('“%s”: a current scene comes first', (text) => {
		expect(searchScenes({ text })[0].availability).toBe('Kling');
	});

	test('shows no guesses if the text matches as typed', () => {
		expect(found('face')).not.toContain('fairy_wing');
		expect(found('hug').every((name) => name.includes('hug'))).toBe(true);
	});
});

describe('a search', () => {
	test.each([
		['dan', 'football_dance'],
		['birth', 'birthday_board'],
		['gebur', 'birthday_board'],
		['圣', 'santa_gift'],
	])('finds while “%s” is being typed', (text, name) => {
		expect(found(text)).toContain(name);
	});

	test('ignores a word that matches nothing', () => {
		expect(found('hug zzz')).toEqual(found('hug'));
	});

	test('with no words shows everything available, with nonsense nothing', () => {
		expect(found('  ')).toHaveLength(335 - 13);
		expect(found('zzz')).toEqual([]);
		expect(found('!?')).toEqual([]);
		expect(found('*')).toEqual([]);
	});

	test.each(['hug', 'kiss', 'pet lion', 'celebration'])(
		'for “%s” shows nothing that was withdrawn',
		(text) => {
			const withdrawn = scenes.filter(({ availability }) => availability === 'withdrawn');
			const names = found(text);
			expect(withdrawn.filter(({ name }) => names.includes(name))).toEqual([]);
		},
	);

	test('can be limited to scenes with two photos', () => {
		const dual = searchScenes({ text: 'love', isWanted: ({ images }) => images === 2 });
		expect(dual.length).toBeGreaterThan(2);
		expect(dual.every(({ images }) => images === 2)).toBe(true);
	});

	test('every other word stands for names that exist, and finds them', () => {
		const names = scenes.map(({ name }) => name);
		const parts = new Set(names.flatMap((name) => [name, ...name.split('_')]));
		const isKnown = (name: string) =>
			parts.has(name) || names.some((each) => each.startsWith(`${name}_`));
		for (const [word, { also, names: others }] of Object.entries(sceneWords)) {
			expect([word, others.split(', ').filter((name) => !isKnown(name))]).toEqual([word, []]);
			const all = [word, ...also.split(', ')].map((each) => each.replace('*', ''));
			expect([word, all.filter((each) => each && found(each).length === 0)]).toEqual([word, []]);
		}
	});
});
