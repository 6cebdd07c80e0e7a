import { createHash } from 'node:crypto';
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	readFileSync,
	readdirSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { withLock } from './lock.mjs';
import { cacheDir } from './paths.mjs';
import { step } from './progress.mjs';

/** Written last: a folder without it is not a finished install. */
const complete = '.complete';
const manifest = ['package.json', 'package-lock.json', '.npmrc'];

/** What an install of this folder's package depends on, as a short text. */
export function fingerprint(folder, ...further) {
	const hash = createHash('sha256');
	for (const name of manifest) hash.update(readFileSync(join(folder, name)));
	return hash.update(further.join(' ')).digest('hex').slice(0, 12);
}

/** Copies what npm needs to install this folder's package elsewhere. */
export function copyManifest(folder, target) {
	for (const name of manifest) copyFileSync(join(folder, name), join(target, name));
}

/**
 * A folder of the cache, filled by `fill(draft, at)` if it is not there yet. Gives its path. Safe to
 * call from several processes at once: one fills it, the others wait.
 */
export async function ensureCached(name, label, fill) {
	const target = join(cacheDir(), name);
	const isComplete = () => existsSync(join(target, complete));
	if (isComplete()) return target;
	await step(`${label} into ${target}`, async (at) =>
		withLock(
			`${target}.lock`,
			async () => {
				if (isComplete()) return;
				removeLeftovers(name);
				const draft = `${target}.draft-${process.pid}`;
				mkdirSync(draft, { recursive: true });
				await fill(draft, at);
				writeFileSync(join(draft, complete), new Date().toISOString());
				renameSync(draft, target);
			},
			() => at('another process is installing it'),
		),
	);
	return target;
}

function removeLeftovers(name) {
	for (const found of readdirSync(cacheDir())) {
		const left = found.startsWith(`${name}.draft-`) || found === name;
		if (left) rmSync(join(cacheDir(), found), { recursive: true, force: true });
	}
}
