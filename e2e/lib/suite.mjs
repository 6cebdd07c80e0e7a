import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

import { n8nLines } from '../../tools/install.mjs';
import { buildAndPack } from '../../tools/pack.mjs';
import { e2eDir, makeTempDir } from '../../tools/paths.mjs';
import { say, UserError } from '../../tools/progress.mjs';

/** After this long, a test file counts as hanging. */
const fileTimeoutMs = 20 * 60_000;

/** The lines that the option `--line` asks for: all of them without it. */
export function linesOf(line) {
	return line ? [line] : n8nLines;
}

/** The longest ones, as they wait for n8n's own polls: started last, they would run alone. */
const isLong = (name) => name.startsWith('trigger');

/** The test files of a folder in `e2e/` whose names contain the text, in the order to run them. */
export function testFilesIn(folder, only = '') {
	const names = readdirSync(join(e2eDir, folder)).filter((name) => name.endsWith('.test.mjs'));
	const chosen = names.filter((name) => name.includes(only)).sort();
	if (chosen.length === 0) throw new UserError(`No test file's name has "${only}" in it.`);
	const ordered = [...chosen.filter(isLong), ...chosen.filter((name) => !isLong(name))];
	return ordered.map((name) => join(e2eDir, folder, name));
}

/**
 * Counts single tests, not the suites and files that hold them: except where these fail by
 * themselves, such as a hook that throws or a file that crashes.
 */
function counter(files) {
	const counts = { passed: 0, failed: 0 };
	return {
		counts,
		passed: ({ name, details, skip, todo }) => {
			const holdsTests = details.type === 'suite' || files.includes(name);
			if (!holdsTests && skip === undefined && todo === undefined) counts.passed++;
		},
		failed: ({ details }) => {
			const byItself = details.error?.failureType === 'hookFailed';
			if (details.type !== 'suite' || byItself) counts.failed++;
		},
	};
}

/** Runs test files, `concurrency` at a time, shows their output, and gives the counts of passed and failed tests. */
export async function runFiles(files, concurrency) {
	const { counts, passed, failed } = counter(files);
	const events = run({ files, concurrency, timeout: fileTimeoutMs });
	events.on('test:pass', passed);
	events.on('test:fail', failed);
	for await (const chunk of events.compose(new spec())) process.stdout.write(chunk);
	return counts;
}

/**
 * Packs the package, runs `runLine(line, tarball)` for each line, and says the sum of their counts as
 * the last line of output. Gives the exit code.
 */
export async function runLines(lines, runLine) {
	const work = makeTempDir('suite');
	const total = { passed: 0, failed: 0 };
	try {
		const tarball = await buildAndPack(work);
		for (const line of lines) {
			const { passed, failed } = await runLine(line, tarball);
			total.passed += passed;
			total.failed += failed;
		}
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	say(`\n${total.passed} passed, ${total.failed} failed`);
	return total.failed > 0 || total.passed === 0 ? 1 : 0;
}
