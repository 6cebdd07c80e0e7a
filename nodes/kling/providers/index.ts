import { apiModels } from './apiModels';
import { cometApi } from './cometApi';
import { kkiai } from './kkiai';
import { kling } from './kling';
import { modellix } from './modellix';
import type { Provider } from './provider';

/** Every provider of the package. A new one is its file and its place in this list. */
export const providers: Provider[] = [kling, cometApi, kkiai, modellix, apiModels];

/** The provider of that internal name; undefined where this version has none. */
export function providerNamed(name: string): Provider | undefined {
	return providers.find((provider) => provider.name === name);
}

export type { Provider } from './provider';
