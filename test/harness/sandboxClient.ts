import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

import {
	startSandbox,
	type Sandbox,
	type SandboxOptions,
	type SandboxProvider,
} from '../../sandbox';

/** A response, read in full. */
export interface Reply {
	status: number;
	headers: Headers;
	text: string;
	/** Parsed JSON; undefined if it is not JSON. Tests know what they expect in it. */
	json: any;
}

export async function request(url: string, init: RequestInit = {}): Promise<Reply> {
	const response = await fetch(url, { redirect: 'manual', ...init });
	const text = await response.text();
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch {
		json = undefined;
	}
	return { status: response.status, headers: response.headers, text, json };
}

/** A client for one provider in a sandbox. */
export function clientOf(sandbox: Sandbox, provider: SandboxProvider, key?: string) {
	const headers = {
		authorization: `Bearer ${key ?? sandbox.keys[provider].main}`,
		'content-type': 'application/json',
	};
	const base = sandbox.baseUrl(provider);
	return {
		get: async (path: string) => await request(base + path, { headers }),
		post: async (path: string, body: unknown) =>
			await request(base + path, {
				method: 'POST',
				headers,
				body: typeof body === 'string' ? body : JSON.stringify(body),
			}),
	};
}

/** Each provider's create path, and a body that it accepts. */
export const creates: Record<SandboxProvider, { path: string; body: Record<string, unknown> }> = {
	kling: {
		path: '/v1/videos/effects',
		body: { effect_scene: 'color_mixing', input: { image: 'https://example.com/a.jpg' } },
	},
	cometApi: {
		path: '/kling/v1/videos/effects',
		body: {
			effect_scene: 'squish',
			input: { image: 'https://example.com/a.jpg', duration: '5' },
		},
	},
	kkiai: {
		path: '/kling/v1/videos/effects',
		body: { effect_scene: 'squish', input: { image: 'https://example.com/a.jpg' } },
	},
	modellix: {
		path: '/api/v1/kling/kling-video-effects',
		body: { effect_scene: 'pet_lion_pro', image: 'https://example.com/a.jpg' },
	},
	apiModels: {
		path: '/api/v1/video/generations',
		body: {
			model: 'kling-effects',
			effect_scene: 'balloon_parade',
			input: { image: 'https://example.com/a.jpg' },
		},
	},
};

export const providerNames = Object.keys(creates) as SandboxProvider[];

/** Creates a task at any provider. */
export async function create(sandbox: Sandbox, provider: SandboxProvider): Promise<Reply> {
	const { path, body } = creates[provider];
	return await clientOf(sandbox, provider).post(path, body);
}

/** A sandbox with a clock that stands still until it is moved. */
export async function startStillSandbox(options: SandboxOptions = {}) {
	let time = 1_795_000_000_000;
	const sandbox = await startSandbox({ taskSeconds: 10, ...options, now: () => time });
	return { sandbox, passSeconds: (seconds: number) => void (time += seconds * 1000) };
}

/** A request that a server received. */
export interface Received {
	headers: IncomingHttpHeaders;
	text: string;
	json: any;
}

/** A server that takes callbacks; `answerWith` tells the status for the n-th of them. */
export async function startReceiver(answerWith: (index: number) => number = () => 200) {
	const received: Received[] = [];
	const server = createServer((incoming, response) => {
		const chunks: Buffer[] = [];
		incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
		incoming.on('end', () => {
			const text = Buffer.concat(chunks).toString();
			received.push({ headers: incoming.headers, text, json: JSON.parse(text) });
			response.writeHead(answerWith(received.length - 1)).end();
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	const close = async () => {
		server.closeAllConnections();
		await new Promise<void>((resolve) => server.close(() => resolve()));
	};
	return { url: `http://127.0.0.1:${port}/hook`, received, close };
}

/** Waits until a condition is true. */
export async function until(isTrue: () => boolean, what: string): Promise<void> {
	const deadline = Date.now() + 8000;
	while (!isTrue()) {
		if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}
