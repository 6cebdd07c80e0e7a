import { minutes, photos, TestBed } from '../../../harness/callbackBed';

const bed = TestBed.prepare();

describe('a credential that was changed to another provider during the sleep', () => {
	const asleep = async (...names: string[]) => {
		const id = await bed.start(photos(...names));
		Object.assign(bed.n8n.options.credential, bed.sandbox.credential('cometApi'));
		return id;
	};
	const askedOthers = () =>
		bed.sandbox.requests.filter(({ provider }) => provider === 'cometApi').length;

	test('sends that provider no task IDs', async () => {
		const id = await asleep('a');
		bed.finish('succeed', 0);
		expect((await bed.callBack()).status).toBe(503);
		await bed.pass(40 * minutes);
		expect(bed.n8n.status(id)).toBe('error');
		expect(askedOthers()).toBe(0);
	});

	test('is named at the deadline, with the tasks and what to do', async () => {
		const id = await asleep('a', 'b');
		await bed.pass(40 * minutes);
		expect(bed.n8n.error(id)?.message).toBe('The credential is no longer one of Kling AI');
		for (const taskId of bed.taskIds) expect(bed.n8n.error(id)?.description).toContain(taskId);
	});

	test('once it is put right, Retry brings the videos, and pays for none', async () => {
		const id = await asleep('a', 'b');
		await bed.pass(40 * minutes);
		Object.assign(bed.n8n.options.credential, bed.sandbox.credential('kling'));
		bed.finish('succeed', 0, 1);
		const retried = await bed.clock.during(bed.n8n.retry(id));
		expect(bed.json(retried)).toMatchObject(
			bed.taskIds.map((taskId) => ({ taskId, status: 'succeed' })),
		);
		expect(bed.taskIds).toHaveLength(2);
	});
});

test.each([
	['was deleted', () => (bed.n8n.isCredentialGone = true)],
	['has lost its key', () => Object.assign(bed.n8n.options.credential, { apiKey: '' })],
])('Retry with a credential that %s says which tasks there are', async (_, lose) => {
	const id = await bed.start(photos('a', 'b'));
	bed.finish('failed', 0, 1);
	await bed.callBack();
	lose();
	const retried = await bed.clock.during(bed.n8n.retry(id));
	expect(bed.n8n.status(retried)).toBe('error');
	for (const taskId of bed.taskIds) {
		expect(bed.n8n.error(retried)?.description).toContain(taskId);
	}
});
