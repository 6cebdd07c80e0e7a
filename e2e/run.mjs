// npm run test:e2e: the tests that drive a real n8n.
import cli from '../tools/cli.cjs';
import { lineOf, versionVariable } from '../tools/install.mjs';
import { startN8n } from '../tools/n8n.mjs';
import { main, say, step } from '../tools/progress.mjs';
import { linesOf, runFiles, runLines, testFilesIn } from './lib/suite.mjs';

/** Files at once: they mostly wait for timers, so more than there are processors. */
const concurrency = 4;

async function runLine(line, tarball, files) {
	const label = `n8n ${line}.x with the package`;
	const n8n = await step(label, async () => await startN8n(line, { tarball }));
	let counts;
	try {
		const { url, filesDir, logFile, rest } = n8n;
		const prepared = { line, tarball, url, session: rest.session, filesDir, logFile };
		process.env.KLING_E2E = JSON.stringify(prepared);
		say(`\nn8n ${n8n.install.version}, its log: ${logFile}`);
		counts = await runFiles(files, concurrency);
	} finally {
		// After a failure, n8n's log and database stay for a look.
		await (counts?.failed === 0 ? n8n.dispose() : n8n.stop());
	}
	return counts;
}

const { line, n8n, only } = cli.commandLine({
	command: 'npm run test:e2e',
	about: 'Runs the tests that drive a real n8n. Installs n8n if it is missing.',
	options: {
		line: { value: '1|2', oneOf: ['1', '2'], about: 'one line of n8n; both without it' },
		n8n: {
			value: 'VERSION',
			about: 'exactly this version, e.g. 2.42.0, instead of the tested ones',
		},
		only: {
			value: 'TEXT',
			default: '',
			about: 'test files with this in their name; all without it',
		},
	},
});

await main(async () => {
	// The tests start servers of their own too, so the version goes to them by the environment.
	if (n8n) process.env[versionVariable] = n8n;
	const lines = n8n ? [lineOf(n8n)] : linesOf(line);
	const files = testFilesIn('tests', only);
	return await runLines(lines, async (line, tarball) => await runLine(line, tarball, files));
});
