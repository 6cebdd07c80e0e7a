import type { INode } from 'n8n-workflow';
import { execute, flowOf } from '../lib/engine';
import { createNode, httpCreateNode, items } from '../lib/nodes';
import { inTurn, type Bench, type Benchmark } from '../lib/row';

const count = 10;
const retries = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1000 };

/** 10 tasks, one of whose responses is lost on the way although the task was created. */
export const lostAnswer: Benchmark = {
	name: 'lost-answer',
	async run(bench) {
		const by = (node: INode) => async () => await chargesOf(bench, node);
		const { ours, http } = await inTurn(bench.runs(5), {
			ours: by(createNode({}, retries)),
			http: by(httpCreateNode(bench.sandbox.baseUrl, {}, retries)),
		});
		return [
			{
				what: `${count} creates, one response lost, with Retry On Fail: charges`,
				unit: 'tasks',
				ideal: count,
				ours,
				beside: { name: 'HTTP Request', values: http },
				target: { kind: 'exactly', bound: count },
			},
		];
	},
};

async function chargesOf({ sandbox, credential }: Bench, node: INode): Promise<number> {
	await sandbox.reset({});
	const match = { operation: 'create' as const };
	await sandbox.addFault({ kind: 'resetAfter', match, skip: count / 2, times: 1 });
	const { done, error } = await execute(flowOf(node), items(count), credential);
	if (done.length !== count) throw new Error(`${done.length} items: ${error?.message}`);
	return (await sandbox.state()).charges;
}
