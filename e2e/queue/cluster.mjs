import { existsSync, readFileSync } from 'node:fs';

import { prepareN8n } from '../../tools/n8n.mjs';

/** How many executions one worker runs at once; two workers can take all of a test's. */
const workerConcurrency = 6;

/**
 * One main, one webhook process and two workers, each with its own folder as on separate machines: they
 * share PostgreSQL, Redis and the encryption key.
 */
export class Cluster {
	workers = [];
	#line;
	#options;

	constructor(line, { tarball, env }) {
		this.#line = line;
		this.#options = { tarball, env };
	}

	async start() {
		const { tarball, env } = this.#options;
		this.webhooks = await prepareN8n(this.#line, { tarball, command: 'webhook', env });
		// Callbacks go to the address of the webhook process.
		const everywhere = { ...env, WEBHOOK_URL: `${this.webhooks.url}/` };
		this.#options = { tarball, env: everywhere };
		this.main = await prepareN8n(this.#line, this.#options);
		// Main creates the tables, so the others start after it.
		await this.main.start();
		await this.webhooks.start();
		this.workers = [await this.#prepareWorker(), await this.#prepareWorker()];
		const starts = this.workers.map(async (worker) => await worker.start());
		await Promise.all([this.main.rest.login(), ...starts]);
	}

	/** Starts a new worker for a dead one, with an empty folder, as with containers, and more in its environment. */
	async replace(dead, more = {}) {
		const worker = await this.#prepareWorker(more);
		this.workers[this.workers.indexOf(dead)] = worker;
		await Promise.all([worker.start(), dead.dispose()]);
	}

	async dispose() {
		const servers = [this.main, this.webhooks, ...this.workers].filter(Boolean);
		await Promise.all(servers.map(async (server) => await server.dispose()));
	}

	async #prepareWorker(more = {}) {
		const { tarball, env } = this.#options;
		return await prepareN8n(this.#line, {
			tarball,
			command: 'worker',
			args: [`--concurrency=${workerConcurrency}`],
			env: { ...env, ...more },
		});
	}
}

/** What a worker has started according to its log: `{ executionId, jobId }`, in order. */
export function startsOf(worker) {
	if (!existsSync(worker.logFile)) return [];
	const log = readFileSync(worker.logFile, 'utf8');
	const starts = log.matchAll(/Worker started execution (\d+) \(job (\d+)\)/g);
	return [...starts].map(([, executionId, jobId]) => ({ executionId, jobId }));
}
