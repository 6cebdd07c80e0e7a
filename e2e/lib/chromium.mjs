import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { logDir } from '../../tools/paths.mjs';
import { cleanEnv, run } from '../../tools/process.mjs';
import { step, UserError } from '../../tools/progress.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const usualBrowser = '/usr/bin/chromium';
const installTimeoutMs = 10 * 60_000;

const howToInstall =
	'Install it (Debian: "apt-get install chromium"), or set CHROMIUM_PATH to the program of a ' +
	'Chromium or Chrome that is on this machine.';

/** None of this talks to the internet: only this machine's address resolves. */
const args = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];

function onPath(name) {
	const dirs = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
	return dirs.map((dir) => join(dir, name)).find((file) => existsSync(file));
}

function findChromium() {
	const given = process.env.CHROMIUM_PATH;
	if (given && !existsSync(given))
		throw new UserError(`CHROMIUM_PATH: there is no ${given}. ${howToInstall}`);
	if (given) return given;
	return existsSync(usualBrowser) ? usualBrowser : names.map(onPath).find(Boolean);
}

async function aptGet(args, logFile) {
	await run('apt-get', args, {
		env: cleanEnv({ DEBIAN_FRONTEND: 'noninteractive' }),
		logFile,
		timeoutMs: installTimeoutMs,
		failure: `Chromium could not be installed. ${howToInstall}`,
	});
}

async function install() {
	const logFile = join(logDir(), 'install-chromium.log');
	writeFileSync(logFile, '');
	await step('Chromium (apt-get install)', async (at) => {
		at('package lists');
		await aptGet(['update', '--quiet'], logFile);
		at('Chromium and its dependencies');
		await aptGet(['install', '--yes', '--quiet', '--no-install-recommends', 'chromium'], logFile);
	});
}

/**
 * The path of a Chromium or Chrome. Installs Debian's if there is none and this process may do so (root,
 * with apt-get).
 *
 * @throws UserError that says what to install
 */
export async function ensureChromium() {
	const found = findChromium();
	if (found) return found;
	const mayInstall = process.getuid?.() === 0 && onPath('apt-get');
	if (mayInstall) await install();
	const installed = mayInstall ? findChromium() : undefined;
	if (!installed)
		throw new UserError(`The editor needs Chromium, and none was found. ${howToInstall}`);
	return installed;
}

/** A headless browser with a new, empty profile. */
export async function launchChromium() {
	const executablePath = await ensureChromium();
	const { chromium } = await import('playwright-core');
	return await chromium.launch({ executablePath, args: args, headless: true });
}
