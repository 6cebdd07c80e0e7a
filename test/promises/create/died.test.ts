import { rows } from '../contract/providers';
import { Workbench, photo, secondPhoto, single } from '../../harness/workbench';
import { nodeName, runNode, type RunOptions, type RunResult } from '../../../tools/engine';
import { withProcessedData } from '../../harness/setup';

/** An execution that died with its process, and is retried with the button. */

const bench = Workbench.prepare();
const rowOf = (name: string) => rows.find(({ provider }) => provider === name)!;
const items = [photo, secondPhoto].map((image) => ({ json: { image } }));
const parameters = { ...single, image: '={{ $json.image }}', waitForCompletion: false };

interface Died {
	/** How far the node got, according to n8n's log. */
	node?: 'started' | 'ended' | 'not reached';
	/** Executions in n8n 1.123 have no token. */
	hasToken?: boolean;
}

/** As n8n stores an execution that died: as it started, with runs reconstructed from its log. */
function died(before: RunResult, { node = 'started', hasToken = true }: Died): RunResult {
	const { run } = structuredClone(before);
	const data = run.data as { -readonly [Key in keyof typeof run.data]: (typeof run.data)[Key] };
	if (!hasToken) delete (data as { resumeToken?: string }).resumeToken;
	data.executionData!.contextData = {};
	data.executionData!.nodeExecutionStack = [
		{ node: {} as never, data: { main: [structuredClone(items)] }, source: null },
	];
	const entry = { startTime: 1, executionIndex: 0, executionTime: 0, source: [] };
	// Retry removes the last run of the node that the log calls last.
	const runs = node === 'ended' ? [entry, entry] : [entry];
	data.resultData.runData = node === 'not reached' ? {} : { [nodeName]: runs };
	return { ...before, run };
}

async function start(name: string, options: Partial<RunOptions> = {}): Promise<RunResult> {
	const credential = bench.credential(rowOf(name));
	return await runNode({ parameters, items, credential, ...options });
}

async function retry(name: string, how: Died = {}, options: Partial<RunOptions> = {}) {
	const first = await start(name);
	expect(bench.sandbox.charges).toHaveLength(2);
	const more = { executionId: '78', mode: 'retry' as const, ...options };
	return await start(name, { retryOf: died(first, how), ...more });
}

describe.each(['started', 'ended'] as const)('whose node had %s', (node) => {
	test('finds the tasks again where the provider can look them up', async () => {
		const { json } = await retry('kling', { node });
		expect(bench.sandbox.charges).toHaveLength(2);
		expect(json.map(({ taskId }) => taskId)).toEqual(
			bench.sandbox.charges.map(({ taskId }) => taskId),
		);
	});

	test('does not give them the current scene, which may have been edited', async () => {
		const effectScene = { __rl: true, mode: 'name', value: 'squish' };
		const edited = { parameters: { ...parameters, effectScene } };
		const { json } = await retry('kling', { node }, edited);
		expect(bench.sandbox.charges.map((one) => one.effectScene)).toEqual(
			Array(2).fill('color_mixing'),
		);
		expect(json.map((one) => one.effectScene)).toEqual([null, null]);
	});

	test.each(['modellix', 'apiModels', 'cometApi', 'kkiai'])(
		'sends nothing again at %s, and says what to check',
		async (name) => {
			const { error } = await retry(name, { node });
			expect(bench.sandbox.charges).toHaveLength(2);
			if (error) {
				expect(error.message).toMatch(
					/may have created the task, but the execution crashed before its response was stored$/,
				);
				expect(error.description).toMatch(/“.+” may have been sent/);
				expect(error.description).toMatch(/Look (in|for that id in) the .* console/);
			}
		},
	);

	test.each(['kling', 'cometApi', 'modellix'])(
		'sends nothing again at %s where n8n gives no token (1.123)',
		async (name) => {
			const { error } = await retry(name, { node, hasToken: false });
			expect(error?.message).toMatch(/may have created the task/);
			expect(bench.sandbox.charges).toHaveLength(2);
		},
	);
});

async function retryWith(name: string, options: Record<string, unknown>) {
	const own = { parameters: { ...parameters, options } };
	const first = await start(name, own);
	return await start(name, { retryOf: died(first, {}), executionId: '78', mode: 'retry', ...own });
}

test('a user’s id is looked up, with a token and without', async () => {
	const options = { externalTaskId: "={{ 'order-' + $itemIndex }}" };
	const own = { parameters: { ...parameters, options } };
	const first = await start('kling', own);
	for (const hasToken of [true, false]) {
		const retryOf = died(first, { hasToken });
		const { json } = await start('kling', { retryOf, executionId: '78', mode: 'retry', ...own });
		expect(json).toHaveLength(2);
	}
	expect(bench.sandbox.charges).toHaveLength(2);
});

describe.each([
	['', false],
	[', though n8n has a record of the execution', true],
])('a user’s id that an expression changes each time', (where, hasRecord) => {
	if (hasRecord) withProcessedData();

	test(`proves nothing, so nothing is sent${where}`, async () => {
		const options = { externalTaskId: "={{ 'order-' + $execution.id + $itemIndex }}" };
		const { error } = await retryWith('kling', options);
		expect(error?.message).toMatch(/may have created the task/);
		expect(bench.sandbox.charges).toHaveLength(2);
	});
});

test.each(['kling', 'modellix'])(
	'that died before this node creates its tasks: %s',
	async (name) => {
		const first = await start(name);
		bench.sandbox.reset();
		const retryOf = died(first, { node: 'not reached', hasToken: false });
		const { json } = await start(name, { retryOf, executionId: '78', mode: 'retry' });
		expect(json).toHaveLength(2);
		expect(bench.sandbox.charges).toHaveLength(2);
	},
);

test.each(['modellix', 'kling'])(
	'an honest retry after a refused input creates: %s',
	async (name) => {
		const bad = { parameters: { ...parameters, image: 'ftp://example.com/a.jpg' } };
		const first = await start(name, bad);
		expect(first.error?.message).toMatch(/^Image/);
		const { json } = await start(name, { retryOf: first, executionId: '78', mode: 'retry' });
		expect(json).toHaveLength(2);
	},
);
