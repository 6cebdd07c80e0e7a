import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Fault, RequestRecord, SandboxOptions, SandboxTask } from '../../sandbox';

/** What a measurement reads from the sandbox at its end. */
export interface SandboxState {
	tasks: SandboxTask[];
	charges: number;
}

/** The providers in their own process, so that their work does not count as n8n's. */
export class RemoteSandbox {
	private constructor(
		readonly url: string,
		readonly close: () => void,
	) {}

	static async start(): Promise<RemoteSandbox> {
		const child = fork(join(__dirname, '..', 'children', 'sandbox.ts'));
		const url = await new Promise<string>((resolve, reject) => {
			child.once('message', (message) => resolve(String(message)));
			child.once('exit', (code) => reject(new Error(`The sandbox ended with ${code}`)));
		});
		return new RemoteSandbox(url, () => child.disconnect());
	}

	/** Where Kling is. */
	get baseUrl(): string {
		return `${this.url}/kling`;
	}

	async credential(): Promise<Record<string, unknown>> {
		return await credentialAt(this.url);
	}

	/** Forgets all tasks, requests and faults, and has these options. */
	async reset(options: Limits): Promise<void> {
		await this.ask('POST', 'reset');
		const usual: Limits = { latencyMs: 0, taskSeconds: 60, parallelTasks: null, callbacks: 'off' };
		await this.ask('POST', 'options', { ...usual, ...options });
	}

	async addFault(fault: Fault): Promise<void> {
		await this.ask('POST', 'faults', fault);
	}

	async seed(tasks: Array<Partial<SandboxTask>>): Promise<void> {
		await this.ask('POST', 'seed', { provider: 'kling', tasks });
	}

	async state(): Promise<SandboxState> {
		const { full, charges } = (await this.ask('GET', 'state?full=1')) as {
			full: { tasks: SandboxTask[] };
			charges: { total: number };
		};
		return { tasks: full.tasks, charges: charges.total };
	}

	async requests(): Promise<RequestRecord[]> {
		return (await this.ask('GET', 'requests')) as RequestRecord[];
	}

	private async ask(method: string, name: string, body?: unknown): Promise<unknown> {
		const text = body === undefined ? undefined : JSON.stringify(body);
		const response = await fetch(`${this.url}/_sandbox/${name}`, { method, body: text });
		if (!response.ok) throw new Error(`Sandbox: ${await response.text()}`);
		return await response.json();
	}
}

/** The sandbox's own options, where null removes a limit. */
type Limits = Omit<SandboxOptions, 'parallelTasks'> & { parallelTasks?: number | null };

/** For our nodes, and in the same object for n8n's Bearer authentication. */
export async function credentialAt(sandboxUrl: string): Promise<Record<string, unknown>> {
	const response = await fetch(`${sandboxUrl}/_sandbox/credentials`);
	const { kling } = (await response.json()) as { kling: Record<string, unknown> };
	return { ...kling, token: kling.apiKey };
}
