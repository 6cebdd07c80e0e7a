import { startSandbox, type Sandbox, type SandboxOptions } from '../sandbox';
import { readAccount, type Account } from '../nodes/kling/account';
import type { Provider } from '../nodes/kling/providers/provider';
import { probes } from './probes';
import { runProbes, type Result, type Setting } from './run';
import { sendWithFetch } from './send';
import { pictureAsBase64, usualScene } from './usual';

/** Time that passes only when somebody waits, so that a run in the sandbox takes no time. */
export class SkippedTime {
	private time = Date.now();
	/** Milliseconds of each wait. */
	readonly waits: number[] = [];

	now = (): number => this.time;
	sleep = async (ms: number): Promise<void> => {
		this.waits.push(ms);
		this.time += ms;
	};
}

/** Runs all probes of a provider, those that cost as well, against a sandbox of its own. */
export async function runInSandbox(
	provider: Provider,
	options: SandboxOptions = {},
	setting: Partial<Setting> = {},
	prepare: (sandbox: Sandbox) => void = () => {},
): Promise<Result[]> {
	const clock = new SkippedTime();
	const sandbox = await startSandbox({ taskSeconds: 30, ...options, now: clock.now });
	prepare(sandbox);
	const accountOf = (credential: Record<string, unknown>): Account => {
		const account = readAccount(credential);
		if (!account.ok) throw new Error(account.problem.message);
		return account.value;
	};
	const { baseUrl, secret: key } = accountOf(sandbox.credential(provider.name));
	try {
		return await runProbes({
			provider,
			baseUrl,
			secrets: {
				key,
				...(provider.signs ? { signed: accountOf(sandbox.accessKeyCredential()).secret } : {}),
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
