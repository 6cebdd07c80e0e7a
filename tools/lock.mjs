import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 500;
/** Longer than any install takes: a lock this old was left by another machine or container. */
const staleAfterMs = 45 * 60_000;

function tryAcquire(file) {
	// A hard link appears with its content, so a half-written lock is never read.
	const mine = `${file}.${process.pid}`;
	writeFileSync(mine, String(process.pid));
	try {
		linkSync(mine, file);
		return true;
	} catch (error) {
		if (error.code !== 'EEXIST') throw error;
		return false;
	} finally {
		rmSync(mine, { force: true });
	}
}

function isAlive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error.code === 'EPERM';
	}
}

function dropIfAbandoned(file) {
	try {
		const pid = Number(readFileSync(file, 'utf8'));
		const age = Date.now() - statSync(file).mtimeMs;
		if (isAlive(pid) && age < staleAfterMs) return;
		const aside = `${file}.abandoned.${process.pid}`;
		renameSync(file, aside);
		rmSync(aside, { force: true });
	} catch (error) {
		if (error.code !== 'ENOENT') throw error;
	}
}

/**
 * Runs `work` while no other process does the same. The lock only saves double work: what it guards
 * is written aside and renamed, so even two owners could do no harm.
 */
export async function withLock(file, work, onWait = () => {}) {
	while (!tryAcquire(file)) {
		onWait();
		dropIfAbandoned(file);
		await delay(pollMs);
	}
	try {
		return await work();
	} finally {
		rmSync(file, { force: true });
	}
}
