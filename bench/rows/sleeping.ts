import type { Held } from '../children/sleeping';
import { inChild } from '../lib/child';
import type { Bench, Benchmark, Row } from '../lib/row';

const count = 200;

/** 200 executions that wait for a video at the same time. */
export const sleeping: Benchmark = {
	name: 'sleeping',
	async run(bench) {
		const ways = ['callback', 'polling', 'loop'];
		await bench.sandbox.reset({ taskSeconds: 7200 });
		const runs: Held[][] = [];
		// At the same time, since most of it is waiting.
		while (runs.length < bench.runs(3)) {
			runs.push(await Promise.all(ways.map(async (way) => await inWay(way, bench))));
		}
		const [callback, polling, loop] = ways.map((_, way) => runs.map((run) => run[way]));
		return [
			...rowsOf('Wait Using: Callback', callback, loop),
			...rowsOf('Wait Using: Polling', polling, loop),
		];
	},
};

async function inWay(way: string, { sandbox }: Bench): Promise<Held> {
	return await inChild<Held>('sleeping', way, sandbox.url, String(count));
}

const measured =
	'in one process, 25 s after the start, when the node’s own last look (20 s) is over. Busy are the executions that have not returned. Memory is the growth of the heap after garbage collection, over the count, with what n8n would have written to its database let go; within 5 kB it cannot be told from nothing.';

function rowsOf(way: string, ours: Held[], loop: Held[]): Row[] {
	const row = (what: string, unit: string, figure: keyof Held): Row => ({
		what: `${count} waiting executions, ${way}: ${what}`,
		unit,
		ours: ours.map((one) => one[figure]),
		beside: { name: 'HTTP Request + Wait + IF', values: loop.map((one) => one[figure]) },
	});
	const busy = row('busy slots', 'executions', 'busy');
	const sleeps = way.endsWith('Callback');
	return [
		sleeps ? { ...busy, target: { kind: 'exactly', bound: 0 }, note: measured } : busy,
		row('memory of each', 'kB', 'kilobytes'),
		row('CPU', 'ms per second', 'cpu'),
	];
}
