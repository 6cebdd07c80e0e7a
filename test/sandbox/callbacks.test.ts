import { createHmac } from 'node:crypto';

import { startSandbox, type Sandbox, type SandboxProvider } from '../../sandbox';
import { clientOf, creates, startReceiver, until } from '../harness/sandboxClient';

let sandbox: Sandbox;
let receiver: Awaited<ReturnType<typeof startReceiver>>;

beforeEach(async () => {
	sandbox = await startSandbox({ taskSeconds: 0.2, callbackRetryMs: [5, 5, 5] });
	receiver = await startReceiver();
});
afterEach(async () => {
	await sandbox.close();
	await receiver.close();
});

async function createWithCallback(provider: SandboxProvider, url = receiver.url) {
	const { path, body } = creates[provider];
	const reply = await clientOf(sandbox, provider).post(path, { ...body, callback_url: url });
	return (reply.json.data.task_id ?? reply.json.data.taskId) as string;
}

const statuses = () => receiver.received.map(({ json }) => json.task_status);

test.each(['kling', 'cometApi', 'kkiai'] as const)(
	"%s reports every change of status, with Kling's flat payload",
	async (provider) => {
		const id = await createWithCallback(provider);
		await until(() => receiver.received.length === 2, 'two callbacks');
		expect(statuses()).toEqual(['processing', 'succeed']);
		expect(receiver.received[1].json).toMatchObject({
			task_id: id,
			task_status: 'succeed',
			task_result: { videos: [{ url: expect.any(String) }] },
			final_unit_deduction: '2',
		});
		expect(receiver.received[1].json).not.toHaveProperty('code');
		expect(receiver.received[1].headers).not.toHaveProperty('webhook-signature');
		await until(() => sandbox.callbackLog.length === 2, 'the log');
		expect(sandbox.callbackLog[1]).toMatchObject({ taskId: id, url: receiver.url, status: 200 });
	},
);

test('Kling signs when there is a secret', async () => {
	const key = Buffer.from('a secret for webhooks');
	sandbox.options.webhookSecret = `whsec_${key.toString('base64')}`;
	await createWithCallback('kling');
	await until(() => receiver.received.length === 2, 'two callbacks');
	const [{ headers, text }] = receiver.received;
	const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
	const digest = createHmac('sha256', key).update(signed).digest('base64');
	expect(headers['webhook-signature']).toBe(`v1,${digest}`);
});

test('APIModels reports the end only, as JSON within JSON, until it is taken', async () => {
	await receiver.close();
	receiver = await startReceiver((index) => (index < 2 ? 500 : 200));
	const id = await createWithCallback('apiModels');
	await until(() => sandbox.callbackLog.length === 3, 'three attempts');
	await new Promise((resolve) => setTimeout(resolve, 50));
	expect(sandbox.callbackLog.map(({ status }) => status)).toEqual([500, 500, 200]);
	const { code, data } = receiver.received[2].json;
	expect(code).toBe(200);
	expect(data).toMatchObject({ taskId: id, state: 'completed', failCode: null, failMsg: null });
	expect(JSON.parse(data.param)).toMatchObject({ effect_scene: 'balloon_parade' });
	expect(JSON.parse(data.resultJson)).toEqual({
		resultUrls: [expect.any(String)],
		videoDuration: 5,
	});
});

test('APIModels gives up after three repetitions, and reports failures without a result', async () => {
	sandbox.options.failScenes = ['balloon_parade'];
	await createWithCallback('apiModels', 'http://127.0.0.1:1/nobody');
	await until(() => sandbox.callbackLog.length === 4, 'four attempts');
	expect(sandbox.callbackLog[3]).toMatchObject({
		status: 0,
		body: { data: { state: 'failed', resultJson: null, failMsg: 'Image pixel is invalid' } },
	});
});

test('Modellix has no callbacks', async () => {
	const { path, body } = creates.modellix;
	await clientOf(sandbox, 'modellix').post(path, { ...body, callback_url: receiver.url });
	await until(() => sandbox.tasks[0].status === 'succeed', 'the end');
	await new Promise((resolve) => setTimeout(resolve, 50));
	expect(receiver.received).toEqual([]);
});

test('callbacks can stay away or come twice', async () => {
	sandbox.options.callbacks = 'off';
	await createWithCallback('kling');
	await until(() => sandbox.tasks[0].status === 'succeed', 'the end');
	await new Promise((resolve) => setTimeout(resolve, 50));
	expect(receiver.received).toEqual([]);
	sandbox.options.callbacks = 'twice';
	await createWithCallback('kling');
	await until(() => receiver.received.length === 4, 'four callbacks');
	expect(statuses().sort()).toEqual(['processing', 'processing', 'succeed', 'succeed']);
});

test('callbacks can come early, or say what is not true', async () => {
	sandbox.options.taskSeconds = 60;
	const id = await createWithCallback('kling');
	await sandbox.sendCallback(id);
	await sandbox.sendCallback(id, { task_id: id, task_status: 'succeed' });
	expect(statuses()).toEqual(['submitted', 'succeed']);
	expect(sandbox.tasks[0].status).toBe('submitted');
});

test('a task that is ended by hand reports it', async () => {
	sandbox.options.taskSeconds = 60;
	const id = await createWithCallback('kling');
	sandbox.finish(id, 'failed', 'Changed our mind');
	await until(() => receiver.received.length === 1, 'one callback');
	expect(receiver.received[0].json).toMatchObject({
		task_status: 'failed',
		task_status_msg: 'Changed our mind',
	});
});
