import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ensureN8n } from './install.mjs';
import { makeTempDir } from './paths.mjs';
import { cleanEnv, freePort, kill, spawnLogged, stop, waitUntil, withLog } from './process.mjs';
import { UserError } from './progress.mjs';
import { N8nRest } from './rest.mjs';

const startTimeoutMs = 180_000;

/** None of this may talk to the internet, ask questions or depend on the machine's settings. */
const quietSettings = {
	N8N_DIAGNOSTICS_ENABLED: 'false',
	N8N_DIAGNOSTICS_CONFIG_FRONTEND: '',
	N8N_DIAGNOSTICS_CONFIG_BACKEND: '',
	N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
	N8N_TEMPLATES_ENABLED: 'false',
	N8N_PERSONALIZATION_ENABLED: 'false',
	N8N_HIRING_BANNER_ENABLED: 'false',
	N8N_DYNAMIC_BANNERS_ENABLED: 'false',
	N8N_VERIFIED_PACKAGES_ENABLED: 'false',
	N8N_LICENSE_AUTO_RENEW_ENABLED: 'false',
	EXTERNAL_FRONTEND_HOOKS_URLS: '',
	N8N_SECURE_COOKIE: 'false',
	N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS: 'false',
	N8N_RUNNERS_ENABLED: 'false',
	GENERIC_TIMEZONE: 'UTC',
	NO_PROXY: 'localhost,127.0.0.1',
};

const ofLine = {
	// The default engine of line 1 is a native module that does not compile on Node.js 20.
	1: { N8N_EXPRESSION_ENGINE: 'legacy', DB_SQLITE_POOL_SIZE: '2' },
	// Both modules call the internet at start.
	2: { N8N_DISABLED_MODULES: 'mcp-registry,instance-ai' },
};

/** Encrypts n8n's credentials. Any text will do, but main and workers need the same. */
const encryptionKey = 'kling-effects-end-to-end';

function stripForUser(manifest) {
	const unwanted = ['devDependencies', 'peerDependencies', 'optionalDependencies'];
	return Object.fromEntries(Object.entries(manifest).filter(([key]) => !unwanted.includes(key)));
}

function readJson(file) {
	return JSON.parse(readFileSync(file, 'utf8'));
}

/** Puts a packed community package where n8n's own installer ("Settings > Community nodes") puts it. */
export function installPackage(tarball, userFolder) {
	const nodesDir = join(userFolder, '.n8n', 'nodes');
	const draft = join(nodesDir, 'unpacked');
	rmSync(draft, { recursive: true, force: true });
	mkdirSync(draft, { recursive: true });
	const { status, stderr } = spawnSync('tar', ['-xzf', tarball, '-C', draft]);
	if (status !== 0) throw new UserError(`${tarball} could not be unpacked: ${stderr}`);

	const manifest = readJson(join(draft, 'package', 'package.json'));
	const target = join(nodesDir, 'node_modules', manifest.name);
	rmSync(target, { recursive: true, force: true });
	mkdirSync(join(target, '..'), { recursive: true });
	renameSync(join(draft, 'package'), target);
	rmSync(draft, { recursive: true });
	writeFileSync(join(target, 'package.json'), JSON.stringify(stripForUser(manifest), null, 2));
	const installed = { name: 'installed-nodes', private: true, dependencies: {} };
	writeFileSync(join(nodesDir, 'package.json'), JSON.stringify(installed, null, 2));
}

/** A running n8n process: a main instance, a queue worker or a webhook process. */
export class N8nServer {
	constructor(settings) {
		Object.assign(this, settings);
		this.url = `http://localhost:${this.port}`;
		/** Pictures and other files that workflows may read and write. */
		this.filesDir = join(this.userFolder, 'files');
		this.logFile = join(this.userFolder, `${this.command}-${this.port}.log`);
		this.rest = new N8nRest(this.url);
	}

	/** Starts the process and waits until it serves requests. */
	async start() {
		mkdirSync(this.filesDir, { recursive: true });
		writeFileSync(this.logFile, '', { flag: 'a' });
		const { nodeBinary, bin, dir } = this.install;
		this.child = spawnLogged(nodeBinary, [bin, this.command, ...this.args], {
			cwd: dir,
			env: await this.#env(),
			logFile: this.logFile,
		});
		try {
			const describe = `n8n ${this.install.version}`;
			const options = { child: this.child, timeoutMs: startTimeoutMs, describe };
			await waitUntil(async () => await this.#isReady(), options);
		} catch (error) {
			await this.stop();
			throw new UserError(withLog(error.message, this.logFile));
		}
		return this;
	}

	/** Stops the process as a service manager would, and waits until it is gone. */
	async stop() {
		if (this.child) await stop(this.child);
	}

	/** Kills the process, like a crash. */
	async kill() {
		if (this.child) await kill(this.child);
	}

	/** Restarts on the same user folder: workflows, executions and the login are still there. */
	async restart() {
		await this.stop();
		return await this.start();
	}

	/** Stops, and removes the user folder. */
	async dispose() {
		await this.stop();
		rmSync(this.userFolder, { recursive: true, force: true, maxRetries: 3 });
	}

	async #env() {
		const broker = await freePort();
		return cleanEnv({
			...quietSettings,
			...ofLine[this.line],
			NODE_ENV: 'production',
			N8N_USER_FOLDER: this.userFolder,
			N8N_ENCRYPTION_KEY: encryptionKey,
			N8N_LISTEN_ADDRESS: '127.0.0.1',
			N8N_PORT: String(this.port),
			N8N_RUNNERS_BROKER_PORT: String(broker),
			N8N_RESTRICT_FILE_ACCESS_TO: this.filesDir,
			WEBHOOK_URL: `${this.url}/`,
			...(this.binaryDataMode && { N8N_DEFAULT_BINARY_DATA_MODE: this.binaryDataMode }),
			...(this.command === 'worker' && {
				QUEUE_HEALTH_CHECK_ACTIVE: 'true',
				QUEUE_HEALTH_CHECK_PORT: String(this.port),
			}),
			...this.env,
		});
	}

	async #isReady() {
		const healthy = await fetch(`http://127.0.0.1:${this.port}/healthz/readiness`);
		if (!healthy.ok) return false;
		if (this.command !== 'start') return true;
		// While it starts, n8n answers every path with a page that says so.
		const settings = await fetch(`http://127.0.0.1:${this.port}/rest/settings`);
		const isJson = settings.headers.get('content-type')?.includes('application/json');
		return settings.ok && isJson && Boolean((await settings.json()).data);
	}
}

/**
 * Prepares a real n8n of this line; `start()` starts it.
 *
 * - `tarball`: a packed community package to have in it
 * - `userFolder`: an existing one to continue with; a new temporary one otherwise
 * - `port`: a fixed port; a free one otherwise
 * - `command`, `args`: `start` (default), `worker` or `webhook`, and its arguments
 * - `env`: further environment variables, e.g. for queue mode
 * - `binaryDataMode`: `default` (memory), `filesystem` or `database`; n8n's own choice otherwise
 */
export async function prepareN8n(line, { tarball, userFolder, port, ...options } = {}) {
	const install = await ensureN8n(line);
	const folder = userFolder ?? makeTempDir(`n8n-${line}`);
	if (tarball && !existsSync(tarball)) throw new UserError(`There is no ${tarball}`);
	if (tarball) installPackage(tarball, folder);
	const settings = { line, install, userFolder: folder, port: port ?? (await freePort()) };
	return new N8nServer({ command: 'start', args: [], env: {}, ...options, ...settings });
}

/** Starts a real n8n with an owner and a logged-in REST client. Options as for `prepareN8n`. */
export async function startN8n(line, options) {
	const server = await prepareN8n(line, options);
	await server.start();
	if (server.command === 'start') await server.rest.login();
	return server;
}
