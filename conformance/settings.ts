import { startSandbox, type Sandbox, type SandboxOptions } from '../sandbox';
import { readAccount } from '../nodes/kling/account';
import type { Provider } from '../nodes/kling/providers/provider';
import { findSample } from '../sandbox/samples';
import { instantClock } from '../tools/instantClock';
import { probes } from './probes';
import { runProbes, type Result, type Setting } from './run';

/** A scene of one picture that Kling's newest lists name. */
export const usualScene = 'color_mixing';

/** A drawn portrait, as bare base64: it needs no server that a provider can reach. */
export async function pictureAsBase64(): Promise<string> {
	const sample = await findSample('portrait.jpg');
	if (!sample) throw new Error('The sample picture is missing');
	return sample.bytes.toString('base64');
}

/** Sends one request with Node.js' own client; follows no redirect, so that the key goes nowhere else. */
export const sendWithFetch: Setting['send'] = async (url, request, headers) => {
	const response = await fetch(url, {
		method: request.method,
		headers: {
			...headers,
			accept: 'application/json',
			...(request.body ? { 'content-type': 'application/json' } : {}),
		},
		...(request.body ? { body: JSON.stringify(request.body) } : {}),
		redirect: 'manual',
		signal: AbortSignal.timeout(request.timeoutMs),
	});
	return {
		status: response.status,
		headers: Object.fromEntries(response.headers),
		text: await response.text(),
	};
};

/** Runs all probes of a provider, those that cost as well, against a sandbox of its own. */
export async function runInSandbox(
	provider: Provider,
	options: SandboxOptions = {},
	setting: Partial<Setting> = {},
	prepare: (sandbox: Sandbox) => void = () => {},
): Promise<Result[]> {
	const clock = instantClock();
	const sandbox = await startSandbox({ taskSeconds: 30, ...options, now: clock.now });
	prepare(sandbox);
	const { baseUrl, secret: key } = readAccount(sandbox.credential(provider.name));
	try {
		return await runProbes({
			provider,
			baseUrl,
			secrets: {
				key,
				...(provider.signs ? { signed: readAccount(sandbox.accessKeyCredential()).secret } : {}),
			},
			probes: probes[provider.name] ?? [],
			spend: Infinity,
			scene: usualScene,
			image: await pictureAsBase64(),
			followMinutes: 5,
			clock,
			send: sendWithFetch,
			...setting,
		});
	} finally {
		await sandbox.close();
	}
}
