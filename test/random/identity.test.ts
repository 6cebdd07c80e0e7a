import fc from 'fast-check';
import type { INodeExecutionData } from 'n8n-workflow';
import type { Sandbox } from '../../sandbox';
import { nodeName, type RunOptions, type RunResult } from '../../tools/engine';
import { parameters, Stage, type ProviderName } from '../promises/identity/stage';
import { randomCases } from '../harness/randomCases';
import { withProcessedData, withSandbox } from '../harness/setup';

/**
 * Random histories of executions: edits, moody expressions, account switches, crashes, restored
 * databases, nodes that share an id. Each photo belongs to one create of one item, and the sandbox knows
 * what each task was made from. Set IDENTITY_SEED and IDENTITY_RUNS for others than CI's.
 */

const stage = new Stage();
withProcessedData();
let other: Sandbox;
withSandbox((started) => (other = started));

const count = 3;
/** By edit: the entered text, and whether it means something else than the previous one. */
const scenes = [
	'={{ $json.scene }}',
	'={{ $json["scene"] }}',
	'squish',
	'={{ $itemIndex === 0 ? "expansion" : "squish" }}',
	'={{ ["squish", "expansion", "fuzzyfuzzy"].randomItem() }}',
];
const durations = [undefined, 5, 10, '={{ $itemIndex ? 5 : 10 }}', '={{ [5, 10].randomItem() }}'];
const images = [
	'={{ $json.image }}',
	'={{ $json.image + "?" + Math.random() }}',
	'={{ $json.image.replace("example.com", "other.example") }}',
];

interface Entered {
	scene: number;
	duration: number;
	image: number;
}

type Fault = 'none' | 'refused' | 'lost' | 'lostAndHidden' | 'refusedWithId';

interface Step {
	/**
	 * - `retry`: the Retry button, after edits
	 * - `retryFirst`: the same for the execution that failed first, whatever was retried since
	 * - `retryAny`: the same for any of its retries
	 * - `retryDead`: the same, as if it had died with its process
	 * - `rerun`: n8n runs the execution again, without what the node remembered
	 * - `sameNumber`: another execution with the same number, after a database was restored
	 * - `twin`: another node of the execution, with the same id
	 */
	kind: 'retry' | 'retryFirst' | 'retryAny' | 'retryDead' | 'rerun' | 'sameNumber' | 'twin';
	edit: Partial<Entered>;
	/** Which account, from now on; undefined for no change. */
	account?: number;
	fault: Fault;
	/** The first create that gets the fault. */
	at: number;
	/** Which of the tries is retried. */
	which?: number;
}

interface History {
	line: 1 | 2;
	provider: ProviderName;
	entered: Entered;
	first: { fault: Fault; at: number };
	steps: Step[];
}

const faultArbitrary = fc.constantFrom<Fault>(
	...(['none', 'refused', 'refused', 'lost', 'lostAndHidden', 'refusedWithId'] as const),
);
const editArbitrary: fc.Arbitrary<Partial<Entered>> = fc.record(
	{
		scene: fc.nat(scenes.length - 1),
		duration: fc.nat(durations.length - 1),
		image: fc.nat(images.length - 1),
	},
	{ requiredKeys: [] },
);
/** Histories go wrong where little differs. */
const mostly = <T, U>(usual: T, other: fc.Arbitrary<U>) =>
	fc.oneof({ weight: 2, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });
const historyArbitrary: fc.Arbitrary<History> = fc.record({
	line: fc.constantFrom(1, 2),
	provider: fc.constantFrom('kling', 'kling', 'cometApi', 'kkiai', 'modellix', 'apiModels'),
	entered: fc.record({
		scene: fc.nat(scenes.length - 1),
		duration: fc.nat(durations.length - 1),
		image: fc.nat(images.length - 1),
	}),
	first: fc.record({ fault: faultArbitrary, at: fc.nat(count - 1) }),
	steps: fc.array(
		fc.record(
			{
				kind: fc.constantFrom<Step['kind']>(
					'retry',
					'retry',
					'retryFirst',
					'retryFirst',
					'retryAny',
					'retryAny',
					'retryDead',
					'rerun',
					'sameNumber',
					'twin',
				),
				edit: mostly({}, editArbitrary),
				account: mostly(undefined, fc.nat(3)),
				fault: faultArbitrary,
				at: fc.nat(count - 1),
				which: fc.nat(5),
			},
			{ requiredKeys: ['kind', 'edit', 'fault', 'at'] },
		),
		{ minLength: 1, maxLength: 6 },
	),
});

/** One execution of a node: its latest result, and what it may have paid. */
interface Execution {
	name: string;
	settings: Partial<RunOptions>;
	entered: Entered;
	last: Stored | null;
	first: Stored | null;
	tries: Stored[];
	isRetried: boolean;
	/** What may be paid per item: one create, plus one for each edit that asks for something else. */
	orders: Set<string>;
}

/** What n8n has stored of an execution that is over. */
interface Stored {
	result: RunResult;
	entered: Entered;
	/** The edits that have led to what it asks for. */
	order: string;
}

let stories = 0;

class Story {
	private readonly id = ++stories;
	private executions: Execution[] = [];
	private account: { provider: ProviderName; sandbox: Sandbox };

	constructor(private readonly history: History) {
		this.account = { provider: history.provider, sandbox: stage.sandbox };
	}

	async play(): Promise<void> {
		const { entered, first, steps } = this.history;
		await this.begin(entered, {}, first);
		for (const step of steps) await this.step(step);
		// From here on nothing is hidden or refused.
		const [main] = this.executions;
		for (const one of [...main.tries].reverse()) {
			main.last = one;
			await this.retry(main, {}, { fault: 'none', at: 0 });
		}
	}

	private async step(step: Step): Promise<void> {
		const [main] = this.executions;
		if (step.account !== undefined && step.kind.startsWith('retry')) this.switchTo(step.account);
		const latest = this.executions[this.executions.length - 1];
		if (step.kind === 'retry') return await this.retry(latest, step.edit, step);
		if (step.kind === 'retryFirst') {
			main.last = main.first;
			return await this.retry(main, step.edit, step);
		}
		if (step.kind === 'retryAny') {
			main.last = main.tries[(step.which ?? 0) % main.tries.length];
			return await this.retry(main, step.edit, step);
		}
		if (step.kind === 'retryDead') {
			if (main.isRetried) return;
			main.first = dead(main, this.history.entered);
			main.last = main.first;
			main.tries = [main.first];
			return await this.retry(main, step.edit, step);
		}
		if (step.kind === 'rerun') {
			// What was retried is over, and is not run again.
			if (main.isRetried) return;
			// n8n runs it again as stored when it started.
			main.entered = this.history.entered;
			main.first = null;
			main.tries = [];
			return await this.run(main, step, 'begun', {});
		}
		const another = step.kind === 'twin' ? { name: `Twin ${this.executions.length}` } : {};
		const token = step.kind === 'twin' ? {} : { resumeToken: `token ${this.executions.length}` };
		await this.begin(main.entered, { ...another, ...token }, step);
	}

	private async begin(
		entered: Entered,
		own: Partial<RunOptions>,
		how: Pick<Step, 'fault' | 'at'>,
	): Promise<void> {
		const number = this.executions.length;
		const token = { resumeToken: `token of ${this.id}`, ...own };
		const settings = {
			mode: 'webhook' as const,
			executionId: '7',
			workflowId: `workflow-${this.id}`,
			...token,
			...(this.history.line === 1 ? { resumeToken: null } : {}),
		};
		const name = `story-${this.id}-${number}`;
		const execution: Execution = {
			...{
				name,
				settings,
				entered,
				last: null,
				first: null,
				tries: [],
				isRetried: false,
				orders: new Set<string>(),
			},
		};
		this.executions.push(execution);
		await this.run(execution, how, 'begun', {});
	}

	private async retry(
		execution: Execution,
		edit: Partial<Entered>,
		how: Pick<Step, 'fault' | 'at'>,
	): Promise<void> {
		// n8n retries what failed.
		if (!execution.last?.result.error) return;
		const { entered: before, order, result } = execution.last;
		execution.entered = { ...before, ...edit };
		const { scene, duration } = execution.entered;
		const isOther = scene !== before.scene || duration !== before.duration;
		const now = isOther ? `${order} > ${scene} ${duration}` : order;
		await this.run(execution, how, now, {
			retryOf: result,
			mode: 'retry',
			executionId: String(++stories + 100),
		});
	}

	private async run(
		execution: Execution,
		{ fault, at }: Pick<Step, 'fault' | 'at'>,
		order: string,
		more: Partial<RunOptions>,
	): Promise<void> {
		const { provider, sandbox } = this.account;
		setFault(sandbox, fault, at);
		const { scene, duration, image } = execution.entered;
		const entered = {
			...parameters,
			effectScene: { __rl: true, mode: 'name', value: scenes[scene] },
			image: images[image],
			options: {
				concurrency: 1,
				...(durations[duration] === undefined ? {} : { duration: durations[duration] }),
			},
		};
		execution.isRetried ||= more.mode === 'retry';
		execution.orders.add(order);
		const result = await stage.run(provider, {
			...execution.settings,
			credential: sandbox.credential(provider),
			items: itemsOf(execution.name),
			parameters: entered,
			...more,
		});
		sandbox.clearFaults();
		execution.last = { result, entered: execution.entered, order };
		execution.first ??= execution.last;
		execution.tries.push(execution.last);
		this.judge(execution);
	}

	private switchTo(account: number): void {
		const { provider } = this.history;
		const others: ProviderName[] = ['kling', 'modellix'];
		this.account = [
			{ provider, sandbox: stage.sandbox },
			{ provider, sandbox: other },
			{ provider: others.find((name) => name !== provider)!, sandbox: stage.sandbox },
			{ provider: others.find((name) => name !== provider)!, sandbox: other },
		][account];
	}

	private judge({ last, settings }: Execution): void {
		const charges = [...stage.sandbox.charges, ...other.charges];
		for (const { name, orders } of this.executions) {
			const mostPaid = orders.size;
			for (let index = 0; index < count; index++) {
				const owner = `${name}-${index}`;
				const paid = charges.filter(({ images: of }) => ownerOf(of[0]) === owner);
				if (paid.length > mostPaid) {
					throw new Error(`${paid.length} are paid for ${owner}, at most ${mostPaid} may be`);
				}
			}
		}
		const [name] = this.executions.flatMap((one) => (one.last === last ? [one.name] : []));
		const main =
			last?.result.run.data.resultData.runData[settings.name ?? nodeName].at(-1)?.data?.main;
		for (const item of main?.[0] ?? []) {
			const taskId = item.json.taskId;
			const charge = charges.find((one) => one.taskId === taskId);
			if (typeof taskId !== 'string') continue;
			const { item: index } = item.pairedItem as { item: number };
			expect(ownerOf(charge?.images[0] ?? '')).toBe(`${name}-${index}`);
			expect([null, charge?.effectScene]).toContain(item.json.effectScene);
		}
	}
}

/** As n8n stores an execution that died: as it began, with the run of its node pieced together from its log. */
function dead({ name, first }: Execution, entered: Entered): Stored {
	const run = structuredClone(first!.result.run);
	const { executionData, resultData } = run.data;
	const data = { main: [itemsOf(name)] };
	const nodeExecutionStack = [{ node: {} as never, data, source: null }];
	Object.assign(executionData!, { contextData: {}, nodeExecutionStack });
	const entry = { startTime: 1, executionIndex: 0, executionTime: 0, source: [] };
	resultData.runData = { [nodeName]: [entry] };
	const result = { ...first!.result, run, error: { message: 'crashed' } };
	return { result, entered, order: 'begun' };
}

function itemsOf(name: string): INodeExecutionData[] {
	return Array.from({ length: count }, (_, index) => ({
		json: { image: `https://example.com/${name}-${index}.jpg`, scene: 'color_mixing' },
	}));
}

function ownerOf(image: string): string | undefined {
	return /\/(story-[\d-]+)\.jpg/.exec(image)?.[1];
}

function setFault(sandbox: Sandbox, fault: Fault, skip: number): void {
	const match = { operation: 'create' as const };
	if (fault === 'refused') sandbox.addFault({ kind: 'code', code: 1201, match, skip });
	if (fault === 'lost' || fault === 'lostAndHidden') {
		sandbox.addFault({ kind: 'resetAfter', match, skip, times: 1 });
	}
	if (fault === 'lostAndHidden') {
		sandbox.addFault({ kind: 'redirect', match: { operation: 'get' } });
	}
	if (fault === 'refusedWithId') {
		const body = { code: 1302, message: 'slow down', data: { task_id: '842163450000000001' } };
		sandbox.addFault({ kind: 'status', status: 429, body, match, skip, times: 1, accept: true });
	}
}

const seed = Number(process.env.IDENTITY_SEED ?? 20_261_129);
const numRuns = randomCases(40, 'IDENTITY_RUNS');

test(`charges never exceed creates, and no item gets another's task (seed ${seed})`, async () => {
	await fc.assert(
		fc.asyncProperty(historyArbitrary, async (history) => {
			stage.sandbox.reset();
			other.reset();
			await new Story(history).play();
		}),
		{ seed, numRuns },
	);
}, 600_000);
