import '../lib/environment';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Container } from '@n8n/di';
import * as core from 'n8n-core';
import type { IBinaryData, INodeExecutionData } from 'n8n-workflow';
import { heapBytes, report } from '../lib/child';
import { execute, flowOf, keepBinaryData } from '../lib/engine';
import { loadOf, type Load } from '../lib/load';
import { benchFolder } from '../lib/modules';
import { createNode, httpCreateNode } from '../lib/nodes';
import { credentialAt } from '../lib/sandbox';

const [way, sandboxUrl, count] = process.argv.slice(2);
const megabytes = 5;

/** The largest comment that a JPEG can hold, with its length in front. */
const comment = Buffer.alloc(65_537, ' ');
comment.writeUInt32BE(0xfffe_ffff);

/** One of the sandbox's photos, padded to this size with comments. */
async function photo(): Promise<Buffer> {
	const response = await fetch(`${sandboxUrl}/_sandbox/images/portrait.jpg`);
	const bytes = Buffer.from(await response.arrayBuffer());
	const comments = Math.floor((megabytes * 1024 ** 2) / comment.length);
	const padding = Array.from({ length: comments }, () => comment);
	return Buffer.concat([bytes.subarray(0, 2), ...padding, bytes.subarray(2)]);
}

/** The photo in n8n's store, as a previous node would leave it. */
async function stored(bytes: Buffer): Promise<IBinaryData> {
	const data: IBinaryData = { data: '', mimeType: 'image/jpeg', fileName: 'photo.jpg' };
	const place = { type: 'execution' as const, workflowId: 'workflow-1', executionId: '1' };
	return await Container.get(core.BinaryDataService).store(place, bytes, data);
}

const ways = {
	ours: async (bytes: Buffer) => {
		const binary = { data: await stored(bytes) };
		const node = createNode({ imageInput: 'binary', options: { concurrency: 20 } });
		return { node, itemOf: (): INodeExecutionData => ({ json: {}, binary }) };
	},
	/** By hand, Extract from File puts each file as base64 into its item. */
	http: async (bytes: Buffer) => {
		const jsonBody = '={{ { effect_scene: "bloombloom", input: { image: $json.data } } }}';
		const batching = { batch: { batchSize: 20, batchInterval: 100 } };
		const node = httpCreateNode(`${sandboxUrl}/kling`, { jsonBody, options: { batching } });
		const text = bytes.toString('base64');
		// A text of its own for each item, as it comes from a file.
		const copy = () => Buffer.from(text, 'latin1').toString('latin1');
		return { node, itemOf: (): INodeExecutionData => ({ json: { data: copy() } }) };
	},
};

report(async (): Promise<Load> => {
	const store = mkdtempSync(join(benchFolder, 'files-'));
	await keepBinaryData(store);
	const { node, itemOf } = await ways[way as keyof typeof ways](await photo());
	const credential = await credentialAt(sandboxUrl);
	const run = async (number: number) => {
		const items = Array.from({ length: number }, itemOf);
		const { done, error } = await execute(flowOf(node), items, credential);
		if (done.length !== number) throw new Error(`${done.length} items: ${error?.message}`);
	};
	await run(1);
	await heapBytes();
	const { load } = await loadOf(async () => await run(Number(count)));
	rmSync(store, { recursive: true });
	return load;
});
