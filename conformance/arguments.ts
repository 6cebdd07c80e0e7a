import { parseArgs } from 'node:util';

import { providers } from '../nodes/kling/providers';
import type { Provider, Secret } from '../nodes/kling/providers/provider';
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

/** The help text. */
export function help(): string {
	const rows = providers.map((provider) => {
		const signed = provider.signs ? ` (or ${signedVariables(provider).join(' and ')})` : '';
		const costing = (probes[provider.name] ?? []).filter(({ cost }) => cost === 'task').length;
		return `  ${provider.name.padEnd(10)} ${keyVariable(provider)}${signed}; ${costing} probes can cost a task`;
	});
	return `Usage: npm run conformance -- --provider NAME [options]

Asks a provider what docs/providers.md says of it, one request a second, and prints a table:
fact, expected, observed, same or different. Free requests only, unless --spend allows tasks.

  --provider NAME      a provider below, or all
  --spend N            make N tasks at most (0)
  --sandbox            ask the sandbox instead: no key, no cost, every probe
  --record FILE        write what came, without keys, account data and links (JSON)
  --scene NAME         effect scene of the tasks (color_mixing)
  --image URL          picture of the tasks (a drawn portrait, sent as base64)
  --minutes N          follow a task for N minutes at most (30)
  --region china       Kling AI's China console
  --base-url URL       another address than the provider's own
  --help

Keys come from the environment:
${rows.join('\n')}
`;
}

/** Reads the command line; throws with what is wrong with it. */
export function readArguments(args: string[]): Wishes {
	const { values } = parseArgs({
		args,
		options: {
			provider: { type: 'string' },
			sandbox: { type: 'boolean', default: false },
			spend: { type: 'string', default: '0' },
			region: { type: 'string', default: 'global' },
			'base-url': { type: 'string' },
			scene: { type: 'string' },
			image: { type: 'string' },
			minutes: { type: 'string', default: '30' },
			record: { type: 'string' },
			help: { type: 'boolean', default: false },
		},
	});
	return {
		help: values.help,
		providers: values.help ? [] : providersNamed(values.provider),
		sandbox: values.sandbox,
		spend: wholeNumber('spend', values.spend),
		region: values.region,
		baseUrl: values['base-url']?.replace(/\/+$/, ''),
		scene: values.scene,
		image: values.image,
		followMinutes: wholeNumber('minutes', values.minutes),
		record: values.record,
	};
}

function providersNamed(name: string | undefined): Provider[] {
	if (name === 'all') return [...providers];
	const found = providers.filter((provider) => provider.name === name);
	if (found.length > 0) return found;
	const names = providers.map((provider) => provider.name).join(', ');
	throw new Error(`--provider must be one of ${names}, or all`);
}

function wholeNumber(flag: string, text: string): number {
	if (!/^\d{1,6}$/.test(text)) throw new Error(`--${flag} must be a whole number`);
	return Number(text);
}
