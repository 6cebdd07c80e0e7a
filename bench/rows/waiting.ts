import { execute, flowOf, type Flow } from '../lib/engine';
import { createNode, handMadeLoop, items } from '../lib/nodes';
import { ticksOf } from '../lib/ticks';
import { inTurn, type Bench, type Benchmark } from '../lib/row';

const count = 200;
const intervalSeconds = 2;
const latencyMs = 50;

interface Seen {
	/** Looks at tasks, for each tick of the wait. */
	perTick: number;
	/** Intervals from the end of the last task to that of the execution. */
	lag: number;
	/** Looks in all. */
	looks: number;
}

/** 200 tasks of one execution, waited for. */
export const waiting: Benchmark = {
	name: 'waiting',
	async run(bench) {
		const wait = {
			waitForCompletion: true,
			options: { pollInterval: intervalSeconds, concurrency: 100 },
		};
		const ours = flowOf(createNode(wait));
		const loop = handMadeLoop(bench.sandbox.baseUrl, intervalSeconds);
		// The tasks end at a different point of the interval in each run, as they would in reality.
		const runs = { ours: 0, loop: 0 };
		const by = (name: keyof typeof runs, flow: Flow) => async () =>
			await see(bench, flow, 4 + intervalSeconds * ((runs[name]++ * 0.38) % 1));
		const seen = await inTurn(bench.runs(5), { ours: by('ours', ours), loop: by('loop', loop) });
		const values = (name: keyof typeof seen, figure: keyof Seen) =>
			seen[name].map((one) => one[figure]);
		const beside = (figure: keyof Seen) => ({
			name: 'HTTP Request + Wait + IF',
			values: values('loop', figure),
		});
		const what = `${count} tasks waited for, looked at every ${intervalSeconds} s:`;
		return [
			{
				what: `${what} requests per tick`,
				unit: 'requests',
				ideal: 1,
				ours: values('ours', 'perTick'),
				beside: beside('perTick'),
				target: { kind: 'atMost', bound: 1, of: 'ideal' },
			},
			{
				what: `${what} from the last task’s end to the return`,
				unit: 'intervals',
				ideal: 0.5,
				ours: values('ours', 'lag'),
				beside: beside('lag'),
				note: 'The ideal is that of any wait that looks at fixed times: half an interval on average.',
			},
		];
	},
};

async function see({ sandbox, credential }: Bench, flow: Flow, taskSeconds: number): Promise<Seen> {
	await sandbox.reset({ taskSeconds, latencyMs });
	const { done, error, endedAt } = await execute(flow, items(count), credential);
	if (done.length !== count) throw new Error(`${done.length} items: ${error?.message}`);
	const requests = await sandbox.requests();
	const looks = requests.filter(({ operation }) => operation !== 'create').map(({ at }) => at);
	const { tasks } = await sandbox.state();
	const last = Math.max(...tasks.map(({ finishedAt }) => finishedAt));
	const lag = (endedAt - last) / 1000 / intervalSeconds;
	return { perTick: looks.length / ticksOf(looks), lag, looks: looks.length };
}
