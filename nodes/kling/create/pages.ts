import type { Client } from '../client';
import type { Outcome } from '../failure';
import type { TaskRecord } from '../task';

/** With at least this many tasks to read, pages of the list are read instead. */
const listFrom = 10;

/**
 * The same client for a retry, which asks for the tasks of up to `count` creates at once: its `get`
 * reads them by pages of the account's list. What these do not show is asked for by itself.
 */
export function readingByPages(client: Client, count: number): Client {
	if (!client.provider.list || count < listFrom) return client;
	const pages = new Pages(client, count);
	const get = async (taskId: string) => await pages.get(taskId);
	return Object.create(client, { get: { value: get } }) as Client;
}

class Pages {
	private readonly shown = new Map<string, Outcome<TaskRecord>>();
	/** Tasks that were asked for. */
	private asked = 0;
	/** Pages that were read. */
	private pages = 0;
	/** The last page worth reading: the order of the list is not documented. */
	private readonly lastPage: number;
	private reading: Promise<void> | null = null;

	constructor(
		private readonly client: Client,
		count: number,
	) {
		// One more, for tasks that others have made since.
		this.lastPage = Math.min(Math.ceil(count / client.largestPage) + 1, client.lastPage);
	}

	async get(taskId: string): Promise<Outcome<TaskRecord>> {
		// A retry that has only a few to read needs no page of hundreds.
		if (++this.asked < listFrom) return await this.client.get(taskId);
		while (!this.shown.has(taskId) && this.pages < this.lastPage) {
			this.reading ??= this.readPage().finally(() => {
				this.reading = null;
			});
			await this.reading;
		}
		return this.shown.get(taskId) ?? (await this.client.get(taskId));
	}

	private async readPage(): Promise<void> {
		const outcome = await this.client.listOnce(this.pages + 1);
		const { records, rows } = outcome.ok ? outcome.value : { records: [], rows: 0 };
		for (const value of records) this.shown.set(value.task.taskId, { ...outcome, ok: true, value });
		const isLast = rows < this.client.largestPage;
		this.pages = isLast ? this.lastPage : this.pages + 1;
	}
}
