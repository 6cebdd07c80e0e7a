import type { Workflow } from 'n8n-workflow';
import { flowOf, execute, nodeOf, poll, workflowOf } from '../lib/engine';
import { figuresOf } from '../lib/figures';
import { httpListNode, items } from '../lib/nodes';
import { inTurn, type Bench, type Benchmark, type Row } from '../lib/row';
import type { RemoteSandbox } from '../lib/sandbox';

const sizes = [0, 1_000, 10_000, 100_000];
const name = 'Kling Effects Trigger';
/** Between two tasks of the history: 100,000 make a month. */
const gapMs = 26_000;
const settlingPolls = 3;

/** What is watched, in an account where tasks come this many milliseconds apart. */
interface Watched {
	events: string[];
	gapMs: number;
}
const everything: Watched = { events: ['succeed', 'failed'], gapMs };
const onlyFailed = { events: ['failed'] };
const busySize = 10_000;
const busyGapMs = 12_000;

interface Seen {
	requests: number[];
	ms: number[];
	/** Of the saved state. */
	bytes: number[];
	/** Of the response to a poll. */
	responseBytes: number;
	/** Of one bare request of the same page, right after. */
	httpMs: number[];
	/** Tasks in the requested page. */
	pageSize: number;
	/** Requests of the first poll. */
	activation: number;
}

/** What a poll costs when nothing has happened, for an account with any history. */
export const trigger: Benchmark = {
	name: 'trigger',
	async run(bench) {
		const rows: Row[] = [];
		const times: Record<number, number[]> = {};
		for (const size of sizes) {
			const seen = await see(bench, size, everything);
			times[size] = seen.ms;
			rows.push(...rowsOf(`Idle poll, history of ${size.toLocaleString('en')} tasks:`, seen));
		}
		const filtered = await see(bench, busySize, { ...onlyFailed, gapMs: busyGapMs });
		const what = 'Idle poll that waits for failed tasks, 5 tasks a minute succeed:';
		return [...rows, flatness(times), ...rowsOf(what, filtered)];
	},
};

function rowsOf(what: string, seen: Seen): Row[] {
	const { requests, ms, bytes, responseBytes, httpMs, pageSize, activation } = seen;
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
			beside: { name: `HTTP Request, the same page of ${pageSize}`, values: httpMs },
		},
		{
			what: `${what} time beyond one bare HTTP request of the same page`,
			unit: 'ms',
			ours: ms.map((each, run) => each - httpMs[run]),
			target: { kind: 'atMost', bound: 3 },
		},
		{
			what: `${what} response`,
			unit: 'bytes',
			ours: [responseBytes],
			target: { kind: 'atMost', bound: 30_000 },
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

async function see(
	{ sandbox, credential, runs }: Bench,
	size: number,
	watched: Watched,
): Promise<Seen> {
	await sandbox.reset({});
	await seedHistory(sandbox, size, watched);
	const workflow = triggerWorkflow(watched);
	const ours = async () => ({
		...(await pollOnce(sandbox, async () => await poll(workflow, name, credential))),
		bytes: Buffer.byteLength(JSON.stringify(workflow.staticData)),
	});
	const { requests: activation } = await ours();
	for (let polls = 0; polls < settlingPolls; polls++) await ours();
	const pageSize = await pageSizeOf(sandbox);
	const list = flowOf(httpListNode(sandbox.baseUrl, pageSize));
	const http = async () => ({
		requests: 1,
		ms: (await execute(list, items(1), credential)).ms,
		bytes: 0,
	});
	await inTurn(settlingPolls, { ours, http });
	const seen = await inTurn(runs(15), { ours, http });
	return {
		activation,
		pageSize,
		requests: seen.ours.map(({ requests }) => requests),
		ms: seen.ours.map(({ ms }) => ms),
		bytes: seen.ours.map(({ bytes }) => bytes),
		responseBytes: await bytesOf(sandbox, credential),
		httpMs: seen.http.map(({ ms }) => ms),
	};
}

/** Tasks in the last requested page. */
async function pageSizeOf(sandbox: RemoteSandbox): Promise<number> {
	return Number(new URL(await lastList(sandbox)).searchParams.get('pageSize'));
}

/** Bytes of that page. */
async function bytesOf(
	sandbox: RemoteSandbox,
	{ apiKey }: Record<string, unknown>,
): Promise<number> {
	const headers = { authorization: `Bearer ${String(apiKey)}` };
	const response = await fetch(await lastList(sandbox), { headers });
	if (!response.ok) throw new Error(`The list answers with ${response.status}`);
	return (await response.arrayBuffer()).byteLength;
}

async function lastList(sandbox: RemoteSandbox): Promise<string> {
	const lists = (await sandbox.requests()).filter(({ operation }) => operation === 'list');
	return `${sandbox.url}${lists[lists.length - 1].path}`;
}

function triggerWorkflow({ events }: Watched): Workflow {
	const credentials = { klingEffectsApi: { id: '1', name: 'Kling' } };
	const parameters = { events };
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

/** Tasks that have ended, the newest a few minutes ago. */
async function seedHistory(
	sandbox: RemoteSandbox,
	size: number,
	{ gapMs: gap }: Watched,
): Promise<void> {
	const newest = Date.now() - 300_000;
	const ages = Array.from({ length: size }, (_, age) => age);
	const tasks = ages.map((age) => {
		const createdAt = newest - age * gap;
		return { createdAt, updatedAt: createdAt + 120_000 };
	});
	for (let at = 0; at < size; at += 10_000) await sandbox.seed(tasks.slice(at, at + 10_000));
}
