import type { INodeExecutionData } from 'n8n-workflow';
import type { RequestRecord, Sandbox, SandboxOptions } from '../../sandbox';
import { findSample } from '../../sandbox/samples';
import { useInstantClock, type InstantClock } from './clock';
import { withSandbox } from './setup';
import { nodeName, runNode, type RunOptions, type RunResult } from '../../tools/engine';
import type { ProviderRow } from '../promises/contract/providers';

export const photo = 'https://example.com/left.jpg';
export const secondPhoto = 'https://example.com/right.jpg';
export const failingPhoto = 'https://example.com/fail.jpg';

/** The keys of a simplified item, in this order: saved workflows depend on them. */
export const itemKeys = [
	'taskId',
	'status',
	'videoUrl',
	'effectScene',
	'statusMessage',
	'videoDuration',
	'unitsDeducted',
	'createdAt',
	'updatedAt',
	'watermarkUrl',
	'provider',
	'externalTaskId',
];

/** A sandbox and the node, on one instant clock that restarts with each test. */
export class Workbench {
	sandbox!: Sandbox;
	clock!: InstantClock;
	private restoreClock = () => {};
	private original: SandboxOptions = {};

	/** Registers jest's hooks. */
	static prepare(): Workbench {
		const bench = new Workbench();
		withSandbox((started) => {
			bench.sandbox = started;
			bench.original = { ...started.options };
		});
		beforeEach(() => {
			bench.sandbox.reset();
			Object.assign(bench.sandbox.options, bench.original);
			const { clock, restore } = useInstantClock(bench.sandbox);
			bench.clock = clock;
			bench.restoreClock = restore;
		});
		afterEach(() => bench.restoreClock());
		return bench;
	}

	credential(row: ProviderRow): Record<string, unknown> {
		Object.assign(this.sandbox.options, row.sandbox);
		return row.credential?.(this.sandbox) ?? this.sandbox.credential(row.provider);
	}

	async run(
		row: ProviderRow,
		parameters: Record<string, unknown>,
		options: Partial<RunOptions> = {},
	): Promise<RunResult> {
		return await runNode({ parameters, credential: this.credential(row), ...options });
	}

	/** A Create of one image by URL, with changes. */
	async create(
		row: ProviderRow,
		changes: Record<string, unknown> = {},
		options: Partial<RunOptions> = {},
	): Promise<RunResult> {
		return await this.run(row, { ...single, ...changes }, options);
	}

	requests(operation: RequestRecord['operation']): RequestRecord[] {
		return this.sandbox.requests.filter((request) => request.operation === operation);
	}

	posts(): RequestRecord[] {
		return this.sandbox.requests.filter(({ method }) => method === 'POST');
	}
}

/** The parameters of a Create of one image by URL that does not wait. */
export const single = {
	operation: 'create',
	effectType: 'single',
	effectScene: { __rl: true, mode: 'name', value: 'color_mixing' },
	imageInput: 'url',
	image: photo,
	waitForCompletion: false,
	downloadVideo: false,
};

export const dual = {
	...single,
	effectType: 'dual',
	effectScene: { __rl: true, mode: 'list', value: 'hug_pro' },
	image: photo,
	secondImage: secondPhoto,
};

export const byId = (taskId: unknown) => ({ __rl: true, mode: 'id', value: taskId });
export const byExternalId = (id: string) => ({ __rl: true, mode: 'externalId', value: id });

/** A picture that every provider accepts. */
export async function picture(name = 'portrait.jpg'): Promise<Buffer> {
	const sample = await findSample(name);
	if (!sample) throw new Error(`There is no sample ${name}`);
	return sample.bytes;
}

export async function fileItem(
	fields: Record<string, string>,
	json: INodeExecutionData['json'] = {},
): Promise<INodeExecutionData> {
	const entries = Object.entries(fields).map(async ([field, name]) => {
		const data = (await picture(name)).toString('base64');
		return [field, { data, mimeType: 'image/jpeg', fileName: name }] as const;
	});
	return { json, binary: Object.fromEntries(await Promise.all(entries)) };
}

/** What the node paired its output items with: n8n refers to the node itself once they have left it. */
export function pairsOf({ run }: RunResult, output = 0): unknown[] {
	const items = run.data.resultData.runData[nodeName].at(-1)?.data?.main[output] ?? [];
	return items.map(({ pairedItem }) => pairedItem);
}
