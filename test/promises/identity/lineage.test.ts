import type { RunOptions, RunResult } from '../../../tools/engine';
import { withProcessedData } from '../../harness/setup';
import {
	afterFirstRound,
	day,
	first,
	idsOf,
	items,
	match,
	n8nLines,
	onContinue,
	parameters,
	providerNames,
	scene,
	Stage,
	type ProviderName,
} from './stage';

/** Tries that made nothing, before the one that paid. */

const stage = new Stage();
withProcessedData();
let number = 80;
const wrong = { parameters: { ...parameters, image: '={{ "" }}' } };

/** A run whose creates the provider refuses, but for the first `skip`. */
async function refused(skip: number, run: () => Promise<RunResult>): Promise<RunResult> {
	stage.sandbox.addFault({ kind: 'code', code: 1201, match, skip });
	const result = await run();
	stage.sandbox.clearFaults();
	return result;
}

describe.each(n8nLines)('%s', (_line, line) => {
	const own = { ...line, items: items.slice(0, 2) };

	/** An execution, or a retry, that makes nothing. */
	const makesNothing = {
		'the provider refuses it': async (provider: ProviderName, more: Partial<RunOptions>) =>
			await refused(0, async () => await stage.run(provider, { ...own, ...more })),
		'the provider refuses what is missing': async (
			provider: ProviderName,
			more: Partial<RunOptions>,
		) =>
			await refused(
				more.retryOf ? 0 : 1,
				async () => await stage.run(provider, { ...own, ...more }),
			),
		'its input is wrong': async (provider: ProviderName, more: Partial<RunOptions>) =>
			await stage.run(provider, { ...own, ...more, ...wrong }),
		'its operation is Get': async (provider: ProviderName, more: Partial<RunOptions>) => {
			const taskId = { __rl: true, mode: 'id', value: '404' };
			const get = { parameters: { ...parameters, operation: 'get', taskId } };
			return await stage.run(provider, { ...own, ...more, ...get });
		},
	};
	const retryOf = (of: RunResult): Partial<RunOptions> => ({
		...{ retryOf: of, mode: 'retry', executionId: String(++number) },
	});

	describe.each(Object.entries(makesNothing))(
		'retries of which one made nothing: %s',
		(_, fail) => {
			test.each(providerNames)(
				'%s: what its own retry paid, no other retry pays',
				async (provider) => {
					const failed = await fail(provider, { executionId: '77' });
					const again = await fail(provider, retryOf(failed));
					expect(again.error).toBeDefined();
					const made = await stage.run(provider, { ...own, ...retryOf(again) });
					expect(idsOf(made)).toEqual(stage.charged());
					expect(stage.charged()).toHaveLength(2);
					await stage.run(provider, { ...own, ...retryOf(failed) });
					expect(stage.charged()).toHaveLength(2);
				},
			);

			test.each(providerNames)(
				'%s: what another retry paid, its own does not pay',
				async (provider) => {
					const failed = await fail(provider, { executionId: '77' });
					const again = await fail(provider, retryOf(failed));
					const made = await stage.run(provider, { ...own, ...retryOf(failed) });
					expect(idsOf(made)).toEqual(stage.charged());
					expect(stage.charged()).toHaveLength(2);
					await stage.run(provider, { ...own, ...retryOf(again) });
					expect(stage.charged()).toHaveLength(2);
				},
			);
		},
	);

	test.each(providerNames)(
		'%s: a retry that was edited and refused leads back to what was paid before the edit',
		async (provider) => {
			const failed = await makesNothing['the provider refuses it'](provider, { executionId: '77' });
			const squish = { parameters: { ...parameters, ...scene('squish') } };
			const expansion = { parameters: { ...parameters, ...scene('expansion') } };
			await stage.run(provider, { ...own, ...squish, ...retryOf(failed) });
			expect(stage.charged()).toHaveLength(2);
			stage.sandbox.addFault({ kind: 'code', code: 1201, match });
			const refused = await stage.run(provider, { ...own, ...expansion, ...retryOf(failed) });
			stage.sandbox.clearFaults();
			expect(refused.error?.message).toMatch(/did not accept/);
			await stage.run(provider, { ...own, ...squish, ...retryOf(refused) });
			expect(stage.charged()).toHaveLength(2);
		},
	);

	describe.each(['refused', 'wrong'])('a loop whose first round was %s', (how) => {
		test.each(providerNames)(
			'%s: the round that crashed is paid once, where n8n saves the progress',
			async (provider) => {
				const loop = { ...own, items: first, settings: onContinue, executionId: '77', rounds: 2 };
				if (how === 'refused') {
					stage.sandbox.addFault({ kind: 'code', code: 1201, match, times: 1 });
				}
				const image = how === 'wrong' ? '={{ $runIndex ? $json.image : "" }}' : parameters.image;
				const entered = { parameters: { ...parameters, image } };
				const run = await stage.run(provider, { ...loop, ...entered });
				expect(stage.charged()).toHaveLength(1);
				const { rounds, ...later } = loop;
				const progress = afterFirstRound(run);
				for (const _time of Array(rounds)) {
					await stage.run(provider, { ...later, ...entered, retryOf: progress });
				}
				expect(stage.charged()).toHaveLength(1);
			},
		);
	});

	test.each(providerNames)(
		'%s: a node in place of a deleted one, with its name, is not taken for it',
		async (provider) => {
			const failed = await stage.run(provider, { ...own, ...wrong, executionId: '77' });
			await stage.run(provider, { ...own, ...retryOf(failed) });
			const settings = { id: 'node-2' };
			const other = await stage.run(provider, { ...own, ...retryOf(failed), settings });
			expect(other.error).toBeUndefined();
			expect(stage.charged()).toHaveLength(4);
		},
	);
});

describe.each(n8nLines)('retries of one execution, and of its retry: %s', (_line, line) => {
	const own = { ...line, items: items.slice(0, 2) };
	const retried = async (of: RunResult, more: Partial<RunOptions> = {}) =>
		await stage.retry('kling', of, { ...own, ...more, executionId: String(++number) });
	test.each([false, true])(
		'with the key of another account, nothing is paid there again (the retry of the retry first: %p)',
		async (isRetryFirst) => {
			const failed = await refused(0, async () => await stage.run('kling', own));
			const partly = await refused(1, async () => await retried(failed));
			expect(stage.charged()).toHaveLength(1);
			const [paying, other] = isRetryFirst ? [partly, failed] : [failed, partly];
			await retried(paying);
			expect(stage.charged()).toHaveLength(2);
			const credential = stage.sandbox.credential('kling', { region: 'china' });
			for (const _time of [1, 2]) await retried(other, { credential });
			expect(stage.charged()).toHaveLength(2);
			expect(idsOf(await retried(other))).toEqual(stage.charged());
		},
	);
});

describe.each(n8nLines)('an execution that failed before this node: %s', (_line, line) => {
	/** As n8n has stored it. */
	const failedBefore = async (provider: ProviderName, startTime: number): Promise<RunResult> => {
		const result = await stage.run(provider, {
			resumeToken: String(startTime),
			...line,
			...wrong,
			items: first,
		});
		const { executionData, resultData } = structuredClone(result.run.data);
		const data = { main: [first] };
		executionData!.contextData = {};
		executionData!.nodeExecutionStack = [{ node: {} as never, data, source: null }];
		const entry = { startTime, executionIndex: 0, executionTime: 1, source: [null], data };
		resultData.runData = { Start: [entry as never] };
		return {
			...result,
			run: { ...result.run, data: { ...result.run.data, executionData, resultData } },
		};
	};
	const retried = async (provider: ProviderName, of: RunResult) =>
		await stage.retry(provider, of, { ...line, executionId: String(++number) });

	test.each(providerNames)('%s: what one retry paid, another does not pay', async (provider) => {
		const failed = await failedBefore(provider, 1_000);
		const { json } = await retried(provider, failed);
		expect(json.map(({ taskId }) => taskId)).toEqual(stage.charged());
		await stage.bench.clock.sleep(day);
		const again = await retried(provider, failed);
		expect(stage.charged()).toHaveLength(1);
		if (provider === 'kling') expect(idsOf(again)).toEqual(stage.charged());
	});

	test.each(providerNames)('%s: a retry of another such execution creates', async (provider) => {
		for (const time of [1_000, 2_000]) await retried(provider, await failedBefore(provider, time));
		expect(stage.charged()).toHaveLength(2);
	});
});
