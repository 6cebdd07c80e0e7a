import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { byExternalId, byId } from '../../harness/workbench';
import { withProcessedData } from '../../harness/setup';
import { first, idsOf, Stage } from './stage';

/** A provider that returns a task under another ID, or another task. */

const stage = new Stage();
withProcessedData();

test.each(['cometApi', 'kkiai'] as const)(
	'%s: a task returned under another system’s id keeps the requested id',
	async (provider) => {
		const made = await stage.run(provider, { items: first });
		const [taskId] = idsOf(made);
		Object.assign(stage.sandbox.options, { gatewaysShowKlingsId: true });
		const get = { operation: 'get', taskId: byId(taskId), waitForCompletion: true };
		const got = await stage.run(provider, { parameters: get as never, items: [{ json: {} }] });
		expect(got.json).toEqual([expect.objectContaining({ taskId, status: 'succeed' })]);
	},
);

/** A gateway that answers each look-up with the same task. */
async function brokenGateway(taskId: string, externalTaskId: string) {
	const server: Server = createServer((request, response) => {
		if (request.method === 'POST') return void request.socket.destroy();
		const task = {
			task_id: taskId,
			task_status: 'succeed',
			task_info: { external_task_id: externalTaskId },
		};
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({ code: 0, message: 'SUCCEED', data: task }));
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return { baseUrl: `http://127.0.0.1:${port}`, close: () => server.close() };
}

describe.each(['kling', 'cometApi', 'kkiai'] as const)(
	'%s, if it returns another task',
	(provider) => {
		test('does not make it the task of a lost create, nor of a Get', async () => {
			const { baseUrl, close } = await brokenGateway('1', 'another');
			const credential = { ...stage.credential(provider), baseUrl };
			const lost = await stage.run(provider, { items: first, credential });
			expect(lost.json).toEqual([]);
			expect(lost.error?.description).toMatch(/a different task than the one requested/);
			const get = { operation: 'get', taskId: byExternalId('mine') };
			const got = await stage.run(provider, {
				parameters: get as never,
				items: [{ json: {} }],
				credential,
			});
			expect(got.error?.message).toMatch(/a different task than the one requested/);
			close();
		});
	},
);
