import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { withVersion } from '../nodes/kling/account';
import type { Provider } from '../nodes/kling/providers/provider';
import { help, missingKey, readArguments, secretsOf, type Wishes } from './arguments';
import { probes } from './probes';
import { announce, summary, tableOf } from './report';
import { runProbes, type Result } from './run';
import { pictureAsBase64, runInSandbox, sendWithFetch, usualScene } from './settings';

const say = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
	const wishes = readArguments(process.argv.slice(2));
	if (wishes.help) return say(help());
	const results: Result[] = [];
	for (const provider of wishes.providers) {
		const some = wishes.sandbox ? await runInSandbox(provider) : await ask(provider, wishes);
		if (some.length > 0) say(`\n## ${provider.displayName}\n\n${tableOf(some)}\n`);
		results.push(...some);
	}
	const isWithoutKeys = results.length === 0;
	if (wishes.record && !isWithoutKeys) await record(wishes.record, results);
	if (!isWithoutKeys) say(summary(results));
	if (isWithoutKeys || results.some(({ verdict }) => verdict === 'different')) process.exitCode = 1;
}

/** Asks a provider itself; without a key for it, says what to set. */
async function ask(provider: Provider, wishes: Wishes): Promise<Result[]> {
	const secrets = secretsOf(provider, process.env);
	if (!secrets.key && !secrets.signed) {
		say(missingKey(provider));
		return [];
	}
	const own = probes[provider.name] ?? [];
	say(announce(provider, own, wishes.spend));
	return await runProbes({
		provider,
		baseUrl: withVersion(
			wishes.baseUrl ?? provider.defaultBaseUrl({ region: wishes.region }),
			provider,
		),
		secrets,
		probes: own,
		spend: wishes.spend,
		scene: wishes.scene ?? usualScene,
		image: wishes.image ?? (await pictureAsBase64()),
		followMinutes: wishes.followMinutes,
		clock: { now: Date.now, sleep: async (ms) => void (await sleep(ms)) },
		send: sendWithFetch,
		onResult: ({ probe, verdict }) => say(`  ${verdict.padEnd(9)}  ${probe.fact}`),
	});
}

async function record(file: string, results: readonly Result[]): Promise<void> {
	const recordings = results.flatMap(({ recording }) => recording ?? []);
	await writeFile(file, `${JSON.stringify(recordings, null, '\t')}\n`);
	say(`${recordings.length} responses written to ${file}. Look through it before you share it.`);
}

main().catch((error: Error) => {
	process.stderr.write(`${error.message}. "npm run conformance -- --help" says what it takes.\n`);
	process.exitCode = 1;
});
