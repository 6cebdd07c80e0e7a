import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packFresh, rootFolder, type Tarball } from '../../tools/tarball';

const mostBytes = 125_000;
const scanner = join(__dirname, 'scanner.mjs');

function scan(folder: string, what: 'source' | 'tarball') {
	// With jest's NODE_ENV=test, eslint-plugin-n8n-nodes-base checks files with other names: those of its
	// own tests.
	const { NODE_ENV: _, ...env } = process.env;
	const options = { encoding: 'utf8', env } as const;
	const { stdout, stderr, status } = spawnSync(process.execPath, [scanner, folder, what], options);
	return { report: `${stdout}${stderr}`, status };
}

describe('the packed package', () => {
	let tarball: Tarball;

	beforeAll(() => {
		tarball = packFresh();
	}, 180_000);

	afterAll(() => tarball?.remove());

	test('holds what n8n needs and nothing else', () => {
		const outside = tarball.files.filter((file) => !file.startsWith('dist/'));
		expect(outside).toEqual(['LICENSE.md', 'README.md', 'package.json']);
		const kinds = new Set(tarball.files.map((file) => /\.[^/]*$/.exec(file)?.[0]));
		const inDist = tarball.files.filter((file) => file.startsWith('dist/'));
		expect(inDist.filter((file) => !/\.(js|json|svg)$/.test(file))).toEqual([]);
		expect([...kinds].some((kind) => /test|map|d\.ts/.test(kind ?? ''))).toBe(false);
	});

	test('is small', () => {
		expect(tarball.size).toBeLessThan(mostBytes);
	});

	test('has every file that its package.json and its icons name', () => {
		const { main, n8n } = JSON.parse(readFileSync(join(tarball.folder, 'package.json'), 'utf8'));
		const named = [main, ...n8n.nodes, ...n8n.credentials] as string[];
		expect(named.filter((file) => !existsSync(join(tarball.folder, file)))).toEqual([]);
		for (const file of named) {
			const code = readFileSync(join(tarball.folder, file), 'utf8');
			const icons = [...code.matchAll(/file:([^'"]+\.svg)/g)].map(([, icon]) => icon);
			expect(icons.length).toBeGreaterThan(0);
			const missing = icons.filter((icon) => !existsSync(join(tarball.folder, file, '..', icon)));
			expect(missing).toEqual([]);
		}
		for (const file of n8n.nodes as string[]) {
			expect(tarball.files).toContain(file.replace(/\.js$/, '.json'));
		}
	});

	test("passes n8n's scanner", () => {
		const { report, status } = scan(tarball.folder, 'tarball');
		expect({ report, status }).toEqual({
			report: expect.stringMatching(/^\d+ files, 0 findings\s*$/),
			status: 0,
		});
	});
});

// `npm run lint` scans the sources.
describe("n8n's scanner", () => {
	test('finds what it should, and no comment hides it', () => {
		const folder = mkdtempSync(join(tmpdir(), 'kling-effects-scan-'));
		const manifest = JSON.parse(readFileSync(join(rootFolder, 'package.json'), 'utf8'));
		const changed = { ...manifest, peerDependencies: { 'n8n-workflow': '^2' } };
		writeFileSync(join(folder, 'package.json'), JSON.stringify(changed, null, 2));
		mkdirSync(join(folder, 'nodes'));
		writeFileSync(
			join(folder, 'nodes', 'hidden.ts'),
			'/* eslint-disable */\nsetTimeout(() => console.log(1), 1);\n',
		);
		const { report, status } = scan(folder, 'source');
		rmSync(folder, { recursive: true, force: true });
		expect(status).toBe(1);
		for (const rule of ['no-restricted-globals', 'no-console', 'valid-peer-dependencies']) {
			expect(report).toContain(rule);
		}
	});
});
