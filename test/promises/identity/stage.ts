import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { nodeName, runNode, type RunOptions, type RunResult } from '../../../tools/engine';
import { Workbench } from '../../harness/workbench';
import { rows } from '../contract/providers';

/** A node that creates a task per item, and what n8n does to it between two tries. */

export const providerNames = ['kling', 'cometApi', 'kkiai', 'modellix', 'apiModels'] as const;
export type ProviderName = (typeof providerNames)[number];
export const photos = ['ada', 'bob', 'cem'].map((name) => `https://example.com/${name}.jpg`);
const scenes = ['color_mixing', 'squish', 'expansion'];

export const parameters = {
	operation: 'create',
	effectScene: { __rl: true, mode: 'name', value: '={{ $json.scene }}' },
	imageInput: 'url',
	image: '={{ $json.image }}',
	waitForCompletion: false,
	downloadVideo: false,
	options: { concurrency: 1 } as Record<string, unknown>,
};
export type Parameters = typeof parameters;

export const items = photos.map((image, index) => ({ json: { image, scene: scenes[index] } }));
export const [first, second] = items.map((item) => [item]);
export const match = { operation: 'create' as const };
export const onContinue = { onError: 'continueRegularOutput' as const };
export const day = 86_400_000;
/** As n8n 1.123 runs it: its executions have no token. */
export const onN8n1 = { resumeToken: null };
export const n8nLines = [
	['n8n 1', onN8n1],
	['n8n 2', {}],
] as const;

export const scene = (value: string) => ({ effectScene: { __rl: true, mode: 'name', value } });
export const edited = (value: string) => ({ parameters: { ...parameters, ...scene(value) } });
export const options = (more: Record<string, unknown>) => ({
	options: { concurrency: 1, ...more },
});
export const withOptions = (more: Record<string, unknown>) => ({
	parameters: { ...parameters, ...options(more) },
});

export class Stage {
	readonly bench = Workbench.prepare();

	get sandbox() {
		return this.bench.sandbox;
	}

	credential(provider: ProviderName): Record<string, unknown> {
		return this.bench.credential(rows.find((row) => row.provider === provider)!);
	}

	/** Always the execution with the same number, unless the options say otherwise. */
	async run(provider: ProviderName, options: Partial<RunOptions> = {}): Promise<RunResult> {
		const credential = this.credential(provider);
		return await runNode({ parameters, items, credential, executionId: '77', ...options });
	}

	/** A run whose last create is refused for good, so that the others exist and n8n can retry it. */
	async failedRun(provider: ProviderName, options: Partial<RunOptions> = {}): Promise<RunResult> {
		const skip = items.length - 1;
		this.sandbox.addFault({ kind: 'code', code: 1201, match, skip, times: 1 });
		const failed = await this.run(provider, options);
		expect(failed.error?.message).toMatch(/did not accept the request/);
		expect(this.sandbox.charges).toHaveLength(skip);
		this.sandbox.clearFaults();
		return failed;
	}

	/** n8n's Retry button. */
	async retry(
		provider: ProviderName,
		retryOf: RunResult,
		options: Partial<RunOptions> = {},
	): Promise<RunResult> {
		return await this.run(provider, { retryOf, executionId: '78', mode: 'retry', ...options });
	}

	charged(): string[] {
		return this.sandbox.charges.map(({ taskId }) => taskId);
	}

	creates() {
		return this.bench.requests('create');
	}

	/** The images that a task was made of. */
	imagesOf(taskId: unknown): string[] {
		return this.sandbox.tasks.find((task) => task.taskId === taskId)?.images ?? [];
	}

	/** Each output item has the task of its own photo. */
	expectOwn({ json }: RunResult, of = photos): void {
		expect(json.map(({ taskId }) => this.imagesOf(taskId)[0])).toEqual(of);
	}
}

/** What n8n has stored of a loop after its first iteration, as the second starts on these items. */
export function atSecondRound(before: RunResult, next: INodeExecutionData[]): RunResult {
	const { run } = structuredClone(before);
	const { executionData, resultData } = run.data;
	executionData!.nodeExecutionStack = [{ node: {} as never, data: { main: [next] }, source: null }];
	const [done] = resultData.runData[nodeName];
	// The harness removes the last one, as Retry does.
	resultData.runData[nodeName] = [done, structuredClone(done)];
	return { ...before, run };
}

/** The same from “Save execution progress”, of a loop whose process has begun more iterations since. */
export function afterFirstRound(before: RunResult): RunResult {
	const stored = atSecondRound(before, first);
	const { contextData } = stored.run.data.executionData!;
	const context = contextData[`node:${nodeName}`].klingEffects as IDataObject;
	const creates = Object.entries(context.creates as IDataObject);
	context.creates = Object.fromEntries(creates.filter(([place]) => place.startsWith('0:')));
	context.latest = Math.min(context.latest as number, 0);
	return stored;
}

export function hintsOf({ run }: RunResult, name = nodeName): string[] {
	const runs = run.data.resultData.runData[name] ?? [];
	return runs.flatMap(({ hints = [] }) => hints.map(({ message }) => message));
}

export const idsOf = ({ json }: RunResult) => json.map(({ taskId }) => taskId);
