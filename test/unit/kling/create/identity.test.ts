import {
	comparedParts,
	differencesBetween,
	formOf,
	isMadeId,
	isSameCreate,
	madeIdOf,
	type Asked,
	type Difference,
	type Place,
	type Prints,
} from '../../../../nodes/kling/create/identity';

/** Whether two tries are one create: the table, row by row. */

const prints = (text: string): Prints =>
	Object.fromEntries(comparedParts.map((part) => [part, `${part} ${text}`]));
const before: Asked = {
	provider: 'kling',
	account: 'a',
	entered: prints('entered'),
	values: prints('value'),
};
const edited = (part: keyof Prints, value?: string): Asked => ({
	...before,
	entered: { ...before.entered, [part]: 'edited' },
	values: { ...before.values, ...(value ? { [part]: value } : {}) },
});

test.each<[string, Asked, Difference[], boolean]>([
	['nothing but time', before, [], true],
	[
		'an expression that gives another value',
		{ ...before, values: prints('other') },
		['mood'],
		true,
	],
	['an edit with the same value', edited('effectScene'), ['sameValue'], true],
	['an edit with another scene', edited('effectScene', 'x'), ['otherOrder'], false],
	['an edit with another number of images', edited('effectType', 'x'), ['otherOrder'], false],
	['an edit with another duration', edited('duration', 'x'), ['otherOrder'], false],
	['an edit with another mode', edited('mode', 'x'), ['otherOrder'], false],
	['an edit with another model', edited('modelName', 'x'), ['otherOrder'], false],
	['an edit with other additional fields', edited('additionalFields', 'x'), ['otherOrder'], false],
	['an edit of the images', edited('images', 'x'), ['otherImages'], true],
	['an edit of External Task ID', edited('externalTaskId', 'x'), ['otherExternalId'], true],
	['another key or base URL', { ...before, account: 'b' }, ['otherAccount'], true],
	['another provider', { ...before, provider: 'kkiai', account: 'b' }, ['otherProvider'], true],
	[
		'an edit of one parameter and the mood of another',
		{ ...edited('duration'), values: { ...before.values, effectScene: 'mood' } },
		['mood', 'sameValue'],
		true,
	],
	[
		'an option that was taken away',
		{
			...before,
			entered: { ...before.entered, mode: undefined },
			values: { ...before.values, mode: undefined },
		},
		['otherOrder'],
		false,
	],
])('%s', (_name, now, differences, isSame) => {
	const found = differencesBetween(before, now);
	expect([...found].sort()).toEqual([...differences].sort());
	expect(isSameCreate(found)).toBe(isSame);
});

describe('the id that the node makes', () => {
	const place: Place = {
		seed: 'seed',
		workflowId: '1',
		node: { id: 'node', name: 'Cat' },
		inNode: '0:0',
		number: 0,
	};

	test('has 16 digits, and is the same each time', () => {
		expect(madeIdOf(place)).toMatch(/^n8n-\d{16}$/);
		expect(madeIdOf(place)).toBe(madeIdOf(structuredClone(place)));
		expect(isMadeId(madeIdOf(place))).toBe(true);
	});

	test.each<[string, Partial<Place>]>([
		['another execution', { seed: 'other' }],
		['another workflow', { workflowId: '2' }],
		['another node with the same id', { node: { id: 'node', name: 'Dog' } }],
		['another node with the same name', { node: { id: 'other', name: 'Cat' } }],
		['another item', { inNode: '0:1' }],
		['another run of a loop', { inNode: '1:0' }],
		['another call of an agent', { inNode: '0:0:args' }],
		['another create after an edit', { number: 1 }],
	])('is another one for %s', (_name, change) => {
		expect(madeIdOf({ ...place, ...change })).not.toBe(madeIdOf(place));
	});

	test.each(['order-4711', 'n8n-1', 'n8n-12345678901234567', 'n8n-x234567890123456'])(
		'is not %s, which is a user’s',
		(id) => expect(isMadeId(id)).toBe(false),
	);
});

describe('where only fingerprints of an earlier try are left', () => {
	const fixed = new Set(comparedParts);
	const form = (asked: Asked, ids: string[] = []) => formOf(asked, fixed, ids);
	const orderParts = comparedParts.filter((part) => part !== 'images' && part !== 'externalTaskId');

	test.each(orderParts)('%s with another value is another order', (part) => {
		expect(form(edited(part, 'x')).order).not.toBe(form(before).order);
		expect(form(edited(part, 'x')).expressions).toBe(form(before).expressions);
	});

	test.each(comparedParts)('%s that is written otherwise is the same order', (part) => {
		expect(form(edited(part))).toEqual(form(before));
	});

	test.each(['images', 'externalTaskId'] as const)('%s is no part of the order', (part) => {
		expect(form(edited(part, 'x'))).toEqual(form(before));
	});

	test.each(orderParts)('%s as an expression counts by its text, whatever it gives', (part) => {
		const others = new Set(comparedParts.filter((one) => one !== part));
		const of = (asked: Asked) => formOf(asked, others, []);
		const mood = { ...before, values: { ...before.values, [part]: 'x' } };
		expect(of(mood)).toEqual(of(before));
		expect(of(edited(part)).expressions).not.toBe(of(before).expressions);
		expect(of(before).expressions).not.toBe(form(before).expressions);
	});

	test('another account, or another External Task ID, is another target', () => {
		expect(form({ ...before, account: 'b' }).target).not.toBe(form(before).target);
		expect(form(before, ['order-1']).target).not.toBe(form(before, ['order-2']).target);
	});
});
