import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

import { cleanEnv, run } from './process.mjs';
import { UserError } from './progress.mjs';

const countEveryMs = 1000;

function npmBesideNode() {
	const bin = dirname(process.execPath);
	return [
		join(bin, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
		join(bin, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
	];
}

function npmOnPath() {
	return (process.env.PATH ?? '')
		.split(delimiter)
		.map((dir) => join(dir, 'npm'))
		.filter((file) => existsSync(file))
		.map((file) => realpathSync(file))
		.filter((file) => file.endsWith('.js'));
}

/** npm's own script, so that it runs with this very Node, not the one on the shell's PATH. */
function npmCli() {
	const known = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.env.npm_execpath] : [];
	const found = [...known, ...npmOnPath(), ...npmBesideNode()].find((file) => existsSync(file));
	if (!found)
		throw new UserError('npm was not found. Install it with Node.js, and run this again.');
	return found;
}

/** Runs npm to its end. */
export async function npm(args, { env, ...options }) {
	await run(process.execPath, [npmCli(), ...args], { env: cleanEnv(env), ...options });
}

/** Whether npm installs a package on this machine: some exist once per processor type. */
function fits({ os, cpu, libc }) {
	const isMusl =
		process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
	const takes = (list, mine) => !list || list.includes(mine) || list.some((one) => one[0] === '!');
	return (
		takes(os, process.platform) &&
		takes(cpu, process.arch) &&
		takes(libc, isMusl ? 'musl' : 'glibc')
	);
}

/** The folders of all packages that the lock file of a folder names. */
function lockedPackages(cwd) {
	const { packages } = JSON.parse(readFileSync(join(cwd, 'package-lock.json'), 'utf8'));
	const placed = Object.entries(packages).filter(([path, one]) => path && !one.link && fits(one));
	return placed.map(([path]) => join(cwd, path, 'package.json'));
}

/** Reports each second how many of the packages are there. Returns a function that ends it. */
function countPackages(cwd, at) {
	const all = lockedPackages(cwd);
	let missing = all;
	at('fetching packages');
	const timer = setInterval(() => {
		missing = missing.filter((file) => !existsSync(file));
		const there = all.length - missing.length;
		if (there > 0) at(`${there} of ${all.length} packages`);
	}, countEveryMs);
	return () => clearInterval(timer);
}

/** `npm ci` in a folder. Tells `at` what it is doing, and how far it is. */
export async function npmCi(args, { at, ...options }) {
	const stop = countPackages(options.cwd, at);
	// The lock file holds the checksums, so npm need not request again what is in its cache.
	const quiet = [
		'--prefer-offline',
		'--no-audit',
		'--no-fund',
		'--loglevel=error',
		'--no-progress',
	];
	try {
		await npm(['ci', ...quiet, ...args], options);
	} finally {
		stop();
	}
}

/** The node-gyp that comes with every npm. */
export function nodeGyp() {
	return join(dirname(dirname(npmCli())), 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
}
