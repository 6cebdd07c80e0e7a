import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { control } from './control';
import { providers } from './providers';
import { klingAccessKeys, klingKeys } from './providers/kling';
import { serve } from './server';
import { State } from './state';
import type {
	ActiveOptions,
	CallbackRecord,
	Charge,
	Fault,
	RequestRecord,
	Sandbox,
	SandboxKeys,
	SandboxOptions,
	SandboxProvider,
	SandboxRegion,
	SandboxTask,
} from './types';
import { answer, send } from './wire';

export type {
	ActiveOptions,
	CallbackRecord,
	Charge,
	Fault,
	FaultKind,
	RequestRecord,
	Sandbox,
	SandboxAccessKeys,
	SandboxKeys,
	SandboxOperation,
	SandboxOptions,
	SandboxProvider,
	SandboxRegion,
	SandboxStatus,
	SandboxTask,
} from './types';

/** Starts the five providers on 127.0.0.1. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
	const sandbox = new RunningSandbox(new State(options));
	await sandbox.listen();
	return sandbox;
}

class RunningSandbox implements Sandbox {
	readonly options: ActiveOptions;
	readonly charges: Charge[];
	readonly requests: RequestRecord[];
	readonly tasks: SandboxTask[];
	readonly callbackLog: CallbackRecord[];
	readonly keys = {
		...(Object.fromEntries(providers.map(({ name, keys }) => [name, keys])) as Record<
			SandboxProvider,
			SandboxKeys
		>),
		klingChina: klingKeys.china,
		klingAccess: klingAccessKeys.global,
		klingChinaAccess: klingAccessKeys.china,
	};
	readonly #server: Server;

	constructor(private readonly state: State) {
		this.options = state.options;
		this.charges = state.store.charges;
		this.requests = state.requests;
		this.tasks = state.store.tasks;
		this.callbackLog = state.callbacks.log;
		this.#server = createServer((request, response) => {
			void this.#answer(request, response);
		});
		// Idle connections outlive the pauses between polls; long streams are never cut off.
		this.#server.keepAliveTimeout = 60_000;
		this.#server.requestTimeout = 0;
	}

	get url(): string {
		return this.state.url;
	}

	async listen(): Promise<void> {
		await new Promise<void>((resolve, reject) => {
			this.#server.once('error', reject);
			this.#server.listen(this.options.port, '127.0.0.1', resolve);
		});
		const { port } = this.#server.address() as AddressInfo;
		this.options.port = port;
		this.state.url = `http://127.0.0.1:${port}`;
	}

	baseUrl(name: SandboxProvider, region: SandboxRegion = 'global'): string {
		const { mounts } = this.state.provider(name);
		const mount = mounts.find((one) => one.region === region);
		if (!mount) throw new Error(`${name} has no region ${region}`);
		return this.url + mount.prefix;
	}

	credential(
		name: SandboxProvider,
		overrides: Record<string, unknown> = {},
	): Record<string, unknown> {
		const isChina = name === 'kling' && overrides.region === 'china';
		return {
			provider: name,
			region: 'global',
			authentication: 'apiKey',
			apiKey: (isChina ? this.keys.klingChina : this.keys[name]).main,
			accessKey: '',
			secretKey: '',
			baseUrl: this.baseUrl(name, isChina ? 'china' : 'global'),
			...overrides,
		};
	}

	accessKeyCredential(overrides: Record<string, unknown> = {}): Record<string, unknown> {
		const { klingAccess, klingChinaAccess } = this.keys;
		const pair = overrides.region === 'china' ? klingChinaAccess.main : klingAccess.main;
		return this.credential('kling', {
			authentication: 'accessKey',
			apiKey: '',
			...pair,
			...overrides,
		});
	}

	addFault(fault: Fault): () => void {
		return this.state.faults.add(fault);
	}

	clearFaults(): void {
		this.state.faults.clear();
	}

	seedTasks(name: SandboxProvider, tasks: Array<Partial<SandboxTask>>): void {
		const { newTaskId } = this.state.provider(name);
		for (const fields of tasks) {
			const task = this.state.store.seed(name, fields, () => newTaskId(this.options));
			if (!task.isOver) this.state.callbacks.watch(task);
		}
	}

	finish(taskId: string, status: 'succeed' | 'failed', message?: string): void {
		this.state.store.finish(taskId, status, message);
	}

	async sendCallback(taskId: string, body?: unknown): Promise<CallbackRecord> {
		const task = this.state.store.find(taskId);
		if (!task) throw new Error(`There is no task ${taskId}`);
		return await this.state.callbacks.send(task, body);
	}

	reset(): void {
		this.state.clear();
	}

	async close(): Promise<void> {
		this.state.callbacks.stop();
		await new Promise<void>((resolve) => {
			this.#server.close(() => resolve());
			this.#server.closeAllConnections();
		});
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		response.setHeader('date', new Date(this.options.now()).toUTCString());
		response.on('error', () => {});
		try {
			const url = new URL(`http://sandbox${request.url ?? '/'}`);
			const isControl =
				url.pathname.startsWith('/_sandbox') && !url.pathname.startsWith('/_sandbox/images/');
			if (isControl) await control(this, request, response, url);
			else await serve(this.state, request, response, url);
		} catch (error) {
			if (response.headersSent || response.destroyed) return;
			send(response, answer(500, { message: `Sandbox error: ${(error as Error).message}` }));
		}
	}
}
