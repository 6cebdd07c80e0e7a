import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

import { cleanEnv, run } from './process.mjs';
import { UserError } from './progress.mjs';

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

/** npm's own script, so that it runs with this very Node whatever the shell's PATH says. */
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

/** The node-gyp that every npm carries. */
export function nodeGyp() {
	return join(dirname(dirname(npmCli())), 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
}
