import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootFolder } from '../../tools/tarball';

const folder = join(rootFolder, '.github/workflows');
const files = readdirSync(folder);
const textOf = (file: string) => readFileSync(join(folder, file), 'utf8');

test.each(files)('%s pins every action to a commit', (file) => {
	const used = [...textOf(file).matchAll(/uses: (\S+)/g)].map(([, action]) => action);
	expect(used.length).toBeGreaterThan(0);
	expect(used.filter((action) => !/@[0-9a-f]{40}$/.test(action))).toEqual([]);
});

test('only a job that runs none of the repository’s code can publish', () => {
	const [, ...jobs] = textOf('publish.yml').split(/^ {2}(?=\w+:\n)/m);
	const publishing = jobs.filter((job) => job.includes('id-token: write'));
	expect(publishing).toHaveLength(1);
	expect(publishing[0]).not.toMatch(/checkout|npm (ci|install|test|run)/);
	expect(publishing[0]).toContain('--ignore-scripts');
	expect(textOf('publish.yml')).toMatch(/^permissions: \{\}$/m);
});

test('everything excluded from the weekly update is explained', () => {
	const text = readFileSync(join(rootFolder, '.github/dependabot.yml'), 'utf8');
	const ignored = [...text.matchAll(/dependency-name: '?([^'\n]+)/g)].map(([, name]) => name);
	const contributing = readFileSync(join(rootFolder, 'CONTRIBUTING.md'), 'utf8');
	const [, section] = contributing.split('## Dependencies\n');
	const explained = section.split('\n## ')[0];
	expect(ignored.length).toBeGreaterThan(5);
	expect(ignored.filter((name) => !explained.includes(`\`${name}\``))).toEqual([]);
});

test('the newest n8n is tested automatically, with the maintainers’ own command', () => {
	const text = textOf('newest-n8n.yml');
	expect(text).toMatch(/schedule:\n\s+- cron: /);
	expect(text).toContain('npm run test:e2e -- --n8n "$(npm view n8n version)"');
});
