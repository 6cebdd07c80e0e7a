import { readFileSync } from 'node:fs';

import { prepareN8n } from '../lib/n8n.mjs';

/** Executions that one worker runs at once; two workers hold all of a test's. */
const WORKER_CONCURRENCY = 6;

/**
 * One main and two workers, each with a folder of its own as on machines of their own: what they
 * share is PostgreSQL, Redis and the encryption key.
 */
export async function startCluster(line, { tarball, env }) {
	const main = await prepareN8n(line, { tarball, env });
	const prepareWorker = async () =>
		await prepareN8n(line, {
			tarball,
			command: 'worker',
			args: [`--concurrency=${WORKER_CONCURRENCY}`],
			// Where callbacks go is main's address.
			env: { ...env, WEBHOOK_URL: `${main.url}/` },
		});
	const workers = [await prepareWorker(), await prepareWorker()];
	// Main makes the tables, so the workers come after it.
	await main.start();
	await Promise.all([main.rest.login(), ...workers.map(async (worker) => await worker.start())]);
	return { main, workers };
}

export async function disposeCluster({ main, workers }) {
	await Promise.all([main, ...workers].map(async (server) => await server.dispose()));
}

/** What a worker's log says that it has begun: `{ executionId, jobId }`, in order. */
export function startsOf(worker) {
	const log = readFileSync(worker.logFile, 'utf8');
	const starts = log.matchAll(/Worker started execution (\d+) \(job (\d+)\)/g);
	return [...starts].map(([, executionId, jobId]) => ({ executionId, jobId }));
}
