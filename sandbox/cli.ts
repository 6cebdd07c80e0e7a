import { parseArgs } from 'node:util';

import { controlUrls } from './control';
import { startSandbox, type Sandbox, type SandboxOptions } from './index';

const help = `Usage: npm run sandbox -- [options]

  --port N                  port on 127.0.0.1 (4010)
  --task-seconds N          time from accepted to finished (2)
  --latency MS              added to every answer of an API (0)
  --parallel-tasks N        unfinished tasks per account (no limit)
  --requests-per-second N   requests per account (no limit)
  --clips KIND              made (of the task's photos) | ready (made)
  --kkiai-shape SHAPE       kling | wrapper | short | openai (kling)
  --modellix-path PATH      newest | middle | oldest (newest)
  --help
`;

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			port: { type: 'string', default: '4010' },
			'task-seconds': { type: 'string', default: '2' },
			latency: { type: 'string', default: '0' },
			'parallel-tasks': { type: 'string' },
			'requests-per-second': { type: 'string' },
			clips: { type: 'string', default: 'made' },
			'kkiai-shape': { type: 'string', default: 'kling' },
			'modellix-path': { type: 'string', default: 'newest' },
			help: { type: 'boolean', default: false },
		},
	});
	if (values.help) return void process.stdout.write(help);
	const sandbox = await startSandbox({
		port: numberOf('port', values.port),
		taskSeconds: numberOf('task-seconds', values['task-seconds']),
		latencyMs: numberOf('latency', values.latency),
		parallelTasks: optionalNumberOf('parallel-tasks', values['parallel-tasks']),
		requestsPerSecond: optionalNumberOf('requests-per-second', values['requests-per-second']),
		clips: oneOf('clips', values.clips, ['made', 'ready'] as const),
		kkiaiShape: oneOf('kkiai-shape', values['kkiai-shape'], [
			'kling',
			'wrapper',
			'short',
			'openai',
		] as const),
		modellixPath: oneOf('modellix-path', values['modellix-path'], [
			'newest',
			'middle',
			'oldest',
		] as const),
	} satisfies SandboxOptions);
	process.stdout.write(describe(sandbox));
	for (const signal of ['SIGINT', 'SIGTERM'] as const) {
		process.once(signal, () => void sandbox.close().then(() => process.exit(0)));
	}
}

function numberOf(flag: string, text: string): number {
	const value = Number(text);
	if (text.trim() === '' || !(value >= 0)) throw new Error(`--${flag} must be a number`);
	return value;
}

function optionalNumberOf(flag: string, text: string | undefined): number | undefined {
	return text === undefined ? undefined : numberOf(flag, text);
}

function oneOf<T extends string>(flag: string, text: string, choices: readonly T[]): T {
	const choice = choices.find((one) => one === text);
	if (!choice) throw new Error(`--${flag} must be one of ${choices.join(', ')}`);
	return choice;
}

/** What to paste into a credential for each provider, and the control URLs. */
function describe(sandbox: Sandbox): string {
	const rows = [
		['Provider', 'Base URL', 'API key'],
		...[
			...sandbox.providers.map(({ name, displayName }) => ({
				label: displayName,
				...sandbox.credential(name),
			})),
			{ label: 'Kling AI, China', ...sandbox.credential('kling', { region: 'china' }) },
		].map(({ label, ...credential }: Record<string, unknown>) =>
			[label, credential.baseUrl, credential.apiKey].map(String),
		),
	];
	const accessRows = [
		['Kling AI by access key', 'Access key', 'Secret key'],
		...(['global', 'china'] as const).map((region) => {
			const { accessKey, secretKey } = sandbox.accessKeyCredential({ region });
			return [region, String(accessKey), String(secretKey)];
		}),
	];
	const controls = controlUrls.map(([method, path, purpose]) => [
		method,
		sandbox.url + path,
		purpose,
	]);
	const title = `Kling effects sandbox at ${sandbox.url}. Nothing here costs money.`;
	return [title, table(rows), table(accessRows), 'Controls', table(controls), ''].join('\n\n');
}

function table(rows: string[][]): string {
	const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
	return rows
		.map((row) =>
			row
				.map((cell, column) => cell.padEnd(widths[column]))
				.join('  ')
				.trimEnd(),
		)
		.map((line) => `  ${line}`)
		.join('\n');
}

main().catch((error: Error) => {
	process.stderr.write(`${error.message}\n`);
	process.exitCode = 1;
});
