import fc from 'fast-check';
import type { IWebhookFunctions } from 'n8n-workflow';
import { CallbackHandler } from '../../nodes/KlingEffects/afterTask/webhook';
import { KlingEffects } from '../../nodes/KlingEffects/KlingEffects.node';
import { readAccount } from '../../nodes/kling/account';
import { Client } from '../../nodes/kling/client';
import type { Send } from '../../nodes/kling/failure';
import { systemClock, type Session } from '../../nodes/n8n/session';
import { postToOwnAddress } from '../../nodes/KlingEffects/afterTask/selfCalls';
import { answer, lost, notFound, refusal, task } from './campaign/scripted';
import { SleepingN8n } from '../../tools/sleepingN8n';
import { SteppedClock } from '../harness/steppedClock';
import { create, minutes, photos, seconds } from '../harness/callbackBed';
import { randomCases } from '../harness/randomCases';
import { withProcessedData } from '../harness/setup';

withProcessedData();

/** The simulated world: its sessions need no HTTP. */
let mockWorld: World | undefined;
jest.mock('../../nodes/n8n/session', () => ({
	...jest.requireActual<object>('../../nodes/n8n/session'),
	openSession: async () => mockWorld!.session(),
}));

const timeoutMs = 10 * minutes;
const credential = { provider: 'kling', authentication: 'apiKey', apiKey: 'sk-model-of-a-key' };

interface ModelTask {
	/** When it ends, in milliseconds after the start; null if never. */
	endsAt: number | null;
	outcome: 'succeed' | 'failed';
	/** Milliseconds from its end to its callback; negative if the callback is ahead of the state. */
	lag: number;
	isLost: boolean;
}

interface History {
	line: 1 | 2;
	onError: 'stopWorkflow' | 'continueRegularOutput' | 'continueErrorOutput';
	tasks: ModelTask[];
	/** When the provider does not answer as it should. */
	stumbles: Array<{ from: number; length: number; kind: 'down' | 'silent' }>;
	/** Callbacks from strangers and repetitions, `count` at once, each to a process. */
	others: Array<{ at: number; count: number; process: number }>;
	restarts: number[];
}

const time = fc.integer({ min: 0, max: timeoutMs + 30 * seconds });

const histories: fc.Arbitrary<History> = fc.record({
	line: fc.constantFrom(1 as const, 2 as const),
	onError: fc.constantFrom(
		'stopWorkflow' as const,
		'continueRegularOutput' as const,
		'continueErrorOutput' as const,
	),
	tasks: fc.array(
		fc.record({
			endsAt: fc.option(time, { freq: 6 }),
			outcome: fc.constantFrom('succeed' as const, 'succeed' as const, 'failed' as const),
			lag: fc.integer({ min: -2_000, max: 10_000 }),
			isLost: fc.boolean(),
		}),
		{ minLength: 1, maxLength: 3 },
	),
	stumbles: fc.array(
		fc.record({
			from: time,
			length: fc.integer({ min: 1, max: 3 * minutes }),
			kind: fc.constantFrom('down' as const, 'silent' as const),
		}),
		{ maxLength: 2 },
	),
	others: fc.array(
		fc.record({
			at: time,
			count: fc.integer({ min: 1, max: 4 }),
			process: fc.integer({ min: 0, max: 1 }),
		}),
		{ maxLength: 3 },
	),
	restarts: fc.array(time, { maxLength: 1 }),
});

/** Kling without HTTP, and an n8n of two processes, on one clock. */
class World {
	readonly clock = new SteppedClock();
	readonly start = this.clock.now();
	readonly n8n: SleepingN8n;
	/** By task id; each create makes and charges one. */
	readonly charged = new Map<string, ModelTask>();
	hasSlept = false;

	constructor(private readonly history: History) {
		const { line, onError } = history;
		const options = { ...create.options, timeout: timeoutMs / minutes };
		this.n8n = new SleepingN8n(
			{
				line,
				credential,
				parameters: { ...create, downloadVideo: false, options },
				settings: { onError },
				nodeType: () => this.process(),
			},
			2,
		);
	}

	get now(): number {
		return this.clock.now() - this.start;
	}

	private process(): KlingEffects {
		const callbacks = new CallbackHandler();
		const node = new KlingEffects();
		node.webhook = async function (this: IWebhookFunctions) {
			return await callbacks.handle(this);
		};
		return node;
	}

	session(): Session {
		const account = readAccount(credential);
		const client = new Client(account.provider, this.send, systemClock);
		return { account, provider: account.provider, client, clock: systemClock, signal: undefined };
	}

	private readonly send: Send = async (request) => {
		if (request.method === 'POST') {
			const taskId = `87654321098765${String(this.charged.size).padStart(4, '0')}`;
			this.charged.set(taskId, this.history.tasks[this.charged.size]);
			return task(taskId);
		}
		const stumble = this.hasSlept && this.stumbleAt(this.now);
		if (stumble) return stumble.kind === 'down' ? refusal(5000) : lost;
		const taskId = decodeURIComponent(request.path.split('/').pop()!);
		const known = this.charged.get(taskId);
		if (!known) return notFound;
		if (!hasEnded(known, this.now)) return task(taskId, 'processing');
		if (known.outcome === 'failed') return task(taskId, 'failed', { task_status_msg: 'Too dark' });
		const videos = [{ id: '1', url: 'https://videos.example/1.mp4', duration: '5' }];
		return answer(200, {
			code: 0,
			data: { task_id: taskId, task_status: 'succeed', task_result: { videos } },
		});
	};

	stumbleAt(at: number) {
		return this.history.stumbles.find(({ from, length }) => at >= from && at < from + length);
	}

	/** Plays the history to the end, including n8n's own time-out. */
	async play(): Promise<string> {
		const { tasks, others, restarts } = this.history;
		const id = await this.clock.during(this.n8n.execute(photos(...tasks.map((_, i) => `p${i}`))));
		this.hasSlept = this.n8n.status(id) === 'waiting';
		const address = `https://n8n.example.com/webhook-waiting/${id}/${encodeURIComponent('id of Kling Effects')}?signature=token-of-${id}`;
		const call = (process: number) => void this.n8n.call(address, {}, process);
		const events = [
			...tasks.flatMap(({ endsAt, lag, isLost }, index) =>
				endsAt === null || isLost
					? []
					: [{ at: Math.max(0, endsAt + lag), happen: () => call(index % 2) }],
			),
			...others.map(({ at, count, process }) => ({
				at,
				happen: () => {
					for (let number = 0; number < count; number++) call((process + number) % 2);
				},
			})),
			...restarts.map((at) => ({ at, happen: () => this.restart(id) })),
		].sort((a, b) => a.at - b.at);
		for (const { at, happen } of events) {
			await this.clock.advance(Math.max(0, at - this.now));
			happen();
		}
		await this.clock.advance(Math.max(0, timeoutMs + 2 * minutes - this.now));
		await this.n8n.timeOver(id, this.clock.now());
		await this.clock.advance(5 * minutes);
		await this.clock.during(this.n8n.settled());
		return id;
	}

	private restart(id: string): void {
		// A running execution dies with its process, by callback or not.
		if (this.n8n.status(id) === 'running') return;
		this.clock.stop();
		this.n8n.restart();
	}
}

function hasEnded({ endsAt }: ModelTask, now: number): boolean {
	return endsAt !== null && now >= endsAt;
}

let restore = () => {};
afterEach(() => restore());

/** How long before the output a stumbling provider may have kept the truth from the node, in milliseconds. */
const lastLooks = 15 * seconds;

test('in every history: one run of the nodes after it, the truth about each task, one charge for each item', async () => {
	const wakings = { byNode: 0, byTimer: 0, error: 0 };
	await fc.assert(
		fc.asyncProperty(histories, async (history) => {
			const world = (mockWorld = new World(history));
			const restoreClock = world.clock.install();
			const { post, isReached } = postToOwnAddress;
			postToOwnAddress.isReached = async () => true;
			postToOwnAddress.post = async (url, body, headers) =>
				(await world.n8n.call(url, { body, headers })).status;
			restore = () => {
				restoreClock();
				Object.assign(postToOwnAddress, { post, isReached });
			};
			const id = await world.play();
			restore();
			const { n8n, charged } = world;
			const ids = [...charged.keys()];
			expect(ids).toHaveLength(history.tasks.length);
			const runs = [...n8n.after(id), ...n8n.after(id, 'After Error')];
			const items = runs.flatMap((run) => run.items.map(({ json }) => json));
			const isByTimer = world.hasSlept && n8n.runs === 1;
			if (n8n.status(id) === 'error') {
				wakings.error++;
				expect(history.onError).toBe('stopWorkflow');
				expect(runs).toEqual([]);
				expect(n8n.error(id)?.message).toContain('Too dark');
				expect([...charged.values()].some(({ outcome }) => outcome === 'failed')).toBe(true);
				for (const taskId of ids) expect(n8n.error(id)?.description).toContain(taskId);
				return;
			}
			wakings[isByTimer ? 'byTimer' : 'byNode']++;
			expect(n8n.status(id)).toBe('success');
			expect(n8n.after(id).length).toBeLessThanOrEqual(1);
			expect(n8n.after(id, 'After Error').length).toBeLessThanOrEqual(1);
			expect(items).toHaveLength(ids.length);
			if (isByTimer) expect(history.restarts).not.toEqual([]);
			for (const json of items) {
				if ('error' in json) {
					expect(history.onError).toBe('continueErrorOutput');
					expect(json.error).toContain('Too dark');
					continue;
				}
				const known = charged.get(String(json.taskId))!;
				if (json.status === 'succeed' || json.status === 'failed') {
					expect(json.status).toBe(known.outcome);
					expect(known.endsAt).not.toBeNull();
					expect(json).not.toHaveProperty('timedOut');
					if (json.status === 'failed') expect(history.onError).toBe('continueRegularOutput');
					continue;
				}
				expect(json.timedOut).toBe(true);
				// Only tasks that had not ended at the deadline, could not be seen then, or had no process
				// left to look.
				const stumbled = history.stumbles.some(
					({ from, length }) => from < timeoutMs + minutes && from + length > timeoutMs - lastLooks,
				);
				expect(isByTimer || stumbled || !hasEnded(known, timeoutMs)).toBe(true);
			}
			expect(new Set(items.map(({ taskId, error }) => taskId ?? error)).size).toBeGreaterThan(0);
		}),
		{ numRuns: randomCases(1_000, 'CALLBACK_HISTORIES') },
	);
	// Each kind of ending occurred.
	for (const count of Object.values(wakings)) expect(count).toBeGreaterThan(0);
}, 300_000);
