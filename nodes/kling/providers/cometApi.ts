import { asObject } from '../http';
import { failureOfKling, klingRecord } from './klingEnvelope';
import type { Provider } from './provider';
import { bearer, create, failureOfGateway, idAt, klingBody, modelsCheck, read } from './toolkit';

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
	retention: '30 days',
	check: modelsCheck('comet_api_error'),

	createRequests: (order) => [
		create(path, klingBody({ ...order, duration: order.duration ?? requiredDuration })),
	],
	getRequest: (taskId) => read(`${path}/${encodeURIComponent(taskId)}`),
	findByExternalIdRequest: (externalTaskId) =>
		read(`${path}/${encodeURIComponent(externalTaskId)}`),

	readFailure: (response) => failureOfGateway(response) ?? failureOfKling(response),
	readCreated: (response) => klingRecord('cometApi', asObject(response.json)?.data, response),
	readTask: (response) => klingRecord('cometApi', asObject(response.json)?.data, response),
	rawTaskId: idAt('task_id'),
};
