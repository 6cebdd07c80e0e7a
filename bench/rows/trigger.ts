import type { Workflow } from 'n8n-workflow';
import { flowOf, execute, nodeOf, poll, workflowOf } from '../lib/engine';
import { figuresOf } from '../lib/figures';
import { httpListNode, items } from '../lib/nodes';
import { inTurn, type Bench, type Benchmark, type Row } from '../lib/row';
import type { RemoteSandbox } from '../lib/sandbox';

const sizes = [0, 1_000, 10_000, 100_000];
const name = 'Kling Effects Trigger';
/** Between two tasks of the history: 100,000 are those of a month. */
const gapMs = 26_000;
const settlingPolls = 3;

interface Seen {
	requests: number[];
	ms: number[];
	bytes: number[];
	httpMs: number[];
	/** Requests of the first poll. */
	activation: number;
}

/** What a poll costs when nothing has happened, whatever the history of the account. */
export const trigger: Benchmark = {
	name: 'trigger',
	async run(bench) {
		const rows: Row[] = [];
		const times: Record<number, number[]> = {};
		for (const size of sizes) {
			const seen = await see(bench, size);
			times[size] = seen.ms;
			rows.push(...rowsOf(size, seen));
		}
		return [...rows, flatness(times)];
	},
};

function rowsOf(size: number, { requests, ms, bytes, httpMs, activation }: Seen): Row[] {
	const what = `Idle poll, history of ${size.toLocaleString('en')} tasks:`;
	return [
		{
			what: `${what} requests`,
			unit: 'requests',
			ideal: 1,
			ours: requests,
			target: { kind: 'exactly', bound: 1 },
			note: `the first poll, at activation, made ${activation}.`,
		},
		{
			what: `${what} time`,
			unit: 'ms',
			ours: ms,
			beside: { name: 'HTTP Request, one page of 500', values: httpMs },
		},
		{ what: `${what} state`, unit: 'bytes', ours: bytes, target: { kind: 'atMost', bound: 5_000 } },
	];
}

/** Each poll over the largest history, as a multiple of the usual one over the shortest. */
function flatness(times: Record<number, number[]>): Row {
	const [, shortest] = sizes;
	const usual = figuresOf(times[shortest]).median;
	const largest = sizes[sizes.length - 1];
	return {
		what: `Idle poll, history of ${largest.toLocaleString('en')} over ${shortest.toLocaleString('en')} tasks: time`,
		unit: 'times',
		ideal: 1,
		ours: times[largest].map((ms) => ms / usual),
		target: { kind: 'atMost', bound: 1.3, of: 'ideal' },
	};
}

async function see({ sandbox, credential, runs }: Bench, size: number): Promise<Seen> {
	await sandbox.reset({});
	await seedHistory(sandbox, size);
	const workflow = triggerWorkflow();
	const list = flowOf(httpListNode(sandbox.baseUrl));
	const ours = async () => ({
		...(await pollOnce(sandbox, async () => await poll(workflow, name, credential))),
		bytes: Buffer.byteLength(JSON.stringify(workflow.staticData)),
	});
	const http = async () => ({
		requests: 1,
		ms: (await execute(list, items(1), credential)).ms,
		bytes: 0,
	});
	const { requests: activation } = await ours();
	await inTurn(settlingPolls, { ours, http });
	const seen = await inTurn(runs(15), { ours, http });
	return {
		activation,
		requests: seen.ours.map(({ requests }) => requests),
		ms: seen.ours.map(({ ms }) => ms),
		bytes: seen.ours.map(({ bytes }) => bytes),
		httpMs: seen.http.map(({ ms }) => ms),
	};
}

function triggerWorkflow(): Workflow {
	const credentials = { klingEffectsApi: { id: '1', name: 'Kling' } };
	const parameters = { events: ['succeed', 'failed'] };
	const node = nodeOf(name, 'klingEffectsTrigger', 1, parameters, { credentials });
	return workflowOf({ nodes: [node], connections: [] });
}

async function pollOnce(
	sandbox: RemoteSandbox,
	work: () => Promise<unknown>,
): Promise<{ requests: number; ms: number }> {
	const before = (await sandbox.requests()).length;
	const startedAt = performance.now();
	const emitted = await work();
	const ms = performance.now() - startedAt;
	if (emitted !== null) throw new Error('An idle poll has emitted something');
	return { requests: (await sandbox.requests()).length - before, ms };
}

/** Tasks that have ended, the newest some minutes ago. */
async function seedHistory(sandbox: RemoteSandbox, size: number): Promise<void> {
	const newest = Date.now() - 300_000;
	const ages = Array.from({ length: size }, (_, age) => age);
	const tasks = ages.map((age) => {
		const createdAt = newest - age * gapMs;
		return { createdAt, updatedAt: createdAt + 120_000 };
	});
	for (let at = 0; at < size; at += 10_000) await sandbox.seed(tasks.slice(at, at + 10_000));
}
