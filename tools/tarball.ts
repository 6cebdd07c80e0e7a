import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

export const rootFolder = join(__dirname, '..');

/** What the published package is built from. */
const sources = [
	'credentials',
	'nodes',
	'gulpfile.js',
	'package.json',
	'tsconfig.json',
	'README.md',
	'CHANGELOG.md',
	'LICENSE.md',
];

export interface Tarball {
	/** Bytes of the packed file. */
	size: number;
	/** The folder it was unpacked to. */
	folder: string;
	/** Its files, with forward slashes. */
	files: string[];
	remove(): void;
}

/** Builds the package from a copy of its sources, so that `dist` stays unchanged, and packs it. */
export function packFresh(): Tarball {
	const work = mkdtempSync(join(tmpdir(), 'kling-effects-pack-'));
	const copy = join(work, 'copy');
	for (const name of sources) cpSync(join(rootFolder, name), join(copy, name), { recursive: true });
	symlinkSync(join(rootFolder, 'node_modules'), join(copy, 'node_modules'), 'junction');
	npm(['run', 'build'], copy);
	npm(['pack', '--ignore-scripts', '--pack-destination', work], copy);
	const file = readdirSync(work).find((name) => name.endsWith('.tgz')) ?? '';
	execFileSync('tar', ['-xzf', file], { cwd: work });
	const folder = join(work, 'package');
	return {
		size: statSync(join(work, file)).size,
		folder,
		files: filesOf(folder).sort(),
		remove: () => rmSync(work, { recursive: true, force: true }),
	};
}

function npm(words: string[], cwd: string): void {
	execFileSync('npm', words, { cwd, stdio: 'pipe', shell: process.platform === 'win32' });
}

function filesOf(folder: string): string[] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}
