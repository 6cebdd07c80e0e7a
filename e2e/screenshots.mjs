// npm run screenshots: the README's pictures of the editor, taken in a real n8n.
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { ensureChromium } from './lib/chromium.mjs';
import { openEditor } from './lib/editor.mjs';
import { ensureN8n } from './lib/install.mjs';
import { startN8n } from './lib/n8n.mjs';
import { buildAndPack } from './lib/pack.mjs';
import { makeTempDir, ROOT_DIR } from './lib/paths.mjs';
import { main, say, step, table, UserError } from './lib/progress.mjs';
import { savePhotos, startSandbox } from './lib/sandbox.mjs';
import {
	CREDENTIAL_TYPE,
	DEMO_PHOTOS,
	demoWorkflow,
	klingNode,
	klingTrigger,
	locator,
	manualTrigger,
	node,
	workflow,
} from './lib/workflow.mjs';

const LINE = '2';
const DOCS_DIR = join(ROOT_DIR, 'docs');
/** Everybody who opens the README loads its pictures. */
const MOST_BYTES = 150_000;
const TASK_SECONDS = 4;
const MINUTE = 60_000;

/** The sandbox is on this machine; readers see an address as a provider would give it. */
const LOCAL_ADDRESS = 'https?://(127\\.0\\.0\\.1|localhost)(:\\d+)?';
const SHOWN_ADDRESS = 'https://cdn.example.com';

const CREATE = 'Kling Effects';
const LIST = 'List Videos';
const TRIGGER = 'Kling Effects Trigger';

/** What an account has made during the last hours. */
const HISTORY = [
	{ effectScene: 'pet_dance', minutesAgo: 190 },
	{ effectScene: 'hug_pro', minutesAgo: 150 },
	{ effectScene: 'squish', minutesAgo: 95, message: 'The picture shows no face' },
	{ effectScene: 'expansion', minutesAgo: 60 },
	{ effectScene: 'kiss_pro', minutesAgo: 25 },
];

function seedHistory(sandbox) {
	const now = Date.now();
	const tasks = HISTORY.map(({ effectScene, minutesAgo, message }, index) => {
		const createdAt = now - minutesAgo * MINUTE;
		return {
			effectScene,
			externalTaskId: `order-${4701 + index}`,
			createdAt,
			processingAt: createdAt + MINUTE,
			finishedAt: createdAt + 4 * MINUTE,
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
		options: { externalTaskId: '={{ $json.order }}' },
	};
	const list = {
		operation: 'list',
		filters: { externalTaskIdPrefix: 'order-', status: ['succeed', 'failed'] },
	};
	const nodes = [
		klingTrigger(TRIGGER, credential, { options: { externalTaskIdPrefix: 'order-' } }),
		manualTrigger('Start'),
		node('Photos', 'n8n-nodes-base.set', set, { typeVersion: 3.4 }),
		klingNode(CREATE, credential, create),
		klingNode(LIST, credential, list),
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
		['Photos', CREATE],
		['Start', LIST],
	];
	const placed = nodes.map((each, index) => ({ ...each, position: places[index] }));
	return workflow('Videos for orders', placed, lines);
}

/** Writes the picture of the screen with a small palette. Gives the file. */
async function save(editor, name) {
	const { default: sharp } = await import('sharp');
	await editor.replaceText(LOCAL_ADDRESS, SHOWN_ADDRESS);
	const picture = sharp(await editor.picture());
	const bytes = await picture.png({ palette: true, effort: 10, compressionLevel: 9 }).toBuffer();
	if (bytes.length > MOST_BYTES) throw new UserError(`${name}: ${bytes.length} bytes are too many`);
	mkdirSync(DOCS_DIR, { recursive: true });
	const file = join(DOCS_DIR, `${name}.png`);
	writeFileSync(file, bytes);
	return file;
}

async function takeCreate(editor) {
	await editor.openNode(CREATE);
	await editor.searchList('effectScene', 'couple');
	await editor.pick('effectScene', 'Hug Pro · two photos');
	await editor.execute();
	await editor.show('json');
	const file = await save(editor, 'create');
	await editor.closeNode();
	return file;
}

async function takeList(editor) {
	await editor.openNode(LIST);
	await editor.execute();
	await editor.show('table');
	const file = await save(editor, 'list');
	await editor.closeNode();
	return file;
}

async function takeTrigger(editor) {
	await editor.openNode(TRIGGER);
	await editor.execute();
	await editor.show('json');
	const file = await save(editor, 'trigger');
	await editor.closeNode();
	return file;
}

async function takeCredential(editor) {
	await editor.openNode(CREATE);
	await editor.openCredential();
	return await save(editor, 'credential');
}

async function takeWorkflow(editor, n8n, sandbox, credential) {
	await savePhotos(sandbox, n8n.filesDir, DEMO_PHOTOS);
	const demo = demoWorkflow('Photos to videos', credential, n8n.filesDir, { pollInterval: 1 });
	await editor.openWorkflow((await n8n.rest.createWorkflow(demo)).id);
	await editor.executeWorkflow(demo.nodes.length);
	return await save(editor, 'workflow');
}

async function takeAll(editor, n8n, sandbox) {
	const data = sandbox.credential('kling');
	const credential = await n8n.rest.createCredential('Kling AI account', CREDENTIAL_TYPE, data);
	const { id } = await n8n.rest.createWorkflow(showcase(credential));
	await editor.openWorkflow(id);
	const files = [];
	for (const take of [takeCreate, takeList, takeTrigger, takeCredential]) {
		files.push(await take(editor));
	}
	return [...files, await takeWorkflow(editor, n8n, sandbox, credential)];
}

await main(async () => {
	const work = makeTempDir('screenshots');
	let sandbox;
	let n8n;
	let editor;
	try {
		await ensureChromium();
		const tarball = await buildAndPack(work);
		await ensureN8n(LINE);
		sandbox = await step('sandbox', async () => await startSandbox({ taskSeconds: TASK_SECONDS }));
		seedHistory(sandbox);
		const label = `n8n ${LINE}.x with the package`;
		n8n = await step(label, async () => await startN8n(LINE, { tarball }));
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
