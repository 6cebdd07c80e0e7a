import '../lib/environment';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { INodeExecutionData } from 'n8n-workflow';
import { heapBytes, report } from '../lib/child';
import { execute, flowOf, keepBinaryData, type Flow } from '../lib/engine';
import { benchFolder } from '../lib/modules';
import { getNode, httpFileNode, items } from '../lib/nodes';
import { credentialAt } from '../lib/sandbox';

export interface Growth {
	/** MB. */
	rss: number;
	seconds: number;
}

const [way, sandboxUrl, megabytes] = process.argv.slice(2);
const sampleMs = 10;

report(async (): Promise<Growth> => {
	const store = mkdtempSync(join(benchFolder, 'binary-'));
	await keepBinaryData(store);
	const small = await prepare(1);
	const large = await prepare(Number(megabytes));
	await small();
	await heapBytes();
	const before = process.memoryUsage.rss();
	const highest = watchMemory();
	const startedAt = performance.now();
	const { done, error } = await large();
	const seconds = (performance.now() - startedAt) / 1000;
	const rss = (highest() - before) / 1024 ** 2;
	expectFile(done, error, store);
	rmSync(store, { recursive: true });
	return { rss, seconds };
});

/** A task with a video of that size, and what downloads it. */
async function prepare(size: number) {
	const [flow, credential] = way === 'ours' ? await ofOurs(size) : [ofHttp(size), {}];
	return async () => await execute(flow, items(1), credential);
}

function ofHttp(size: number): Flow {
	return flowOf(httpFileNode(`${sandboxUrl}/files/big.mp4?megabytes=${size}`));
}

async function ofOurs(size: number): Promise<[Flow, Record<string, unknown>]> {
	const taskId = `8${Date.now()}${size}`;
	const body = JSON.stringify({ provider: 'kling', tasks: [{ taskId, megabytes: size }] });
	await fetch(`${sandboxUrl}/_sandbox/seed`, { method: 'POST', body });
	return [flowOf(getNode(taskId, { downloadVideo: true })), await credentialAt(sandboxUrl)];
}

function watchMemory(): () => number {
	let highest = 0;
	const sample = () => {
		highest = Math.max(highest, process.memoryUsage.rss());
	};
	const timer = setInterval(sample, sampleMs);
	return () => {
		sample();
		clearInterval(timer);
		return highest;
	};
}

/** Whether the whole file is in the store and not in the item. */
function expectFile(
	[item]: INodeExecutionData[],
	error: { message: string } | undefined,
	store: string,
): void {
	const id = item?.binary?.data?.id;
	if (!id) throw new Error(`There is no file: ${error?.message}`);
	const { size } = statSync(join(store, id.replace(/^filesystem(-v2)?:/, '')));
	if (size !== Number(megabytes) * 1024 ** 2) throw new Error(`The file has ${size} bytes`);
}
