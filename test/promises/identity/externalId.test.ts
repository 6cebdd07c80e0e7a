import { withProcessedData } from '../../harness/setup';
import { day, first, hintsOf, idsOf, match, second, Stage, withOptions } from './stage';

/** An External Task ID that the user gives. */

const stage = new Stage();
withProcessedData();

test.each(['cometApi', 'kkiai'] as const)(
	'%s: an old task under a given id is not called the only one',
	async (provider) => {
		Object.assign(stage.sandbox.options, {
			cometExternalIdLookup: true,
			kkiaiExternalIdLookup: true,
		});
		const given = withOptions({ externalTaskId: 'order-1' });
		const createdAt = stage.bench.clock.now() - day;
		stage.sandbox.seedTasks(provider, [{ externalTaskId: 'order-1', createdAt }]);
		stage.sandbox.addFault({ kind: 'resetBefore', match });
		const run = await stage.run(provider, { items: first, ...given });
		expect(run.json).toHaveLength(1);
		expect(hintsOf(run).join()).toMatch(/already existed .* is not known: look in the/);
		expect(hintsOf(run).join()).not.toMatch(/no new task was created or charged/);
	},
);

test.each(['.', '..', 'a\u0000b', 'a\nb', 'half \ud83d', '\u0085'])(
	'External Task ID %j is refused before it is paid',
	async (id) => {
		const externalTaskId = `={{ ${JSON.stringify(id)} }}`;
		for (const provider of ['kling', 'cometApi', 'kkiai'] as const) {
			const run = await stage.run(provider, {
				items: first,
				...withOptions({ externalTaskId }),
			});
			expect(run.error?.message).toMatch(
				/^External Task ID (cannot be part of a URL|contains an invisible character)/,
			);
		}
		expect(stage.creates()).toEqual([]);
	},
);

test('an External Task ID that is the ID of another task never gives that task', async () => {
	const [{ taskId }] = (await stage.run('kling', { items: second, executionId: '70' })).json;
	// Like one created elsewhere, without an external id.
	const other = stage.sandbox.tasks.find((task) => task.taskId === taskId)!;
	Object.assign(other, { externalTaskId: null });
	stage.sandbox.addFault({ kind: 'resetAfter', match, times: 1 });
	const run = await stage.run('kling', {
		...withOptions({ externalTaskId: taskId }),
		items: first,
	});
	expect(idsOf(run)).not.toContain(taskId);
});

test('an ID with a comma is taken off the unknown ones once a retry has found its task', async () => {
	stage.sandbox.addFault({ kind: 'resetAfter', match, times: 1 });
	stage.sandbox.addFault({ kind: 'redirect', match: { operation: 'get' }, times: 1 });
	const retryOnFail = { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 };
	const own = { ...withOptions({ externalTaskId: 'a,b' }), items: first, settings: retryOnFail };
	const { customData, error } = await stage.run('kling', own);
	expect(error).toBeUndefined();
	expect(customData.klingUnknown).toBe('');
});
