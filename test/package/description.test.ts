import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
	checkNodesApiVersion,
	Workflow,
	type INode,
	type INodeParameters,
	type INodeProperties,
	type INodePropertyCollection,
	type INodePropertyOptions,
	type INodeType,
	type INodeTypes,
} from 'n8n-workflow';
import { KlingEffects } from '../../nodes/KlingEffects/KlingEffects.node';
import { KlingEffectsTrigger } from '../../nodes/KlingEffectsTrigger/KlingEffectsTrigger.node';
import { scenes } from '../../nodes/kling/scenes';
import { onlyWithList, whoLists } from '../../nodes/kling/providers/whoCan';
import { rootFolder } from '../../tools/tarball';

const manifest = JSON.parse(readFileSync(join(rootFolder, 'package.json'), 'utf8'));
const nodeFiles = (manifest.n8n.nodes as string[])
	.map((file) => file.replace(/^dist\//, '').replace(/\.js$/, ''))
	.filter((file) => existsSync(join(rootFolder, `${file}.ts`)));

function nodeOf(file: string): INodeType {
	const exported = jest.requireActual<Record<string, new () => INodeType>>(join(rootFolder, file));
	return new exported[file.split('/').at(-1)?.replace('.node', '') ?? '']();
}

type Field = INodeProperties | INodePropertyCollection;

/** All fields, including those inside collections and resource locators. */
function fieldsOf(fields: readonly Field[]): INodeProperties[] {
	return fields.flatMap((field) => {
		const inner = 'values' in field ? field.values : (field.options ?? []);
		const nested = inner.filter((each): each is INodeProperties => 'type' in each);
		return 'type' in field ? [field, ...fieldsOf(nested)] : fieldsOf(nested);
	});
}

function subtitleFor(parameters: INodeParameters): unknown {
	const node: INode = {
		id: '1',
		name: 'Effect',
		type: 'n8n-nodes-kling-effects.klingEffects',
		typeVersion: 1,
		position: [0, 0],
		parameters,
	};
	const type = new KlingEffects();
	const nodeTypes = { getByNameAndVersion: () => type } as unknown as INodeTypes;
	const workflow = new Workflow({ nodes: [node], connections: {}, active: false, nodeTypes });
	const subtitle = type.description.subtitle ?? '';
	const keys = {};
	return workflow.expression.getSimpleParameterValue(node, subtitle, 'internal', keys);
}

describe('the subtitle', () => {
	test.each([
		[
			{ operation: 'create', effectScene: { __rl: true, mode: 'list', value: 'hug_pro' } },
			'Create: Hug Pro',
		],
		[{ operation: 'create', effectScene: { __rl: true, mode: 'list', value: '' } }, 'Create'],
		[{ operation: 'create', effectScene: 'arg_goal' }, 'Create: Argentina Goal'],
		[
			{ operation: 'create', effectScene: { __rl: true, mode: 'name', value: 'a_new_scene' } },
			'Create: A New Scene',
		],
		[
			{
				operation: 'create',
				effectScene: { __rl: true, mode: 'list', value: '={{ $json.scene.missing }}' },
			},
			'Create',
		],
		[{ operation: 'create', effectScene: '={{ $json.scene }}' }, 'Create'],
		[{ operation: 'get' }, 'Get'],
		[{ operation: 'create', effectScene: 'let’s_ride' }, 'Create: Let’s Ride'],
		[{ operation: 'list' }, 'Get many'],
		[{ resource: 'scene', operation: 'list' }, 'Get many scenes'],
	])('of %j is %j', (parameters, subtitle) => {
		expect(subtitleFor(parameters as INodeParameters)).toBe(subtitle);
	});

	test('shows the same title as the list, for every scene', () => {
		for (const { name, title } of scenes) {
			const effectScene = { __rl: true, mode: 'list', value: name };
			expect(subtitleFor({ operation: 'create', effectScene })).toBe(`Create: ${title}`);
		}
	});
});

test('the trigger names the providers that can list tasks', () => {
	const { description } = new KlingEffectsTrigger();
	const watch = description.properties.find(({ name }) => name === 'watch');
	const [all] = watch?.options as INodePropertyOptions[];
	expect(all.name).toBe(`All Tasks (${onlyWithList.replace(/only$/, 'Only')})`);
	const notice = description.properties.find(({ type }) => type === 'notice');
	expect(notice?.displayOptions).toEqual({ show: { watch: [all.value] } });
	expect(notice?.displayName).toContain(whoLists);
});

describe.each(nodeFiles)('%s', (file) => {
	const { description } = nodeOf(file);
	const fields = fieldsOf(description.properties);

	test('has a codex file of its own name, with aliases and without subcategories', () => {
		const codex = JSON.parse(readFileSync(join(rootFolder, `${file}.json`), 'utf8'));
		expect(codex.node).toBe(`${manifest.name}.${description.name}`);
		expect(codex.categories.length).toBeGreaterThan(0);
		expect(codex.alias).toEqual(expect.arrayContaining(['kling ai', 'ai video', 'video effects']));
		expect(codex).not.toHaveProperty('subcategories');
	});

	test('has placeholders that are examples, and short hints', () => {
		const placeholders = fields.flatMap(({ type, placeholder, modes }) => [
			...(placeholder && !/collection/i.test(type) ? [placeholder] : []),
			...(modes ?? []).flatMap((mode) =>
				mode.type === 'string' && mode.placeholder ? [mode.placeholder] : [],
			),
		]);
		expect(placeholders.filter((text) => !text.startsWith('e.g. '))).toEqual([]);
		const hints = fields.flatMap(({ hint }) => hint ?? []);
		expect(hints.filter((text) => text.length > 120)).toEqual([]);
	});

	test('explains every field that its name does not explain', () => {
		const plain = ['resource', 'operation', 'events', 'filters', 'options'];
		const silent = fields.filter(({ description: text, hint, name, type }) => {
			return !text && !hint && !plain.includes(name) && type !== 'notice';
		});
		expect(silent.map(({ name }) => name)).toEqual([]);
	});

	test('never says “binary property”', () => {
		expect(JSON.stringify(description)).not.toMatch(/binary propert/i);
	});
});

describe('the level of the nodes API that package.json asks for', () => {
	const checked = (n8nNodesApiVersion: unknown) =>
		checkNodesApiVersion({ n8n: { n8nNodesApiVersion } } as never);

	test('is one that n8n takes, on this n8n and on any later one', () => {
		expect(checkNodesApiVersion(manifest)).toMatchObject({ compatible: true });
		expect(manifest.n8n.n8nNodesApiVersion).toBe(1);
	});

	test('is a number, because n8n treats text as damaged and refuses to install the package', () => {
		expect(checked('1.0')).toMatchObject({ compatible: false, reason: 'malformed' });
	});
});
