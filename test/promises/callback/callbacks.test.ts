import type { INode, INodeType } from 'n8n-workflow';
import {
	minutes,
	photos,
	seconds,
	signedHeaders,
	signingSecret,
	TestBed,
} from '../../harness/callbackBed';
import { bareDescription } from '../../../tools/engine';

const bed = TestBed.prepare();
const toContinue = { settings: { onError: 'continueRegularOutput' as const } };

test('a forged callback, thirty at once and a repeated one leave it asleep while a task runs', async () => {
	const id = await bed.start(photos('a'));
	const forged = JSON.stringify({ task_id: bed.taskIds[0], task_status: 'succeed' });
	const calls = Array.from(
		{ length: 30 },
		async () => await bed.n8n.call(bed.address, { body: forged }),
	);
	await bed.clock.during(Promise.all(calls));
	await bed.callBack();
	expect(bed.n8n.status(id)).toBe('waiting');
	bed.finish('succeed', 0);
	await bed.callBack();
	expect(bed.json(id)).toMatchObject([{ status: 'succeed' }]);
});

test('thirty callbacks at once after the last end wake it once', async () => {
	const id = await bed.start(photos('a', 'b'), { downloadVideo: true });
	bed.finish('succeed', 0, 1);
	const calls = Array.from({ length: 30 }, async () => await bed.n8n.call(bed.address));
	await bed.clock.during(Promise.all(calls));
	await bed.clock.during(bed.n8n.settled());
	expect(bed.n8n.after(id)).toHaveLength(1);
	expect(bed.n8n.runs).toBe(2);
});

test('a callback for a wait that is over changes nothing', async () => {
	const id = await bed.start(photos('a'));
	bed.finish('succeed', 0);
	await bed.callBack();
	const { status } = await bed.callBack();
	expect(status).toBe(409);
	await bed.pass(40 * minutes);
	expect(bed.n8n.after(id)).toHaveLength(1);
});

test.each([1, 2] as const)(
	'n8n %i: a repeated callback does not resume a Wait node further on',
	async (line) => {
		const wait = {
			id: 'w',
			name: 'Wait',
			type: 'wait',
			typeVersion: 1,
			position: [0, 0],
			parameters: {},
		};
		const further = [wait as INode, { ...wait, id: 'end', name: 'End', type: 'end' } as INode];
		const id = await bed.start(photos('a'), {}, { line, further, types: { wait: waitNode } });
		const { address } = bed;
		bed.finish('succeed', 0);
		await bed.callBack();
		expect(bed.n8n.status(id)).toBe('waiting');
		expect((await bed.callBack({ address })).status).toBe(404);
		expect(bed.n8n.status(id)).toBe('waiting');
		const own = new URL(address);
		own.pathname = own.pathname.replace(/\/[^/]+$/, '');
		await bed.callBack({ address: own.href });
		expect(bed.n8n.status(id)).toBe('success');
		expect(bed.n8n.after(id, 'End')).toHaveLength(1);
	},
);

describe('a provider that stumbles', () => {
	test('a callback ahead of the task’s state is followed by a look within seconds', async () => {
		const id = await bed.start(photos('a'));
		await bed.pass(60 * seconds);
		expect((await bed.callBack()).status).toBe(202);
		await bed.pass(1_500);
		bed.finish('succeed', 0);
		await bed.pass(5 * seconds);
		expect(bed.json(id)).toMatchObject([{ status: 'succeed' }]);
	});

	test('a callback during the last look is followed by its own looks', async () => {
		const id = await bed.start(photos('a'));
		await bed.pass(60 * seconds);
		await bed.callBack();
		await bed.pass(20 * seconds);
		bed.sandbox.addFault({ kind: 'delay', delayMs: 200, match: { operation: 'get' }, times: 1 });
		const { looks } = bed;
		const third = bed.pass(2 * seconds);
		while (bed.looks === looks) await new Promise(setImmediate);
		bed.finish('succeed', 0);
		expect(await bed.n8n.call(bed.address)).toMatchObject({ status: 202 });
		await third;
		expect(bed.n8n.status(id)).toBe('waiting');
		await bed.pass(5 * seconds);
		expect(bed.json(id)).toMatchObject([{ status: 'succeed' }]);
	});

	test.each([4, 6, 30])(
		'%i responses of HTTP 500 delay the end, and nothing else',
		async (times) => {
			const id = await bed.start(photos('a'));
			await bed.pass(60 * seconds);
			bed.finish('succeed', 0);
			bed.sandbox.addFault({ kind: 'status', status: 500, match: { operation: 'get' }, times });
			expect((await bed.callBack()).status).toBe(503);
			await bed.pass(10 * minutes);
			expect(bed.json(id)).toMatchObject([{ status: 'succeed' }]);
		},
	);

	test('a provider that is down until after the deadline: the task comes out as timedOut', async () => {
		const id = await bed.start(photos('a'), {}, toContinue);
		bed.finish('succeed', 0);
		bed.sandbox.addFault({ kind: 'resetBefore', match: { operation: 'get' } });
		await bed.callBack();
		await bed.pass(33 * minutes);
		expect(bed.json(id)).toMatchObject([{ taskId: bed.taskIds[0], timedOut: true }]);
	});

	test('a callback that was lost while n8n was storing the execution is made up for', async () => {
		const id = await bed.start(photos('a'));
		bed.finish('succeed', 0);
		await bed.pass(6 * seconds);
		expect(bed.json(id)).toMatchObject([{ status: 'succeed' }]);
	});
});

describe('nothing makes webhook() throw', () => {
	test('a credential that cannot be read for a moment: the callback is answered with 503, and made up for', async () => {
		const id = await bed.start(photos('a'));
		await bed.pass(60 * seconds);
		bed.finish('succeed', 0);
		bed.n8n.isCredentialGone = true;
		expect((await bed.callBack()).status).toBe(503);
		await bed.pass(20 * seconds);
		expect(bed.n8n.status(id)).toBe('waiting');
		bed.n8n.isCredentialGone = false;
		await bed.pass(60 * seconds);
		expect(bed.json(id)).toMatchObject([{ status: 'succeed' }]);
	});

	test.each(['multipart/form-data; boundary=x', 'text/plain', 'application/xml', 'image/png', ''])(
		'a stranger’s body of the type “%s” leaves it asleep, with a secret and without',
		async (type) => {
			for (const webhookSecret of [undefined, signingSecret]) {
				const id = await bed.start(photos('a'), {}, { webhookSecret });
				const call = { headers: { 'content-type': type }, body: '--x\r\n\u0000{"a":' };
				expect((await bed.callBack(call)).status).toBe(webhookSecret ? 401 : 202);
				expect(bed.n8n.status(id)).toBe('waiting');
				bed.sandbox.reset();
			}
		},
	);
});

describe('with a Webhook Secret', () => {
	test('what Kling did not sign is refused, and costs no request', async () => {
		const id = await bed.start(photos('a'), {}, { webhookSecret: signingSecret });
		await bed.pass(60 * seconds);
		const before = bed.looks;
		bed.finish('succeed', 0);
		expect((await bed.callBack()).status).toBe(401);
		const other = `whsec_${Buffer.from('another').toString('base64')}`;
		const headers = signedHeaders(other, '{}', bed.clock.now());
		expect((await bed.callBack({ headers })).status).toBe(401);
		const old = signedHeaders(signingSecret, '{}', bed.clock.now() - 6 * minutes);
		expect((await bed.callBack({ headers: old })).status).toBe(401);
		expect(bed.looks).toBe(before);
		expect(bed.n8n.status(id)).toBe('waiting');
		const right = signedHeaders(signingSecret, '{}', bed.clock.now());
		await bed.callBack({ headers: right });
		expect(bed.json(id)).toMatchObject([{ status: 'succeed' }]);
	});

	test('the node’s own calls pass: a lost callback is made up for', async () => {
		const id = await bed.start(photos('a'), {}, { webhookSecret: signingSecret });
		bed.finish('succeed', 0);
		await bed.pass(6 * seconds);
		expect(bed.json(id)).toMatchObject([{ status: 'succeed' }]);
	});

	test('the token of the node’s own calls is never shown, and no other token passes', async () => {
		const id = await bed.start(photos('a'), {}, { webhookSecret: signingSecret });
		await bed.pass(60 * seconds);
		const [[name, token], ...more] = Object.entries(bed.ownHeaders);
		expect(more).toEqual([]);
		expect(token).toMatch(/^[0-9a-f-]{36}$/);
		const others = ['', 'undefined', `${token.slice(0, -1)}${token.endsWith('0') ? 1 : 0}`];
		for (const other of others) {
			expect((await bed.callBack({ headers: { [name]: other } })).status).toBe(401);
		}
		bed.finish('succeed', 0);
		expect((await bed.callBack({ headers: { [name]: token } })).status).toBe(200);
		expect(JSON.stringify(bed.sandbox.requests)).not.toContain(token);
		expect(JSON.stringify(bed.n8n.dataOf(id).resultData)).not.toContain(token);
	});
});

describe('callbacks cost a bounded number of requests', () => {
	const many = Array.from({ length: 98 }, (_, index) => `photo-${index}`);

	test('98 tasks that end one after the other cost two looks each', async () => {
		const options = { waitUsing: 'callback', timeout: 30 };
		const id = await bed.start(photos(...many), { options }, { provider: 'cometApi' });
		const before = bed.looks;
		for (const [index] of many.entries()) {
			bed.finish('succeed', index);
			await bed.pass(2 * seconds);
			await bed.callBack();
		}
		expect(bed.json(id)).toHaveLength(98);
		expect(bed.looks - before).toBeLessThanOrEqual(98 * 3);
	});

	test('the node looks three times after falling asleep, and after each callback', async () => {
		await bed.start(photos('a'));
		await bed.pass(10 * minutes);
		expect(bed.selfCalls).toEqual([202, 202, 202]);
		await bed.callBack();
		await bed.pass(10 * minutes);
		expect(bed.selfCalls).toHaveLength(6);
		expect(bed.looks).toBe(8);
	});

	test('a stranger who calls a hundred times in a second causes at most three looks', async () => {
		await bed.start(photos('a', 'b'));
		await bed.pass(60 * seconds);
		const before = bed.looks;
		const calls = Array.from({ length: 100 }, async (_, index) => {
			await bed.clock.sleep(index * 10);
			return await bed.n8n.call(bed.address);
		});
		await bed.clock.during(Promise.all(calls));
		expect(bed.looks - before).toBeLessThanOrEqual(3);
	});
});

/** The parts of n8n's Wait node (Resume: On Webhook Call, POST) that matter here. */
const waitNode = {
	description: {
		...bareDescription,
		displayName: 'Wait',
		name: 'wait',
		webhooks: [{ name: 'default', httpMethod: 'POST', path: '', restartWebhook: true }],
	},
	async execute(this: { putExecutionToWait(till: Date): Promise<void>; getInputData(): unknown }) {
		await this.putExecutionToWait(new Date('3000-01-01'));
		return [this.getInputData()];
	},
	async webhook() {
		return { workflowData: [[{ json: { resumedBy: 'a call' } }]] };
	},
} as unknown as INodeType;
