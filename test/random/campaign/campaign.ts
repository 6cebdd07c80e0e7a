import type { INode, INodeExecutionData } from 'n8n-workflow';
import { startSandbox, type Charge, type Sandbox, type SandboxProvider } from '../../../sandbox';
import { nodeName, runNode, type RunOptions, type RunResult } from '../../../tools/engine';
import { clockedNode, type World } from './clockedNode';
import { setFaults } from './faults';
import { RunningClock } from '../../harness/steppedClock';
import { randomCases, seeded } from '../../harness/randomCases';

export interface CampaignOptions {
	provider: SandboxProvider;
	/** Creates to try. */
	creates: number;
	seed: number;
	/** Whether the provider can say that a task does not exist, so that all are created in the end. */
	isExact: boolean;
	/** Whether a worker may die and its execution run again without what it remembered. */
	mayDie: boolean;
}

export interface Tally {
	rounds: number;
	creates: number;
	charges: number;
	posts: number;
	/** How many of the set faults hit a request; rate and parallel-task limits come on top. */
	faults: number;
	retries: number;
	deaths: number;
	unknown: number;
	virtualHours: number;
	worstMs: number;
}

interface Round {
	seed: number;
	count: number;
	onError: INode['onError'];
	settings: Partial<INode>;
	parameters: Record<string, unknown>;
	executionId: string;
	dies: number | null;
}

const scenes = ['color_mixing', 'squish', 'expansion', 'fuzzyfuzzy'];

/** Many runs of many creates with one provider, in which all kinds of things go wrong. */
export class Campaign {
	readonly tally: Tally = {
		rounds: 0,
		creates: 0,
		charges: 0,
		posts: 0,
		faults: 0,
		retries: 0,
		deaths: 0,
		unknown: 0,
		virtualHours: 0,
		worstMs: 0,
	};
	readonly clock: RunningClock;
	readonly problems: string[] = [];
	private readonly random: () => number;
	private sandbox!: Sandbox;

	constructor(private readonly options: CampaignOptions) {
		this.random = seeded(options.seed);
		this.clock = new RunningClock(seeded(options.seed + 1));
	}

	async run(): Promise<void> {
		const start = this.clock.now();
		while (this.tally.creates < this.options.creates && this.problems.length < 5) {
			// Each round has its own sandbox: on a busy machine, a request abandoned by one round can
			// arrive when the next is already counting its charges.
			this.sandbox = await startSandbox({ now: this.clock.now });
			await this.round(this.plan());
			await this.sandbox.close();
		}
		this.tally.virtualHours = Math.round((this.clock.now() - start) / 360_000) / 10;
	}

	private plan(): Round {
		const pick = <T>(values: readonly T[]): T => values[Math.floor(this.random() * values.length)];
		const count = 1 + Math.floor(this.random() * 20);
		const onError = pick(['stopWorkflow', 'continueRegularOutput', 'continueErrorOutput'] as const);
		const { mayDie } = this.options;
		const waits = this.random() < 0.3;
		const dies = mayDie && this.random() < 0.25 ? 1 + Math.floor(this.random() * count) : null;
		Object.assign(this.sandbox.options, {
			taskSeconds: pick([1, 5, 60, 300]),
			duplicateLookupDelayMs: pick([0, 0, 500, 2_000, 6_000, 15_000]),
			parallelTasks: pick([undefined, undefined, 2, 5, 10]),
			requestsPerSecond: pick([undefined, undefined, undefined, 5]),
			cometExternalIdLookup: this.random() < 0.5,
			kkiaiExternalIdLookup: this.random() < 0.5,
			kkiaiShape: pick(['kling', 'wrapper', 'openai'] as const),
			modellixPath: pick(['newest', 'middle', 'oldest'] as const),
			listOrder: pick(['newestFirst', 'oldestFirst', 'random'] as const),
		});
		return {
			seed: Math.floor(this.random() * 2 ** 31),
			count,
			onError,
			settings: {
				onError,
				...(this.random() < 0.5
					? { retryOnFail: true, maxTries: pick([2, 3, 5]), waitBetweenTries: 1 }
					: {}),
			},
			parameters: {
				operation: 'create',
				effectScene: { mode: 'name', value: '={{ $json.scene }}' },
				imageInput: 'url',
				image: '={{ $json.image }}',
				waitForCompletion: waits,
				downloadVideo: false,
				options: { concurrency: pick([1, 2, 5, 20, 100]), timeout: timeoutOf(dies, pick) },
			},
			executionId: String(1_000 + this.tally.rounds),
			dies,
		};
	}

	private async round(round: Round): Promise<void> {
		const { sandbox, tally, options } = this;
		const random = seeded(round.seed);
		const level = 0.05 + random() * 0.6;
		const faultsMet = setFaults(sandbox, options.provider, random, {
			creates: level,
			reads: level / 2,
		});
		const startedAt = performance.now();
		const result = await this.runToTheEnd(round);
		const ms = performance.now() - startedAt;
		tally.worstMs = Math.max(tally.worstMs, Math.round(ms));
		tally.rounds++;
		tally.creates += round.count;
		tally.charges += sandbox.charges.length;
		tally.posts += sandbox.requests.filter(({ method }) => method === 'POST').length;
		tally.faults += faultsMet();
		const problems = this.judge(round, result);
		if (problems.length > 0) this.problems.push(...problems, describe(round, sandbox));
	}

	/** The run, its worker's death, and the retries that a person would start. */
	private async runToTheEnd(round: Round): Promise<RunResult> {
		if (round.dies !== null) await this.dyingRun(round, round.dies);
		let result = await this.start(round, {});
		for (let retries = 1; result.error && retries <= 3; retries++) {
			if (retries === 2) this.endFaults();
			this.tally.retries++;
			const executionId = `${round.executionId}${retries}`;
			result = await this.start(round, { retryOf: result, executionId, mode: 'retry' });
		}
		return result;
	}

	private endFaults(): void {
		this.sandbox.clearFaults();
		Object.assign(this.sandbox.options, { parallelTasks: undefined, requestsPerSecond: undefined });
	}

	private async start(round: Round, more: Partial<RunOptions>, world: Partial<World> = {}) {
		return await runNode({
			parameters: round.parameters,
			credential: this.sandbox.credential(this.options.provider),
			items: itemsOf(round),
			settings: round.settings,
			executionId: round.executionId,
			nodeType: clockedNode({ clock: this.clock, requestTimeoutMs: 80, ...world }),
			...more,
		});
	}

	private async dyingRun(round: Round, diesAtCreate: number): Promise<void> {
		let onDeath: () => void = () => {};
		const death = new Promise<void>((resolve) => (onDeath = resolve));
		const run = this.start(round, {}, { diesAtCreate, onDeath });
		const hasDied = await Promise.race([death.then(() => true), run.then(() => false)]);
		if (hasDied) this.tally.deaths++;
	}

	/** What must be true of every run. */
	private judge(round: Round, result: RunResult): string[] {
		const { charges } = this.sandbox;
		const problems: string[] = [];
		if (charges.length > round.count) {
			problems.push(`${charges.length} charges for ${round.count} creates`);
		}
		problems.push(...this.judgeCharges(charges, result), ...judgeOrder(round, result));
		const isThrough = result.error === undefined && round.onError === 'stopWorkflow';
		if (this.options.isExact && round.onError === 'stopWorkflow' && !isThrough) {
			problems.push(`still failing when the faults are over: ${textOf(result).slice(0, 600)}`);
		}
		if (isThrough && charges.length !== round.count) {
			problems.push(`all went well with ${charges.length} charges for ${round.count} creates`);
		}
		return problems;
	}

	/** Each charge is shown by its task id, or by an item that says it is unknown. */
	private judgeCharges(charges: readonly Charge[], result: RunResult): string[] {
		const text = textOf(result);
		const hidden = charges.filter(({ taskId }) => !text.includes(taskId));
		const unknown = unknownItems(text);
		this.tally.unknown += unknown;
		const unnamed = hidden.filter(
			({ externalTaskId }) => externalTaskId !== null && !text.includes(externalTaskId),
		);
		const problems = unnamed.map(({ taskId }) => `task ${taskId} is paid for and nowhere named`);
		if (hidden.length > unknown) {
			problems.push(
				`${hidden.length} tasks are not shown, ${unknown} items say so: ${text.slice(0, 900)}`,
			);
		}
		return problems;
	}
}

/**
 * What a dead worker created is found when the new run reaches the same item. A run whose time ends
 * before that cannot know about it.
 */
function timeoutOf(dies: number | null, pick: (values: readonly number[]) => number): number {
	const minutes = pick([0, 5, 30, 120]);
	return dies === null ? minutes : 240;
}

function itemsOf({ count, executionId }: Round): INodeExecutionData[] {
	return Array.from({ length: count }, (_, index) => ({
		json: {
			scene: scenes[index % scenes.length],
			image: `https://example.com/${executionId}-${index}.jpg`,
		},
	}));
}

function textOf({ run, error, customData }: RunResult): string {
	const output = run.data.resultData.runData[nodeName]?.at(-1)?.data?.main ?? [];
	return JSON.stringify([output, error?.message, error?.description, customData]);
}

/** How many items say that it is unknown whether they have a task. */
function unknownItems(text: string): number {
	const listed = /was created for: (.*?)\\?\./.exec(text)?.[1];
	if (listed !== undefined) return listed.split(', ').length;
	return text.split('may have created the task').length - 1;
}

function judgeOrder(round: Round, { run, error }: RunResult): string[] {
	if (error) return [];
	const main = run.data.resultData.runData[nodeName].at(-1)?.data?.main ?? [];
	const outputs = main.map((items) => items ?? []);
	const problems: string[] = [];
	for (const items of outputs) {
		const order = items.map((item) => (item.pairedItem as { item: number }).item);
		if (order.some((index, at) => at > 0 && index <= order[at - 1])) {
			problems.push(`order ${order.join(',')}`);
		}
	}
	const all = outputs.flat();
	if (all.length !== round.count) problems.push(`${all.length} items for ${round.count}`);
	const ids = all.flatMap(({ json }) => (json.taskId ? [json.taskId] : []));
	if (new Set(ids).size !== ids.length) problems.push('two items show the same task');
	return problems;
}

function describe(round: Round, sandbox: Sandbox): string {
	const requests = sandbox.requests.map(
		({ method, path, status, body }) =>
			`${method} ${path.slice(-60)} ${status} ${(body as { external_task_id?: string })?.external_task_id ?? ''}`,
	);
	const { now: _, ...options } = sandbox.options;
	return [JSON.stringify(round), JSON.stringify(options), ...requests.slice(-60)].join('\n');
}

/** Runs a campaign at one provider as a test, and reports its figures. */
export function campaignTest(
	name: string,
	options: Omit<CampaignOptions, 'seed' | 'creates'> & { share?: number },
): void {
	const seed = Number(process.env.CAMPAIGN_SEED ?? 20_260_101);
	const creates = randomCases(1_000, 'CAMPAIGN_CREATES') * (options.share ?? 1);
	test(`${name} (seed ${seed})`, async () => {
		const startedAt = performance.now();
		const campaign = new Campaign({ ...options, seed, creates });
		await campaign.run();
		const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
		const figures = JSON.stringify({ ...campaign.tally, seconds });
		process.stdout.write(`${name}: seed ${seed}, ${figures}\n`);
		expect(campaign.problems).toEqual([]);
	}, 600_000);
}
