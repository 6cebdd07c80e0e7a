import type { INode } from 'n8n-workflow';
import { execute, flowOf } from '../lib/engine';
import { createNode, httpCreateNode, items } from '../lib/nodes';
import { inTurn, type Bench, type Benchmark } from '../lib/row';

const count = 100;
const parallelTasks = 10;
const taskSeconds = 3;
const retries = { retryOnFail: true, maxTries: 5, waitBetweenTries: 5000 };

interface Seen {
	/** Tasks in the account. */
	charges: number;
	/** Tasks whose ids left the node. */
	ids: number;
	/** Seconds from the start to the end of the last task. */
	seconds: number;
}

/** 100 tasks at a provider that works on 10 at a time, each for 3 s. */
export const limit: Benchmark = {
	name: 'limit',
	async run(bench) {
		const { baseUrl } = bench.sandbox;
		const by = (node: INode) => async () => await see(bench, node);
		const http = httpCreateNode(baseUrl);
		const goesOn = { onError: 'continueRegularOutput' as const };
		const seen = {
			...(await inTurn(bench.runs(3), {
				ours: by(createNode()),
				http: by(httpCreateNode(baseUrl, {}, goesOn)),
				stopping: by(http),
			})),
			...(await inTurn(1, {
				oursRetrying: by(createNode({}, retries)),
				retrying: by({ ...http, ...retries }),
			})),
		};
		const values = (name: keyof typeof seen, figure: keyof Seen) =>
			seen[name].map((one) => one[figure]);
		const what = `${count} creates, ${parallelTasks} parallel tasks of ${taskSeconds} s:`;
		const retry = 'with Retry On Fail, 5 tries';
		const exactly = (bound: number) => ({ kind: 'exactly' as const, bound });
		return [
			{
				what: `${what} accepted, ids in the output`,
				unit: 'tasks',
				ideal: count,
				moreIsBetter: true,
				ours: values('ours', 'ids'),
				beside: { name: 'HTTP Request, On Error: Continue', values: values('http', 'ids') },
				target: exactly(count),
			},
			{
				what: `${what} failed`,
				unit: 'items',
				ours: values('ours', 'ids').map((ids) => count - ids),
				beside: {
					name: 'HTTP Request, On Error: Continue',
					values: values('http', 'ids').map((ids) => count - ids),
				},
				target: exactly(0),
			},
			{
				what: `${what} until the last task has ended`,
				unit: 's',
				ideal: (count / parallelTasks) * taskSeconds,
				ours: values('ours', 'seconds'),
				target: { kind: 'atMost', bound: 1.3, of: 'ideal' },
				note: 'HTTP Request has no figure here, because it does not get them all accepted.',
			},
			{
				what: `${what} charged but without id in the output`,
				unit: 'tasks',
				ours: values('ours', 'charges').map((charges, run) => charges - seen.ours[run].ids),
				beside: {
					name: 'HTTP Request, On Error: Stop',
					values: seen.stopping.map(({ charges, ids }) => charges - ids),
				},
				target: exactly(0),
			},
			{
				what: `${what} charges ${retry}`,
				unit: 'tasks',
				ideal: count,
				ours: values('oursRetrying', 'charges'),
				beside: { name: 'HTTP Request', values: values('retrying', 'charges') },
				target: exactly(count),
			},
			{
				what: `${what} ids in the output ${retry}`,
				unit: 'tasks',
				ideal: count,
				moreIsBetter: true,
				ours: values('oursRetrying', 'ids'),
				beside: { name: 'HTTP Request', values: values('retrying', 'ids') },
				target: exactly(count),
			},
		];
	},
};

async function see({ sandbox, credential }: Bench, node: INode): Promise<Seen> {
	await sandbox.reset({ parallelTasks, taskSeconds });
	const { done, startedAt } = await execute(flowOf(node), items(count), credential);
	const { tasks, charges } = await sandbox.state();
	const last = Math.max(...tasks.map(({ finishedAt }) => finishedAt));
	return { charges, ids: done.filter(hasId).length, seconds: (last - startedAt) / 1000 };
}

/** Whether the item tells the id of a task, as our node's or as Kling's own answer does. */
function hasId({ json }: { json: Record<string, any> }): boolean {
	return Boolean(json.taskId ?? json.data?.task_id);
}
