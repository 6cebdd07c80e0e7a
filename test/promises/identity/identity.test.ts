import {
	hintsOf,
	idsOf,
	items,
	match,
	options,
	parameters,
	photos,
	providerNames,
	scene,
	Stage,
} from './stage';

/** When two tries are one create: the rows of docs/identity.md, with all providers, in n8n's engine. */

const stage = new Stage();
/** A different value in each try, like the execution's number. */
const parity = 'Number($execution.id) % 2';

describe.each(providerNames)('%s', (provider) => {
	describe('the same create', () => {
		test('nothing but time', async () => {
			const second = await stage.retry(provider, await stage.failedRun(provider));
			expect(idsOf(second)).toEqual(stage.charged());
			expect(stage.charged()).toHaveLength(3);
			stage.expectOwn(second);
		});

		test.each([
			['scene', scene(`={{ ["color_mixing", "squish"][${parity}] }}`)],
			['duration', options({ duration: `={{ ${parity} ? 5 : 10 }}` })],
			['additional field', options({ additionalFields: '={{ ({ seed: $execution.id }) }}' })],
			['image', { image: '={{ $json.image + "?signature=" + $execution.id }}' }],
		])('an expression that gives another %s at each try', async (_name, mood) => {
			const moody = { parameters: { ...parameters, ...mood } };
			const first = await stage.failedRun(provider, moody);
			const second = await stage.retry(provider, first, moody);
			expect(stage.charged()).toHaveLength(3);
			expect(idsOf(second)).toEqual(stage.charged());
			expect(hintsOf(second).join()).not.toMatch(/was changed/);
			// What was ordered when the task was made.
			expect(second.json.map(({ effectScene }) => effectScene)).toEqual(
				stage.sandbox.charges.map(({ effectScene }) => effectScene),
			);
		});

		test('Retry On Fail, with all of them at once', async () => {
			const retryOnFail = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };
			stage.sandbox.addFault({ kind: 'code', code: 1201, match, skip: 2, times: 1 });
			const moods = {
				...scene('={{ ["color_mixing", "squish", "expansion"].randomItem() }}'),
				...options({ additionalFields: '={{ ({ seed: $now.toMillis() + Math.random() }) }}' }),
				image: '={{ $json.image + "?" + Math.random() }}',
			};
			const run = await stage.run(provider, {
				parameters: { ...parameters, ...moods },
				settings: retryOnFail,
			});
			expect(stage.charged()).toHaveLength(3);
			expect(idsOf(run)).toEqual(stage.charged());
		});

		test('a parameter was edited but has the same value for this item', async () => {
			const first = await stage.failedRun(provider, {
				parameters: { ...parameters, ...options({ duration: 5 }) },
			});
			const second = await stage.retry(provider, first, {
				parameters: {
					...parameters,
					...scene('={{ $json["scene"] }}'),
					...options({ duration: '={{ 2 + 3 }}' }),
				},
			});
			expect(idsOf(second)).toEqual(stage.charged());
			expect(stage.charged()).toHaveLength(3);
		});

		test('the image expression was edited: the earlier task comes with a hint', async () => {
			const first = await stage.failedRun(provider);
			const image = '={{ $json.image.replace("example.com", "other.example") }}';
			const second = await stage.retry(provider, first, { parameters: { ...parameters, image } });
			expect(stage.charged()).toHaveLength(3);
			expect(idsOf(second)).toEqual(stage.charged());
			const hints = hintsOf(second);
			for (const [index, taskId] of stage.charged().slice(0, 2).entries()) {
				expect(hints.join()).toMatch(
					new RegExp(`Item ${index}: the image was changed after task ${taskId} was created`),
				);
			}
			// The last one was refused before, and is made from the new image.
			expect(hints.join()).not.toMatch(/Item 2/);
		});
	});

	describe('a new create', () => {
		test.each([
			['scene', scene('={{ $itemIndex === 0 ? "fuzzyfuzzy" : $json.scene }}'), 1],
			['duration', options({ duration: '={{ $itemIndex === 0 ? 10 : undefined }}' }), 1],
			['duration for all', options({ duration: 10 }), 2],
			[
				'additional field',
				options({ additionalFields: '={{ ({ seed: $itemIndex === 0 ? 8 : 7 }) }}' }),
				1,
			],
			...(provider === 'modellix'
				? []
				: ([
						['mode', options({ mode: 'pro' }), 2],
						['model', options({ modelName: 'kling-v1-6' }), 2],
					] as Array<[string, object, number]>)),
		] as Array<[string, object, number]>)(
			'%s was edited: only for the items whose value changed',
			async (name, edit, changed) => {
				const seeded =
					name === 'additional field' ? options({ additionalFields: { seed: 7 } }) : {};
				const first = await stage.failedRun(provider, { parameters: { ...parameters, ...seeded } });
				const earlier = stage.charged();
				const second = await stage.retry(provider, first, {
					parameters: { ...parameters, ...edit },
				});
				expect(stage.charged()).toHaveLength(3 + changed);
				expect(idsOf(second).filter((id) => earlier.includes(String(id)))).toHaveLength(
					2 - changed,
				);
				stage.expectOwn(second);
				// The earlier task is not lost.
				expect(hintsOf(second).join()).toContain(
					`Item 0: task ${earlier[0]} for effect scene “color_mixing” was created before a parameter was changed`,
				);
			},
		);

		test('and back again: it is the first task', async () => {
			const first = await stage.failedRun(provider);
			stage.sandbox.addFault({ kind: 'code', code: 1201, match, skip: 2 });
			const other = { parameters: { ...parameters, ...scene('fuzzyfuzzy') } };
			const second = await stage.retry(provider, first, other);
			expect(stage.charged()).toHaveLength(4);
			stage.sandbox.clearFaults();
			const third = await stage.retry(provider, second, { executionId: '79' });
			expect(idsOf(third).slice(0, 2)).toEqual(stage.charged().slice(0, 2));
			expect(stage.charged()).toHaveLength(5);
		});

		test('another item, another loop iteration', async () => {
			const same = Array.from({ length: 2 }, () => items[0]);
			const { error } = await stage.run(provider, { items: same, rounds: 2 });
			expect(error).toBeUndefined();
			expect(new Set(stage.charged()).size).toBe(4);
		});

		test.each([
			['another node with the same id', { name: 'Dog' }],
			['another node with the same name', { settings: { id: 'node-2' } }],
			['another workflow', { workflowId: 'workflow-2' }],
			['another execution', { executionId: '78' }],
		])('%s', async (_name, other) => {
			await stage.run(provider, { items: items.slice(0, 1) });
			const second = await stage.run(provider, { items: items.slice(1, 2), ...other });
			expect(stage.charged()).toHaveLength(2);
			stage.expectOwn(second, photos.slice(1, 2));
		});
	});

	test('a renewed key of the same account finds its tasks', async () => {
		const first = await stage.failedRun(provider);
		const before = stage.credential(provider);
		const baseUrl = `${String(before.baseUrl)}/`;
		const second = await stage.retry(provider, first, { credential: { ...before, baseUrl } });
		expect(idsOf(second)).toEqual(stage.charged());
		expect(stage.charged()).toHaveLength(3);
	});
});

test('two nodes that share an id have a task each, of their own photo', async () => {
	const cat = await stage.run('kling', { items: items.slice(0, 1), name: 'Cat' });
	const dog = await stage.run('kling', { items: items.slice(1, 2), name: 'Dog' });
	stage.expectOwn(cat, photos.slice(0, 1));
	stage.expectOwn(dog, photos.slice(1, 2));
});
