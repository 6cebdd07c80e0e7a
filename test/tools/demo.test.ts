import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSandbox, type Sandbox } from '../../sandbox';
import { makeClip, photosOf } from '../../tools/demoRun';
import { picture } from '../harness/workbench';

let sandbox: Sandbox;
let folder: string;
beforeAll(async () => {
	sandbox = await startSandbox({ taskSeconds: 0, clips: 'made' });
	folder = mkdtempSync(join(tmpdir(), 'kling-effects-demo-'));
	for (const name of ['portrait.jpg', 'second.jpg']) {
		writeFileSync(join(folder, name), await picture(name));
	}
});
afterAll(async () => {
	await sandbox.close();
	rmSync(folder, { recursive: true, force: true });
});

test('two clips of a demo are two tasks with two videos, each of its own photos and scene', async () => {
	const photos = ['portrait.jpg', 'second.jpg'].map((name) => join(folder, name));
	const made = await Promise.all(
		['pet_dance', 'hug_pro'].map(async (scene) => {
			const count = photosOf(scene);
			return await makeClip({
				parameters: {
					operation: 'create',
					effectScene: { __rl: true, mode: 'name', value: scene },
					imageInput: 'binary',
					imageField: 'data',
					secondImageField: 'data2',
					waitForCompletion: true,
					downloadVideo: true,
					options: { pollInterval: 1 },
				},
				photos: photos.slice(0, count),
				credential: sandbox.credential('kling'),
			});
		}),
	);
	const [pet, hug] = made;
	expect(made.map(({ json }) => json.effectScene)).toEqual(['pet_dance', 'hug_pro']);
	expect(pet.json.taskId).not.toBe(hug.json.taskId);
	expect(pet.bytes.equals(hug.bytes)).toBe(false);
	const images = new Map(sandbox.charges.map((one) => [one.effectScene, one.images.length]));
	expect([images.get('pet_dance'), images.get('hug_pro')]).toEqual([1, 2]);
});
