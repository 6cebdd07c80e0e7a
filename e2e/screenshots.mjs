// npm run screenshots: the README's pictures of the editor, taken in a real n8n.
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { ensureChromium } from './lib/chromium.mjs';
import { openEditor } from './lib/editor.mjs';
import cli from '../tools/cli.cjs';
import { ensureN8n } from '../tools/install.mjs';
import { startN8n } from '../tools/n8n.mjs';
import { buildAndPack } from '../tools/pack.mjs';
import { makeTempDir, rootDir } from '../tools/paths.mjs';
import { main, say, step, table, UserError } from '../tools/progress.mjs';
import { savePhotos, startSandbox } from '../tools/sandbox.mjs';
import {
	credentialType,
	demoPhotos,
	demoWorkflow,
	klingNode,
	klingTrigger,
	locator,
	manualTrigger,
	node,
	workflow,
} from '../tools/workflow.mjs';

const line = '2';
const docsDir = join(rootDir, 'docs');
/** Every visitor of the README loads its pictures. */
const mostBytes = 150_000;
const taskSeconds = 4;
const minute = 60_000;

/** The sandbox is on this machine; readers see an address as a provider would give it. */
const localAddress = 'https?://(127\\.0\\.0\\.1|localhost)(:\\d+)?';
const shownAddress = 'https://cdn.example.com';

const createNode = 'Kling Effects';
const listNode = 'List Videos';
const trigger = 'Kling Effects Trigger';

/** What an account has made during the last hours. */
const history = [
	{ effectScene: 'pet_dance', minutesAgo: 190 },
	{ effectScene: 'hug_pro', minutesAgo: 150 },
	{ effectScene: 'squish', minutesAgo: 95, message: 'The picture shows no face' },
	{ effectScene: 'expansion', minutesAgo: 60 },
	{ effectScene: 'kiss_pro', minutesAgo: 25 },
];

function seedHistory(sandbox) {
	const now = Date.now();
	const tasks = history.map(({ effectScene, minutesAgo, message }, index) => {
		const createdAt = now - minutesAgo * minute;
		return {
			effectScene,
			externalTaskId: `order-${4701 + index}-${effectScene}`,
			createdAt,
			processingAt: createdAt + minute,
			finishedAt: createdAt + 4 * minute,
			outcome: message ? 'failed' : 'succeed',
			message: message ?? '',
		};
	});
	sandbox.seedTasks('kling', tasks);
}

/** A workflow with one node for each picture. */
function showcase(credential) {
	const photos = {
		order: 'order-4711',
		left: 'https://example.com/anna.jpg',
		right: 'https://example.com/ben.jpg',
	};
	const set = { mode: 'raw', jsonOutput: JSON.stringify(photos), options: {} };
	const create = {
		operation: 'create',
		effectScene: locator('list', 'hug_pro'),
		imageInput: 'url',
		image: '={{ $json.left }}',
		secondImage: '={{ $json.right }}',
		waitForCompletion: true,
		downloadVideo: true,
		options: { externalTaskId: '={{ $json.order }}-hug_pro' },
	};
	const list = {
		operation: 'list',
		filters: { externalTaskIdPrefix: 'order-', status: ['succeed', 'failed'] },
	};
	const nodes = [
		klingTrigger(trigger, credential, { options: { externalTaskIdPrefix: 'order-' } }),
		manualTrigger('Start'),
		node('Photos', 'n8n-nodes-base.set', set, { typeVersion: 3.4 }),
		klingNode(createNode, credential, create),
		klingNode(listNode, credential, list),
	];
	const places = [
		[0, 0],
		[0, 240],
		[240, 240],
		[480, 120],
		[240, 480],
	];
	const lines = [
		['Start', 'Photos'],
		['Photos', createNode],
		['Start', listNode],
	];
	const placed = nodes.map((each, index) => ({ ...each, position: places[index] }));
	return workflow('Videos for orders', placed, lines);
}

/** Writes the picture of the screen with a small palette. Gives the file. */
async function save(editor, name) {
	const { default: sharp } = await import('sharp');
	await editor.replaceText(localAddress, shownAddress);
	const picture = sharp(await editor.picture());
	const bytes = await picture.png({ palette: true, effort: 10, compressionLevel: 9 }).toBuffer();
	if (bytes.length > mostBytes) throw new UserError(`${name}: ${bytes.length} bytes are too many`);
	mkdirSync(docsDir, { recursive: true });
	const file = join(docsDir, `${name}.png`);
	writeFileSync(file, bytes);
	return file;
}

async function takeCreate(editor) {
	await editor.openNode(createNode);
	await editor.searchList('effectScene', 'couple');
	await editor.pick('effectScene', 'Hug Pro · two photos');
	await editor.execute();
	await editor.show('json');
	const file = await save(editor, 'create');
	await editor.closeNode();
	return file;
}

async function takeList(editor) {
	await editor.openNode(listNode);
	await editor.execute();
	await editor.show('table');
	const file = await save(editor, 'list');
	await editor.closeNode();
	return file;
}

async function takeTrigger(editor) {
	await editor.openNode(trigger);
	await editor.execute();
	await editor.show('json');
	const file = await save(editor, 'trigger');
	await editor.closeNode();
	return file;
}

async function takeCredential(editor) {
	await editor.openNode(createNode);
	await editor.openCredential();
	// n8n's dialog scrolls; at this height it ends below a field, not within one.
	return await editor.inHeight(850, async () => await save(editor, 'credential'));
}

async function takeWorkflow(editor, n8n, sandbox, credential) {
	await savePhotos(sandbox, n8n.filesDir, demoPhotos);
	const demo = demoWorkflow('Photos to videos', credential, n8n.filesDir, { pollInterval: 1 });
	await editor.openWorkflow((await n8n.rest.createWorkflow(demo)).id);
	await editor.executeWorkflow(demo.nodes.length);
	return await save(editor, 'workflow');
}

async function takeAll(editor, n8n, sandbox) {
	const data = sandbox.credential('kling');
	const credential = await n8n.rest.createCredential('Kling AI account', credentialType, data);
	const { id } = await n8n.rest.createWorkflow(showcase(credential));
	await editor.openWorkflow(id);
	const files = [];
	for (const take of [takeCreate, takeList, takeTrigger, takeCredential]) {
		files.push(await take(editor));
	}
	return [...files, await takeWorkflow(editor, n8n, sandbox, credential)];
}

cli.commandLine({
	command: 'npm run screenshots',
	about: "Takes the README's pictures of the editor in a real n8n, with Chromium, into docs/.",
});

await main(async () => {
	const work = makeTempDir('screenshots');
	let sandbox;
	let n8n;
	let editor;
	try {
		await ensureChromium();
		const tarball = await buildAndPack(work);
		await ensureN8n(line);
		sandbox = await step('sandbox', async () => await startSandbox({ taskSeconds, clips: 'made' }));
		seedHistory(sandbox);
		const label = `n8n ${line}.x with the package`;
		n8n = await step(label, async () => await startN8n(line, { tarball }));
		editor = await step('editor in Chromium', async () => await openEditor(n8n.url));
		const files = await step('pictures', async () => await takeAll(editor, n8n, sandbox));
		const rows = files.map((file) => [relative(process.cwd(), file), statSync(file).size]);
		say(`\n${table(['Picture', 'Bytes'], rows)}`);
	} finally {
		await editor?.close();
		await n8n?.dispose();
		await sandbox?.close();
		rmSync(work, { recursive: true, force: true });
	}
});
