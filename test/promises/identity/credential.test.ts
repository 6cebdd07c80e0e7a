import type { Sandbox } from '../../../sandbox';
import { withProcessedData, withSandbox } from '../../harness/setup';
import { first, hintsOf, idsOf, items, n8nLines, providerNames, Stage } from './stage';

/** A retry with a credential that was edited after the first try. */

const stage = new Stage();
withProcessedData();
let other: Sandbox;
withSandbox((started) => (other = started));
beforeEach(() => other.reset());

describe.each(providerNames)('after the credential was changed from %s', (provider) => {
	const others = providerNames.filter((name) => name !== provider);

	test.each(others)(
		'to %s, its tasks come out in their last known state, and nothing is sent for them',
		async (next) => {
			const failed = await stage.failedRun(provider);
			const earlier = stage.charged();
			const credential = other.credential(next);
			const run = await stage.retry(next, failed, { credential });
			expect(run.error).toBeUndefined();
			expect(idsOf(run).slice(0, 2)).toEqual(earlier);
			expect(run.json.slice(0, 2)).toEqual(
				items
					.slice(0, 2)
					.map(({ json }) =>
						expect.objectContaining({ provider, status: 'submitted', effectScene: json.scene }),
					),
			);
			expect(other.charges).toHaveLength(1);
			expect(stage.charged()).toHaveLength(2);
			expect(JSON.stringify(other.requests)).not.toContain(earlier[0]);
			expect(hintsOf(run).join()).toMatch(
				new RegExp(
					`Item 0: task ${earlier[0]} was created at .*, before the credential was changed`,
				),
			);
			// Both are on the execution.
			for (const taskId of [...earlier, other.charges[0].taskId]) {
				expect(JSON.stringify(run.customData)).toContain(taskId);
			}
		},
	);

	test('to another account there, they are named and not created again', async () => {
		const failed = await stage.failedRun(provider);
		const earlier = stage.charged();
		const run = await stage.retry(provider, failed, { credential: other.credential(provider) });
		expect(run.error).toBeUndefined();
		expect(idsOf(run).slice(0, 2)).toEqual(earlier);
		expect(other.charges).toHaveLength(1);
		expect(hintsOf(run).join()).toMatch(
			new RegExp(`Item 1: task ${earlier[1]} was created with another .* key or Base URL`),
		);
	});

	test('a create whose answer was lost is not sent to another account: “not found” proves nothing there', async () => {
		stage.sandbox.addFault({ kind: 'resetAfter', match: { operation: 'create' }, times: 1 });
		stage.sandbox.addFault({ kind: 'redirect', match: { operation: 'get' } });
		const failed = await stage.run(provider, { items: first });
		expect(failed.error?.message).toMatch(/may have created the task/);
		for (const next of providerNames) {
			const credential = other.credential(next);
			const run = await stage.retry(next, failed, { credential });
			expect(run.error?.message).toMatch(/may have created the task/);
			expect(run.error?.description).toMatch(/before the credential was changed/);
			expect(run.error?.description).not.toMatch(/sends it only if it is not there/);
		}
		expect(stage.charged()).toHaveLength(1);
		expect(other.charges).toEqual([]);
		// With the first key again, it is found, or still reported.
		stage.sandbox.clearFaults();
		await stage.retry(provider, failed);
		expect(stage.charged()).toHaveLength(1);
	});
});

describe.each(n8nLines)('Retry after a missing key was filled in: %s', (_line, line) => {
	test.each(providerNames)('%s creates: nothing had been sent', async (provider) => {
		const incomplete = { ...stage.credential(provider), apiKey: '' };
		const failed = await stage.run(provider, { ...line, credential: incomplete });
		expect(failed.error?.message).toMatch(/in the credential/);
		const again = await stage.retry(provider, failed, line);
		expect(again.error?.message).toBeUndefined();
		expect(stage.charged()).toHaveLength(3);
	});
});
