import { rmSync } from 'node:fs';

import { ensureN8n } from './install.mjs';
import { startN8n } from './n8n.mjs';
import { saveClip } from './output.mjs';
import { buildAndPack } from './pack.mjs';
import { makeTempDir } from './paths.mjs';
import { withLog } from './process.mjs';
import { say, step, table, UserError } from './progress.mjs';
import { assertSucceeded, itemsOf } from './rest.mjs';
import { providerNames, savePhotos, startSandbox } from './sandbox.mjs';
import { credentialType, demoEffects, demoPhotos, demoWorkflow } from './workflow.mjs';

const taskSeconds = 4;

async function saveVideo(n8n, provider, item) {
	const bytes = await n8n.rest.binary(item.binary.data);
	const original = await (await fetch(item.json.videoUrl)).arrayBuffer();
	if (!bytes.equals(Buffer.from(original))) {
		const sizes = `${bytes.length} bytes instead of ${original.byteLength}`;
		throw new UserError(
			`The video of task ${item.json.taskId} differs from the provider's: ${sizes}`,
		);
	}
	const file = saveClip(bytes, provider, `${item.json.effectScene}.mp4`);
	return { file, size: bytes.length };
}

async function rowOf(n8n, provider, execution, nodeName) {
	const items = itemsOf(execution, nodeName);
	const task = items[0]?.json ?? {};
	if (items.length !== 1 || task.status !== 'succeed' || !items[0].binary?.data) {
		const got = JSON.stringify(items).slice(0, 800);
		throw new UserError(
			`"${nodeName}" should give one finished task with its video, but gave ${got}`,
		);
	}
	const { file, size } = await saveVideo(n8n, provider, items[0]);
	const { taskId, effectScene, status } = task;
	return [task.provider, taskId, effectScene, status, `${size} bytes`, file];
}

async function runProvider(n8n, sandbox, provider) {
	const name = `Kling Effects demo: ${providerNames[provider]}`;
	const data = sandbox.credential(provider);
	const credential = await n8n.rest.createCredential(name, credentialType, data);
	const test = await n8n.rest.testCredential(credential, data);
	if (test.status !== 'OK') throw new UserError(`The credential test says: ${test.message}`);
	const { id } = await n8n.rest.createWorkflow(demoWorkflow(name, credential, n8n.filesDir));
	const execution = assertSucceeded(await n8n.rest.runManually(id, 'Start'));
	const rows = [];
	for (const effect of demoEffects) rows.push(await rowOf(n8n, provider, execution, effect));
	return rows;
}

async function runAll(n8n, sandbox, providers) {
	await savePhotos(sandbox, n8n.filesDir, demoPhotos);
	const rows = [];
	for (const provider of providers) {
		const label = `${providerNames[provider]}: two effects from photos on disk to MP4 files`;
		rows.push(...(await step(label, async () => await runProvider(n8n, sandbox, provider))));
	}
	return rows;
}

/** Makes the demo's clips in a real n8n with the packed package in it. Gives their number. */
export async function runInServer(providers, line) {
	const work = makeTempDir('demo');
	let sandbox;
	let n8n;
	let rows;
	try {
		const tarball = await buildAndPack(work);
		await ensureN8n(line);
		const options = { taskSeconds, clips: 'made' };
		sandbox = await step('sandbox', async () => await startSandbox(options));
		n8n = await step(
			`n8n ${line}.x with the package`,
			async () => await startN8n(line, { tarball }),
		);
		rows = await runAll(n8n, sandbox, providers).catch((error) => {
			throw new UserError(withLog(error.message, n8n.logFile));
		});
		say(`\n${table(['Provider', 'Task ID', 'Scene', 'Status', 'Size', 'Video'], rows)}`);
		say(`\nDone in n8n ${n8n.install.version}. "npm run dev" opens the same in the editor.`);
	} finally {
		await n8n?.stop();
		await sandbox?.close();
		rmSync(work, { recursive: true, force: true });
	}
	rmSync(n8n.userFolder, { recursive: true, force: true });
	return rows.length;
}
