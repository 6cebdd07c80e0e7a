import { apiModels } from './apiModels';
import { cometApi } from './cometApi';
import { kkiai } from './kkiai';
import { kling } from './kling';
import { modellix } from './modellix';
import type { Provider } from './provider';

/** All providers of the package. A new one takes a file and a place in this list. */
export const providers: Provider[] = [kling, cometApi, kkiai, modellix, apiModels];

/** The provider with that internal name; undefined if this version has none. */
export function providerNamed(name: string): Provider | undefined {
	return providers.find((provider) => provider.name === name);
}

/** A provider's name on screen; the internal one if this version has no such provider. */
export function displayNameOf(name: string): string {
	return providerNamed(name)?.displayName ?? name;
}

export type { Provider } from './provider';
