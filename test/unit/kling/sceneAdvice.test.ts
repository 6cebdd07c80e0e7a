import { kling } from '../../../nodes/kling/providers/kling';
import { providers } from '../../../nodes/kling/providers';
import { adviceOn } from '../../../nodes/kling/sceneAdvice';
import { sceneNamed, scenes } from '../../../nodes/kling/scenes';

const modellix = providers.find(({ name }) => name === 'modellix')!;

describe('once Kling AI has refused a scene, the advice is', () => {
	test.each([
		['hug_por', 'Did you mean hug_pro?'],
		['huggpro', 'Did you mean hug_pro?'],
		['pet_danse', 'Did you mean pet_dance?'],
		['thumbs', null],
		['a_scene_of_next_month', null],
		['hug_pro', null],
		['hug', 'Kling has withdrawn hug. Try hug_pro instead.'],
		['tiger_hug', 'Kling has withdrawn tiger_hug. Try tiger_hug_pro instead.'],
		['3d_cartoon_1', 'Kling has withdrawn 3d_cartoon_1. Try 3d_cartoon_2 instead.'],
		['pet_dog', 'Only resellers have pet_dog, not Kling itself. Try pet_dance instead.'],
		['pet_cat', 'Only resellers have pet_cat, not Kling itself. Try pet_dance instead.'],
		[
			'birthday_cake',
			'Only resellers have birthday_cake, not Kling itself. Try happy_birthday instead.',
		],
		[
			'face_warp',
			'Only resellers have face_warp, not Kling itself. Try expression_challenge instead.',
		],
		['pet_bee', "pet_bee is no longer in Kling's list. Try pet_bee_pro instead."],
		['balloon_parade', "balloon_parade is no longer in Kling's list."],
	])('%s: %s', (name, advice) => {
		expect(adviceOn(name, { provider: kling, region: null })).toBe(advice);
	});
});

describe('a scene that Kling’s list for China lacks', () => {
	const lacking = scenes.filter(({ china }) => china === false).map(({ name }) => name);

	test.each(lacking)('%s: a refusal there says so, and suggests only what China has', (name) => {
		const advice = adviceOn(name, { provider: kling, region: 'china' }) ?? '';
		expect(advice).toContain(`Kling's list for China does not have ${name}.`);
		const [, instead] = /Try (\S+) instead/.exec(advice) ?? [];
		if (instead) expect(sceneNamed(instead)).toMatchObject({ availability: 'Kling', images: 1 });
		expect(lacking).not.toContain(instead);
	});

	test('does not matter elsewhere', () => {
		expect(adviceOn('skyfall', { provider: kling, region: 'global' })).toBeNull();
		expect(adviceOn('skyfall', { provider: modellix, region: 'china' })).toBeNull();
	});

	test('is never suggested there', () => {
		const advice = adviceOn('birthday_cake', { provider: kling, region: 'china' });
		expect(advice).toMatch(/Try happy_birthday instead/);
	});
});

test('a reseller that refuses a resellers’ scene does not count as having it', () => {
	expect(adviceOn('pet_dog', { provider: modellix, region: null })).toBeNull();
});

test('what is suggested takes as many photos, and Kling has it', () => {
	for (const { name, images } of scenes) {
		const [, instead] =
			/Try (\S+) instead/.exec(adviceOn(name, { provider: kling, region: null }) ?? '') ?? [];
		if (instead) expect(sceneNamed(instead)).toMatchObject({ availability: 'Kling', images });
	}
});
