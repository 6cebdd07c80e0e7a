import { withProcessedData } from '../../harness/setup';
import {
	idsOf,
	items,
	match,
	onContinue as settings,
	parameters,
	providerNames,
	Stage,
} from './stage';

/** An execution with Max Tasks has a known maximum cost. */

const stage = new Stage();
const most = (maxTasks: unknown) => ({
	parameters: { ...parameters, options: { concurrency: 5, maxTasks } },
});

test.each(providerNames)('%s: anything beyond it is refused by name, unpaid', async (provider) => {
	const run = await stage.run(provider, { ...most(2), settings });
	expect(stage.charged()).toHaveLength(2);
	expect(stage.creates()).toHaveLength(2);
	expect(run.json[2].error).toMatch(/Max Tasks has been reached$/);
});

test('counts across loop iterations', async () => {
	await stage.run('kling', { ...most(4), settings, rounds: 3 });
	expect(stage.charged()).toHaveLength(4);
});

test('what was refused does not count, nor what a retry finds', async () => {
	const failed = await stage.failedRun('kling', most(3));
	const again = await stage.retry('kling', failed, { ...most(1) });
	expect(idsOf(again)).toEqual(stage.charged());
	expect(stage.charged()).toHaveLength(items.length);
});

test.each([0, -1, 1.5, 'many'])('%j is refused before anything is sent', async (maxTasks) => {
	const run = await stage.run('kling', most(maxTasks));
	expect(run.error?.message).toBe('Max Tasks must be a whole number of at least 1');
	expect(stage.creates()).toEqual([]);
});

describe('over several tries', () => {
	withProcessedData();
	const one = { ...most(1), settings };

	test('it holds in an execution that n8n runs again after a crash', async () => {
		const own = { ...one, mode: 'webhook' as const };
		await stage.run('kling', own);
		await stage.run('kling', own);
		expect(stage.charged()).toHaveLength(1);
	});

	test('what a retry sends again counts', async () => {
		stage.sandbox.addFault({ kind: 'resetBefore', match });
		const two = { items: items.slice(0, 2) };
		const failed = await stage.run('kling', { ...most(1), ...two });
		stage.sandbox.clearFaults();
		await stage.retry('kling', failed, { ...one, ...two });
		expect(stage.charged()).toHaveLength(1);
	});
});
