/**
 * `npm run mutation`: changes the sources in small ways, one at a time and in a copy of the clone, and
 * runs the tests that need the changed file. A change that no test notices has survived: either a test
 * is missing, or the change does not matter (`explained.json` says which and why).
 *
 *     npm run mutation -- --mutants 200 --minutes 60 --seed 1 --jobs 2 --only watch/
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { mutantsOf, mutate } from './mutants.mjs';
import { Compiler, needsOf, Workspace } from './workspace.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const listFile = join(here, 'output', 'mutants.md');

/**
 * What is mutated, where a mistake costs money or loses a task, with the tests in n8n's engine that
 * are about it. Tests without the engine are found by what they import.
 */
const targets = {
	'nodes/kling/create': ['test/create', 'test/campaign', 'test/contract'],
	'nodes/kling/follow.ts': ['test/campaign', 'test/contract'],
	'nodes/kling/watch': ['test/trigger'],
	'nodes/kling/providers': ['test/contract', 'test/credential.test.ts'],
	'nodes/KlingEffects/operations/create/memory.ts': [
		'test/create',
		'test/campaign',
		'test/contract',
	],
};

/** Tests that run for minutes, or look at the package and not at the code. */
const leftOut = /^test\/(soak|package|mutation)\//;

/** A test hangs when it takes this many times as long as without a mutant. */
const patience = 5;
const leastPatienceMs = 60_000;

const { values } = parseArgs({
	options: {
		mutants: { type: 'string', default: '200' },
		minutes: { type: 'string', default: '60' },
		seed: { type: 'string', default: '1' },
		only: { type: 'string', default: '' },
		jobs: { type: 'string', default: '1' },
	},
});

function filesIn(path) {
	if (!statSync(join(root, path), { throwIfNoEntry: false })) return [];
	if (statSync(join(root, path)).isFile()) return [path];
	return readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
		.filter((name) => name.endsWith('.ts'))
		.map((name) => join(path, name));
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed) {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	};
}

function shuffled(list, random) {
	const copy = [...list];
	for (let last = copy.length - 1; last > 0; last--) {
		const other = Math.floor(random() * (last + 1));
		[copy[last], copy[other]] = [copy[other], copy[last]];
	}
	return copy;
}

/** Test files with what they need: first those that run without n8n's engine, which take a second. */
function testsByCost() {
	const tests = filesIn('test')
		.filter((file) => file.endsWith('.test.ts') && !leftOut.test(file))
		.map((file) => ({ file, needs: needsOf(root, file) }));
	const isQuick = ({ needs }) =>
		![...needs].some((file) => /^(test\/harness|sandbox)\//.test(file));
	return [tests.filter(isQuick), tests.filter((test) => !isQuick(test))];
}

function textOf({ file, line, kind, before, after }) {
	const short = (text) => text.replace(/\s+/g, ' ').slice(0, 70);
	return `${file}:${line} ${kind}: ${short(before)} → ${short(after)}`;
}

/** Survivors that were looked at, by what stands in their line, because line numbers move. */
const explained = JSON.parse(readFileSync(join(here, 'explained.json'), 'utf8'));

function reasonOf(mutant, content) {
	const line = content.split('\n')[mutant.line - 1].trim();
	const known = explained.find(
		({ file, line: text, after }) =>
			file === mutant.file && text === line && (after === undefined || after === mutant.after),
	);
	return known?.reason;
}

const deadline = Date.now() + Number(values.minutes) * 60_000;
const files = Object.keys(targets)
	.flatMap(filesIn)
	.filter((file) => file.includes(values.only));
const all = files.flatMap((file) => mutantsOf(file, readFileSync(join(root, file), 'utf8')));
const queue = shuffled(all, randomFrom(Number(values.seed)));
console.log(`${all.length} mutants in ${files.length} files, seed ${values.seed}`);

const compiler = new Compiler(root);
const workspaces = Array.from({ length: Number(values.jobs) }, () => new Workspace(root));
process.once('exit', () => workspaces.forEach((workspace) => workspace.remove()));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const [quick, slow] = testsByCost();

/** The tests for a file, in the order to run them: quick ones, then those in n8n's engine. */
function stagesOf(file) {
	const needing = (tests) => tests.filter(({ needs }) => needs.has(file)).map((test) => test.file);
	const [, about] = Object.entries(targets).find(([target]) => file.startsWith(target));
	const inEngine = needing(slow).filter((test) => about.some((part) => test.startsWith(part)));
	return [needing(quick), inEngine].filter((tests) => tests.length > 0);
}

/** Without a mutant all tests must pass; how long that takes tells when a test hangs. */
async function measure(workspace) {
	const stages = files.flatMap(stagesOf);
	const startedAt = Date.now();
	const { result, output } = await workspace.test([...new Set(stages.flat())], 3_600_000);
	if (result !== 'passed') throw new Error(`Without a mutant the tests do not pass:\n${output}`);
	const usualMs = Date.now() - startedAt;
	console.log(`Without a mutant: ${Math.round(usualMs / 1000)} s`);
	return Math.max(leastPatienceMs, patience * usualMs);
}

/** `killed`, `survived`, or `untested` where no test needs the file. */
async function judge(mutant, content, workspace) {
	const stages = stagesOf(mutant.file);
	for (const tests of stages) {
		workspace.write(mutant.file, mutate(content, mutant));
		try {
			const { result } = await workspace.test(tests, timeoutMs);
			if (result !== 'passed') return 'killed';
		} finally {
			workspace.write(mutant.file, content);
		}
	}
	return stages.length > 0 ? 'survived' : 'untested';
}

const timeoutMs = await measure(workspaces[0]);
const judged = [];
let rejected = 0;
let begun = 0;

/** Takes mutants from the queue until there are enough, or the time is over. */
async function work(workspace) {
	while (begun < Number(values.mutants) && Date.now() < deadline) {
		const mutant = queue.shift();
		if (!mutant) return;
		const content = workspace.read(mutant.file);
		if (!compiler.accepts(mutant.file, mutate(content, mutant))) {
			rejected++;
			continue;
		}
		begun++;
		const result = await judge(mutant, content, workspace);
		const reason = result === 'killed' ? undefined : reasonOf(mutant, content);
		judged.push({ ...mutant, result, reason });
		console.log(`${String(judged.length).padStart(4)} ${result.padEnd(8)} ${textOf(mutant)}`);
	}
}

await Promise.all(workspaces.map(work));

const killed = judged.filter(({ result }) => result === 'killed');
const alive = judged.filter(({ result }) => result !== 'killed');
const open = alive.filter(({ reason }) => !reason);
const lines = [
	`# ${judged.length} mutants, seed ${values.seed}`,
	'',
	`${killed.length} killed, ${alive.length} not (${alive.length - open.length} of them explained). The compiler rejected ${rejected} more.`,
	'',
	...['Open', 'Explained'].flatMap((title) => {
		const shown = alive.filter(({ reason }) => Boolean(reason) === (title === 'Explained'));
		const items = shown.map(
			(mutant) => `- ${textOf(mutant)}${mutant.reason ? `: ${mutant.reason}` : ''}`,
		);
		return [`## ${title}`, '', ...items, ''];
	}),
	'## Killed',
	'',
	...killed.map((mutant) => `- ${textOf(mutant)}`),
];
mkdirSync(dirname(listFile), { recursive: true });
writeFileSync(listFile, `${lines.join('\n')}\n`);
console.log(`\n${lines[2]}\n`);
for (const mutant of open) console.log(textOf(mutant));
console.log(`\nThe list: ${relative(process.cwd(), listFile)}`);
