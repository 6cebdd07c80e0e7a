import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { control } from './control';
import { klingAccessKeys, klingKeys } from './providers/kling';
import { isLocal } from './clips/photos';
import type { Provider, SandboxSettings } from './providers/provider';
import { sampleFolder } from './samples';
import { serve } from './server';
import { State } from './state';
import type {
	ActiveOptions,
	CallbackRecord,
	Charge,
	Fault,
	ProviderName,
	RequestRecord,
	Sandbox,
	SandboxKeys,
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
	ProviderName,
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

export type { SandboxSettings } from './providers/provider';

/** Starts the five providers, and those that the settings bring, on 127.0.0.1. */
export async function startSandbox(settings: SandboxSettings = {}): Promise<Sandbox> {
	const sandbox = new RunningSandbox(new State(settings));
	await sandbox.listen();
	return sandbox;
}

class RunningSandbox implements Sandbox {
	readonly options: ActiveOptions;
	readonly charges: Charge[];
	readonly requests: RequestRecord[];
	readonly tasks: SandboxTask[];
	readonly callbackLog: CallbackRecord[];
	readonly providers: Sandbox['providers'];
	readonly keys: Sandbox['keys'];
	readonly #server: Server;
	/** Number of answers so far: their Date headers take turns. */
	#answers = 0;

	constructor(private readonly state: State) {
		this.options = state.options;
		this.charges = state.store.charges;
		this.requests = state.requests;
		this.tasks = state.store.tasks;
		this.callbackLog = state.callbacks.log;
		this.providers = state.providers.map(({ name, displayName }) => ({ name, displayName }));
		this.keys = {
			...(Object.fromEntries(
				state.providers.map(({ name, mounts }) => [name, mounts[0].keys]),
			) as Record<SandboxProvider, SandboxKeys>),
			klingChina: klingKeys.china,
			klingAccess: klingAccessKeys.global,
			klingChinaAccess: klingAccessKeys.china,
		};
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

	baseUrl(name: ProviderName, region: SandboxRegion = 'global'): string {
		return this.url + this.#mount(name, region).prefix;
	}

	credential(name: ProviderName, overrides: Record<string, unknown> = {}): Record<string, unknown> {
		const { mounts } = this.state.provider(name);
		const { prefix, keys } = mounts.find(({ region }) => region === overrides.region) ?? mounts[0];
		return {
			provider: name,
			region: 'global',
			authentication: 'apiKey',
			apiKey: keys.main,
			accessKey: '',
			secretKey: '',
			baseUrl: this.url + prefix,
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

	seedTasks(name: ProviderName, tasks: Array<Partial<SandboxTask>>): void {
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
		await this.state.clips.close();
		await new Promise<void>((resolve) => {
			this.#server.close(() => resolve());
			this.#server.closeAllConnections();
		});
	}

	#mount(name: ProviderName, region: SandboxRegion): Provider['mounts'][number] {
		const mount = this.state.provider(name).mounts.find((one) => one.region === region);
		if (!mount) throw new Error(`${name} has no region ${region}`);
		return mount;
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		response.setHeader('date', new Date(this.options.now() + this.#nextSkew()).toUTCString());
		response.on('error', () => {});
		try {
			const stranger = strangerIn(request);
			if (stranger) return send(response, answer(403, { message: stranger }));
			const url = new URL(`http://sandbox${request.url ?? '/'}`);
			const isControl =
				url.pathname.startsWith('/_sandbox') && !url.pathname.startsWith(sampleFolder);
			if (isControl) await control(this, request, response, url);
			else await serve(this.state, request, response, url);
		} catch (error) {
			if (response.headersSent || response.destroyed) return;
			send(response, answer(500, { message: `Sandbox error: ${(error as Error).message}` }));
		}
	}

	#nextSkew(): number {
		const { dateSkewsMs } = this.options;
		this.#answers += 1;
		return dateSkewsMs[(this.#answers - 1) % dateSkewsMs.length] ?? 0;
	}
}

/**
 * Why a request is not for this sandbox. A web page that is open in a browser on this machine could
 * otherwise steer it: by a request of its own, or under a name of its own that points to 127.0.0.1.
 */
function strangerIn({ headers }: IncomingMessage): string | undefined {
	if (!isLocalAddress(`http://${headers.host ?? ''}`)) {
		return `The sandbox answers to localhost only, not to ${headers.host}`;
	}
	const { origin } = headers;
	if (origin === undefined || isLocalAddress(origin)) return undefined;
	return `The sandbox takes no requests from pages of ${origin}`;
}

function isLocalAddress(address: string): boolean {
	return URL.canParse(address) && isLocal(new URL(address));
}
