import type { IExecuteFunctions, IHttpRequestOptions, IN8nHttpFullResponse } from 'n8n-workflow';
import { Readable } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { KlingEffects } from '../../nodes/KlingEffects/KlingEffects.node';
import { photos, TestBed } from '../harness/callbackBed';
import { Workbench } from '../harness/workbench';
import { rows } from './contract/providers';

/** An n8n that lacks, or has changed, what the nodes ask it for: older and newer ones than are tested. */

type Members = Record<string, unknown>;

const bench = Workbench.prepare();

/** The node on an n8n whose context has other members. */
function nodeWith(membersOf: (context: IExecuteFunctions) => Members): KlingEffects {
	class OnOtherHost extends KlingEffects {
		override async execute(this: IExecuteFunctions) {
			const members = membersOf(this);
			const get = (context: IExecuteFunctions, name: string) => {
				if (name in members) return members[name];
				const value: unknown = Reflect.get(context, name);
				// n8n itself still finds all: its methods run on the context behind the proxy.
				return typeof value === 'function' ? (value.bind(context) as unknown) : value;
			};
			return await new KlingEffects().execute.call(new Proxy(this, { get } as object));
		}
	}
	return new OnOtherHost();
}

function withHelpers(helpersOf: (helpers: IExecuteFunctions['helpers']) => Members) {
	return nodeWith(({ helpers }) => ({
		helpers: Object.assign(Object.create(helpers) as object, helpersOf(helpers)),
	}));
}

function withExecution(executionOf: (execution: Members) => Members | undefined) {
	return nodeWith((context) => ({
		getWorkflowDataProxy: (itemIndex: number) => {
			const data = context.getWorkflowDataProxy(itemIndex);
			return { $runIndex: data.$runIndex, $execution: executionOf(data.$execution as Members) };
		},
	}));
}

/** The responses of providers, as another n8n gives them to nodes. */
function withBodies(bodyOf: (body: Readable) => unknown) {
	return withHelpers((helpers) => ({
		async httpRequestWithAuthentication(this: never, ...request: never[]) {
			const response = (await helpers.httpRequestWithAuthentication.apply(
				this,
				request as unknown as Parameters<typeof helpers.httpRequestWithAuthentication>,
			)) as IN8nHttpFullResponse;
			return { ...response, body: await bodyOf(response.body as Readable) };
		},
	}));
}

const bytesOf = async (body: Readable) => Buffer.concat(await body.toArray());
const gone = () => {
	throw new Error('not in this version');
};

describe('a paid task comes out, and is paid once', () => {
	const hosts: Array<[string, () => KlingEffects]> = [
		// As for agents' tools in n8n 1.117.
		['has no hints', () => nodeWith(() => ({ addExecutionHints: undefined }))],
		['has no custom data', () => withExecution(({ resumeUrl }) => ({ resumeUrl }))],
		[
			'refuses custom data',
			() =>
				withExecution(({ resumeUrl }) => ({
					resumeUrl,
					customData: { getAll: () => ({}), set: gone },
				})),
		],
		[
			'does not show custom data',
			() => withExecution(({ resumeUrl }) => ({ resumeUrl, customData: { set: gone } })),
		],
		['has no resume address', () => withExecution(() => ({}))],
		[
			'has no table of processed data',
			() => withHelpers(() => ({ checkProcessedAndRecord: undefined, removeProcessed: undefined })),
		],
		[
			'refuses its table of processed data at once',
			() => withHelpers(() => ({ checkProcessedAndRecord: gone, removeProcessed: gone })),
		],
		[
			'answers otherwise about processed data',
			() => withHelpers(() => ({ checkProcessedAndRecord: async () => ({ seen: [] }) })),
		],
		['has no cancel signal', () => nodeWith(() => ({ getExecutionCancelSignal: () => undefined }))],
		['gives bodies as bytes', () => withBodies(bytesOf)],
		['gives bodies as text', () => withBodies(async (body) => String(await bytesOf(body)))],
		['gives bodies as web streams', () => withBodies((body) => Readable.toWeb(body))],
	];
	test.each(hosts)('by an n8n that %s', async (_name, nodeType) => {
		for (const row of rows.filter(({ provider }) => ['kling', 'modellix'].includes(provider))) {
			bench.sandbox.reset();
			const items = [{ json: {} }, { json: {} }];
			const { json, error } = await bench.create(row, {}, { items, nodeType: nodeType() });
			expect(error).toBeUndefined();
			const charged = bench.sandbox.charges.map(({ taskId }) => taskId);
			expect(json.map(({ taskId }) => taskId).sort()).toEqual(charged.sort());
			expect(json).toHaveLength(2);
		}
	});
});

test.each<[string, (body: Readable) => unknown]>([
	['web streams', (body) => Readable.toWeb(body)],
	['nothing at all', () => undefined],
])('a video that an n8n gives as %s is not lost: its task is named', async (_name, bodyOf) => {
	const node = withHelpers((helpers) => ({
		async httpRequest(options: IHttpRequestOptions) {
			const response = (await helpers.httpRequest(options)) as IN8nHttpFullResponse;
			return { ...response, body: bodyOf(response.body as Readable) };
		},
	}));
	const changes = { waitForCompletion: true, downloadVideo: true };
	const { error } = await bench.create(rows[0], changes, { nodeType: node });
	expect(bench.sandbox.charges).toHaveLength(1);
	expect(error?.description).toContain(bench.sandbox.charges[0].taskId);
});

describe('what n8n says is passed on, whoever made it', () => {
	const messageOn = async (membersOf: (context: IExecuteFunctions) => Members) => {
		const { error } = await bench.create(rows[0], {}, { nodeType: nodeWith(membersOf) });
		expect(bench.sandbox.charges).toEqual([]);
		return error;
	};

	test('by a copy of n8n-workflow that is not the one next to the package', async () => {
		class NodeOperationError extends Error {
			override name = 'NodeOperationError';
			description = 'Select one.';
		}
		const getCredentials = async () =>
			await Promise.reject(new NodeOperationError('Node does not have any credentials set'));
		expect(await messageOn(() => ({ getCredentials }))).toMatchObject({
			message: 'Node does not have any credentials set',
			description: 'Select one.',
		});
	});

	test('by an expression that runs apart from n8n', async () => {
		const getNodeParameter = (context: IExecuteFunctions) => (name: string) =>
			name === 'image'
				? (runInNewContext('throw new Error("no such field")') as unknown)
				: context.getNodeParameter(name, 0, null);
		const error = await messageOn((context) => ({ getNodeParameter: getNodeParameter(context) }));
		expect(error?.message).toBe('Image could not be evaluated: no such field');
	});
});

describe('a wait by callback', () => {
	const bed = TestBed.prepare();
	const start = async (nodeType: () => KlingEffects) =>
		await bed.start(photos('a'), {}, { nodeType });

	test.each<[string, (context: IExecuteFunctions) => Members]>([
		['does not let executions sleep', () => ({ putExecutionToWait: undefined })],
		['gives the node a new memory each time', () => ({ getContext: () => ({}) })],
		[
			'names no address to wake the node',
			(context) => ({
				getWorkflowDataProxy: () => ({
					$runIndex: context.getWorkflowDataProxy(0).$runIndex,
					$execution: {},
				}),
			}),
		],
	])('is refused before anything is paid by an n8n that %s', async (_name, membersOf) => {
		const id = await start(() => nodeWith(membersOf));
		expect(bed.taskIds).toEqual([]);
		const { message, description } = bed.n8n.error(id)!;
		expect(message).toBe('This execution cannot be woken by a callback');
		expect(description).toContain('this version of n8n cannot do it');
	});

	test('becomes one by polling if n8n then does not let the execution sleep', async () => {
		bed.sandbox.options.taskSeconds = 60;
		const id = await start(() =>
			nodeWith(() => ({ putExecutionToWait: async () => await Promise.reject(new Error('no')) })),
		);
		bed.sandbox.options.taskSeconds = 1_000_000;
		expect(bed.n8n.status(id)).toBe('success');
		expect(bed.json(id)).toMatchObject([{ taskId: bed.taskIds[0], status: 'succeed' }]);
		expect(bed.taskIds).toHaveLength(1);
	});
});
