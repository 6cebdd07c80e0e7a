import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

/** Type names as n8n knows them once the package is installed. */
export const nodeType = 'n8n-nodes-kling-effects.klingEffects';
export const triggerType = 'n8n-nodes-kling-effects.klingEffectsTrigger';
export const credentialType = 'klingEffectsApi';

/** A node of a workflow. */
export function node(name, type, parameters = {}, extra = {}) {
	return { id: randomUUID(), name, type, typeVersion: 1, position: [0, 0], parameters, ...extra };
}

/** How a workflow file refers to a stored credential. */
function credentials(credential) {
	return { credentials: { [credentialType]: { id: credential.id, name: credential.name } } };
}

/** A Kling Effects node; it neither waits nor downloads unless the parameters say so. */
export function klingNode(name, credential, parameters, extra = {}) {
	const all = { waitForCompletion: false, downloadVideo: false, ...parameters };
	return node(name, nodeType, all, { ...credentials(credential), ...extra });
}

/** A Kling Effects Trigger node that polls each minute, the shortest time n8n has. */
export function klingTrigger(name, credential, parameters, extra = {}) {
	const pollTimes = { item: [{ mode: 'everyMinute' }] };
	const all = { pollTimes, ...parameters };
	return node(name, triggerType, all, { ...credentials(credential), ...extra });
}

/** A resource locator's value. */
export function locator(mode, value) {
	return { __rl: true, mode, value };
}

export function manualTrigger(name = 'Start') {
	return node(name, 'n8n-nodes-base.manualTrigger');
}

export function webhook(name, path, parameters = {}) {
	const all = { path, httpMethod: 'POST', options: {}, ...parameters };
	return node(name, 'n8n-nodes-base.webhook', all, { typeVersion: 2, webhookId: path });
}

/** Reads a file from disk; it must lie in the server's `filesDir`. */
export function readFileNode(name, path, field = 'data') {
	return node(name, 'n8n-nodes-base.readWriteFile', {
		operation: 'read',
		// The node takes a glob pattern, in which a backslash is not a folder separator.
		fileSelector: path.replaceAll('\\', '/'),
		options: { dataPropertyName: field },
	});
}

/** Joins the first items of its inputs to one, the second ones to another, and so on. */
export function mergeByPosition(name) {
	const parameters = { mode: 'combine', combineBy: 'combineByPosition', options: {} };
	return node(name, 'n8n-nodes-base.merge', parameters, { typeVersion: 3 });
}

/** Two nodes in a row; the second outputs an item for each of these objects. */
export function rowNodes(name, rows) {
	const list = { mode: 'raw', jsonOutput: JSON.stringify({ rows }), options: {} };
	const split = { fieldToSplitOut: 'rows', options: {} };
	return [
		node(`${name} List`, 'n8n-nodes-base.set', list, { typeVersion: 3.4 }),
		node(name, 'n8n-nodes-base.splitOut', split),
	];
}

/** The lines to and between them. */
export const rowLines = (name, from = 'Start') => [
	[from, `${name} List`],
	[`${name} List`, name],
];

/**
 * A workflow from its nodes and its lines. A line is `[from, to]`, with `output` and `input` where
 * they are not the first: `[from, to, { output: 1, input: 1 }]`.
 */
export function workflow(name, nodes, lines = [], settings = {}) {
	const connections = {};
	for (const [from, to, { output = 0, input = 0, type = 'main' } = {}] of lines) {
		const outputs = ((connections[from] ??= {})[type] ??= []);
		while (outputs.length <= output) outputs.push([]);
		outputs[output].push({ node: to, type, index: input });
	}
	return { name, nodes, connections, settings: { executionOrder: 'v1', ...settings } };
}

function place(nodes, columns) {
	return nodes.map((each) => ({ ...each, position: columns[each.name] ?? each.position }));
}

const grid = 240;
const at = (column, row) => [column * grid, row * grid];

/** The names of the demo workflow's effects, in the order in which they are shown. */
export const demoEffects = ['Pet Dance (One Photo)', 'Hug (Two Photos)'];
/** The sample pictures that the demo workflow reads. */
export const demoPhotos = ['pet.png', 'portrait.jpg', 'second.jpg'];

/** Parameters of a Create that makes a clip from files, awaited, with its video downloaded. */
export function effectParameters(effectScene, photos, pollInterval) {
	return {
		operation: 'create',
		effectType: photos === 2 ? 'dual' : 'single',
		effectScene,
		imageInput: 'binary',
		waitForCompletion: true,
		downloadVideo: true,
		options: { pollInterval },
	};
}

/** A one-photo and a two-photo effect from files on disk, awaited, with their videos downloaded. */
export function demoWorkflow(name, credential, photosDir, { pollInterval = 2 } = {}) {
	const [onePhoto, twoPhotos] = demoEffects;
	const effect = (effectName, photos, scene) => {
		const parameters = effectParameters(locator('list', scene), photos, pollInterval);
		return klingNode(effectName, credential, parameters);
	};
	const nodes = [
		manualTrigger('Start'),
		readFileNode('Read Pet Photo', join(photosDir, 'pet.png')),
		readFileNode('Read Left Photo', join(photosDir, 'portrait.jpg')),
		readFileNode('Read Right Photo', join(photosDir, 'second.jpg'), 'data2'),
		mergeByPosition('Both Photos'),
		effect(onePhoto, 1, 'pet_dance'),
		effect(twoPhotos, 2, 'hug_pro'),
	];
	const lines = [
		['Start', 'Read Pet Photo'],
		['Read Pet Photo', onePhoto],
		['Start', 'Read Left Photo'],
		['Start', 'Read Right Photo'],
		['Read Left Photo', 'Both Photos'],
		['Read Right Photo', 'Both Photos', { input: 1 }],
		['Both Photos', twoPhotos],
	];
	const columns = {
		Start: at(0, 1),
		'Read Pet Photo': at(1, 0),
		'Read Left Photo': at(1, 1),
		'Read Right Photo': at(1, 2),
		'Both Photos': at(2, 1.5),
		[onePhoto]: at(3, 0),
		[twoPhotos]: at(3, 1.5),
	};
	return workflow(name, place(nodes, columns), lines);
}
