// npm run test:e2e [-- --line 1|2] [--only TEXT]: the tests that drive a real n8n.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

import { ensureN8n, LINES } from './lib/install.mjs';
import { startN8n } from './lib/n8n.mjs';
import { buildAndPack } from './lib/pack.mjs';
import { E2E_DIR, makeTempDir } from './lib/paths.mjs';
import { main, say, step, UserError } from './lib/progress.mjs';

/** Files at once: they mostly wait for timers, so more than there are processors. */
const CONCURRENCY = 4;
const FILE_TIMEOUT_MS = 20 * 60_000;

function settings() {
	const { values } = parseArgs({
		options: { line: { type: 'string' }, only: { type: 'string', default: '' } },
	});
	const lines = values.line ? [values.line] : LINES;
	const unknown = lines.find((line) => !LINES.includes(line));
	if (unknown) throw new UserError(`There is no n8n line "${unknown}". Choose 1 or 2.`);
	return { lines, only: values.only };
}

function testFiles(only) {
	const folder = join(E2E_DIR, 'tests');
	const names = readdirSync(folder).filter((name) => name.endsWith('.test.mjs'));
	const chosen = names.filter((name) => name.includes(only)).sort();
	if (chosen.length === 0) throw new UserError(`No test file's name has "${only}" in it.`);
	return chosen.map((name) => join(folder, name));
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

async function runFiles(files) {
	const { counts, passed, failed } = counter(files);
	const events = run({ files, concurrency: CONCURRENCY, timeout: FILE_TIMEOUT_MS });
	events.on('test:pass', passed);
	events.on('test:fail', failed);
	const output = events.compose(new spec());
	for await (const chunk of output) process.stdout.write(chunk);
	return counts;
}

async function runLine(line, tarball, files) {
	const label = `n8n ${line}.x with the package`;
	const n8n = await step(label, async () => await startN8n(line, { tarball }));
	let counts;
	try {
		const { url, filesDir, logFile, rest } = n8n;
		const prepared = { line, tarball, url, session: rest.session, filesDir, logFile };
		process.env.KLING_E2E = JSON.stringify(prepared);
		say(`\nn8n ${n8n.install.version}, its log: ${logFile}`);
		counts = await runFiles(files);
	} finally {
		// After a failure, n8n's log and database stay for a look.
		await (counts?.failed === 0 ? n8n.dispose() : n8n.stop());
	}
	return counts;
}

await main(async () => {
	const { lines, only } = settings();
	const files = testFiles(only);
	const work = makeTempDir('e2e');
	const total = { passed: 0, failed: 0 };
	try {
		const tarball = await buildAndPack(work);
		for (const line of lines) await ensureN8n(line);
		for (const line of lines) {
			const { passed, failed } = await runLine(line, tarball, files);
			total.passed += passed;
			total.failed += failed;
		}
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	say(`\n${total.passed} passed, ${total.failed} failed`);
	return total.failed > 0 || total.passed === 0 ? 1 : 0;
});
