import type { INodeExecutionData } from 'n8n-workflow';
import { create, minutes, photos, seconds, TestBed } from '../../harness/callbackBed';

const bed = TestBed.prepare();

test('all items come out in order once the last task has ended, and later nodes run once', async () => {
	const id = await bed.start(photos('a', 'b', 'c'));
	bed.finish('succeed', 2, 0);
	await bed.callBack();
	expect(bed.n8n.status(id)).toBe('waiting');
	bed.finish('succeed', 1);
	await bed.callBack();
	expect(bed.n8n.status(id)).toBe('success');
	expect(bed.n8n.after(id)).toHaveLength(1);
	expect(bed.json(id).map(({ taskId }) => taskId)).toEqual(bed.taskIds);
	for (const json of bed.json(id)) {
		expect(json).toMatchObject({ status: 'succeed', effectScene: 'pet_dance' });
		expect(json).not.toHaveProperty('timedOut');
	}
});

test('the output is the same by callback as by polling, to the last key', async () => {
	const outputs: INodeExecutionData[][] = [];
	for (const waitUsing of ['callback', 'polling']) {
		bed.sandbox.reset();
		bed.sandbox.options.taskSeconds = waitUsing === 'polling' ? 5 : 1_000_000;
		const options = { ...create.options, waitUsing };
		const id = await bed.start(photos('a', 'b'), { downloadVideo: true, options });
		if (waitUsing === 'callback') {
			await bed.pass(5 * seconds);
			bed.finish('succeed', 0, 1);
			await bed.callBack();
		}
		outputs.push(bed.n8n.output(id));
	}
	bed.sandbox.options.taskSeconds = 1_000_000;
	const shape = (items: INodeExecutionData[]) =>
		items.map(({ json, binary, pairedItem }) => ({
			keys: Object.keys(json),
			status: json.status,
			files: Object.keys(binary ?? {}),
			pairedItem,
		}));
	expect(shape(outputs[0])).toEqual(shape(outputs[1]));
});

test('On Error “Stop”: a failed task ends the execution with its message, and nothing runs after it', async () => {
	const id = await bed.start(photos('a', 'b', 'c'));
	bed.finish('succeed', 0, 2);
	bed.finish('failed', 1);
	await bed.callBack();
	expect(bed.n8n.status(id)).toBe('error');
	expect(bed.n8n.error(id)?.message).toContain('Too dark');
	for (const taskId of bed.taskIds) expect(bed.n8n.error(id)?.description).toContain(taskId);
	expect(bed.n8n.after(id)).toEqual([]);
	expect(Object.keys(bed.n8n.dataOf(id).resultData.runData)).toContain('Feeder');
});

test('On Error “Stop”: Retry says the same about the same tasks, and creates none', async () => {
	const id = await bed.start(photos('a', 'b'));
	bed.finish('succeed', 0);
	bed.finish('failed', 1);
	await bed.callBack();
	const retried = await bed.clock.during(bed.n8n.retry(id));
	expect(bed.n8n.status(retried)).toBe('error');
	expect(bed.n8n.error(retried)?.message).toContain('Too dark');
	expect(bed.n8n.after(retried)).toEqual([]);
	expect(bed.taskIds).toHaveLength(2);
});

test('On Error “Continue”: a failed task is an item that says so', async () => {
	const settings = { onError: 'continueRegularOutput' as const };
	const id = await bed.start(photos('a', 'b'), {}, { settings });
	bed.finish('failed', 0);
	bed.finish('succeed', 1);
	await bed.callBack();
	expect(bed.n8n.status(id)).toBe('success');
	expect(bed.json(id)).toMatchObject([
		{ taskId: bed.taskIds[0], status: 'failed', statusMessage: 'Too dark' },
		{ taskId: bed.taskIds[1], status: 'succeed' },
	]);
});

test('On Error “Continue (using error output)”: a failed task goes to the error output, with its input', async () => {
	const settings = { onError: 'continueErrorOutput' as const };
	const id = await bed.start(photos('a', 'b'), {}, { settings });
	bed.finish('failed', 0);
	bed.finish('succeed', 1);
	await bed.callBack();
	expect(bed.n8n.status(id)).toBe('success');
	expect(bed.json(id)).toMatchObject([{ taskId: bed.taskIds[1], status: 'succeed' }]);
	const [failed] = bed.n8n.after(id, 'After Error');
	expect(failed.items).toHaveLength(1);
	expect(failed.items[0].json).toMatchObject({
		error: expect.stringContaining('Too dark'),
		name: 'a',
	});
});

test('with “Continue” and Retry On Fail, a refused first item does not make the node run again', async () => {
	const settings = {
		onError: 'continueRegularOutput' as const,
		retryOnFail: true,
		waitBetweenTries: 0,
	};
	const items = [{ json: { image: 'not an address', name: 'bad' } }, ...photos('a', 'b')];
	const id = await bed.start(items, {}, { settings });
	expect(bed.n8n.status(id)).toBe('waiting');
	expect(bed.n8n.runs).toBe(1);
	bed.finish('succeed', 0, 1);
	await bed.callBack();
	expect(bed.taskIds).toHaveLength(2);
	expect(bed.json(id)).toMatchObject([
		{ error: expect.any(String) },
		{ taskId: bed.taskIds[0], status: 'succeed' },
		{ taskId: bed.taskIds[1], status: 'succeed' },
	]);
});

test('Download Video, Output Field Name and Simplify count for each item, and are evaluated before sleeping', async () => {
	const id = await bed.start(photos('a', 'b', 'c'), {
		downloadVideo: '={{ $json.name !== "b" }}',
		outputField: '={{ "clip_" + $json.name }}',
		simplify: '={{ $json.name !== "c" }}',
	});
	bed.finish('succeed', 0, 1, 2);
	await bed.callBack();
	const [a, b, c] = bed.n8n.output(id);
	expect(Object.keys(a.binary ?? {})).toEqual(['clip_a']);
	expect(b.binary).toBeUndefined();
	expect(Object.keys(c.binary ?? {})).toEqual(['clip_c']);
	expect(a.json).toHaveProperty('taskId');
	expect(c.json).toHaveProperty('task_id');
});

test('an item that does not wait comes out as it is, and holds up no other', async () => {
	const id = await bed.start(photos('a', 'b'), { waitForCompletion: '={{ $json.name === "b" }}' });
	bed.finish('succeed', 1);
	await bed.callBack();
	expect(bed.n8n.status(id)).toBe('success');
	expect(bed.json(id)).toMatchObject([{ status: 'submitted' }, { status: 'succeed' }]);
	expect(bed.json(id)[0]).not.toHaveProperty('timedOut');
});

test('the input items stay as they are while the execution sleeps', async () => {
	const items = photos('a', 'b');
	const before = structuredClone(items);
	const id = await bed.start(items);
	expect(items).toEqual(before);
	const [feeder] = bed.n8n.dataOf(id).resultData.runData.Feeder;
	expect(feeder.data?.main[0]?.map(({ json }) => json)).toEqual(before.map(({ json }) => json));
});

test('with “Stop”, a run with a task that failed before the sleep polls instead, so n8n’s own time-out cannot pass it on', async () => {
	const started = bed.start(photos('a', 'b'));
	while (bed.taskIds.length === 0) await new Promise(setImmediate);
	bed.finish('failed', 0);
	const id = await started;
	expect(bed.n8n.status(id)).toBe('error');
	expect(bed.n8n.error(id)?.message).toContain('Too dark');
	expect(bed.n8n.after(id)).toEqual([]);
});

describe('at the deadline', () => {
	const settings = { onError: 'continueRegularOutput' as const };

	test('what has ended comes out as ended, with its video; only what runs is timedOut', async () => {
		const id = await bed.start(photos('a', 'b', 'c'), { downloadVideo: true }, { settings });
		bed.finish('succeed', 0);
		bed.finish('failed', 1);
		await bed.pass(31 * minutes);
		expect(bed.n8n.status(id)).toBe('success');
		expect(bed.json(id)).toMatchObject([
			{ status: 'succeed' },
			{ status: 'failed' },
			{ status: 'submitted', timedOut: true },
		]);
		const files = bed.n8n.output(id).map(({ binary }) => Object.keys(binary ?? {}));
		expect(files).toEqual([['data'], [], []]);
		expect(bed.json(id).filter((json) => 'timedOut' in json)).toHaveLength(1);
	});

	test('it works with a Timeout of three seconds too', async () => {
		const options = { ...create.options, timeout: 0.05 };
		const id = await bed.start(photos('a'), { options }, { settings });
		await bed.pass(10 * seconds);
		expect(bed.json(id)).toMatchObject([{ timedOut: true }]);
	});

	test.each([1, 2] as const)('n8n %i: thirty callbacks at once wake it once', async (line) => {
		const id = await bed.start(photos('a'), {}, { settings, line });
		const { address } = bed;
		bed.clock.stop();
		await bed.pass(30 * minutes);
		const calls = Array.from({ length: 30 }, async () => await bed.n8n.call(address));
		await bed.clock.during(Promise.all(calls));
		await bed.clock.during(bed.n8n.settled());
		expect(bed.n8n.runs).toBe(2);
		expect(bed.json(id)).toMatchObject([{ timedOut: true }]);
	});

	test('n8n’s own time-out no longer changes anything', async () => {
		const id = await bed.start(photos('a'), {}, { settings });
		await bed.pass(31 * minutes);
		await bed.n8n.timeOver(id, bed.clock.now() + 10 * minutes);
		expect(bed.n8n.after(id)).toHaveLength(1);
	});

	test('with a Webhook Secret the node’s own call passes', async () => {
		const webhookSecret = `whsec_${Buffer.from('console').toString('base64')}`;
		const id = await bed.start(photos('a'), {}, { settings, webhookSecret });
		await bed.pass(31 * minutes);
		expect(bed.n8n.status(id)).toBe('success');
		expect(bed.selfCalls).toContain(200);
		expect(bed.selfCalls).not.toContain(401);
	});

	test('the call is repeated while n8n does not answer', async () => {
		const id = await bed.start(photos('a'), {}, { settings });
		await bed.pass(20 * seconds);
		bed.n8n.isCredentialGone = true;
		await bed.pass(30 * minutes);
		expect(bed.n8n.status(id)).toBe('waiting');
		bed.n8n.isCredentialGone = false;
		await bed.pass(40 * seconds);
		expect(bed.n8n.status(id)).toBe('success');
		expect(bed.json(id)).toMatchObject([{ timedOut: true }]);
	});

	test('if the process is gone, n8n’s time-out passes on the last known states', async () => {
		const id = await bed.start([{ json: { image: 'bad' } }, ...photos('a', 'b')], {}, { settings });
		bed.clock.stop();
		bed.n8n.restart();
		bed.finish('succeed', 0);
		await bed.pass(31 * minutes);
		expect(bed.n8n.status(id)).toBe('waiting');
		await bed.n8n.timeOver(id, bed.clock.now() + 2 * minutes);
		expect(bed.n8n.status(id)).toBe('success');
		expect(bed.json(id)).toMatchObject([
			{ error: expect.any(String) },
			{ taskId: bed.taskIds[0], timedOut: true },
			{ taskId: bed.taskIds[1], timedOut: true },
		]);
		expect(bed.n8n.runs).toBe(1);
	});

	test('after a restart the first callback is enough for the process to watch the deadline again', async () => {
		const id = await bed.start(photos('a', 'b'), {}, { settings });
		bed.clock.stop();
		bed.n8n.restart();
		bed.finish('succeed', 0);
		await bed.callBack();
		await bed.pass(31 * minutes);
		expect(bed.json(id)).toMatchObject([{ status: 'succeed' }, { timedOut: true }]);
	});
});
