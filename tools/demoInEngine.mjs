import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { saveClip, typedPath } from './output.mjs';
import { ensureRootInstall } from './pack.mjs';
import { makeTempDir } from './paths.mjs';
import { say, step, table, UserError } from './progress.mjs';
import { providerNames, savePhotos, startSandbox } from './sandbox.mjs';
import { demoPhotos, effectParameters, locator } from './workflow.mjs';

const taskSeconds = 4;
const pollSeconds = 2;
const tellEveryMs = 500;

const [pet, left, right] = demoPhotos;
const usual = { 1: 'pet_dance', 2: 'hug_pro' };
const samples = { 1: [pet], 2: [left, right] };

/** n8n's engine and the nodes' sources, compiled while they are loaded. */
function loadEngine() {
	const require = createRequire(import.meta.url);
	require('tsx/cjs');
	return require('./demoRun.ts');
}

/** The clips to make: one of the user's photos, or one each with one and two samples. */
function wishes(engine, { photos, scene }, folder) {
	const own = photos.map(typedPath);
	const sampled = (scene, count) => ({
		scene,
		photos: samples[count].map((name) => join(folder, name)),
		file: `${scene}.mp4`,
	});
	if (own.length === 0) {
		if (scene) return [sampled(scene, engine.photosOf(scene))];
		return [1, 2].map((count) => sampled(usual[count], count));
	}
	const chosen = scene ?? usual[own.length];
	const names = own.map((photo) => basename(photo, extname(photo)));
	return [{ scene: chosen, photos: own, file: `${[...names, chosen].join('-')}.mp4` }];
}

async function make(engine, sandbox, provider, { scene, photos, file }, folders) {
	const parameters = effectParameters(locator('name', scene), photos.length, pollSeconds);
	const credential = sandbox.credential(provider);
	const clip = await engine.makeClip({ parameters, photos, credential }).catch((error) => {
		throw new UserError(error.message);
	});
	const path = saveClip(clip.bytes, ...folders, file);
	const { taskId, status, effectScene } = clip.json;
	const kilobytes = `${Math.round(clip.bytes.length / 1000)} kB`;
	return { path, row: [providerNames[provider], effectScene ?? scene, taskId, status, kilobytes] };
}

async function makeAll(engine, sandbox, providers, chosen) {
	const made = [];
	for (const provider of providers) {
		const scenes = chosen.map(({ scene }) => scene).join(' and ');
		made.push(
			...(await step(`${providerNames[provider]}: ${scenes}`, async (at) => {
				const told = setInterval(() => {
					const task = sandbox.tasks.at(-1);
					if (task) at(`task: ${task.status}`);
				}, tellEveryMs);
				const folders = providers.length > 1 ? [provider] : [];
				const all = chosen.map((wish) => make(engine, sandbox, provider, wish, folders));
				return await Promise.all(all).finally(() => clearInterval(told));
			})),
		);
	}
	return made;
}

/** Makes clips in n8n's execution engine. Gives their number. */
export async function runInEngine(providers, asked) {
	const missing = asked.photos.map(typedPath).find((photo) => !existsSync(photo));
	if (missing) throw new UserError(`There is no photo ${missing}`);
	const folder = makeTempDir('demo');
	let sandbox;
	try {
		await ensureRootInstall();
		const engine = await step("n8n's execution engine, and the sandbox", async () => {
			sandbox = await startSandbox({ taskSeconds, clips: 'made' });
			return loadEngine();
		});
		await savePhotos(sandbox, folder, demoPhotos);
		const made = await makeAll(engine, sandbox, providers, wishes(engine, asked, folder));
		const rows = made.map(({ row }) => row);
		say(`\n${table(['Provider', 'Scene', 'Task ID', 'Status', 'Size'], rows)}\n`);
		for (const { path } of made) say(`  ${path}\n  ${pathToFileURL(path)}\n`);
		say("This was n8n's own execution engine with the node in it; the providers are simulated.");
		say("  npm run dev                  the same in n8n's editor");
		say('  npm run demo -- --server     the same in a whole n8n server');
		say('  npm run demo -- my-dog.jpg   a clip of your own photo');
		return made.length;
	} finally {
		await sandbox?.close();
		rmSync(folder, { recursive: true, force: true });
	}
}
