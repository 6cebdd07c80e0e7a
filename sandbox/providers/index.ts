import { apiModels } from './apiModels';
import { cometApi } from './cometApi';
import { kkiai } from './kkiai';
import { kling } from './kling';
import { modellix } from './modellix';
import type { Provider } from './provider';

/** All providers of the sandbox. */
export const providers: Provider[] = [kling, cometApi, kkiai, modellix, apiModels];
