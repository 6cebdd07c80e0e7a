import * as core from 'n8n-core';
import {
	createRunExecutionData,
	NodeHelpers,
	Workflow,
	type ICredentialDataDecryptedObject,
	type INode,
	type INodeType,
	type INodeTypes,
} from 'n8n-workflow';
import { KlingEffectsApi } from '../../credentials/KlingEffectsApi.credentials';
import { credentialName } from '../../nodes/n8n/session';
import { additionalDataOf } from '../../tools/engine';

export interface TestVerdict {
	status: 'OK' | 'Error';
	message: string;
}

/**
 * Tests a credential as n8n does when it is saved. Request, authentication and rules run in n8n-core's
 * own RoutingNode; what n8n 2.40 does around it (credentials-tester.service, `runRequestTest`, which is
 * in no separate package) is done here in the same order.
 */
export async function testCredential(data: Record<string, unknown>): Promise<TestVerdict> {
	const type = new KlingEffectsApi();
	const credential = NodeHelpers.getNodeParameters(
		type.properties,
		data as ICredentialDataDecryptedObject as never,
		true,
		false,
		null,
		null,
	) as ICredentialDataDecryptedObject;
	const node: INode = {
		id: 'temp',
		parameters: {},
		name: 'Temp-Node',
		type: 'noOp',
		typeVersion: 1,
		position: [0, 0],
		credentials: { [credentialName]: { id: '1', name: 'Kling' } },
	};
	const nodeType = noOp(type);
	const nodeTypes: INodeTypes = {
		getByName: () => nodeType,
		getByNameAndVersion: () => nodeType,
		getKnownTypes: () => ({}),
	};
	const workflow = new Workflow({ nodes: [node], connections: {}, active: false, nodeTypes });
	const context = new core.ExecuteContext(
		workflow,
		node,
		additionalDataOf(credential, '1', workflow, 'internal'),
		'internal',
		createRunExecutionData(),
		0,
		[],
		{ main: [[{ json: {} }]] },
		{ node, data: {}, source: null } as never,
		[],
	);
	const decrypted = { id: '1', name: 'Kling', type: credentialName, data: credential };
	try {
		await workflow.expression.acquireIsolate?.();
		const response = await new core.RoutingNode(context, nodeType, decrypted as never).runNode();
		return judge(type, response?.[0]?.[0]?.json);
	} catch (thrown) {
		return verdictOfThrown(thrown);
	}
}

function noOp({ test }: KlingEffectsApi): INodeType {
	return {
		description: {
			displayName: 'No Operation',
			name: 'noOp',
			group: [],
			version: 1,
			description: '',
			defaults: {},
			inputs: ['main'],
			outputs: ['main'],
			credentials: [{ name: credentialName, required: true }],
			properties: [
				{
					displayName: 'Temp',
					name: 'temp',
					type: 'string',
					routing: { request: test.request },
					default: '',
				},
			],
		},
	} as INodeType;
}

function judge({ test }: KlingEffectsApi, body: unknown): TestVerdict {
	for (const rule of test.rules ?? []) {
		if (rule.type !== 'responseSuccessBody') continue;
		if (valueAt(body, rule.properties.key) === rule.properties.value) {
			return { status: 'Error', message: rule.properties.message };
		}
	}
	return { status: 'OK', message: 'Connection successful!' };
}

/** Like lodash's get, which n8n uses here. */
function valueAt(body: unknown, path: string): unknown {
	return path
		.split('.')
		.reduce((value, key) => (value as Record<string, unknown> | undefined | null)?.[key], body);
}

function verdictOfThrown(thrown: unknown): TestVerdict {
	const { message, cause } = thrown as {
		message: string;
		cause?: { code?: string; response?: { status: number; statusText: string } };
	};
	if (cause?.response) return { status: 'Error', message: cause.response.statusText };
	return { status: 'Error', message: cause?.code ?? message };
}
