import { photos, seconds, TestBed } from '../../harness/callbackBed';
import { attacks, unreadable } from './attacks';
import { HostileServer } from './server';

const bed = TestBed.prepare();
const hostile = HostileServer.prepare();

/** Only those that end at once: these tests' clock moves on while waiting for a response. */
const quick = attacks.filter(([name, , says]) => says === unreadable && !/million/.test(name));

describe.each(quick)('a provider that sends %s when a callback comes', (_name, behaviour) => {
	test('leaves the execution asleep, and it wakes later with its task', async () => {
		const id = await bed.start(photos('a'));
		await bed.pass(60 * seconds);
		const { credential } = bed.n8n.options;
		const { baseUrl } = credential;
		credential.baseUrl = hostile.url;
		hostile.behaviour = behaviour;
		hostile.requests = [];
		bed.finish('succeed', 0);
		const { status } = await bed.callBack();
		expect([202, 503]).toContain(status);
		expect(bed.n8n.status(id)).toBe('waiting');
		expect(hostile.requests.length).toBeGreaterThan(0);
		expect(hostile.requests.length).toBeLessThanOrEqual(20);
		credential.baseUrl = baseUrl;
		await bed.pass(120 * seconds);
		expect(bed.json(id)).toMatchObject([{ status: 'succeed' }]);
		expect(bed.sandbox.charges).toHaveLength(1);
	});
});
