// npm run test:n8n-node: n8n's own tool for community packages, on a copy of what git has.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { copyManifest, ensureCached, fingerprint } from './cached.mjs';
import cli from './cli.cjs';
import { npm, npmCi } from './npm.mjs';
import { ensureRootInstall } from './pack.mjs';
import { logDir, makeTempDir, rootDir } from './paths.mjs';
import { run } from './process.mjs';
import { main, say, step } from './progress.mjs';

cli.commandLine({
	command: 'npm run test:n8n-node',
	about: "Runs lint and build of n8n's own tool, n8n-node. Installs it if it is missing.",
});

const folder = join(import.meta.dirname, 'n8n-node');
/** What n8n's rules are for. */
const published = ['nodes', 'credentials', 'package.json'];

/** The tool, in the cache: it needs an override, which this package must not have. */
async function ensureTool() {
	const name = `n8n-node-${fingerprint(folder, process.platform, process.arch)}`;
	return await ensureCached(name, "n8n's own tool", async (draft, at) => {
		copyManifest(folder, draft);
		const logFile = logFileOf('install-n8n-node');
		await npmCi(['--ignore-scripts'], { cwd: draft, at, logFile, failure: 'npm ci failed' });
	});
}

function logFileOf(name) {
	const logFile = join(logDir(), `${name}.log`);
	writeFileSync(logFile, '');
	return logFile;
}

/** What a clone would contain if everything were committed, with this one's development tools. */
function makeClone() {
	const clone = makeTempDir('clone');
	const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
	const listed = execFileSync('git', args, { cwd: rootDir, encoding: 'utf8' }).split('\0');
	for (const file of listed.filter((name) => name && existsSync(join(rootDir, name)))) {
		mkdirSync(dirname(join(clone, file)), { recursive: true });
		cpSync(join(rootDir, file), join(clone, file));
	}
	symlinkSync(join(rootDir, 'node_modules'), join(clone, 'node_modules'), 'junction');
	return clone;
}

const filesIn = (path) =>
	readdirSync(path, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
		.sort();

/** Runs a command of the tool; it throws unless that ends with 0. */
async function runTool(tool, clone, command) {
	const cliFile = join(tool, 'node_modules', '@n8n', 'node-cli', 'bin', 'n8n-node.mjs');
	const logFile = logFileOf(`n8n-node-${command}`);
	await run(process.execPath, [cliFile, command], {
		cwd: clone,
		logFile,
		failure: `n8n-node ${command} does not end with 0`,
	});
}

async function buildsTheSame(tool, clone) {
	const logFile = logFileOf('build');
	await npm(['run', 'build'], { cwd: clone, logFile, failure: 'npm run build failed' });
	const [ours, theirs] = ['dist', 'dist-of-n8n-node'].map((name) => join(clone, name));
	cpSync(ours, theirs, { recursive: true });
	const expected = new Map(filesIn(theirs).map((name) => [name, join(theirs, name)]));
	assert.ok(expected.size > 50, 'npm run build makes files');
	await runTool(tool, clone, 'build');
	for (const [name, file] of expected) {
		assert.ok(existsSync(join(ours, name)), `n8n-node build leaves out ${name}`);
		const texts = [file, join(ours, name)].map((path) => readFileSync(path, 'utf8'));
		const isJson = name.endsWith('.json');
		const [ofUs, ofTool] = isJson ? texts.map((text) => JSON.parse(text)) : texts;
		assert.deepEqual(ofTool, ofUs, `n8n-node build makes another ${name}`);
	}
}

/** ESLint of a folder's packages, with a configuration for the clone. */
function eslintOf(packages, cwd, overrideConfigFile) {
	const { ESLint } = createRequire(join(packages, 'package.json'))('eslint');
	return new ESLint({ cwd, ...(overrideConfigFile && { overrideConfigFile }) });
}

/** The configuration that `n8n-node new` writes, next to the tool, where its import is found. */
function defaultConfig(tool) {
	const template = 'node_modules/@n8n/node-cli/dist/template/templates/shared/default';
	const file = join(tool, 'eslint.config.mjs');
	cpSync(join(tool, template, 'eslint.config.mjs'), file);
	return file;
}

async function passesDefaultConfig(tool, clone) {
	const results = await eslintOf(tool, clone, defaultConfig(tool)).lintFiles(published);
	const findings = results.flatMap(({ filePath, messages }) =>
		messages.map(({ line, ruleId, message }) => `${filePath}:${line} ${ruleId} ${message}`),
	);
	assert.ok(results.length > 50, 'files are linted');
	assert.deepEqual(findings, []);
}

/** Which of the tool's rules are missing or weaker here, for one file. */
async function weakerRules(tool, clone, file) {
	const configs = [eslintOf(tool, clone, defaultConfig(tool)), eslintOf(rootDir, clone)];
	const [theirs, ours] = await Promise.all(
		configs.map(async (eslint) => (await eslint.calculateConfigForFile(file)).rules),
	);
	const isHeld = ([name, [severity, ...options]]) => {
		const [ownSeverity = 0, ...own] = ours[name] ?? [];
		return ownSeverity >= severity && JSON.stringify(own) === JSON.stringify(options);
	};
	const switchedOn = Object.entries(theirs).filter(([, [severity]]) => severity > 0);
	assert.ok(switchedOn.length > 20, `n8n's tool has rules for ${file}`);
	return switchedOn.filter((rule) => !isHeld(rule)).map(([name]) => `${file}: ${name}`);
}

async function holdsItsRules(tool, clone) {
	const files = filesIn(clone).filter((name) => /^(nodes|credentials)\/.*\.ts$/.test(name));
	const weaker = await Promise.all(
		[...files, 'package.json'].map((file) => weakerRules(tool, clone, file)),
	);
	assert.deepEqual(weaker.flat(), []);
}

const checks = {
	'n8n-node lint ends with 0': async (tool, clone) => runTool(tool, clone, 'lint'),
	'n8n-node build ends with 0, and makes what npm run build makes': buildsTheSame,
	"what is published passes the tool's default configuration": passesDefaultConfig,
	'eslint.config.mjs holds each rule of that configuration for what is published': holdsItsRules,
};

await main(async () => {
	await ensureRootInstall();
	const tool = await ensureTool();
	const clone = makeClone();
	const counts = { passed: 0, failed: 0 };
	for (const [name, check] of Object.entries(checks)) {
		try {
			await step(name, async () => check(tool, clone));
			counts.passed++;
		} catch (error) {
			say(`\n${error.message}\n`);
			counts.failed++;
		}
	}
	rmSync(clone, { recursive: true, force: true });
	say(`\n${counts.passed} passed, ${counts.failed} failed`);
	return counts.failed > 0 ? 1 : 0;
});
