import { commandLine, type Option } from '../tools/cli.cjs';
import { controlUrls } from './control';
import { startSandbox, type Sandbox, type SandboxOptions } from './index';

const number = { value: 'N', number: true } as const;

async function main(): Promise<void> {
	const sandbox = await startSandbox(
		commandLine({
			command: 'npm run sandbox',
			about: 'Starts the five providers on this machine, until Ctrl-C.',
			options: {
				port: { value: 'N', number: 'whole', default: 4010, about: 'port on 127.0.0.1' },
				'task-seconds': { ...number, default: 2, about: 'time from accepted to finished' },
				'latency-ms': { ...number, default: 0, about: 'ms added to every API response' },
				'parallel-tasks': { ...number, about: 'unfinished tasks per account; no limit without it' },
				'requests-per-second': { ...number, about: 'requests per account; no limit without it' },
				clips: oneOf(['made', 'ready'], "made of the task's photos, or a ready one"),
				'kkiai-shape': oneOf(['kling', 'wrapper', 'short', 'openai'], "KKIAI's answers"),
				'modellix-path': oneOf(['newest', 'middle', 'oldest'], "Modellix's create path"),
			},
		}) as SandboxOptions,
	);
	// Before anything is shown: what is shown can be what ends it.
	for (const signal of ['SIGINT', 'SIGTERM'] as const) {
		process.once(signal, () => void sandbox.close().then(() => process.exit(0)));
	}
	process.stdout.write(describe(sandbox));
}

/** An option with these choices; the first is the usual one. */
function oneOf(choices: string[], about: string): Option {
	return {
		value: 'KIND',
		oneOf: choices,
		default: choices[0],
		about: `${choices.join(' | ')}: ${about}`,
	};
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
