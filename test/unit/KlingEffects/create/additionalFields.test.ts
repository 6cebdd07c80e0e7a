import { rows } from '../../../promises/contract/providers';
import { photo, single, Workbench } from '../../../harness/workbench';

/** Fields that a provider adds between our releases are sent along with what the node sets. */

const bench = Workbench.prepare();
const create = { ...single, waitForCompletion: false, downloadVideo: false };
const withFields = (additionalFields: unknown, more = {}) => ({
	...create,
	options: { additionalFields, ...more },
});
const bodyOf = () => bench.requests('create')[0].body as Record<string, unknown>;

test.each(rows)('$name: gets them where its own fields are', async (row) => {
	await bench.run(row, withFields('{"seed": 7, "nested": {"a": [1]}}'));
	const body = bodyOf();
	const place = (body.input as Record<string, unknown> | undefined) ?? body;
	expect(place).toMatchObject({ seed: 7, nested: { a: [1] }, image: photo });
	expect(body.effect_scene).toBe('color_mixing');
});

test('an option of the node counts more', async () => {
	await bench.run(rows[0], withFields('{"duration": "99", "mode": "x"}', { duration: 5 }));
	expect(bodyOf().input).toMatchObject({ duration: '5', mode: 'x' });
});

test.each([
	['image', { image: 'x' }],
	['images', { images: [] }],
	['effect_scene', { effect_scene: 'x' }],
	['external_task_id', { external_task_id: 'x' }],
	['callback_url', { callback_url: 'x' }],
])('%s cannot be replaced, and nothing is sent', async (name, fields) => {
	const { error } = await bench.run(rows[0], withFields(JSON.stringify(fields)));
	expect(error?.message).toBe(`Additional Fields cannot set ${name}`);
	expect(bench.sandbox.requests).toEqual([]);
});

test.each(['[1]', '"text"', '7', '{', 'seed: 7', 'null'])(
	'%s is no object, and nothing is sent',
	async (text) => {
		const { error } = await bench.run(rows[0], withFields(text));
		expect(error?.message).toBe('Additional Fields is not a JSON object');
		expect(bench.sandbox.requests).toEqual([]);
	},
);

test.each(['', '{}', ' '])('nothing in it is nothing: %j', async (text) => {
	const { json } = await bench.run(rows[0], withFields(text));
	expect(json).toHaveLength(1);
	expect(Object.keys(bodyOf().input as object)).toEqual(['image']);
});

test('a retry with other fields is another create, with the same the same', async () => {
	bench.sandbox.addFault({
		kind: 'code',
		code: 1201,
		match: { operation: 'create' },
		skip: 1,
		times: 1,
	});
	const items = [{ json: {} }, { json: {} }];
	const first = await bench.run(rows[0], withFields('{"seed": 7}', { concurrency: 1 }), { items });
	expect(bench.sandbox.charges).toHaveLength(1);
	const again = { items, retryOf: first, executionId: '78', mode: 'retry' as const };
	await bench.run(rows[0], withFields('{"seed": 7}', { concurrency: 1 }), again);
	expect(bench.sandbox.charges).toHaveLength(2);
	await bench.run(rows[0], withFields('{"seed": 8}', { concurrency: 1 }), again);
	expect(bench.sandbox.charges).toHaveLength(4);
});

test.each(['kling', 'cometApi', 'kkiai', 'apiModels'])(
	'%s: a duration in Additional Fields is sent where the option Duration is not set',
	async (name) => {
		const row = rows.find(({ provider }) => provider === name)!;
		await bench.create(row, { options: { additionalFields: '{"duration": "15"}' } });
		expect(bench.posts()[0].body).toMatchObject({ input: { duration: '15' } });
	},
);
