import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone itself. */
export const rootDir = dirname(dirname(fileURLToPath(import.meta.url)));

/** The folder of the end-to-end package, `<clone>/e2e`. */
export const e2eDir = join(rootDir, 'e2e');

/** Where the n8n installs live: outside the clone, so that a fresh clone can reuse them. */
export function cacheDir() {
	const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
	const dir = join(base, 'n8n-nodes-kling-effects');
	mkdirSync(dir, { recursive: true });
	return dir;
}

/** Where the logs of commands and servers go. They are kept, so that a failure can be read later. */
export function logDir() {
	const dir = join(cacheDir(), 'logs');
	mkdirSync(dir, { recursive: true });
	return dir;
}

/** A new temporary folder. Its real path, because n8n compares real paths when it limits file access. */
export function makeTempDir(label) {
	return realpathSync(mkdtempSync(join(tmpdir(), `kling-effects-${label}-`)));
}
