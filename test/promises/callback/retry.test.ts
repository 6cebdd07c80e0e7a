import { stringify } from 'flatted';
import { photos, seconds, TestBed } from '../../harness/callbackBed';

const bed = TestBed.prepare();

/** What n8n stores on waking an execution, which is all it has if the process dies then. */
async function diesAfterWaking(id: string): Promise<string> {
	await bed.pass(60 * seconds);
	bed.finish('succeed', 0);
	const inside = bed.n8n as unknown as { claim(id: string, data: unknown): boolean };
	const claim = inside.claim.bind(bed.n8n);
	let stored = '';
	inside.claim = (...given) => {
		const isClaimed = claim(...given);
		stored = bed.n8n.rows.get(id)!.data;
		return isClaimed;
	};
	await bed.callBack();
	inside.claim = claim;
	bed.n8n.restart();
	return stored;
}

test('Retry of an execution that died after it had woken gives its video: n8n 1', async () => {
	const id = await bed.start(photos('a'), { downloadVideo: true }, { line: 1 });
	const data = await diesAfterWaking(id);
	Object.assign(bed.n8n.rows.get(id)!, { data, status: 'error', waitTill: null });
	const retried = await bed.clock.during(bed.n8n.retry(id));
	expect(bed.json(retried).map(({ taskId }) => taskId)).toEqual(bed.taskIds);
});

test.each([1, 2] as const)(
	'an execution that the queue runs again, because its worker died after waking, gives its video: n8n %i',
	async (line) => {
		const id = await bed.start(photos('a'), { downloadVideo: true }, { line });
		const data = await diesAfterWaking(id);
		bed.n8n.downstream.splice(0);
		// A dead worker's lock expires after 60 seconds.
		await bed.pass(60 * seconds);
		await bed.clock.during(bed.n8n.runAgain(id, data));
		expect(bed.json(id).map(({ taskId }) => taskId)).toEqual(bed.taskIds);
		expect(bed.n8n.after(id)[0].items[0].binary).toBeDefined();
	},
);

test('a retry with another scene, after the sleep, is a new create', async () => {
	const id = await bed.start(photos('a'));
	bed.finish('failed', 0);
	await bed.callBack();
	expect(bed.n8n.status(id)).toBe('error');
	// “Retry with currently saved workflow” puts the currently saved node on the stored stack.
	const edit = { effectScene: { __rl: true, mode: 'name', value: 'squish' } };
	Object.assign(bed.n8n.options.parameters, edit);
	const data = bed.n8n.dataOf(id);
	Object.assign(data.executionData!.nodeExecutionStack[0].node.parameters, edit);
	bed.n8n.rows.get(id)!.data = stringify(data);
	await bed.clock.during(bed.n8n.retry(id));
	expect(bed.sandbox.charges.map(({ effectScene }) => effectScene)).toEqual([
		'pet_dance',
		'squish',
	]);
});
