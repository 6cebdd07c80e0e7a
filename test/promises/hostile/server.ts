import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { providers } from '../../../nodes/kling/providers';
import type { SandboxProvider } from '../../../sandbox';

/** What a server does with each request. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on localhost that misbehaves as told, and counts requests. */
export class HostileServer {
	behaviour: Behaviour = (_request, response) => void response.end();
	/** The requests, as `METHOD /path?query`. */
	requests: string[] = [];
	/** Currently open connections. */
	readonly open = new Set<Socket>();
	private readonly server = createServer((request, response) => {
		this.requests.push(`${request.method} ${request.url}`);
		request.resume();
		request.on('end', () => this.behaviour(request, response));
	});

	static prepare(): HostileServer {
		const hostile = new HostileServer();
		hostile.server.on('connection', (socket: Socket) => {
			hostile.open.add(socket);
			socket.on('close', () => hostile.open.delete(socket));
			socket.on('error', () => undefined);
		});
		beforeAll(async () => {
			await new Promise<void>((resolve) => hostile.server.listen(0, '127.0.0.1', resolve));
		});
		beforeEach(() => {
			hostile.requests = [];
		});
		afterEach(() => hostile.drop());
		afterAll(() => hostile.server.close());
		return hostile;
	}

	get url(): string {
		return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
	}

	credential(provider: string): Record<string, unknown> {
		return { provider, apiKey: 'sk-key-of-the-hostile-suite', baseUrl: this.url };
	}

	/** Resolves when a request has come. */
	async nextRequest(): Promise<void> {
		await once(this.server, 'request');
	}

	posts(): string[] {
		return this.requests.filter((line) => line.startsWith('POST'));
	}

	drop(): void {
		for (const socket of this.open) socket.destroy();
	}
}

export const providerNames = providers.map(({ name }) => name as SandboxProvider);

/** Writes as fast as the other side reads, until it goes away or `bytes` were written. */
export function flood(response: ServerResponse, chunk: Buffer, bytes = Infinity): void {
	let written = 0;
	const more = () => {
		while (!response.destroyed && written < bytes) {
			written += chunk.length;
			if (!response.write(chunk)) return void response.once('drain', more);
		}
		if (!response.destroyed) response.end();
	};
	more();
}

/** Writes a piece every few milliseconds, forever. */
export function drip(write: () => void, response: ServerResponse): void {
	const timer = setInterval(() => (response.socket?.destroyed ? clearInterval(timer) : write()), 5);
	response.on('close', () => clearInterval(timer));
}
