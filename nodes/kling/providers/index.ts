import type { ProviderName } from '../task';
import { apiModels } from './apiModels';
import { cometApi } from './cometApi';
import { kkiai } from './kkiai';
import { kling } from './kling';
import { modellix } from './modellix';
import type { Provider } from './provider';

/** Every provider of the package. A new one is its file and its place in this list. */
export const providers: Provider[] = [kling, cometApi, kkiai, modellix, apiModels];

/** The provider with this name, if there is one. */
export function providerNamed(name: ProviderName): Provider | undefined {
	return providers.find((provider) => provider.name === name);
}

export type { Provider } from './provider';
