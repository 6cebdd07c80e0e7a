import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import cli from '../tools/cli.cjs';
import { ensureRootInstall } from '../tools/pack.mjs';
import { rootDir } from '../tools/paths.mjs';

/**
 * `npm test`: installs what is missing, then checks types and style and runs the jest suite. Further
 * words go to jest: `npm test -- test/promises/contract`. `npm run test:zod4` only runs the suite, of
 * zod4/jest.config.cjs.
 */
const words = process.argv.slice(2);
const isZod4 = words[0] === '--zod4';
const jestWords = isZod4 ? ['--config', 'test/zod4/jest.config.cjs', ...words.slice(1)] : words;
if (jestWords.includes('--help')) {
	const line = {
		command: isZod4 ? 'npm run test:zod4' : 'npm test',
		about: isZod4
			? 'Runs the unit and contract tests on a host whose zod is version 4.'
			: 'Installs what is missing, checks types and style, and runs the tests.',
		rest: { name: 'word', most: Infinity, about: "a folder of tests, or an option of jest's" },
	};
	cli.commandLine(line, ['--help']);
}

await ensureRootInstall();
// All at once: many tests wait for a server or a timer.
const results = await Promise.all([
	...(isZod4
		? []
		: [
				check('types', ['run', '--silent', 'typecheck']),
				check('lint', ['run', '--silent', 'lint']),
			]),
	runJest(),
]);
const passed = sum('passed');
const failed = sum('failed');
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function check(name, words) {
	const startedAt = Date.now();
	console.log(`${name} …`);
	const [status] = await once(spawn('npm', words, { cwd: rootDir, stdio: 'inherit' }), 'exit');
	const seconds = Math.round((Date.now() - startedAt) / 1000);
	console.log(`${name}: ${status === 0 ? 'clean' : 'findings above'} (${seconds} s)`);
	return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function runJest() {
	const folder = mkdtempSync(join(tmpdir(), 'kling-effects-jest-'));
	const outputFile = join(folder, 'jest.json');
	const jest = join(rootDir, 'node_modules', 'jest', 'bin', 'jest.js');
	const child = spawn(
		process.execPath,
		[jest, '--json', '--outputFile', outputFile, ...jestWords],
		{ cwd: rootDir, stdio: ['inherit', 'ignore', 'inherit'] },
	);
	const [status] = await once(child, 'exit');
	const counts = countsOf(outputFile);
	rmSync(folder, { recursive: true, force: true });
	// A suite that cannot be loaded has no failed test, but has not passed.
	const missing = status !== 0 && counts.failed === 0 ? 1 : 0;
	return { ...counts, failed: counts.failed + missing };
}

function countsOf(file) {
	try {
		const report = JSON.parse(readFileSync(file, 'utf8'));
		return { passed: report.numPassedTests, failed: report.numFailedTests };
	} catch {
		return { passed: 0, failed: 0 };
	}
}

function sum(key) {
	return results.reduce((total, result) => total + result[key], 0);
}
