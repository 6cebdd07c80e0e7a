import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import cli from '../tools/cli.cjs';
import { ensureN8n } from '../tools/install.mjs';
import { ensureRootInstall } from '../tools/pack.mjs';
import { makeTempDir, rootDir } from '../tools/paths.mjs';

/**
 * `npm run bench`: measures with the modules of a real n8n 2.x install and the Node.js that it needs,
 * so that its own HTTP Request node can be measured beside ours on the same engine.
 */
const rowsDir = join(rootDir, 'bench', 'rows');
const names = readdirSync(rowsDir).flatMap((file) =>
	[...readFileSync(join(rowsDir, file), 'utf8').matchAll(/^\tname: '([\w-]+)',$/gm)].map(
		([, name]) => name,
	),
);
const wishes = cli.commandLine({
	command: 'npm run bench',
	about: `Measures the nodes in the engine of a real n8n 2.x beside n8n's own nodes, about 8 minutes long.
Installs n8n if it is missing.`,
	options: {
		only: { value: 'NAMES', many: true, about: 'some of them, separated by commas' },
		quick: { about: 'two runs of each at most' },
		json: { value: 'FILE', about: 'where all runs are written (bench/results.json)' },
	},
	more: `Names: ${names.join(', ')}`,
});
const resultsFile = join(rootDir, 'bench', 'results.json');
const only = wishes.only?.flatMap((some) => some.split(','));
const unknown = only?.find((name) => !names.includes(name));
if (unknown) {
	console.error(`There is no benchmark ${unknown}, only: ${names.join(', ')}`);
	process.exit(1);
}

await ensureRootInstall();
const { dir, nodeBinary, version } = await ensureN8n('2');
const folder = makeTempDir('bench');
const main = join(rootDir, 'bench', 'main.ts');
const { status } = spawnSync(nodeBinary, ['--expose-gc', '--import', 'tsx', main], {
	cwd: rootDir,
	stdio: 'inherit',
	env: {
		...process.env,
		N8N_USER_FOLDER: folder,
		BENCH_FOLDER: folder,
		BENCH_N8N_DIR: dir,
		BENCH_N8N_VERSION: version,
		BENCH_WISHES: JSON.stringify({ ...wishes, only, json: wishes.json ?? resultsFile }),
	},
});
rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;
