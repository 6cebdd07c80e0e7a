import type { Sandbox } from '../../../sandbox';
import { withProcessedData, withSandbox } from '../../harness/setup';
import {
	atSecondRound,
	day,
	first,
	idsOf,
	n8nLines,
	onN8n1,
	providerNames,
	second,
	Stage,
} from './stage';

/** After a crash, n8n runs an execution again, or it is retried: no task is paid for twice. */

const stage = new Stage();
withProcessedData();
let other: Sandbox;
withSandbox((started) => (other = started));
beforeEach(() => other.reset());

// Manual runs, as when they go to workers.
test.each(providerNames.flatMap((name) => [[name, 'webhook'] as const, [name, 'manual'] as const]))(
	'%s: an execution started by %s that n8n runs again pays for nothing twice, in n8n 1 and 2',
	async (provider, mode) => {
		for (const [index, line] of [onN8n1, {}].entries()) {
			const own = { ...line, mode, workflowId: `${provider} ${index}` };
			const run = await stage.run(provider, own);
			await stage.bench.clock.sleep(day);
			const again = await stage.run(provider, own);
			expect(stage.charged()).toEqual(idsOf(run));
			// Found, or reported if it cannot be looked up.
			const isTold = /may have created the task, but the execution crashed/;
			if (again.error) expect(again.error.message).toMatch(isTold);
			else expect(idsOf(again)).toEqual(idsOf(run));
			expect(again.error === undefined).toBe(!['modellix', 'apiModels'].includes(provider));
			// Nor at another account, if the credential was changed in the meantime.
			await stage.run(provider, { ...own, credential: other.credential(provider) });
			expect(other.charges).toEqual([]);
			stage.sandbox.reset();
		}
	},
);

describe.each(n8nLines)('a crash in the second loop iteration, after a Wait: %s', (_line, line) => {
	describe.each(providerNames)('%s', (provider) => {
		const own = { ...line, executionId: '77', mode: 'webhook' as const };
		const crash = async () => {
			const slept = atSecondRound(await stage.run(provider, { ...own, items: first }), second);
			// The worker dies after sending the create of the second iteration.
			await stage.run(provider, { ...own, retryOf: slept });
			expect(stage.charged()).toHaveLength(2);
			await stage.bench.clock.sleep(120_000);
			return slept;
		};

		test('the iteration that n8n runs again pays for nothing twice', async () => {
			const again = await stage.run(provider, { ...own, retryOf: await crash() });
			expect(stage.charged()).toHaveLength(2);
			if (provider === 'kling') expect(idsOf(again)).toContain(stage.charged()[1]);
			expect(again.error?.message ?? '').not.toMatch(/already has a task with the ID/);
		});

		test('the Retry button pays for nothing twice', async () => {
			await stage.retry(provider, await crash(), line);
			expect(stage.charged()).toHaveLength(2);
		});

		test('a retry that n8n runs again after a crash pays for nothing twice', async () => {
			const failed = await stage.failedRun(provider, line);
			await stage.retry(provider, failed, line);
			expect(stage.charged()).toHaveLength(3);
			await stage.bench.clock.sleep(120_000);
			await stage.retry(provider, failed, line);
			expect(stage.charged()).toHaveLength(3);
		});
	});
});
