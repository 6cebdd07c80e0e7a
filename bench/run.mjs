import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { ensureN8n } from '../tools/install.mjs';
import { ensureRootInstall } from '../tools/pack.mjs';
import { makeTempDir, rootDir } from '../tools/paths.mjs';

/**
 * `npm run bench`: measures with the modules of a real n8n 2.x install and the Node.js that it needs,
 * so that its own HTTP Request node can be measured beside ours on the same engine.
 */
await ensureRootInstall();
const { dir, nodeBinary, version } = await ensureN8n('2');
const folder = makeTempDir('bench');
const main = join(rootDir, 'bench', 'main.ts');
const { status } = spawnSync(
	nodeBinary,
	['--expose-gc', '--import', 'tsx', main, ...process.argv.slice(2)],
	{
		cwd: rootDir,
		stdio: 'inherit',
		env: {
			...process.env,
			N8N_USER_FOLDER: folder,
			BENCH_FOLDER: folder,
			BENCH_N8N_DIR: dir,
			BENCH_N8N_VERSION: version,
		},
	},
);
rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;
