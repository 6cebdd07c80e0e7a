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
withProcessedData();
const most = (maxTasks: unknown) => ({
	parameters: { ...parameters, options: { concurrency: 5, maxTasks } },
});

test.each(providerNames)('%s: anything beyond it is refused by name, unpaid', async (provider) => {
	const run = await stage.run(provider, { ...most(2), settings });
	expect(stage.charged()).toHaveLength(2);
	expect(stage.creates()).toHaveLength(2);
	expect(run.json[2].error).toMatch(/^Max Tasks under Options has been reached$/);
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

test.each([undefined, null, ''])('%j sets no limit', async (maxTasks) => {
	await stage.run('kling', most(maxTasks));
	expect(stage.charged()).toHaveLength(items.length);
});

test.each([0, -1, 1.5, 'many'])('%j is refused before anything is sent', async (maxTasks) => {
	const run = await stage.run('kling', most(maxTasks));
	expect(run.error?.message).toBe('Max Tasks must be a whole number of at least 1');
	expect(stage.creates()).toEqual([]);
});

test('an item that may have a task and is beyond it says both, and what to do', async () => {
	const lost = { kind: 'resetBefore', match: { operation: 'create' } } as const;
	const two = { items: items.slice(0, 2), settings };
	stage.sandbox.addFault(lost);
	const failed = await stage.run('kling', { ...most(2), items: two.items });
	stage.sandbox.clearFaults();
	const { json } = await stage.retry('kling', failed, { ...most(1), ...two });
	expect(stage.charged()).toHaveLength(1);
	const { error, message } = json.find((one) => one.error)!;
	expect(error).toMatch(/may have created the task, but its response did not arrive$/);
	expect(message).toContain(
		'It could not be sent again: Max Tasks under Options has been reached.',
	);
	expect(message).toMatch(/A retry of this execution looks it up again/);
});

test('after a crash the same says that, not that a response is missing', async () => {
	const own = { ...most(1), items: items.slice(0, 2), settings, mode: 'webhook' as const };
	await stage.run('kling', { ...own, items: items.slice(0, 1) });
	const { json } = await stage.run('kling', own);
	expect(stage.charged()).toHaveLength(1);
	expect(json[1].error).toMatch(/but the execution crashed before its response was stored$/);
	expect(json[1].message).toContain('Max Tasks under Options has been reached');
});

test('it holds in an execution that n8n runs again after a crash', async () => {
	const own = { ...most(1), settings, mode: 'webhook' as const };
	await stage.run('kling', own);
	await stage.run('kling', own);
	expect(stage.charged()).toHaveLength(1);
});

test('what a retry sends again counts', async () => {
	stage.sandbox.addFault({ kind: 'resetBefore', match });
	const two = { items: items.slice(0, 2) };
	const failed = await stage.run('kling', { ...most(1), ...two });
	stage.sandbox.clearFaults();
	await stage.retry('kling', failed, { ...most(1), settings, ...two });
	expect(stage.charged()).toHaveLength(1);
});
