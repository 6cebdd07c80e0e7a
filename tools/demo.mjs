// npm run demo [-- --provider NAME|all]: from a fresh clone to finished MP4 files in a real n8n.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';

import { ensureN8n } from './install.mjs';
import { mp4Boxes } from './mp4.mjs';
import { startN8n } from './n8n.mjs';
import { buildAndPack } from './pack.mjs';
import { e2eDir, makeTempDir } from './paths.mjs';
import { withLog } from './process.mjs';
import { main, say, step, table, UserError } from './progress.mjs';
import { assertSucceeded, itemsOf } from './rest.mjs';
import { providerNames, savePhotos, startSandbox } from './sandbox.mjs';
import { credentialType, demoEffects, demoPhotos, demoWorkflow } from './workflow.mjs';

const outputDir = join(e2eDir, 'output', 'demo');
const taskSeconds = 4;

function chosenProviders() {
	const { values } = parseArgs({
		options: { provider: { type: 'string', default: 'kling' }, line: { type: 'string' } },
	});
	const names = Object.keys(providerNames);
	const chosen = values.provider === 'all' ? names : [values.provider];
	if (!names.includes(chosen[0])) {
		const known = [...names, 'all'].join(', ');
		throw new UserError(`There is no provider "${values.provider}". Choose one of: ${known}`);
	}
	return { chosen, line: values.line ?? '2' };
}

async function saveVideo(n8n, provider, item) {
	const bytes = await n8n.rest.binary(item.binary.data);
	mp4Boxes(bytes);
	const original = await (await fetch(item.json.videoUrl)).arrayBuffer();
	if (!bytes.equals(Buffer.from(original))) {
		const sizes = `${bytes.length} bytes instead of ${original.byteLength}`;
		throw new UserError(
			`The video of task ${item.json.taskId} differs from the provider's: ${sizes}`,
		);
	}
	const folder = join(outputDir, provider);
	mkdirSync(folder, { recursive: true });
	const file = join(folder, `${item.json.taskId}.mp4`);
	writeFileSync(file, bytes);
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
	return [
		task.provider,
		taskId,
		effectScene,
		status,
		`${size} bytes`,
		relative(process.cwd(), file),
	];
}

async function runProvider(n8n, sandbox, provider) {
	const name = `Kling Effects demo: ${providerNames[provider]}`;
	const data = sandbox.credential(provider);
	const credential = await n8n.rest.createCredential(name, credentialType, data);
	const test = await n8n.rest.testCredential(credential, data);
	if (test.status !== 'OK') throw new UserError(`The credential test says: ${test.message}`);
	const { id } = await n8n.rest.createWorkflow(demoWorkflow(name, credential, n8n.filesDir));
	const execution = assertSucceeded(await n8n.rest.runManually(id, 'Start'));
	rmSync(join(outputDir, provider), { recursive: true, force: true });
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

await main(async () => {
	const { chosen, line } = chosenProviders();
	const work = makeTempDir('demo');
	let sandbox;
	let n8n;
	try {
		const tarball = await buildAndPack(work);
		await ensureN8n(line);
		sandbox = await step('sandbox', async () => await startSandbox({ taskSeconds: taskSeconds }));
		n8n = await step(
			`n8n ${line}.x with the package`,
			async () => await startN8n(line, { tarball }),
		);
		const rows = await runAll(n8n, sandbox, chosen).catch((error) => {
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
});
