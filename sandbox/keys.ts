import type { SandboxAccessKeys, SandboxKeys, SandboxRegion } from './types';

/** State of an account, which is also the name of its key in `sandbox.keys`. */
export type KeyName = keyof SandboxKeys;

/** Who sent a request. */
export interface Caller {
	keyName: KeyName;
	region: SandboxRegion;
}

const names: KeyName[] = ['main', 'noBalance', 'noRights'];

/** The three keys of an account; `label` makes them readable and different from all others. */
export function makeKeys(label: string): SandboxKeys {
	return {
		main: `sk-sandbox-${label}-main`,
		noBalance: `sk-sandbox-${label}-no-balance`,
		noRights: `sk-sandbox-${label}-no-rights`,
	};
}

/** The three access keys of an account with their secrets. */
export function makeAccessKeys(label: string): SandboxAccessKeys {
	const pair = (state: string) => ({
		accessKey: `ak-sandbox-${label}-${state}`,
		secretKey: `secret-of-sandbox-${label}-${state}-0123456789`,
	});
	return { main: pair('main'), noBalance: pair('no-balance'), noRights: pair('no-rights') };
}

/** The key that a text is, if it is one. */
export function keyNameOf(keys: SandboxKeys, key: string): KeyName | undefined {
	return names.find((name) => keys[name] === key);
}

/** The owner of an access key, if the text is one. */
export function accessKeyNameOf(keys: SandboxAccessKeys, accessKey: unknown): KeyName | undefined {
	return names.find((name) => keys[name].accessKey === accessKey);
}

/** The token of an Authorization header; undefined when it is no bearer header. */
export function bearerToken(header: string | undefined): string | undefined {
	return /^Bearer\s+(\S+)$/i.exec(header?.trim() ?? '')?.[1];
}
