import type { IExecuteFunctions, INodeExecutionData, INodeType } from 'n8n-workflow';
import { KlingEffects } from '../../../nodes/KlingEffects/KlingEffects.node';
import { executeCreate } from '../../../nodes/KlingEffects/create/create';
import { NodeMemory } from '../../../nodes/KlingEffects/create/memory';
import { executeGet } from '../../../nodes/KlingEffects/get';
import { readAccount } from '../../../nodes/kling/account';
import type { Send } from '../../../nodes/kling/failure';
import type { ApiRequest } from '../../../nodes/kling/http';
import { Client } from '../../../nodes/kling/client';
import type { Clock } from '../../../nodes/kling/clock';
import { openSession, type Session } from '../../../nodes/n8n/session';
import { credentialName, transportOf } from '../../../nodes/n8n/session';
import type { RunningClock } from '../../harness/steppedClock';

export interface World {
	clock: RunningClock;
	/** Real milliseconds after which a hanging request is abandoned. */
	requestTimeoutMs: number;
	/** The process dies after sending the create with this number (from 1). */
	diesAtCreate?: number;
	onDeath?: () => void;
}

/** The Kling Effects node with its own clock. Its requests still go through n8n's helpers. */
export function clockedNode(world: World): INodeType {
	const life = new Life(world);
	const node = new KlingEffects();
	node.execute = async function (this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const session = await sessionOf(this, life);
		if (this.getNodeParameter('operation', 0) === 'get') return [await executeGet(this, session)];
		return [await executeCreate(this, session, NodeMemory.begin(this))];
	};
	return node;
}

async function sessionOf(context: IExecuteFunctions, life: Life): Promise<Session> {
	const session = await openSession(context);
	const account = readAccount(await context.getCredentials(credentialName));
	const send = life.limited(transportOf(context, account));
	const { clock } = life;
	return { ...session, clock, client: new Client(session.provider, send, clock, session.signal) };
}

const never = new Promise<never>(() => {});

/** What a process does until it dies: then it does nothing more, but what it sent is still on its way. */
class Life {
	private isOver = false;
	private creates = 0;

	constructor(private readonly world: World) {}

	readonly clock: Clock = {
		now: () => this.world.clock.now(),
		elapsed: () => this.world.clock.elapsed(),
		random: () => this.world.clock.random(),
		sleep: async (ms, signal) => {
			await this.world.clock.sleep(ms, signal);
			if (this.isOver) await never;
		},
	};

	limited(send: Send): Send {
		return async (request) => {
			if (this.isOver) await never;
			const isLast = request.method === 'POST' && ++this.creates === this.world.diesAtCreate;
			if (isLast) this.isOver = true;
			const reply = await this.world.clock.hold(async () => await this.sent(send, request));
			if (isLast) this.world.onDeath?.();
			return this.isOver ? await never : reply;
		};
	}

	private async sent(send: Send, request: ApiRequest): ReturnType<Send> {
		return await send({ ...request, timeoutMs: this.world.requestTimeoutMs });
	}
}
