import {
	NodeHelpers,
	type INode,
	type INodeProperties,
	type INodePropertyOptions,
	type INodeTypeDescription,
} from 'n8n-workflow';
import { KlingEffectsApi } from '../../../credentials/KlingEffectsApi.credentials';
import { KlingEffects } from '../../../nodes/KlingEffects/KlingEffects.node';
import { providers } from '../../../nodes/kling/providers';
import { effectTypeOf, scenes } from '../../../nodes/kling/scenes';
import { KlingEffectsTrigger } from '../../../nodes/KlingEffectsTrigger/KlingEffectsTrigger.node';
import { Workbench } from '../../harness/workbench';
import { rows } from '../../promises/contract/providers';

/** The public contract: saved workflows contain these names and values. */

const { description } = new KlingEffects();
const credential = new KlingEffectsApi();

interface Field {
	/** For a field with one default per operation: all of them. */
	default?: unknown;
	defaults?: unknown[];
	/** Values of an options field, or modes of a resource locator. */
	values?: string[];
}

const valuesOf = ({ type, options, modes }: INodeProperties): string[] | undefined => {
	if (type === 'resourceLocator') return modes?.map(({ name }) => name);
	if (type !== 'options' && type !== 'multiOptions') return undefined;
	return (options as INodePropertyOptions[]).map(({ value }) => String(value)).sort();
};

/** Every field of the node in one list, those inside collections as `options.name`. */
function fieldsOf(properties: INodeProperties[], prefix = ''): Array<[string, INodeProperties]> {
	return properties.flatMap((property): Array<[string, INodeProperties]> => {
		const inner = property.type === 'collection' ? (property.options as INodeProperties[]) : [];
		return [
			[`${prefix}${property.name}`, property],
			...fieldsOf(inner, `${prefix}${property.name}.`),
		];
	});
}

const nodeFields = fieldsOf(description.properties);
const allFields = [...nodeFields, ...fieldsOf(credential.properties, 'credential ')];

const contract: Record<string, Field> = {
	resource: { default: 'video', values: ['scene', 'video'] },
	effectType: { default: 'single', values: ['dual', 'single'] },
	effectScene: { default: { mode: 'list', value: '' }, values: ['list', 'name'] },
	imageInput: { default: 'url', values: ['base64', 'binary', 'url'] },
	image: { default: '' },
	secondImage: { default: '' },
	imageField: { default: 'data' },
	secondImageField: { default: 'data2' },
	taskId: { default: { mode: 'id', value: '' }, values: ['id', 'externalId'] },
	// Create for people, Create for an AI agent, Get.
	waitForCompletion: { defaults: [true, false, false] },
	downloadVideo: { defaults: [true, false, false] },
	outputField: { default: 'data' },
	search: { default: '' },
	images: { default: 'any', values: ['any', 'dual', 'single'] },
	returnAll: { default: false },
	limit: { default: 50 },
	filters: { default: {} },
	'filters.status': { default: [], values: ['failed', 'processing', 'submitted', 'succeed'] },
	'filters.createdAfter': { default: '' },
	'filters.createdBefore': { default: '' },
	'filters.externalTaskIdPrefix': { default: '' },
	simplify: { default: true },
	options: { default: {} },
	'options.externalTaskId': { default: '' },
	'options.callbackUrl': { default: '' },
	'options.duration': { default: 5, values: ['10', '5'] },
	'options.mode': { default: 'std', values: ['pro', 'std'] },
	'options.modelName': { default: '' },
	'options.concurrency': { default: 20 },
	'options.timeout': { default: 30 },
	'options.pollInterval': { default: 10 },
};

const credentialContract: Record<string, Field> = {
	provider: {
		default: 'kling',
		values: ['apiModels', 'cometApi', 'kkiai', 'kling', 'modellix'],
	},
	region: { default: 'global', values: ['china', 'global'] },
	authentication: { default: 'apiKey', values: ['accessKey', 'apiKey'] },
	apiKey: { default: '' },
	accessKey: { default: '' },
	secretKey: { default: '' },
	baseUrl: { default: '' },
};

test('node, credential and their names are those in saved workflows', () => {
	expect(description.name).toBe('klingEffects');
	expect(description.displayName).toBe('Kling Effects');
	expect(description.version).toBe(1);
	expect(description.credentials?.map(({ name }) => name)).toEqual(['klingEffectsApi']);
	expect(credential.name).toBe('klingEffectsApi');
	expect(credential.displayName).toBe('Kling Effects API');
});

test('a video can be created, got and listed, scenes can be listed', () => {
	const operations = nodeFields
		.filter(([name]) => name === 'operation')
		.map(([, property]) => [
			property.displayOptions?.show?.resource,
			property.default,
			valuesOf(property),
		]);
	expect(operations).toEqual([
		[['video'], 'create', ['create', 'get', 'list']],
		[['scene'], 'list', ['list']],
	]);
});

test.each(Object.entries(contract))('the node has %s as saved workflows know it', (name, field) => {
	const found = nodeFields.filter(([one]) => one === name).map(([, property]) => property);
	expect(found.length).toBeGreaterThan(0);
	const { defaults = found.map(() => field.default) } = field;
	expect(found.map((property) => property.default)).toEqual(defaults);
	for (const property of found) expect(valuesOf(property)).toEqual(field.values);
});

test.each(Object.entries(credentialContract))('the credential has %s', (name, field) => {
	const found = credential.properties.filter((property) => property.name === name);
	expect(found.length).toBeGreaterThan(0);
	for (const property of found) {
		expect(property.default).toEqual(field.default);
		expect(valuesOf(property)).toEqual(field.values);
	}
});

test('keys are password fields; an access key, which is not secret, is not', () => {
	const isPassword = (name: string) =>
		credential.properties
			.filter((property) => property.name === name)
			.map(({ typeOptions }) => typeOptions?.password === true);
	expect(isPassword('apiKey')).toEqual(providers.map(() => true));
	expect(isPassword('secretKey')).toEqual([true]);
	expect(isPassword('accessKey')).toEqual([false]);
});

/** The fields that the editor shows for these parameters, by label, and their values. */
function shownFields(
	properties: INodeProperties[],
	values: Record<string, unknown>,
	type: INodeTypeDescription | null = null,
): Array<{ name: string; label: string; value: unknown }> {
	const all = [properties, values as never, true, false, null, type] as const;
	// The editor keeps what was chosen in a field that is now hidden.
	const filled = { ...NodeHelpers.getNodeParameters(...all), ...values } as never;
	return properties
		.filter((property) => NodeHelpers.displayParameter(filled, property, null, type))
		.map(({ name, displayName }) => ({ name, label: displayName, value: filled[name] }));
}

const shown = (properties: INodeProperties[], values: Record<string, unknown>) =>
	shownFields(properties, values).map(({ name }) => name);

describe('a field shows only where it does something', () => {
	const common = ['resource', 'operation', 'simplify'];
	const video = ['waitForCompletion', 'downloadVideo'];
	const get = [...common, ...video, 'taskId'];
	const fields = [...common, 'effectScene', 'imageInput', 'options'];
	const create = [...fields, ...video, 'outputField'];
	const list = [...common, 'returnAll', 'filters'];

	test.each([
		[{}, [...create, 'image']],
		[{ imageInput: 'base64' }, [...create, 'image']],
		[{ imageInput: 'binary' }, [...create, 'imageField']],
		[{ downloadVideo: false }, [...fields, ...video, 'image']],
		[{ waitForCompletion: false }, [...fields, 'waitForCompletion', 'image']],
		[{ operation: 'get' }, get],
		[{ operation: 'get', downloadVideo: true }, [...get, 'outputField', 'options']],
		[{ operation: 'get', waitForCompletion: true }, [...get, 'options']],
		[{ operation: 'list' }, [...list, 'limit']],
		[{ operation: 'list', returnAll: true }, list],
		[
			{ resource: 'scene', operation: 'list' },
			['resource', 'operation', 'search', 'images', 'returnAll', 'limit'],
		],
	])('node %j', (values, expected) => {
		expect(shown(description.properties, values).sort()).toEqual([...expected].sort());
	});

	test.each([
		[{}, true],
		[{ downloadVideo: false }, false],
		[{ waitForCompletion: false, downloadVideo: true }, false],
		[{ operation: 'get', downloadVideo: true }, true],
		[{ operation: 'get', waitForCompletion: true }, false],
		[{ operation: 'get', waitForCompletion: true, downloadVideo: true }, true],
	])('Max File Size with %j: %s', (values, expected) => {
		const fields = description.properties;
		const filled = NodeHelpers.getNodeParameters(fields, values, true, false, null, null)!;
		const root = { ...filled, ...values } as never;
		const offered = fields
			.filter(({ name }) => name === 'options')
			.filter((field) => NodeHelpers.displayParameter(root, field, null, null))
			.flatMap(({ options }) => options as INodeProperties[])
			.filter(({ name }) => name === 'maxFileSize')
			.filter((option) => NodeHelpers.displayParameter({}, option, null, null, root));
		expect(offered).toHaveLength(expected ? 1 : 0);
	});

	const locator = (value: string, mode = 'list') => ({ __rl: true, mode, value });
	const one = ['Image'];
	const two = ['Left Image', 'Right Image'];
	const either = ['Image', 'Second Image'];
	const typed = (fields: string[]) => ['Effect Type', ...fields];
	const expression = '={{ $json.scene }}';
	const dual = { effectType: 'dual' };

	test.each([
		['nothing chosen yet', {}, one],
		['a scene of one', { effectScene: locator('color_mixing') }, one],
		['a scene of two', { effectScene: locator('hug_pro') }, two],
		['a title', { effectScene: locator('Hug Pro', 'name') }, two],
		['a name with blanks', { effectScene: locator('hug pro', 'name') }, two],
		['a name with hyphens', { effectScene: locator('hug-pro', 'name') }, two],
		['a withdrawn scene of two', { effectScene: locator('fight', 'name') }, two],
		['a name in other letters', { effectScene: locator('HUG_PRO', 'name') }, typed(one)],
		[
			'a name in other letters of two',
			{ effectScene: locator('HUG_PRO', 'name'), ...dual },
			typed(either),
		],
		['a locator without its mark', { effectScene: { value: 'hug_pro' } }, typed(one)],
		[
			'a locator without its mark of two',
			{ effectScene: { value: 'hug_pro' }, ...dual },
			typed(either),
		],
		['a new name', { effectScene: locator('new', 'name') }, typed(one)],
		['a new name of two', { effectScene: locator('new', 'name'), ...dual }, typed(either)],
		['an expression', { effectScene: locator(expression) }, either],
		['an expression as a text', { effectScene: expression }, either],
		['a scene of two after a new name of two', { effectScene: locator('hug_pro'), ...dual }, two],
		[
			'an expression after a new name of two',
			{ effectScene: locator(expression), ...dual },
			either,
		],
		['a name between those of two', { effectScene: locator('hug_prn', 'name') }, typed(one)],
		['a name after all those of two', { effectScene: locator('zzz', 'name') }, typed(one)],
		['a text', { effectScene: 'hug_pro' }, two],
		['a text of one', { effectScene: 'color_mixing' }, one],
		['a scene of one after a new name of two', { effectScene: locator('pet_dance'), ...dual }, one],
		['nothing chosen after a new name of two', { effectScene: locator(''), ...dual }, one],
		['a text of one after a new name of two', { effectScene: 'pet_dance', ...dual }, one],
		['a scene of resellers', { effectScene: locator('face_warp') }, typed(one)],
		[
			'a type from an expression',
			{ effectScene: locator('new', 'name'), effectType: expression },
			typed(either),
		],
		[
			'a scene of one after a type from an expression',
			{ effectScene: locator('pet_dance'), effectType: expression },
			one,
		],
		[
			'a scene of two after a type from an expression',
			{ effectScene: locator('hug_pro'), effectType: expression },
			two,
		],
		['both from expressions', { effectScene: locator(expression), effectType: expression }, either],
	])('one image or two: %s', (_name, parameters, expected) => {
		for (const [imageInput, suffix] of [
			['url', ''],
			['base64', ''],
			['binary', ': Field Name'],
		]) {
			const labels = shownFields(description.properties, { ...parameters, imageInput })
				.map(({ label }) => label)
				.filter((label) => /Effect Type|Image(:|$)/.test(label));
			const wanted = expected.map((label) => (label === 'Effect Type' ? label : label + suffix));
			expect(labels).toEqual(wanted);
		}
	});

	const labelsFor = (effectScene: object) =>
		shownFields(description.properties, { effectScene })
			.map(({ label }) => label)
			.filter((label) => /Image$/.test(label));

	test.each(['hug_pro', 'Hug Pro', 'hug pro', 'hug-pro'])(
		'%s shows two images, and a name that differs by one letter does not',
		(spelling) => {
			expect(labelsFor(locator(spelling, 'name'))).toEqual(two);
			const others = [spelling.slice(0, -1), `${spelling}a`, `${spelling} `, spelling.slice(1)];
			for (const other of others) expect(labelsFor(locator(other, 'name'))).toEqual(one);
		},
	);

	test('every scene shows as many images as it takes', () => {
		for (const { name, images } of scenes) {
			if (effectTypeOf(name) === null) continue;
			expect([name, labelsFor(locator(name))]).toEqual([name, images === 2 ? two : one]);
		}
	});

	test('an empty Second Image is checked by the run, which knows what an expression gives', () => {
		const values = { effectScene: locator(expression), image: 'x' };
		const issuesOf = (parameters: object) => {
			const node = { parameters } as INode;
			const { properties } = description;
			const all = NodeHelpers.getNodeParameters(
				properties,
				node.parameters,
				true,
				false,
				node,
				description,
			);
			return NodeHelpers.getNodeParametersIssues(
				properties,
				{ ...node, parameters: all ?? {} },
				description,
			);
		};
		expect(issuesOf(values)).toBeNull();
		expect(issuesOf({ ...values, image: '' })?.parameters).toHaveProperty('image');
	});

	test('no condition is one that n8n can throw in, such as a regular expression on a busy machine', () => {
		for (const { properties } of [description, new KlingEffectsTrigger().description, credential]) {
			const conditions = fieldsOf(properties).map(([, { displayOptions }]) => displayOptions);
			expect(conditions.filter(Boolean).length).toBeGreaterThan(0);
			const rules = conditions.flatMap((one) => Object.values(one ?? {}));
			expect(rules).not.toContain(undefined);
			// n8n 1.123 throws in the others if a value is not text.
			expect(JSON.stringify(conditions)).not.toMatch(/"(regex|includes|startsWith|endsWith)":/);
		}
	});

	test('as an AI agent’s tool, Create does not wait unless it is told to', () => {
		const asTool = { ...description, name: 'klingEffectsTool' } as INodeTypeDescription;
		const of = (type: INodeTypeDescription, values = {}) =>
			shownFields(description.properties, values, type).filter(({ name }) => video.includes(name));
		expect(of(description).map(({ value }) => value)).toEqual([true, true]);
		expect(of(asTool).map(({ value }) => value)).toEqual([false]);
		expect(of(asTool, { waitForCompletion: true }).map(({ value }) => value)).toEqual([
			true,
			false,
		]);
		const get = of(asTool, { operation: 'get' }).map(({ value }) => value);
		expect(get).toEqual([false, false]);
	});

	test.each([
		[{}, ['region', 'authentication', 'apiKey']],
		[{ authentication: 'accessKey' }, ['region', 'authentication', 'accessKey', 'secretKey']],
		...['cometApi', 'kkiai', 'modellix', 'apiModels'].map(
			// What was chosen for Kling AI before is still in the credential.
			(provider) => [{ provider, authentication: 'accessKey' }, ['apiKey']] as const,
		),
	] as Array<[Record<string, unknown>, string[]]>)('credential %j', (values, fields) => {
		const wanted = ['provider', 'baseUrl', ...fields].sort();
		const optional = ['webhookSecret'];
		const found = shown(credential.properties, values).filter((name) => !optional.includes(name));
		expect(found.sort()).toEqual(wanted);
	});
});

describe("n8n's rules for texts", () => {
	test('options and choices are in alphabetical order', () => {
		const provider = credential.properties.filter(({ name }) => name === 'provider');
		for (const [, { type, options }] of [...nodeFields, ...fieldsOf(provider)]) {
			if (!options || !['options', 'multiOptions', 'collection'].includes(type)) continue;
			const names = options.map((one) => ('displayName' in one ? one.displayName : one.name));
			expect(names).toEqual([...names].sort((a, b) => a.localeCompare(b)));
		}
	});

	test('names are in title case, and booleans begin with “Whether”', () => {
		const small = /^(a|an|and|as|at|by|for|from|in|of|on|or|the|to|with)$/;
		for (const [, property] of allFields) {
			// A notice is a sentence.
			const words = property.type === 'notice' ? [] : property.displayName.split(' ');
			for (const word of words) expect(small.test(word) || /^\(?[A-Z0-9]/.test(word)).toBe(true);
			if (property.type === 'boolean') expect(property.description).toMatch(/^Whether /);
		}
	});

	test('a description of one sentence has no full stop, one of several has', () => {
		const descriptions = [
			...allFields.map(([, property]) => property.description ?? ''),
			...allFields.flatMap(([, { options }]) =>
				(options ?? []).map((one) => ('description' in one ? (one.description ?? '') : '')),
			),
		];
		const bad = descriptions.filter((text) => /\.$/.test(text) !== /\.\s/.test(text));
		expect(bad).toEqual([]);
	});

	test('placeholders are examples', () => {
		for (const [, { placeholder, type }] of allFields) {
			if (placeholder && type !== 'collection') expect(placeholder).toMatch(/^e\.g\. /);
		}
	});
});

describe('what costs money or time is said where it is chosen', () => {
	const told = (name: string) =>
		nodeFields.filter(([one]) => one === name).map(([, property]) => property.description);

	test('Create says that each task costs credit', () => {
		const [, operation] = nodeFields.find(([name]) => name === 'operation')!;
		const create = (operation.options as INodePropertyOptions[]).find(
			({ value }) => value === 'create',
		);
		expect(create?.description).toMatch(/costs credit/);
	});

	test('Wait for Completion says that it takes minutes, and Poll Interval that checks are free', () => {
		expect(told('waitForCompletion')[0]).toMatch(/takes minutes/);
		expect(told('options.pollInterval')[0]).toMatch(/are free/);
	});

	test('Download Video says that links expire', () => {
		expect(told('downloadVideo')[0]).toMatch(/expire/);
	});

	test('options that some providers do not support say so', () => {
		for (const name of ['callbackUrl', 'externalTaskId', 'mode', 'modelName']) {
			expect(told(`options.${name}`)[0]).toMatch(/Not with Modellix/);
		}
		expect(told('options.externalTaskId')[0]).toMatch(/APIModels/);
	});
});

describe('a saved workflow', () => {
	const bench = Workbench.prepare();
	const [kling] = rows;

	test('that holds only what differs from the defaults works', async () => {
		const parameters = {
			effectScene: { __rl: true, mode: 'list', value: 'color_mixing' },
			image: 'https://example.com/a.jpg',
		};
		const { json, items, error } = await bench.run(kling, parameters);
		expect(error).toBeUndefined();
		expect(json[0]).toMatchObject({ status: 'succeed', effectScene: 'color_mixing' });
		expect(items[0].binary?.data).toMatchObject({ mimeType: 'video/mp4' });
		expect(bench.posts()[0].body).toEqual({
			effect_scene: 'color_mixing',
			input: { image: 'https://example.com/a.jpg' },
			external_task_id: expect.stringMatching(/^n8n-/),
		});
	});

	test('that lists with only its operation set returns at most 50 tasks', async () => {
		bench.sandbox.seedTasks('kling', Array(60).fill({}));
		const { json } = await bench.run(kling, { operation: 'list' });
		expect(json).toHaveLength(50);
		expect(bench.sandbox.requests).toHaveLength(1);
	});

	test('with options that are set to their defaults sends them, as they were chosen', async () => {
		const options = { duration: 5, mode: 'std' };
		await bench.create(kling, { options });
		expect(bench.posts()[0].body).toMatchObject({ input: { duration: '5', mode: 'std' } });
	});
});

test('no display rule is undefined, or n8n 1 could not run the workflow', () => {
	const missing: string[] = [];
	const walk = (value: unknown, path: string) => {
		if (value === undefined) missing.push(path);
		if (typeof value !== 'object' || value === null) return;
		for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
	};
	const trigger = new KlingEffectsTrigger().description;
	for (const { properties } of [description, trigger, credential]) {
		for (const { displayOptions = {}, name } of properties) walk(displayOptions, name);
	}
	expect(missing).toEqual([]);
});
