import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { withLock } from './lock.mjs';
import { nodeGyp, npm } from './npm.mjs';
import { cacheDir, logDir } from './paths.mjs';
import { cleanEnv, run } from './process.mjs';
import { headersOf } from './runtime.mjs';

const prebuiltTimeoutMs = 20_000;
const binaryFile = join('build', 'Release', 'node_sqlite3.node');

function loads(packageDir, nodeBinary) {
	const script = `new (require(${JSON.stringify(packageDir)}).Database)(':memory:')`;
	return spawnSync(nodeBinary, ['-e', script], { env: cleanEnv(), stdio: 'ignore' }).status === 0;
}

/** sqlite3's authors publish binaries; that download needs no compiler, but another host than npm's. */
async function fetchPrebuilt(packageDir, logFile) {
	const script = join(packageDir, '..', 'prebuild-install', 'bin.js');
	if (!existsSync(script)) return;
	const options = { cwd: packageDir, logFile, timeoutMs: prebuiltTimeoutMs };
	await run(process.execPath, [script, '-r', 'napi'], options).catch(() => {});
}

async function compile(packageDir, nodeBinary, logFile) {
	// Node-API binaries work on every Node.js version, so any available headers will do.
	const headers = headersOf(process.execPath) ?? headersOf(nodeBinary);
	const args = [nodeGyp(), 'rebuild', ...(headers ? [`--nodedir=${headers}`] : [])];
	await run(process.execPath, args, {
		cwd: packageDir,
		env: cleanEnv({ JOBS: 'max' }),
		logFile,
		failure:
			'sqlite3, the database that n8n uses, could not be compiled. It needs Python 3, make and a C++ ' +
			'compiler (Debian: "apt-get install build-essential python3", macOS: "xcode-select --install")',
	});
}

async function make(target, version, nodeBinary) {
	const draft = `${target}.draft-${process.pid}`;
	mkdirSync(draft, { recursive: true });
	const logFile = join(logDir(), 'sqlite3.log');
	writeFileSync(logFile, '');
	const flags = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
	await npm(['install', ...flags, `sqlite3@${version}`], { cwd: draft, logFile });

	const packageDir = join(draft, 'node_modules', 'sqlite3');
	await fetchPrebuilt(packageDir, logFile);
	const usable = existsSync(join(packageDir, binaryFile)) && loads(packageDir, nodeBinary);
	if (!usable) await compile(packageDir, nodeBinary, logFile);
	renameSync(join(packageDir, binaryFile), `${draft}.node`);
	renameSync(`${draft}.node`, target);
	rmSync(draft, { recursive: true, force: true });
}

/**
 * The native part of sqlite3, which an install without scripts leaves out: downloaded if its authors'
 * binary is available, otherwise compiled, and kept for the next install. Returns its path.
 */
export async function ensureSqlite(version, nodeBinary) {
	const name = `sqlite3-${version}-${process.platform}-${process.arch}.node`;
	const target = join(cacheDir(), name);
	if (existsSync(target)) return target;
	await withLock(`${target}.lock`, async () => {
		if (!existsSync(target)) await make(target, version, nodeBinary);
	});
	return target;
}

/** Puts the native part into an installed sqlite3. */
export function placeSqlite(binary, packageDir) {
	mkdirSync(join(packageDir, 'build', 'Release'), { recursive: true });
	copyFileSync(binary, join(packageDir, binaryFile));
}
