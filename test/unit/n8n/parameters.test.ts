import { KlingEffects } from '../../../nodes/KlingEffects/KlingEffects.node';
import { rows } from '../../promises/contract/providers';
import { Workbench } from '../../harness/workbench';

const bench = Workbench.prepare();
const [kling] = rows;

/** The node, with a parameter that n8n checks when it is read, not when the workflow starts. */
function nodeThatChecks(name: string): KlingEffects {
	const node = new KlingEffects();
	const { execute } = node;
	const properties = node.description.properties.map((property) =>
		property.name === name ? { ...property, validateType: 'boolean' as const } : property,
	);
	node.execute = async function () {
		node.description = { ...node.description, properties };
		return await execute.call(this);
	};
	return node;
}

test.each([
	['simplify', 'Simplify'],
	['waitForCompletion', 'Wait for Completion'],
	['image', 'Image'],
])(
	'%s without an expression at which n8n throws is reported by its own name',
	async (name, label) => {
		const { error } = await bench.create(
			kling,
			{ [name]: 'perhaps' },
			{ nodeType: nodeThatChecks(name), items: [{ json: {} }, { json: {} }] },
		);
		expect(error?.message).toBe(
			`${label} could not be evaluated: Invalid input for '${label}' [item 0]`,
		);
		expect(bench.sandbox.requests).toEqual([]);
	},
);

test('what the scene does not need is not read: the second image of a scene with one', async () => {
	const { error, json } = await bench.create(
		kling,
		{ effectScene: '={{ "color_mixing" }}', secondImage: 'perhaps' },
		{ nodeType: nodeThatChecks('secondImage') },
	);
	expect(error).toBeUndefined();
	expect(json).toHaveLength(1);
});

describe('a value whose own conversion to text throws', () => {
	test.each(['simplify', 'waitForCompletion', 'imageInput', 'downloadVideo'])(
		'as %s, it is reported like any other, and nothing raw gets out',
		async (name) => {
			for (const expression of ['={{ Object.create(null) }}', '={{ [Object.create(null)] }}']) {
				const parameters = { waitForCompletion: true, [name]: expression };
				const { error } = await bench.create(kling, parameters);
				expect(error?.message).toMatch(/must be true or false|must be text/);
				expect(`${error?.message} ${error?.description}`).not.toMatch(/primitive|TypeError/);
			}
			expect(bench.sandbox.requests).toEqual([]);
		},
	);
});

test.each(['maxFileSize', 'maxTasks', 'timeout', 'pollInterval', 'concurrency'])(
	'the number %s is reported too if it is an object that is not text',
	async (name) => {
		const parameters = { waitForCompletion: true, downloadVideo: true };
		const options = { [name]: '={{ Object.create(null) }}' };
		const { error } = await bench.create(kling, { ...parameters, options });
		expect(error?.message).toMatch(/must be a (whole )?number/);
		expect(bench.sandbox.requests).toEqual([]);
	},
);

test.each([
	[{ effectScene: 'iVBORw0KGgo'.repeat(100_000) }, 'Effect Scene has 1100000 characters'],
	[{ options: { modelName: 'iVBORw0KGgo'.repeat(10) } }, 'Model Name has 110 characters'],
	[
		{ imageInput: 'binary', imageField: 'iVBORw0KGgo'.repeat(1_000) },
		'The item has no file in input field “…” for Image',
	],
])(
	'a picture in a field for a name is reported at once, and not repeated',
	async (given, message) => {
		const started = process.cpuUsage();
		const { error } = await bench.create(kling, given);
		expect(error?.message).toBe(message);
		expect(bench.sandbox.requests).toEqual([]);
		// Comparing it with every scene took minutes.
		expect(process.cpuUsage(started).user).toBeLessThan(10_000_000);
	},
);

test('a picture in place of a choice is not repeated', async () => {
	const picture = 'iVBORw0KGgo'.repeat(1_000);
	const { error } = await bench.create(kling, { imageInput: `={{ "${picture}" }}` });
	expect(error?.message).toBe('Image Input “…” is not known');
	expect(bench.sandbox.requests).toEqual([]);
});

test.each([
	['imageInput', 'URL'],
	['imageInput', 'Url '],
	['effectType', 'One Image'],
	['effectType', 'Single'],
])('%s is read from “%s”, as its choice is called on screen', async (name, value) => {
	// Of a scene that no list knows, so that Effect Type counts.
	const parameters = { effectScene: 'a_scene_of_next_month', [name]: `={{ "${value}" }}` };
	const { error } = await bench.create(kling, parameters);
	expect(error?.message).not.toMatch(/is not known/);
	expect(bench.posts()).toHaveLength(1);
});
