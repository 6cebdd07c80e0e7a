import { providers } from '../nodes/kling/providers';
import type { Provider, Secret } from '../nodes/kling/providers/provider';
import { helpOf, readCommandLine, type CommandLine } from '../tools/cli.cjs';
import { probes } from './probes';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the command line asks for. */
export interface Wishes {
	help: boolean;
	providers: Provider[];
	sandbox: boolean;
	spend: number;
	region: string;
	baseUrl?: string;
	scene?: string;
	image?: string;
	followMinutes: number;
	record?: string;
}

/** The variable that holds a provider's key: `KLING_API_KEY`, `COMETAPI_API_KEY`, … */
export function keyVariable({ name }: Provider): string {
	return `${name.toUpperCase()}_API_KEY`;
}

/** The variables of an access key and its secret, for a provider that signs. */
export function signedVariables({ name }: Provider): [accessKey: string, secretKey: string] {
	return [`${name.toUpperCase()}_ACCESS_KEY`, `${name.toUpperCase()}_SECRET_KEY`];
}

/** The keys that the environment holds for a provider. */
export function secretsOf(provider: Provider, env: Environment): { key?: Secret; signed?: Secret } {
	const key = env[keyVariable(provider)]?.trim();
	const [accessKey, secretKey] = signedVariables(provider).map((name) => env[name]?.trim());
	return {
		...(key ? { key: { kind: 'key', key } } : {}),
		...(provider.signs && accessKey && secretKey
			? { signed: { kind: 'signed', accessKey, secretKey } }
			: {}),
	};
}

/** What to set, for a provider without a key. */
export function missingKey(provider: Provider): string {
	const [accessKey, secretKey] = signedVariables(provider);
	const other = provider.signs ? `, or ${accessKey} and ${secretKey}` : '';
	return `${provider.displayName}: no key. Set ${keyVariable(provider)}${other}.`;
}

const line: CommandLine = {
	command: 'npm run conformance',
	about: `Checks what docs/providers.md says about a provider, one request per second, and prints a table:
fact, expected, observed, same or different. Free requests only, unless --spend allows tasks.`,
	options: {
		provider: {
			value: 'NAME',
			oneOf: [...providers.map(({ name }) => name), 'all'],
			about: 'a provider below, or all',
		},
		spend: { value: 'N', number: 'whole', default: 0, about: 'make N tasks at most' },
		sandbox: { about: 'ask the sandbox instead: no key, no cost, every probe' },
		record: {
			value: 'FILE',
			about: 'write what came, without keys, account data and links (JSON)',
		},
		scene: { value: 'NAME', about: 'effect scene of the tasks (color_mixing)' },
		image: { value: 'URL', about: 'picture of the tasks (a drawn portrait, sent as base64)' },
		minutes: {
			value: 'N',
			number: 'whole',
			default: 30,
			about: 'follow a task for N minutes at most',
		},
		region: {
			value: 'NAME',
			oneOf: ['global', 'china'],
			default: 'global',
			about: "Kling AI's console: global or china",
		},
		'base-url': { value: 'URL', about: "another address than the provider's own" },
	},
	more: `Keys come from the environment:\n${providers.map(keysOf).join('\n')}`,
};

function keysOf(provider: Provider): string {
	const signed = provider.signs ? ` (or ${signedVariables(provider).join(' and ')})` : '';
	const costing = (probes[provider.name] ?? []).filter(({ cost }) => cost === 'task').length;
	return `  ${provider.name.padEnd(10)} ${keyVariable(provider)}${signed}; ${costing} probes can cost a task`;
}

/** The help text. */
export function help(): string {
	return helpOf(line);
}

/** Reads the command line; throws with what is wrong with it. */
export function readArguments(args: string[]): Wishes {
	const { provider, minutes, baseUrl, ...read } = readCommandLine(line, args);
	return {
		...(read as Omit<Wishes, 'providers' | 'followMinutes' | 'baseUrl'>),
		providers: read.help ? [] : providersNamed(provider),
		baseUrl: baseUrl?.replace(/\/+$/, ''),
		followMinutes: minutes,
	};
}

function providersNamed(name: string | undefined): Provider[] {
	if (name === 'all') return [...providers];
	const found = providers.filter((provider) => provider.name === name);
	if (found.length > 0) return found;
	throw new Error(`--provider must be one of ${line.options!.provider.oneOf!.join(', ')}`);
}
