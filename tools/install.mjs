import { spawnSync } from 'node:child_process';
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
import { basename, dirname, join } from 'node:path';

import { withLock } from './lock.mjs';
import { npmCi } from './npm.mjs';
import { cacheDir, e2eDir, logDir } from './paths.mjs';
import { cleanEnv } from './process.mjs';
import { step, UserError } from './progress.mjs';
import { nodeFor } from './runtime.mjs';
import { ensureSqlite, placeSqlite } from './sqlite.mjs';

const manifest = ['package.json', 'package-lock.json', '.npmrc'];
/** Written last: a folder without it is no finished install. */
const complete = '.complete';

/** The n8n lines that this package promises to work on. */
export const n8nLines = ['1', '2'];

function abiOf(nodeBinary) {
	const script = 'process.stdout.write(process.versions.modules)';
	return spawnSync(nodeBinary, ['-e', script], { env: cleanEnv() }).stdout.toString();
}

function targetDir(line, nodeBinary) {
	const hash = createHash('sha256');
	for (const name of manifest) hash.update(readFileSync(join(e2eDir, `n8n-${line}`, name)));
	hash.update(`${abiOf(nodeBinary)} ${process.platform} ${process.arch}`);
	return join(cacheDir(), `n8n-${line}-${hash.digest('hex').slice(0, 12)}`);
}

function removeLeftovers(target) {
	for (const name of readdirSync(dirname(target))) {
		const left = name.startsWith(`${basename(target)}.draft-`) || name === basename(target);
		if (left) rmSync(join(dirname(target), name), { recursive: true, force: true });
	}
}

/** npm's own install of a draft folder. */
async function installPackages(line, cwd, at) {
	const logFile = join(logDir(), `install-n8n-${line}.log`);
	writeFileSync(logFile, '');
	const failure = `n8n ${line}.x could not be installed`;
	await npmCi(['--ignore-scripts', '--legacy-peer-deps'], { cwd, at, logFile, failure });
}

function sqliteVersion(line) {
	const lock = readFileSync(join(e2eDir, `n8n-${line}`, 'package-lock.json'), 'utf8');
	return JSON.parse(lock).packages['node_modules/sqlite3'].version;
}

async function installInto(target, { line, nodeBinary, at }) {
	removeLeftovers(target);
	const draft = `${target}.draft-${process.pid}`;
	mkdirSync(draft, { recursive: true });
	for (const name of manifest) copyFileSync(join(e2eDir, `n8n-${line}`, name), join(draft, name));

	const doing = { npm: '', sqlite: 'sqlite3 beside it' };
	const tell = (changes) =>
		at(Object.values(Object.assign(doing, changes)).filter(Boolean).join(', '));
	const [sqlite] = await Promise.all([
		ensureSqlite(sqliteVersion(line), nodeBinary).finally(() => tell({ sqlite: '' })),
		installPackages(line, draft, (text) => tell({ npm: text })).finally(() =>
			tell({ npm: '', sqlite: 'compiling sqlite3' }),
		),
	]);
	placeSqlite(sqlite, join(draft, 'node_modules', 'sqlite3'));
	writeFileSync(join(draft, complete), new Date().toISOString());
	renameSync(draft, target);
}

function describe(dir, nodeBinary) {
	const packageDir = join(dir, 'node_modules', 'n8n');
	const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8'));
	return { dir, nodeBinary, version, bin: join(packageDir, 'bin', 'n8n') };
}

/**
 * The n8n of a line ('1' or '2'), installed in the cache if it is not there yet.
 * Safe to call from several processes at once: one installs, the others wait for it.
 */
export async function ensureN8n(line) {
	if (!n8nLines.includes(line))
		throw new UserError(`There is no n8n line "${line}", only 1 and 2.`);
	const nodeBinary = await nodeFor(line);
	const target = targetDir(line, nodeBinary);
	const isComplete = () => existsSync(join(target, complete));
	if (!isComplete()) {
		await step(`n8n ${line}.x into ${target}`, async (at) =>
			withLock(
				`${target}.lock`,
				async () => isComplete() || (await installInto(target, { line, nodeBinary, at })),
				() => at('another process is installing it'),
			),
		);
	}
	return describe(target, nodeBinary);
}
