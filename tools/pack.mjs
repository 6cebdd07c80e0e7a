import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { withLock } from './lock.mjs';
import { npm, npmCi } from './npm.mjs';
import { cacheDir, logDir, rootDir } from './paths.mjs';
import { step, UserError } from './progress.mjs';

/** What the package is built from. */
const packedSources = ['nodes', 'credentials', 'package.json'];
const buildConfigs = /^(gulpfile\..*|tsconfig.*\.json)$/;

function newestChange(path) {
	if (!existsSync(path)) return 0;
	const stats = statSync(path);
	if (!stats.isDirectory()) return stats.mtimeMs;
	// A folder's own time shows deleted files.
	return Math.max(
		stats.mtimeMs,
		...readdirSync(path).map((name) => newestChange(join(path, name))),
	);
}

function isBuilt() {
	const { main } = JSON.parse(readFileSync(join(rootDir, 'package.json'), 'utf8'));
	if (!existsSync(join(rootDir, main))) return false;
	const configs = readdirSync(rootDir).filter((name) => buildConfigs.test(name));
	const sources = [...packedSources, ...configs].map((name) => join(rootDir, name));
	// The newest file of dist: copied icons keep the old times of their sources.
	return Math.max(...sources.map(newestChange)) < newestChange(join(rootDir, 'dist'));
}

/** Installs the package's own development tools if they are missing or older than the lock file. */
export async function ensureRootInstall() {
	const lock = join(rootDir, 'package-lock.json');
	const marker = join(rootDir, 'node_modules', '.package-lock.json');
	if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return;
	await step('development tools of this package (npm ci)', async (at) => {
		const logFile = join(logDir(), 'install-root.log');
		writeFileSync(logFile, '');
		await npmCi([], { cwd: rootDir, at, logFile, failure: 'npm ci failed' });
	});
}

async function build() {
	const logFile = join(logDir(), 'build.log');
	writeFileSync(logFile, '');
	const options = { cwd: rootDir, logFile, failure: 'The package could not be built' };
	try {
		await npm(['run', 'build'], options);
	} catch (error) {
		// Half a build would look finished next time.
		rmSync(join(rootDir, 'dist'), { recursive: true, force: true });
		throw error;
	}
}

async function pack(folder) {
	const logFile = join(logDir(), 'pack.log');
	writeFileSync(logFile, '');
	const args = ['pack', '--ignore-scripts', '--pack-destination', folder];
	await npm(args, { cwd: rootDir, logFile, failure: 'npm pack failed' });
	const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
	if (!tarball) throw new UserError(`npm pack left no tarball; see ${logFile}`);
	return join(folder, tarball);
}

function lockFile() {
	const clone = createHash('sha256').update(rootDir).digest('hex').slice(0, 12);
	return join(cacheDir(), `build-${clone}.lock`);
}

/**
 * Builds this package if its sources are newer than `dist` (or always, with `force`), and packs it
 * as it would be published. Gives the path of the tarball.
 */
export async function buildAndPack(folder, { force = false } = {}) {
	await ensureRootInstall();
	// A build empties `dist` first, which another process may be packing.
	return await withLock(lockFile(), async () => {
		if (force || !isBuilt()) await step('build', build);
		return await step('npm pack', async () => await pack(folder));
	});
}
