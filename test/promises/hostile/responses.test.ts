import { byId, single } from '../../harness/workbench';
import { withInstantClock } from '../../harness/setup';
import { runNode } from '../../../tools/engine';
import { ActiveTrigger } from '../../harness/activeTrigger';
import { testCredential } from '../../harness/credentialTest';
import { attacks, hasten, unreadable } from './attacks';
import { HostileServer, providerNames, type Behaviour } from './server';

const hostile = HostileServer.prepare();
withInstantClock();
afterEach(() => jest.restoreAllMocks());

const get = { operation: 'get', taskId: byId('842163450012345678'), waitForCompletion: false };
const create = { ...single, waitForCompletion: false, downloadVideo: false };
const list = { operation: 'list', returnAll: false, limit: 5 };

describe.each(attacks)('a provider that sends %s', (_name, behaviour, says) => {
	beforeEach(() => {
		hostile.behaviour = behaviour;
		hasten(hostile, says);
	});

	test.each(providerNames)('%s: is reported by Get, after at most four tries', async (provider) => {
		const { error, items } = await runNode({
			parameters: get,
			credential: hostile.credential(provider),
		});
		expect(items).toEqual([]);
		expect(error?.message).toMatch(says);
		expect(hostile.requests.length).toBeLessThanOrEqual(4);
		expect(hostile.open.size).toBeLessThanOrEqual(1);
	});

	test.each(providerNames)(
		'%s: may have created the task, so Create sends it once',
		async (provider) => {
			hostile.behaviour = behaviour;
			const { error, items } = await runNode({
				parameters: create,
				credential: hostile.credential(provider),
			});
			expect(items).toEqual([]);
			const refuses = says.source.includes('redirected');
			expect(error?.message).toMatch(refuses ? says : /may have created the task, but/);
			expect(hostile.posts()).toHaveLength(1);
			expect(hostile.requests.length).toBeLessThanOrEqual(20);
		},
	);

	test('the list ends as well', async () => {
		const { error } = await runNode({ parameters: list, credential: hostile.credential('kling') });
		expect(error?.message).toMatch(says);
		expect(hostile.requests.length).toBeLessThanOrEqual(4);
	});

	test('the trigger says so in the editor, and loses no task', async () => {
		const trigger = new ActiveTrigger({ credential: hostile.credential('kling') });
		jest.restoreAllMocks();
		hostile.behaviour = listing('processing');
		expect(await trigger.poll()).toBeNull();
		hostile.behaviour = behaviour;
		hostile.requests = [];
		hasten(hostile, says);
		await expect(trigger.poll('manual')).rejects.toThrow(says);
		const polled = await trigger.poll().catch(({ message }: Error) => message);
		if (polled !== null) expect(polled).toMatch(says);
		expect(hostile.requests.length).toBeLessThanOrEqual(8);
		jest.restoreAllMocks();
		hostile.behaviour = listing('succeed');
		expect(await trigger.ids()).toEqual(['842163450012345678']);
	});
});

/** n8n's rules see only whether there is something in “data”: a green test does not prove more. */
const withData = ['keys of prototypes', 'objects nested a thousand deep'];

describe.each(attacks.filter(([name, , says]) => says === unreadable && !withData.includes(name)))(
	'an address that gives %s',
	(_name, behaviour) => {
		test.each(providerNames)('%s: makes no credential green', async (provider) => {
			hostile.behaviour = behaviour;
			const { status, message } = await testCredential(hostile.credential(provider));
			expect(status).toBe('Error');
			expect(message.length).toBeLessThan(300);
			expect(hostile.requests).toHaveLength(1);
		});
	},
);

/** A list of one task, which changed just now: any page but the first is empty. */
function listing(status: string): Behaviour {
	const now = Date.now();
	const task = { task_id: '842163450012345678', task_status: status, task_info: {} };
	const one = { ...task, created_at: now - 60_000, updated_at: now, task_result: {} };
	return ({ url = '' }, response) => {
		const data = /pageNum=1\b/.test(url) ? [one] : [];
		response.end(JSON.stringify({ code: 0, message: 'SUCCEED', data }));
	};
}
