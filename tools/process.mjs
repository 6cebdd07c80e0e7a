import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { UserError } from './progress.mjs';

const logTailLines = 25;
const running = new Set();

/** The variables of this process without those that would configure n8n, or npm for another package. */
export function cleanEnv(extra = {}) {
	const unwanted =
		/^(npm_(lifecycle|package|config_(local_prefix|global_prefix|prefix|noproxy)|node|command|execpath)|N8N_|DB_|QUEUE_|EXECUTIONS_|NODE_OPTIONS|NODE_ENV|NODE_TEST_CONTEXT|INIT_CWD)/;
	const kept = Object.entries(process.env).filter(([name]) => !unwanted.test(name));
	return { ...Object.fromEntries(kept), ...extra };
}

/** The last lines of a log file, for error messages. */
export function logTail(file, lines = logTailLines) {
	if (!existsSync(file)) return '';
	return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

/** An error message that ends with what the log says and where the whole log is. */
export function withLog(message, logFile) {
	return `${message}\n\n${logTail(logFile)}\n\nThe whole log: ${logFile}`;
}

/** Starts a program in its own process group, with all its output in a log file. */
export function spawnLogged(command, args, { cwd, env, logFile }) {
	const log = openSync(logFile, 'a');
	const options = { cwd, env: env ?? cleanEnv(), stdio: ['ignore', log, log] };
	const child = spawn(command, args, { ...options, detached: process.platform !== 'win32' });
	closeSync(log);
	return track(child);
}

function track(child) {
	running.add(child);
	child.exited = new Promise((resolve) => {
		const done = (result) => {
			running.delete(child);
			resolve(result);
		};
		child.once('error', (error) => done({ error }));
		child.once('exit', (code, signal) => done({ code, signal }));
	});
	return child;
}

/** Runs a program to its end. Throws with the end of its log if it fails or takes too long. */
export async function run(command, args, { timeoutMs, failure, ...options }) {
	const child = spawnLogged(command, args, options);
	const timer = timeoutMs ? setTimeout(() => signalGroup(child, 'SIGKILL'), timeoutMs) : undefined;
	const result = await child.exited;
	clearTimeout(timer);
	if (result.code === 0) return;
	const why = result.error?.message ?? (result.signal ? `ended by ${result.signal}` : undefined);
	const what = failure ?? `"${[command, ...args].join(' ')}" failed`;
	throw new UserError(withLog(`${what} (${why ?? `exit code ${result.code}`})`, options.logFile));
}

function signalGroup(child, signal) {
	if (child.pid === undefined) return;
	try {
		process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal);
	} catch (error) {
		if (error.code !== 'ESRCH') throw error;
	}
}

/** Ends a program and everything it started: asks first, and kills after `graceMs`. */
export async function stop(child, graceMs = 15_000) {
	if (running.has(child)) {
		signalGroup(child, 'SIGTERM');
		const ended = await Promise.race([child.exited, delay(graceMs, 'late', { ref: false })]);
		if (ended === 'late') signalGroup(child, 'SIGKILL');
	}
	// What the program started may outlive it, so the group is always told to end.
	signalGroup(child, 'SIGKILL');
	return await child.exited;
}

/** Ends a program at once, as a crash or a power cut would. */
export async function kill(child) {
	signalGroup(child, 'SIGKILL');
	return await child.exited;
}

/** Waits until `check` returns something truthy. Fails at once if the child has ended instead. */
export async function waitUntil(check, { child, timeoutMs, intervalMs = 200, describe }) {
	const deadline = Date.now() + timeoutMs;
	let lastError;
	while (Date.now() < deadline) {
		if (child && !running.has(child)) throw new UserError(`${describe} ended before it was ready`);
		try {
			const value = await check();
			if (value) return value;
		} catch (error) {
			lastError = error;
		}
		await delay(intervalMs);
	}
	const reason = lastError ? `: ${lastError.message}` : '';
	throw new UserError(`${describe}: not within ${timeoutMs / 1000} s${reason}`);
}

/** A port that is free right now. */
export async function freePort() {
	return await new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', reject);
		server.listen(0, '127.0.0.1', () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
}

/** Whether nothing listens on this port. */
export async function isPortFree(port) {
	return await new Promise((resolve) => {
		const server = createServer();
		server.once('error', () => resolve(false));
		server.listen(port, () => server.close(() => resolve(true)));
	});
}

// Nothing that was started may outlive this process, however it ends.
process.on('exit', () => {
	for (const child of running) signalGroup(child, 'SIGKILL');
});
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
	process.on(signal, () => {
		// A listener that cleans up (`npm run dev`) decides itself when to end.
		if (process.listenerCount(signal) === 1) process.exit(code);
	});
}
