import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { openProcessedData, SleepingN8n } from '../../tools/sleepingN8n';
import { createNode, items } from '../lib/nodes';
import type { Bench, Benchmark } from '../lib/row';

/** Executions of each kind, which start one after the other within a poll interval. */
const count = 10;
const intervalSeconds = 10;
const taskSeconds = 24;

/** From a task's end to the node's output, with the usual poll interval. */
export const ending: Benchmark = {
	name: 'ending',
	async run(bench) {
		await bench.sandbox.reset({ taskSeconds, callbacks: 'on', latencyMs: 50 });
		await openProcessedData();
		const number = bench.isQuick ? 2 : count;
		const [callback, polling] = await Promise.all([
			secondsTo('callback', number, bench),
			secondsTo('polling', number, bench),
		]);
		return [
			{
				what: 'From a task’s end to the output, Wait Using: Callback',
				unit: 's',
				ideal: 0,
				ours: callback,
				beside: { name: `Wait Using: Polling, every ${intervalSeconds} s`, values: polling },
				target: { kind: 'below', bound: 1, of: 'beside' },
				note: 'One task in each execution, on n8n’s real engine. n8n’s own web server, database and queue are not in it.',
			},
		];
	},
};

async function secondsTo(waitUsing: string, number: number, bench: Bench): Promise<number[]> {
	const runs = Array.from({ length: number }, async (_, index) => {
		await new Promise((resolve) => setTimeout(resolve, (index * intervalSeconds * 1_000) / number));
		return await secondsOf(waitUsing, bench);
	});
	return await Promise.all(runs);
}

async function secondsOf(waitUsing: string, { sandbox, credential }: Bench): Promise<number> {
	const { server, answerWith } = await ownServer();
	const options = { waitUsing, pollInterval: intervalSeconds };
	const { parameters } = createNode({ waitForCompletion: true, options });
	const { port } = server.address() as AddressInfo;
	// Its own workflow: otherwise the creates would count as tries of the same one.
	const workflowId = `workflow-${port}`;
	const webhookUrl = `http://127.0.0.1:${port}`;
	const n8n = new SleepingN8n({ parameters, credential, webhookUrl, workflowId });
	answerWith(n8n);
	const id = await n8n.execute(items(1));
	while (n8n.after(id).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
	server.close();
	const [{ at, items: output }] = n8n.after(id);
	const { tasks } = await sandbox.state();
	const task = tasks.find(({ taskId }) => taskId === output[0].json.taskId)!;
	return (at - task.finishedAt) / 1_000;
}

/** Where the provider calls. */
async function ownServer(): Promise<{ server: Server; answerWith(n8n: SleepingN8n): void }> {
	let called: SleepingN8n;
	const server = createServer((request, response) => {
		void (async () => {
			const { status } = await called.call(`http://localhost${request.url}`, {
				body: await text(request),
			});
			response.writeHead(status).end();
		})();
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return { server, answerWith: (n8n) => void (called = n8n) };
}
