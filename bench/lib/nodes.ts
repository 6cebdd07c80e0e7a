import type { INode, INodeExecutionData } from 'n8n-workflow';
import { nodeOf, type Flow } from './engine';

/** The same work, once for our node and once by hand with n8n's own. All with Kling AI. */

const image = 'https://example.com/portrait.jpg';
const effectScene = 'bloombloom';
const path = '/v1/videos/effects';

/** This many items without particular content. */
export function items(count: number): INodeExecutionData[] {
	return Array.from({ length: count }, (_, number) => ({ json: { number } }));
}

/** Create, for each item. */
export function createNode(
	parameters: Record<string, unknown> = {},
	settings: Partial<INode> = {},
): INode {
	const all = {
		operation: 'create',
		effectType: 'single',
		effectScene: { mode: 'name', value: effectScene },
		imageInput: 'url',
		image,
		waitForCompletion: false,
		downloadVideo: false,
		...parameters,
	};
	const credentials = { klingEffectsApi: { id: '1', name: 'Kling' } };
	return nodeOf('Kling Effects', 'klingEffects', 1, all, { credentials, ...settings });
}

/** The n8n node that people use today. */
function httpNode(
	name: string,
	parameters: Record<string, unknown>,
	settings: Partial<INode> = {},
): INode {
	const authentication = {
		authentication: 'genericCredentialType',
		genericAuthType: 'httpBearerAuth',
	};
	const all = { ...authentication, ...parameters };
	const credentials = { httpBearerAuth: { id: '1', name: 'Kling' } };
	return nodeOf(name, 'n8n-nodes-base.httpRequest', 4.2, all, { credentials, ...settings });
}

/** The same create, for each item. */
export function httpCreateNode(
	baseUrl: string,
	parameters: Record<string, unknown> = {},
	settings: Partial<INode> = {},
): INode {
	const all = {
		method: 'POST',
		url: `${baseUrl}${path}`,
		sendBody: true,
		specifyBody: 'json',
		jsonBody: JSON.stringify({ effect_scene: effectScene, input: { image } }),
		options: {},
		...parameters,
	};
	return httpNode('Create', all, settings);
}

/** A look at each item's task. */
function httpGetNode(baseUrl: string): INode {
	const url = `=${baseUrl}${path}/{{ $json.data.task_id }}`;
	return httpNode('Get', { method: 'GET', url, options: {} });
}

/** The newest page of the account's tasks. */
export function httpListNode(baseUrl: string, pageSize: number): INode {
	const url = `${baseUrl}${path}?pageNum=1&pageSize=${pageSize}`;
	return httpNode('List', { method: 'GET', url, options: {} });
}

/** A file, into the binary store. */
export function httpFileNode(url: string): INode {
	const options = { response: { response: { responseFormat: 'file' } } };
	return nodeOf('Download', 'n8n-nodes-base.httpRequest', 4.2, { method: 'GET', url, options });
}

/** What waiting for a task by hand takes: create, wait, get, check whether it is done, wait … */
export function handMadeLoop(baseUrl: string, seconds: number): Flow {
	const wait = { resume: 'timeInterval', amount: seconds, unit: 'seconds' };
	const nodes = [
		httpCreateNode(baseUrl),
		nodeOf('Wait', 'n8n-nodes-base.wait', 1.1, wait),
		httpGetNode(baseUrl),
		nodeOf('Is Done', 'n8n-nodes-base.if', 2.2, { conditions: isDone, options: {} }),
		nodeOf('Done', 'sink', 1, {}),
	];
	return {
		nodes,
		connections: [
			['Create', 0, 'Wait'],
			['Wait', 0, 'Get'],
			['Get', 0, 'Is Done'],
			['Is Done', 0, 'Done'],
			['Is Done', 1, 'Wait'],
		],
	};
}

const isDone = {
	options: { caseSensitive: true, leftValue: '', typeValidation: 'strict', version: 2 },
	combinator: 'and',
	conditions: [
		{
			id: 'done',
			leftValue: '={{ ["succeed", "failed"].includes($json.data.task_status) }}',
			rightValue: '',
			operator: { type: 'boolean', operation: 'true', singleValue: true },
		},
	],
};

/** Get, of one task. */
export function getNode(taskId: string, parameters: Record<string, unknown>): INode {
	const all = { operation: 'get', taskId: { mode: 'id', value: taskId }, ...parameters };
	const credentials = { klingEffectsApi: { id: '1', name: 'Kling' } };
	return nodeOf('Kling Effects', 'klingEffects', 1, all, { credentials });
}
