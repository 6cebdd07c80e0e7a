import type { IExecuteFunctions, INode } from 'n8n-workflow';
import { KlingEffects } from '../../../nodes/KlingEffects/KlingEffects.node';
import { create, minutes, photos, seconds, TestBed } from '../../harness/callbackBed';

const bed = TestBed.prepare();

describe.each([1, 2] as const)('in n8n %i', (line) => {
	test('Execute Once: one task for three items, which wakes the execution', async () => {
		const id = await bed.start(
			photos('a', 'b', 'c'),
			{},
			{ line, settings: { executeOnce: true } },
		);
		expect(bed.taskIds).toHaveLength(1);
		bed.finish('succeed', 0);
		await bed.callBack();
		expect(bed.json(id)).toMatchObject([{ taskId: bed.taskIds[0], status: 'succeed' }]);
		expect(bed.json(id)).toHaveLength(1);
	});

	test('Execute Once: n8n’s own time-out passes on one item too', async () => {
		const id = await bed.start(
			photos('a', 'b', 'c'),
			{},
			{ line, settings: { executeOnce: true } },
		);
		bed.clock.stop();
		bed.n8n.restart();
		await bed.n8n.resumeByTimer(id);
		expect(bed.json(id)).toMatchObject([{ taskId: bed.taskIds[0], timedOut: true }]);
		expect(bed.json(id)).toHaveLength(1);
	});

	test('a loop sleeps in each iteration, and late callbacks of an earlier one change nothing', async () => {
		const id = await bed.start(photos('a'), {}, { line, times: 2 });
		bed.finish('succeed', 0);
		await bed.callBack();
		expect(bed.n8n.status(id)).toBe('waiting');
		expect(bed.taskIds).toHaveLength(2);
		await bed.pass(2 * minutes);
		await bed.callBack();
		expect(bed.n8n.status(id)).toBe('waiting');
		bed.finish('succeed', 1);
		await bed.callBack();
		expect(bed.json(id).map(({ taskId }) => taskId)).toEqual(bed.taskIds);
	});

	test('two Kling nodes sleep one after the other, each with its own address', async () => {
		const second: INode = {
			id: 'second',
			name: 'Second',
			type: 'klingEffects',
			typeVersion: 1,
			position: [0, 0],
			parameters: { ...create, image: 'https://photos.example/second.jpg' } as INode['parameters'],
			credentials: { klingEffectsApi: { id: '1', name: 'Kling' } },
		};
		const end = { ...second, id: 'end', name: 'End', type: 'end' };
		const id = await bed.start(photos('a'), {}, { line, further: [second, end] });
		const first = bed.address;
		bed.finish('succeed', 0);
		await bed.callBack();
		expect(bed.n8n.status(id)).toBe('waiting');
		bed.finish('succeed', 1);
		expect((await bed.callBack({ address: first })).status).toBe(404);
		expect(bed.n8n.status(id)).toBe('waiting');
		const own = bed.sandbox.tasks
			.map(({ callbackUrl }) => callbackUrl!)
			.find((url) => url !== first);
		await bed.callBack({ address: own });
		expect(bed.n8n.after(id, 'End')).toHaveLength(1);
	});

	test('a manual run in the editor sleeps and wakes like any other', async () => {
		const id = await bed.start(photos('a'), {}, { line, mode: 'manual' });
		bed.finish('succeed', 0);
		await bed.callBack();
		expect(bed.json(id)).toMatchObject([{ status: 'succeed' }]);
	});
});

test('as an AI agent’s tool it waits by polling: an agent needs the answer at once', async () => {
	bed.sandbox.options.taskSeconds = 5;
	const id = await bed.start(photos('a'), {}, { settings: { type: 'klingEffectsTool' } });
	bed.sandbox.options.taskSeconds = 1_000_000;
	expect(bed.n8n.status(id)).toBe('success');
	expect(bed.n8n.output(id)[0].json.status).toBe('succeed');
});

describe('what n8n could not wake is refused before anything is paid', () => {
	const refusal = async (options: Parameters<TestBed['start']>[2]) => {
		const id = await bed.start(photos('a'), {}, options);
		expect(bed.n8n.status(id)).toBe('error');
		expect(bed.taskIds).toEqual([]);
		return bed.n8n.error(id)!;
	};
	const parentExecution = { executionId: '7', workflowId: 'caller' };

	test('a sub-workflow whose caller waits, in n8n 1', async () => {
		const { message, description } = await refusal({ line: 1, parentExecution });
		expect(message).toBe('This version of n8n can lose the output of a sub-workflow that sleeps');
		expect(description).toContain('Polling');
	});

	test('a workflow that is not saved', async () => {
		const { message } = await refusal({ workflowId: '' });
		expect(message).toBe('This execution cannot be woken by a callback');
	});

	test.each(['executeData', 'runExecutionData'])(
		'an n8n that does not show %s to nodes',
		async (hidden) => {
			// n8n itself still finds it: its methods run on the context behind the proxy.
			const get = (context: IExecuteFunctions, name: string) => {
				const value = Reflect.get(context, name);
				if (name === hidden) return undefined;
				return typeof value === 'function' ? value.bind(context) : value;
			};
			class Blind extends KlingEffects {
				override async execute(this: IExecuteFunctions) {
					return await new KlingEffects().execute.call(new Proxy(this, { get } as object));
				}
			}
			const { message, description } = await refusal({ nodeType: () => new Blind() });
			expect(message).toBe('This execution cannot be woken by a callback');
			expect(description).toContain('this version of n8n cannot do it');
		},
	);

	test('a provider without callbacks, and a user’s own Callback URL', async () => {
		expect((await refusal({ provider: 'modellix' })).message).toBe('Modellix sends no callbacks');
		const options = { ...create.options, callbackUrl: 'https://example.com/mine' };
		const id = await bed.start(photos('a'), { options });
		expect(bed.n8n.error(id)?.message).toContain('cannot be combined');
		expect(bed.taskIds).toEqual([]);
	});
});

test.each([
	{ line: 1 as const, parentExecution: { executionId: '7', workflowId: 'c', shouldResume: false } },
	{ line: 2 as const, parentExecution: { executionId: '7', workflowId: 'c' } },
])(
	'a sub-workflow sleeps if its caller gets the output or does not need it: %j',
	async (options) => {
		const id = await bed.start(photos('a'), {}, options);
		bed.finish('succeed', 0);
		await bed.callBack();
		expect(bed.json(id)).toMatchObject([{ status: 'succeed' }]);
	},
);

describe('two processes of n8n 1, which does not check who resumes', () => {
	test('two callbacks at the same moment: the nodes after run once, and one download is made', async () => {
		const id = await bed.start(photos('a'), { downloadVideo: true }, { line: 1, processes: 2 });
		await bed.pass(60 * seconds);
		bed.finish('succeed', 0);
		const both = [0, 1].map(async (process) => await bed.n8n.call(bed.address, {}, process));
		await bed.clock.during(Promise.all(both));
		await bed.clock.during(bed.n8n.settled());
		expect(bed.n8n.runs).toBe(3);
		expect(bed.n8n.after(id)).toHaveLength(1);
		expect(bed.sandbox.requests.filter(({ operation }) => operation === 'download')).toHaveLength(
			1,
		);
	});

	test('two callbacks at the same moment, and a failed task: whichever ends last, the execution is an error', async () => {
		const id = await bed.start(photos('a'), {}, { line: 1, processes: 2 });
		await bed.pass(60 * seconds);
		bed.finish('failed', 0);
		const both = [0, 1].map(async (process) => await bed.n8n.call(bed.address, {}, process));
		await bed.clock.during(Promise.all(both));
		await bed.clock.during(bed.n8n.settled());
		expect(bed.n8n.runs).toBe(3);
		expect(bed.n8n.status(id)).toBe('error');
		expect(bed.n8n.after(id)).toEqual([]);
	});

	test('n8n’s time-out during a download: the nodes after run once', async () => {
		const id = await bed.start(photos('a'), { downloadVideo: true }, { line: 1 });
		bed.sandbox.addFault({ kind: 'delay', delayMs: 300, match: { operation: 'download' } });
		bed.finish('succeed', 0);
		const called = bed.clock.during(bed.n8n.call(bed.address));
		while (bed.n8n.status(id) !== 'running') await new Promise(setImmediate);
		await Promise.all([called, bed.n8n.resumeByTimer(id)]);
		await bed.clock.during(bed.n8n.settled());
		expect(bed.n8n.runs).toBe(3);
		expect(bed.n8n.after(id)).toHaveLength(1);
	});
});

describe.each(['kling', 'cometApi', 'kkiai', 'apiModels'] as const)('with %s', (provider) => {
	test.each([true, false])('it wakes with the right task, Simplify %p', async (simplify) => {
		const id = await bed.start(photos('a', 'b'), { simplify }, { provider });
		bed.finish('succeed', 0);
		await bed.callBack();
		expect(bed.n8n.status(id)).toBe('waiting');
		bed.finish('succeed', 1);
		await bed.callBack();
		expect(bed.n8n.status(id)).toBe('success');
		const texts = bed.json(id).map((json) => JSON.stringify(json));
		for (const [index, taskId] of bed.taskIds.entries()) expect(texts[index]).toContain(taskId);
	});
});
