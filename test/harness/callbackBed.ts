import { createHmac } from 'node:crypto';
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { CallbackHandler } from '../../nodes/KlingEffects/afterTask/webhook';
import { KlingEffects } from '../../nodes/KlingEffects/KlingEffects.node';
import { postToOwnAddress } from '../../nodes/KlingEffects/afterTask/selfCalls';
import type { ProviderName, Sandbox } from '../../sandbox';
import { SleepingN8n, type SleepingN8nOptions } from '../../tools/sleepingN8n';
import { withProcessedData, withSandbox } from './setup';
import { SteppedClock } from './steppedClock';

export const seconds = 1_000;
export const minutes = 60_000;
export const signingSecret = `whsec_${Buffer.from('a secret of the console').toString('base64')}`;

/** The headers with which Kling AI signs a callback: Standard Webhooks (docs/providers.md 1.6). */
export function signedHeaders(secret: string, body: string, now: number): Record<string, string> {
	const timestamp = String(Math.floor(now / 1000));
	const signature = createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'))
		.update(`msg_1.${timestamp}.${body}`)
		.digest('base64');
	return {
		'webhook-id': 'msg_1',
		'webhook-timestamp': timestamp,
		'webhook-signature': `v1,${signature}`,
	};
}

/** A Create that waits by callback for one task per item. */
export const create = {
	operation: 'create',
	effectScene: { __rl: true, mode: 'name', value: 'pet_dance' },
	imageInput: 'url',
	image: '={{ $json.image }}',
	waitForCompletion: true,
	// One after the other, so that charges are in the order of the items.
	options: { waitUsing: 'callback', timeout: 30, concurrency: 1 },
};

export const photos = (...names: string[]): INodeExecutionData[] =>
	names.map((name) => ({ json: { image: `https://photos.example/${name}.jpg`, name } }));

export interface BedOptions extends Partial<SleepingN8nOptions> {
	provider?: ProviderName;
	webhookSecret?: string;
	processes?: number;
	/** How often the workflow reaches the node. */
	times?: number;
}

type CallBack = Parameters<SleepingN8n['call']>[1] & { process?: number; address?: string };

/** A sandbox whose tasks end when a test says so, and an n8n on a clock that tests move. */
export class TestBed {
	sandbox!: Sandbox;
	clock!: SteppedClock;
	n8n!: SleepingN8n;
	/** The responses to the node's own calls, in order. */
	selfCalls: number[] = [];
	/** The headers of the last of them. */
	ownHeaders: Record<string, string> = {};
	private restore = () => {};

	static prepare(): TestBed {
		const bed = new TestBed();
		withProcessedData();
		const neverByItself = { taskSeconds: 1_000_000, callbacks: 'off' } as const;
		withSandbox((started) => (bed.sandbox = started), neverByItself);
		beforeEach(() => {
			bed.sandbox.reset();
			bed.clock = new SteppedClock();
			bed.selfCalls = [];
			const restoreClock = bed.clock.install();
			const { now } = bed.sandbox.options;
			bed.sandbox.options.now = () => bed.clock.now();
			const { post, isReached } = postToOwnAddress;
			postToOwnAddress.isReached = async () => true;
			postToOwnAddress.post = async (url, body, headers) => {
				const { status } = await bed.n8n.call(url, { body, headers });
				bed.selfCalls.push(status);
				bed.ownHeaders = headers;
				return status;
			};
			bed.restore = () => {
				restoreClock();
				bed.sandbox.options.now = now;
				Object.assign(postToOwnAddress, { post, isReached });
			};
		});
		afterEach(() => {
			bed.clock.stop();
			bed.restore();
		});
		return bed;
	}

	/** Starts an execution and returns its id once it sleeps or is over. */
	async start(
		items: INodeExecutionData[],
		changes: Record<string, unknown> = {},
		{ provider = 'kling', webhookSecret, processes = 1, times, ...options }: BedOptions = {},
	): Promise<string> {
		const credential = { ...this.sandbox.credential(provider), webhookSecret };
		const parameters = { ...create, ...changes };
		this.n8n = new SleepingN8n(
			{ nodeType: newProcess, ...options, credential, parameters },
			processes,
		);
		return await this.clock.during(this.n8n.execute(items, times));
	}

	/** The ids of the tasks that were paid for, in the order of the items. */
	get taskIds(): string[] {
		return this.sandbox.charges.map(({ taskId }) => taskId);
	}

	get address(): string {
		const [task] = this.sandbox.tasks;
		return task.callbackUrl!;
	}

	/** Ends tasks, named by the place of their item. */
	finish(status: 'succeed' | 'failed', ...items: number[]): void {
		for (const item of items) this.sandbox.finish(this.taskIds[item], status, 'Too dark');
	}

	/** The json of what reached the next node, all of its runs together. */
	json(executionId: string): IDataObject[] {
		return this.n8n.after(executionId).flatMap(({ items }) => items.map(({ json }) => json));
	}

	/** A callback from the provider, and everything that follows at once. */
	async callBack({ process = 0, address = this.address, ...call }: CallBack = {}) {
		const answer = await this.clock.during(this.n8n.call(address, call, process));
		await this.clock.during(this.n8n.settled());
		return answer;
	}

	async pass(ms: number): Promise<void> {
		await this.clock.advance(ms);
		await this.clock.during(this.n8n.settled());
	}

	get looks(): number {
		return this.sandbox.requests.filter(({ operation }) => operation === 'get').length;
	}
}

/** The node in its own process, with its own memory. */
function newProcess(): KlingEffects {
	const node = new KlingEffects();
	const callbacks = new CallbackHandler();
	node.webhook = async function (this: Parameters<CallbackHandler['handle']>[0]) {
		return await callbacks.handle(this);
	} as typeof node.webhook;
	return node;
}
