/**
 * `npm run mutation`: Stryker changes the sources in small ways, one at a time, and runs the tests
 * that execute the change. A change that no test notices has survived: either a test is missing, or
 * the change does not matter (`explained.json` says which and why).
 *
 *     npm run mutation -- --every 7 --seed 1 --jobs 1 --only 'nodes/kling/watch/*.ts'
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import cli from '../../tools/cli.cjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
process.chdir(root);

/** What is mutated, where a mistake costs money or loses a task. */
const targets = [
	'nodes/kling/create/*.ts',
	'nodes/kling/look.ts',
	'nodes/kling/watch/*.ts',
	'nodes/kling/providers/*.ts',
	'nodes/KlingEffects/create/memory.ts',
];

const values = cli.commandLine({
	command: 'npm run mutation',
	about: `Changes the sources in small ways, one at a time, and runs the tests that execute the change: does
one notice? Takes hours without a sample.`,
	options: {
		every: { value: 'N', number: 'whole', default: 7, about: 'only each Nth change' },
		seed: { value: 'N', number: 'whole', default: 1, about: 'which of them' },
		only: { value: 'FILES', default: '', about: "such as 'nodes/kling/watch/*.ts'" },
		jobs: { value: 'N', number: 'whole', default: 1, about: 'processes at once' },
	},
});
const sample = { every: values.every, seed: values.seed };
process.env.MUTATION_SAMPLE = JSON.stringify(sample);

// Only now: --help needs nothing that has to be installed.
const { Stryker } = await import('@stryker-mutator/core');
const stryker = new Stryker({
	mutate: values.only ? [values.only] : targets,
	plugins: ['@stryker-mutator/jest-runner', join(here, 'plugins.mjs')],
	checkers: ['sample'],
	testRunner: 'jest',
	jest: { configFile: 'test/mutation/jest.config.cjs', enableFindRelatedTests: false },
	coverageAnalysis: 'perTest',
	concurrency: values.jobs,
	// n8n-core leaves timers and sockets open.
	maxTestRunnerReuse: 40,
	// On a busy machine a slow test is no endless loop.
	timeoutMS: 60_000,
	dryRunTimeoutMinutes: 30,
	disableTypeChecks: false,
	// It warns of mutants at the top level of a file, which all tests have to judge: they are wanted.
	warnings: { slow: false },
	reporters: ['progress-append-only', 'results'],
	tempDirName: '.cache/mutation',
	ignorePatterns: ['e2e', 'docs', 'dist'],
});

const startedAt = Date.now();
const results = await stryker.runMutationTest();
const minutes = Math.round((Date.now() - startedAt) / 60_000);

/** Survivors that were looked at, by what stands in their line, because line numbers move. */
const explained = JSON.parse(readFileSync(join(here, 'explained.json'), 'utf8'));

const mutants = results
	.filter(({ status }) => !['CompileError', 'Ignored'].includes(status))
	.map(({ fileName, location: { start, end }, status, mutatorName, replacement, killedBy }) => {
		const file = relative(root, fileName).replaceAll('\\', '/');
		const lines = readFileSync(fileName, 'utf8')
			.split('\n')
			.slice(start.line, end.line + 1);
		const line = lines[0].trim();
		const isOneLine = lines.length === 1;
		const before = isOneLine
			? lines[0].slice(start.column - 1, end.column - 1)
			: `${lines[0].slice(start.column - 1)} …`;
		const after = replacement.replace(/\s+/g, ' ');
		const known = explained.find(
			(each) => each.file === file && each.line === line && (each.after ?? after) === after,
		);
		const text = `${file}:${start.line} ${mutatorName}: \`${before}\` → \`${after}\``;
		return { text, status, reason: known?.reason, killedBy };
	});
const isKilled = ({ status }) => status === 'Killed' || status === 'Timeout';
const killed = mutants.filter(isKilled);
const alive = mutants.filter((mutant) => !isKilled(mutant));
const open = alive.filter(({ reason }) => !reason);
const known = alive.filter(({ reason }) => reason);

const title = `${mutants.length} mutants (every ${sample.every}th, seed ${sample.seed}) in ${minutes} minutes`;
const sum = `${killed.length} killed, ${known.length} explained, ${open.length} open`;
const lists = [
	['Open', open.map(({ text, status }) => `${text} (${status})`)],
	['Explained', known.map(({ text, reason }) => `${text}: ${reason}`)],
	['Killed', killed.map(({ text, status, killedBy }) => `${text} (${killedBy?.[0] ?? status})`)],
];
const sections = lists.map(([name, items]) =>
	[`## ${name}`, '', ...items.map((item) => `- ${item}`), ''].join('\n'),
);
const listFile = join(here, 'output', 'mutants.md');
mkdirSync(dirname(listFile), { recursive: true });
writeFileSync(listFile, [`# ${title}`, '', `${sum}.`, '', ...sections].join('\n'));
console.log(`\n${title}: ${sum}\n`);
for (const { text } of open) console.log(text);
console.log(`\nThe list: ${relative(process.cwd(), listFile)}`);
process.exitCode = open.length > 0 ? 1 : 0;
