import type { Sandbox } from '../../../sandbox';
import { runNode } from '../../../tools/engine';
import { withProcessedData, withSandbox } from '../../harness/setup';

let sandbox: Sandbox;
withSandbox((started) => (sandbox = started));
// It survives a crash.
withProcessedData();

test('an execution that is retried after its process died finds its tasks on n8n 2', async () => {
	const run = {
		credential: sandbox.credential('kling'),
		items: Array.from({ length: 3 }, () => ({ json: {} })),
		parameters: {
			operation: 'create',
			effectScene: { mode: 'name', value: 'squish' },
			imageInput: 'url',
			image: 'https://photos.example/one.jpg',
			waitForCompletion: false,
			downloadVideo: false,
			options: { concurrency: 1 },
		},
	};
	// The third item is refused, so that there is an execution with a node to retry.
	sandbox.addFault({ kind: 'code', code: 1301, match: { operation: 'create' }, skip: 2, times: 1 });
	const died = await runNode(run);
	expect(died.error).toBeDefined();
	expect(sandbox.charges).toHaveLength(2);
	const paid = sandbox.charges.map(({ taskId }) => taskId);

	// What the node knew dies with the process; what was stored before it ran remains.
	died.run.data.executionData!.contextData = {};
	const retried = await runNode({ ...run, retryOf: died, executionId: '78', mode: 'retry' });
	expect(retried.error).toBeUndefined();
	expect(retried.json.map(({ taskId }) => taskId).slice(0, 2)).toEqual(paid);
	expect(sandbox.charges).toHaveLength(3);
});
