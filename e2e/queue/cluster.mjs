import { existsSync, readFileSync } from 'node:fs';

import { prepareN8n } from '../../tools/n8n.mjs';

/** Executions that one worker runs at once; two workers hold all of a test's. */
const workerConcurrency = 6;

/**
 * One main, one webhook process and two workers, each with a folder of its own as on machines of their own: what they
 * share is PostgreSQL, Redis and the encryption key.
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
		// Where callbacks go is the address of the webhook process.
		const everywhere = { ...env, WEBHOOK_URL: `${this.webhooks.url}/` };
		this.#options = { tarball, env: everywhere };
		this.main = await prepareN8n(this.#line, this.#options);
		// Main makes the tables, so the others come after it.
		await this.main.start();
		await this.webhooks.start();
		this.workers = [await this.#prepareWorker(), await this.#prepareWorker()];
		const starts = this.workers.map(async (worker) => await worker.start());
		await Promise.all([this.main.rest.login(), ...starts]);
	}

	/** Starts a new worker for a dead one, with nothing of its folder, as where workers are containers.
	 * `more` is for its environment.
	 */
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

/** What a worker's log says that it has begun: `{ executionId, jobId }`, in order. */
export function startsOf(worker) {
	if (!existsSync(worker.logFile)) return [];
	const log = readFileSync(worker.logFile, 'utf8');
	const starts = log.matchAll(/Worker started execution (\d+) \(job (\d+)\)/g);
	return [...starts].map(([, executionId, jobId]) => ({ executionId, jobId }));
}
