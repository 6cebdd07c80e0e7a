import { gateway, modelsCheck } from './gatewayEnvelope';
import { klingRecord } from './kling';
import type { Provider } from './provider';

/** Its newest page requires a duration for every effect, unlike Kling's own (docs/providers.md section 2). */
const requiredDuration = 5;

/**
 * CometAPI, a gateway that passes Kling's responses through (CometAPI's effects page; docs/providers.md
 * section 2).
 */
export const cometApi: Provider = {
	...gateway,
	name: 'cometApi',
	displayName: 'CometAPI',
	keysPage: { name: 'API Keys in the CometAPI console', url: 'https://www.cometapi.com' },
	defaultBaseUrl: () => 'https://api.cometapi.com',
	idKeys: ['task_id'],
	retention: '30 days',
	check: modelsCheck('comet_api_error'),

	createRequests: (order) => {
		const isGiven = order.duration !== undefined || 'duration' in (order.additionalFields ?? {});
		return gateway.createRequests(isGiven ? order : { ...order, duration: requiredDuration });
	},
	readTask: ({ json }) => klingRecord('cometApi', json.data),
};
