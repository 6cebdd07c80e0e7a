import { asObject } from '../http';
import { failureOfGateway, modelsCheck } from './gatewayEnvelope';
import { klingReasons, klingRecord } from './klingEnvelope';
import type { Provider } from './provider';
import { bearer, create, klingBody, read, segmentOf } from './toolkit';

const path = '/kling/v1/videos/effects';
/** Its newest page requires a duration for every effect, where Kling's own requires none (docs/providers.md section 2). */
const requiredDuration = 5;

/** CometAPI, a gateway that passes Kling's answers through (CometAPI's effects page; docs/providers.md section 2). */
export const cometApi: Provider = {
	name: 'cometApi',
	displayName: 'CometAPI',
	defaultBaseUrl: () => 'https://api.cometapi.com',
	authorize: bearer,
	externalId: 'unverified',
	takes: ['callbackUrl', 'duration', 'externalTaskId', 'mode', 'modelName'],
	reasons: klingReasons,
	idKeys: ['task_id'],
	retention: '30 days',
	check: modelsCheck('comet_api_error'),

	createRequests: (order) => [
		create(path, klingBody({ ...order, duration: order.duration ?? requiredDuration })),
	],
	getRequest: (taskId) => read(`${path}/${segmentOf(taskId)}`),
	findByExternalIdRequest: (externalTaskId) => read(`${path}/${segmentOf(externalTaskId)}`),

	readFailure: failureOfGateway,
	readTask: (response) => klingRecord('cometApi', asObject(response.json)?.data, response),
};
