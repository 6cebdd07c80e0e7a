import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { INode } from 'n8n-workflow';
import { scenes } from '../../nodes/kling/scenes';
import { rootFolder } from '../../tools/tarball';

interface Example {
	name: string;
	nodes: INode[];
}

const folder = join(rootFolder, 'examples');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const exampleOf = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Example;
const isNote = ({ type }: INode) => type === 'n8n-nodes-base.stickyNote';

/** The pixels that a node takes up on the canvas, with its name below. An agent is wider. */
const nodeBox = { width: 100, height: 150 };
const agentWidth = 260;

test('the guide names every example, and only those that exist', () => {
	const guide = readFileSync(join(folder, 'README.md'), 'utf8');
	const named = [...guide.matchAll(/^\| \[([\w-]+\.json)\]/gm)].map(([, name]) => name);
	expect(named.sort()).toEqual([...files].sort());
});

describe.each(files)('%s', (file) => {
	const { nodes } = exampleOf(file);
	const notes = nodes.filter(isNote);

	test('has a readable note next to the nodes, in a visible color', () => {
		expect(notes.length).toBeGreaterThan(0);
		for (const { parameters } of notes) {
			expect(parameters.width).toBeLessThanOrEqual(600);
			// Gray, like n8n's canvas.
			expect(parameters.color).not.toBe(7);
		}
	});

	test('has no note that touches a node', () => {
		for (const note of notes) {
			const [left, top] = note.position;
			const [right, bottom] = [
				left + Number(note.parameters.width),
				top + Number(note.parameters.height),
			];
			for (const node of nodes.filter((one) => !isNote(one))) {
				const [x, y] = node.position;
				const width = node.type.endsWith('.agent') ? agentWidth : nodeBox.width;
				const isApart = x >= right || x + width <= left || y >= bottom || y + nodeBox.height <= top;
				expect([node.name, isApart]).toEqual([node.name, true]);
			}
		}
	});

	test('says Publish, as n8n 2 does, wherever it says Activate', () => {
		for (const { parameters } of notes) {
			const text = String(parameters.content);
			if (/\bactivate\b/i.test(text)) expect(text).toContain('**Publish** in n8n 2');
		}
	});

	test('shows each scene as the list does', () => {
		for (const { parameters } of nodes) {
			const { mode, value, cachedResultName } = Object(parameters.effectScene) as {
				mode?: string;
				value?: string;
				cachedResultName?: string;
			};
			if (mode !== 'list') continue;
			const { title, images } = scenes.find(({ name }) => name === value)!;
			expect(cachedResultName).toBe(images === 2 ? `${title} · two photos` : title);
		}
	});

	test('names resource and operation of every Kling Effects node', () => {
		for (const { type, parameters } of nodes) {
			if (!/\.klingEffects(Tool)?$/.test(type)) continue;
			expect(parameters).toMatchObject({
				resource: expect.stringMatching(/^(video|scene)$/),
				operation: expect.any(String),
			});
		}
	});

	test('contains no key and no credential', () => {
		for (const { credentials = {} } of nodes) {
			for (const { id } of Object.values(credentials)) expect(id).toBeNull();
		}
	});
});
