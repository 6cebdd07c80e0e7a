import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { copyManifest, ensureCached, fingerprint } from './cached.mjs';
import { npm, npmCi } from './npm.mjs';
import { e2eDir, logDir } from './paths.mjs';
import { cleanEnv } from './process.mjs';
import { UserError } from './progress.mjs';
import { nodeFor } from './runtime.mjs';
import { ensureSqlite, placeSqlite } from './sqlite.mjs';

/** The n8n lines that this package promises to work on. */
export const n8nLines = ['1', '2'];

const flags = ['--ignore-scripts', '--legacy-peer-deps'];
const folderOf = (line) => join(e2eDir, `n8n-${line}`);
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

function abiOf(nodeBinary) {
	const script = 'process.stdout.write(process.versions.modules)';
	return spawnSync(nodeBinary, ['-e', script], { env: cleanEnv() }).stdout.toString();
}

function logFileOf(name) {
	const logFile = join(logDir(), `install-n8n-${name}.log`);
	writeFileSync(logFile, '');
	return logFile;
}

function describe(dir, nodeBinary) {
	const packageDir = join(dir, 'node_modules', 'n8n');
	const { version } = readJson(join(packageDir, 'package.json'));
	return { dir, nodeBinary, version, bin: join(packageDir, 'bin', 'n8n') };
}

/** The n8n that the lock file names, with npm and sqlite3 at work side by side. */
async function installLocked(line, draft, { nodeBinary, at }) {
	copyManifest(folderOf(line), draft);
	const { version } = readJson(join(draft, 'package-lock.json')).packages['node_modules/sqlite3'];
	const doing = { npm: '', sqlite: 'sqlite3 beside it' };
	const tell = (changes) =>
		at(Object.values(Object.assign(doing, changes)).filter(Boolean).join(', '));
	const failure = `n8n ${line}.x could not be installed`;
	const npmOptions = { cwd: draft, logFile: logFileOf(line), failure };
	const [sqlite] = await Promise.all([
		ensureSqlite(version, nodeBinary).finally(() => tell({ sqlite: '' })),
		npmCi(flags, { ...npmOptions, at: (text) => tell({ npm: text }) }).finally(() =>
			tell({ npm: '', sqlite: 'compiling sqlite3' }),
		),
	]);
	placeSqlite(sqlite, join(draft, 'node_modules', 'sqlite3'));
}

/** Another version of the line, with the line's overrides. Its dependencies are whatever npm finds today. */
async function installVersion(line, version, draft, { nodeBinary, at }) {
	const { overrides } = readJson(join(folderOf(line), 'package.json'));
	const manifest = { private: true, dependencies: { n8n: version }, overrides };
	writeFileSync(join(draft, 'package.json'), JSON.stringify(manifest));
	at('npm install');
	await npm(['install', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error', ...flags], {
		cwd: draft,
		logFile: logFileOf(version),
		failure: `n8n ${version} could not be installed`,
	});
	at('compiling sqlite3');
	const sqlite3 = join(draft, 'node_modules', 'sqlite3');
	const { version: sqliteVersion } = readJson(join(sqlite3, 'package.json'));
	placeSqlite(await ensureSqlite(sqliteVersion, nodeBinary), sqlite3);
}

/** The variable with which a command and the tests that it starts run another version of its line. */
export const versionVariable = 'KLING_E2E_N8N_VERSION';

/** The line of a version such as 2.42.0. */
export function lineOf(version) {
	const line = /^(\d+)\.\d+\.\d+(-[\w.]+)?$/.exec(version)?.[1];
	if (line === undefined) {
		throw new UserError(`--n8n takes a whole version, e.g. 2.42.0, not "${version}".`);
	}
	if (!n8nLines.includes(line)) {
		throw new UserError(`There is no n8n line "${line}", only ${n8nLines.join(' and ')}.`);
	}
	return line;
}

/** The n8n of a line ('1' or '2'), installed in the cache if missing. */
export async function ensureN8n(line) {
	if (!n8nLines.includes(line)) {
		throw new UserError(`There is no n8n line "${line}", only ${n8nLines.join(' and ')}.`);
	}
	const nodeBinary = await nodeFor(line);
	const machine = `${abiOf(nodeBinary)} ${process.platform} ${process.arch}`;
	const hash = fingerprint(folderOf(line), machine);
	const version = process.env[versionVariable];
	const dir =
		version && lineOf(version) === line
			? await ensureCached(`n8n-${version}-${hash}`, `n8n ${version}`, async (draft, at) =>
					installVersion(line, version, draft, { nodeBinary, at }),
				)
			: await ensureCached(`n8n-${line}-${hash}`, `n8n ${line}.x`, async (draft, at) =>
					installLocked(line, draft, { nodeBinary, at }),
				);
	return describe(dir, nodeBinary);
}
