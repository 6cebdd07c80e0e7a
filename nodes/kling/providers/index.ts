import type { ProviderName } from '../task';
import { apiModels } from './apiModels';
import { cometApi } from './cometApi';
import { kkiai } from './kkiai';
import { kling } from './kling';
import { modellix } from './modellix';
import type { Provider } from './provider';

export const providers: Record<ProviderName, Provider> = {
	kling,
	cometApi,
	kkiai,
	modellix,
	apiModels,
};

export type { Provider } from './provider';
