import { hintAtOptions } from '../../../../nodes/kling/create/order';
import { kling } from '../../../../nodes/kling/providers/kling';
import { checkedOrder } from '../../../fixtures/order';

test.each([
	['fight', 'kling-v1', 'kling-v1-6'],
	['hug', 'kling-v2', 'kling-v1 or kling-v1-5 or kling-v1-6'],
])('%s with the model %s is refused before anything is paid', (effectScene, modelName, taken) => {
	expect(checkedOrder({ effectScene, modelName }, kling)).toEqual({
		ok: false,
		problem: {
			message: `Effect Scene “${effectScene}” does not support the model “${modelName}”`,
			description: `Enter ${taken} as Model Name under Options, or remove the option.`,
		},
	});
});

test.each([
	['fight', 'kling-v1-6'],
	['kiss', 'kling-v1-5'],
	['heart_gesture', undefined],
	['hug_pro', 'kling-v1'],
	['a_scene_of_tomorrow', 'kling-v9'],
])('%s with the model %s is sent', (effectScene, modelName) => {
	expect(checkedOrder({ effectScene, modelName }, kling)).toMatchObject({ ok: true });
});

test.each([
	[{ effectScene: 'hug_pro', mode: 'pro', modelName: 'kling-v1' }, 'Mode, Model Name'],
	[{ effectScene: 'cheers_2026', duration: 10 }, 'Duration of 10 seconds'],
	[{ effectScene: 'squish', duration: 10, mode: 'std' }, 'Duration of 10 seconds, Mode'],
])('a hint names options that Kling does not document for a scene: %j', (order, names) => {
	expect(hintAtOptions(order)).toBe(
		`Kling documents ${names} for hug, kiss, heart_gesture, fight only. With “${order.effectScene}” it may be ignored.`,
	);
});

test.each([
	{ effectScene: 'hug', duration: 10, mode: 'pro', modelName: 'kling-v1' },
	{ effectScene: 'squish', duration: 5 },
	{ effectScene: 'squish' },
	{ effectScene: 'a_scene_of_tomorrow', duration: 10, mode: 'pro' },
])('no hint for %j', (order) => {
	expect(hintAtOptions(order)).toBeNull();
});
