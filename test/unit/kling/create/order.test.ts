import { kling } from '../../../../nodes/kling/providers/kling';
import { modellix } from '../../../../nodes/kling/providers/modellix';
import { apiModels } from '../../../../nodes/kling/providers/apiModels';
import { cometApi } from '../../../../nodes/kling/providers/cometApi';
import { checkedOrder } from '../../../fixtures/order';

const good = { effectScene: 'hug_pro' };

test('what the user leaves empty is not part of the order', () => {
	const empty = { duration: '', mode: null, modelName: undefined, callbackUrl: ' ' };
	expect(checkedOrder({ ...good, ...empty, externalTaskId: '' }, kling)).toEqual({
		ok: true,
		value: good,
	});
});

test('options that do not concern the provider are not part of the order', () => {
	const others = { timeout: 30, pollInterval: 10, concurrency: 5, image: 'x' };
	expect(checkedOrder({ ...good, ...others }, modellix)).toEqual({ ok: true, value: good });
});

test.each([
	[5, 5],
	['10', 10],
	[' 5 ', 5],
])('a duration of %j is taken as %i seconds', (duration, seconds) => {
	expect(checkedOrder({ ...good, duration }, kling)).toEqual({
		ok: true,
		value: { ...good, duration: seconds },
	});
});

test.each([7, 0, -5, 'abc', '5s', 5.5, '0x5e', NaN])('a duration of %j is refused', (duration) => {
	expect(checkedOrder({ ...good, duration }, kling)).toMatchObject({ ok: false });
});

test('scene, ids and names only lose surrounding blanks', () => {
	const given = {
		effectScene: ' let’s_ride\n',
		externalTaskId: ' a b ',
		modelName: ' kling-v1-6 ',
	};
	expect(checkedOrder(given, kling)).toEqual({
		ok: true,
		value: { effectScene: 'let\u2019s_ride', externalTaskId: 'a b', modelName: 'kling-v1-6' },
	});
});

test('a number as an external task id is taken as its digits', () => {
	expect(checkedOrder({ ...good, externalTaskId: 4711 }, kling)).toMatchObject({
		value: { externalTaskId: '4711' },
	});
});

test.each([
	[
		modellix,
		'callbackUrl',
		'https://example.com',
		'Modellix does not support the option Callback URL',
	],
	[modellix, 'mode', 'pro', 'Modellix does not support the option Mode'],
	[modellix, 'modelName', 'x', 'Modellix does not support the option Model Name'],
	[apiModels, 'externalTaskId', 'a', 'APIModels does not support the option External Task ID'],
] as const)('$displayName refuses %s by the name on screen', (provider, name, value, message) => {
	const checked = checkedOrder({ ...good, [name]: value }, provider);
	expect(checked).toMatchObject({ ok: false, problem: { message } });
});

test.each([
	'javascript:alert(1)',
	'see https://example.com',
	'http://',
	'example.com/hook',
	'https:///x',
])('a callback URL of %s is refused', (callbackUrl) => {
	expect(checkedOrder({ ...good, callbackUrl }, cometApi)).toMatchObject({
		ok: false,
		problem: { message: 'Callback URL is not a web address' },
	});
});

test.each([[{}], [{ effectScene: ['hug'] }], [{ effectScene: {} }], [{ effectScene: null }]])(
	'a scene of %j is refused, never sent',
	(given) => {
		expect(checkedOrder(given, kling)).toMatchObject({ ok: false });
	},
);

test.each([
	[
		{ effectScene: ' ' },
		'Effect Scene is empty',
		'Choose a scene from the list or enter its name.',
	],
	[
		{ effectScene: 'a_new_scene\u200b' },
		'Effect Scene contains an invisible character (U+200B)',
		'It was copied along with the name. Delete the name and type it, or paste it as plain text.',
	],
	[
		{ modelName: 'kling\u00ad-v1' },
		'Model Name contains an invisible character (U+00AD)',
		'It was copied along with the name. Delete the name and type it, or paste it as plain text.',
	],
	[
		{ mode: 'constructor' },
		'Mode must be std or pro',
		"Choose one of these values, or remove Mode under Options to use the provider's own.",
	],
	[
		{ mode: 'best' },
		'Mode must be std or pro',
		"Choose one of these values, or remove Mode under Options to use the provider's own.",
	],
	[
		{ duration: 7 },
		'Duration must be 5 or 10 seconds',
		"Choose one of these values, or remove Duration under Options to use the provider's own.",
	],
	[
		{ callbackUrl: 'example.com' },
		'Callback URL is not a web address',
		'Enter an address that begins with https:// or http://, or remove the option.',
	],
	[{ externalTaskId: 'x'.repeat(129) }, 'External Task ID has 129 characters', 'Use at most 128.'],
	[
		{ additionalFields: '[1]' },
		'Additional Fields is not a JSON object',
		'Enter an object such as {"seed": 7}, or remove the option.',
	],
	[
		{ additionalFields: '{"seed": 7, "model": "x"}' },
		'Additional Fields cannot set model',
		'The node sets it from its own parameters: use those, and remove it here.',
	],
])('%j is refused with what to do instead', (wrong, message, description) => {
	expect(checkedOrder({ ...good, ...wrong }, kling)).toEqual({
		ok: false,
		problem: { message, description },
	});
});

test('an option that a provider does not support is refused with what to do instead', () => {
	expect(checkedOrder({ ...good, mode: 'pro' }, modellix)).toMatchObject({
		problem: {
			description: 'Remove Mode under Options, or use a credential of another provider.',
		},
	});
});

test('the longest external task id, and fields with names that begin like those of the node, are taken', () => {
	const externalTaskId = 'x'.repeat(128);
	const additionalFields = { model_version: '2', image_fidelity: 0.5 };
	expect(checkedOrder({ ...good, externalTaskId, additionalFields }, kling)).toEqual({
		ok: true,
		value: { ...good, externalTaskId, additionalFields },
	});
});

test.each(['', ' ', '{}', null])('additional fields of %j are none', (additionalFields) => {
	expect(checkedOrder({ ...good, additionalFields }, kling)).toEqual({ ok: true, value: good });
});

test('what is no text is refused by the name on screen', () => {
	expect(checkedOrder({ ...good, modelName: ['kling-v1'] }, kling)).toMatchObject({
		problem: { message: 'Model Name must be text' },
	});
});

test.each(['Hug Pro', 'hug-pro', 'HUG_PRO'])('a scene may be written %s', (effectScene) => {
	expect(checkedOrder({ effectScene }, kling)).toEqual({ ok: true, value: good });
});

test.each(['Pro', 'PRO', 'Professional', ' pro '])('Mode is read from %j', (mode) => {
	expect(checkedOrder({ ...good, mode }, kling)).toMatchObject({
		ok: true,
		value: { mode: 'pro' },
	});
});
