import { failed, success, type Failure } from '../../../../nodes/kling/failure';
import { recordOf, type TaskStatus } from '../../../../nodes/kling/task';
import { readTaskIds, watchIds } from '../../../../nodes/kling/watch/ids';
import type { PollResult, PollTime } from '../../../../nodes/kling/watch/source';
import type { IdsState, TaskEvent } from '../../../../nodes/kling/watch/state';
import { hour, minute, second, trouble } from '../../../random/watch/model';

describe('Watching given tasks', () => {
	const statuses = new Map<string, TaskStatus | Failure>();
	/** When tasks ended; the others have no date. */
	const ends = new Map<string, number>();
	/** The task ids of external ones. */
	const realIds = new Map<string, string>();
	const iso = (time: number) => new Date(time).toISOString();
	let providerTime = 1_790_000_000_000;
	let asked: string[];
	const source = {
		getOnce: async (given: string) => {
			asked.push(given);
			const status = statuses.get(given) ?? { ...trouble, kind: 'notFound', body: 'json' };
			if (typeof status === 'object') return { ...failed(status as Failure), providerTime };
			const taskId = realIds.get(given) ?? given;
			const end = ends.get(given);
			const dates = end && { createdAt: iso(end - hour), updatedAt: iso(end) };
			const record = recordOf('modellix', { taskId, status, ...dates });
			return { ...success(record), providerTime };
		},
	};
	const always: PollTime = {
		isLeft: true,
		ask: async (request) => await request(),
		pause: async () => undefined,
	};

	let events: TaskEvent[];
	async function poll(ids: string[], state: unknown, time = always) {
		asked = [];
		const terms = { scope: 'test', events };
		const result = await watchIds(source, ids, state, terms, time);
		const stored = JSON.parse(JSON.stringify(result.state)) as IdsState;
		return { ...result, state: stored, ids: idsOf(result) };
	}
	const idsOf = (result: PollResult) => result.emitted.map(({ task }) => task.taskId);
	beforeEach(() => {
		statuses.clear();
		ends.clear();
		realIds.clear();
		events = ['succeed', 'failed'];
	});

	test('emits each when it ends, is silent about those that had ended, and then asks no more', async () => {
		statuses.set('a', 'succeed').set('b', 'processing');
		const first = await poll(['a', 'b'], null);
		expect(first.ids).toEqual([]);
		statuses.set('b', 'failed');
		const second = await poll(['a', 'b'], first.state);
		expect(asked).toEqual(['b']);
		expect(second.ids).toEqual(['b']);
		const third = await poll(['a', 'b'], second.state);
		expect(asked).toEqual([]);
		expect(third.ids).toEqual([]);
	});

	test('emits a task whose ID was added later, even if it has already ended', async () => {
		statuses.set('a', 'succeed').set('new', 'succeed');
		const first = await poll(['a'], null);
		const second = await poll(['a', 'new'], first.state);
		expect(second.ids).toEqual(['new']);
		expect((await poll(['a', 'new'], second.state)).ids).toEqual([]);
	});

	test('emits an ended task whose ID is added after the event was switched on, when all others had ended', async () => {
		statuses.set('a', 'succeed').set('new', 'succeed');
		events = ['failed'];
		const first = await poll(['a'], null);
		events = ['succeed'];
		expect((await poll(['a', 'new'], first.state)).ids).toEqual(['new']);
		const second = await poll(['a'], first.state);
		expect(asked).toEqual([]);
		const third = await poll(['a', 'new'], second.state);
		expect(third.ids).toEqual(['new']);
		expect((await poll(['a', 'new'], third.state)).ids).toEqual([]);
	});

	test('counts an event from the first response after it was switched on, although that refuses', async () => {
		statuses.set('a', 'processing');
		events = ['failed'];
		const first = await poll(['a'], null);
		events = ['succeed', 'failed'];
		ends.set('a', providerTime + hour);
		providerTime += 2 * hour;
		statuses.set('a', trouble);
		const refused = await poll(['a'], first.state);
		statuses.set('a', 'succeed');
		expect((await poll(['a'], refused.state)).ids).toEqual([]);
	});

	test('reports a lasting failure even if another task responds, and not a temporary one', async () => {
		statuses.set('a', 'processing').set('b', 'processing');
		const first = await poll(['a', 'b'], null);
		statuses.set('b', trouble);
		expect((await poll(['a', 'b'], first.state)).failure).toBeNull();
		statuses.set('b', { ...trouble, kind: 'keyRefused' });
		expect((await poll(['a', 'b'], first.state)).failure?.kind).toBe('keyRefused');
	});

	test('emits what ends during the first poll although it is dated some seconds early', async () => {
		statuses.set('a', 'processing').set('b', 'succeed').set('c', 'succeed').set('d', 'succeed');
		ends
			.set('b', providerTime - 5 * second)
			.set('c', providerTime - 9 * minute)
			.set('d', providerTime - 11 * minute);
		const first = await poll(['a', 'b', 'c', 'd'], null);
		expect(first.ids).toEqual(['c', 'b']);
	});

	test('emits a task whose ID was added later, even when it had ended before the activation', async () => {
		statuses.set('a', 'succeed').set('old', 'succeed');
		ends.set('old', providerTime - hour);
		const first = await poll(['a'], null);
		expect((await poll(['a', 'old'], first.state)).ids).toEqual(['old']);
	});

	test('loses nothing when n8n starts again with the state of an earlier poll', async () => {
		statuses.set('a', 'processing').set('b', 'processing');
		const first = await poll(['a'], null);
		await poll(['a', 'b'], first.state);
		statuses.set('a', 'succeed').set('b', 'succeed');
		expect((await poll(['a', 'b'], first.state)).ids.sort()).toEqual(['a', 'b']);
	});

	test('does not repeat a task whose ID is removed and added again', async () => {
		statuses.set('a', 'processing').set('b', 'processing');
		const first = await poll(['a', 'b'], null);
		statuses.set('a', 'succeed');
		const second = await poll(['a', 'b'], first.state);
		const third = await poll(['b'], second.state);
		expect((await poll(['a', 'b'], third.state)).ids).toEqual([]);
	});

	test('remembers a thousand tasks whose IDs were removed, and no more', async () => {
		const ids = Array.from({ length: 1_100 }, (_, index) => `task-${index}`);
		for (const id of ids) statuses.set(id, 'succeed');
		let state: unknown = null;
		for (let polls = 0; polls < 11; polls++) ({ state } = await poll(ids, state));
		({ state } = await poll([], state));
		expect((state as IdsState).seen.always).toHaveLength(8 * 1_000);
	});

	/** Time for this many requests. */
	const timeFor = (requests: number): PollTime => ({
		...always,
		get isLeft() {
			return requests-- > 0;
		},
	});

	test('is silent about earlier tasks even if the first poll had no time for all', async () => {
		for (const id of ['a', 'b', 'c']) {
			statuses.set(id, 'succeed');
			ends.set(id, providerTime - hour);
		}
		const first = await poll(['a', 'b', 'c'], null, timeFor(1));
		expect(asked).toHaveLength(1);
		const second = await poll(['a', 'b', 'c'], first.state);
		expect(asked).toHaveLength(2);
		expect(second.ids).toEqual([]);
	});

	test('emits what ended after the activation, before it was looked at for the first time', async () => {
		const ids = Array.from({ length: 150 }, (_, index) => `task-${index}`);
		for (const id of ids) statuses.set(id, 'processing');
		const first = await poll(ids, null, timeFor(100));
		for (const id of ids.slice(100)) {
			statuses.set(id, 'succeed');
			ends.set(id, providerTime + minute);
		}
		providerTime += 2 * minute;
		const second = await poll(ids, first.state);
		expect(second.ids.sort()).toEqual(ids.slice(100).sort());
	});

	test('emits what ended shortly before the activation, when the first poll had no time for it', async () => {
		statuses.set('a', 'succeed').set('b', 'succeed').set('c', 'succeed');
		ends.set('b', providerTime - 9 * minute).set('c', providerTime - 11 * minute);
		const first = await poll(['a', 'b', 'c'], null, timeFor(1));
		expect((await poll(['a', 'b', 'c'], first.state)).ids).toEqual(['b']);
	});

	test('emits a task whose ID was added later, even when it ended long before the activation', async () => {
		statuses.set('a', 'processing').set('new', 'succeed');
		ends.set('new', providerTime - 24 * hour);
		const first = await poll(['a'], null);
		expect((await poll(['a', 'new'], first.state)).ids).toEqual(['new']);
	});

	test('emits what has no date rather than lose it, when the first poll had no time for it', async () => {
		statuses.set('a', 'succeed').set('b', 'succeed');
		const first = await poll(['a', 'b'], null, timeFor(1));
		expect(first.ids).toEqual([]);
		expect((await poll(['a', 'b'], first.state)).ids).toEqual(['b']);
	});

	test('emits in the first poll what ended after it began', async () => {
		const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
		for (const id of ids) statuses.set(id, 'succeed');
		ends.set('a', providerTime - second).set('f', providerTime + 5 * second);
		expect((await poll(ids, null)).ids).toEqual(['f']);
	});

	test('emits a task once whose ID and external ID are both given', async () => {
		statuses.set('831', 'processing').set('order-1', 'processing');
		realIds.set('order-1', '831');
		const first = await poll(['831', 'order-1'], null);
		statuses.set('831', 'succeed').set('order-1', 'succeed');
		const second = await poll(['831', 'order-1'], first.state);
		expect(second.ids).toEqual(['831']);
		expect((await poll(['831', 'order-1'], second.state)).ids).toEqual([]);
		expect(asked).toEqual([]);
	});

	test('does not drop a task because of web pages that say 400', async () => {
		statuses.set('a', 'processing').set('b', 'processing');
		let { state } = await poll(['a', 'b'], null);
		statuses.set('a', { ...trouble, kind: 'unreadable', httpStatus: 400, body: 'html' });
		for (let polls = 0; polls < 12; polls++) ({ state } = await poll(['a', 'b'], state));
		statuses.set('a', 'succeed');
		expect((await poll(['a', 'b'], state)).ids).toEqual(['a']);
	});

	test('continues with the others if one cannot be read', async () => {
		statuses.set('a', trouble).set('b', 'processing').set('c', 'processing');
		const first = await poll(['a', 'b', 'c'], null);
		expect(first.failure).toBeNull();
		statuses.set('b', 'succeed').set('c', 'succeed');
		expect((await poll(['a', 'b', 'c'], first.state)).ids).toEqual(['b', 'c']);
	});

	test('is not held up by tasks that can never be read', async () => {
		const ids = ['a', 'b', 'c', 'd', 'e', 'z'];
		for (const id of ids) statuses.set(id, 'processing');
		let { state } = await poll(ids, null);
		for (const id of ids) statuses.set(id, trouble);
		statuses.set('z', 'succeed');
		const emitted: string[] = [];
		for (let polls = 0; polls < 3; polls++) {
			const result = await poll(ids, state);
			({ state } = result);
			emitted.push(...result.ids);
		}
		expect(emitted).toEqual(['z']);
	});

	test('looks at all others in the same poll, unless several cannot be read', async () => {
		const ids = Array.from({ length: 12 }, (_, index) => `task-${index}`);
		for (const id of ids) statuses.set(id, 'processing');
		const { state } = await poll(ids, null);
		statuses.set('task-0', trouble);
		await poll(ids, state);
		expect(asked).toHaveLength(12);
		for (const id of ids) statuses.set(id, trouble);
		await poll(ids, state);
		expect(asked.length).toBeLessThanOrEqual(6);
	});

	test('starts although the first 19 IDs cannot be read, but does not try hundreds', async () => {
		const bad = Array.from({ length: 300 }, (_, index) => `task-${index}`);
		for (const id of bad) statuses.set(id, trouble);
		statuses.set('z', 'processing');
		expect((await poll([...bad.slice(0, 19), 'z'], null)).failure).toBeNull();
		expect((await poll([...bad, 'z'], null)).failure?.kind).toBe('providerDown');
		expect(asked.length).toBeLessThan(24);
	});

	test('says why if none can be read', async () => {
		statuses.set('a', trouble);
		expect((await poll(['a'], null)).failure?.kind).toBe('providerDown');
	});

	test('stops at once when the key is refused, and says so', async () => {
		const refused: Failure = { ...trouble, kind: 'keyRefused', httpStatus: 401 };
		const ids = Array.from({ length: 50 }, (_, index) => `task-${index}`);
		for (const id of ids) statuses.set(id, refused);
		expect((await poll(ids, null)).failure?.kind).toBe('keyRefused');
		expect(asked.length).toBeLessThanOrEqual(6);
	});

	test('looks at hundreds of tasks in turns', async () => {
		const ids = Array.from({ length: 250 }, (_, index) => `task-${index}`);
		for (const id of ids) statuses.set(id, 'processing');
		// The first poll reads all of them, to know what ended before.
		let { state } = await poll(ids, null);
		expect(asked).toHaveLength(250);
		const seen = new Set<string>();
		for (let polls = 0; polls < 3; polls++) {
			({ state } = await poll(ids, state));
			expect(asked.length).toBeLessThanOrEqual(100);
			for (const id of asked) seen.add(id);
		}
		expect(seen.size).toBe(250);
	});

	test('drops a task that the provider has not known for a day', async () => {
		statuses.set('a', 'processing');
		let { state } = await poll(['a', 'gone'], null);
		for (let polls = 0; polls < 24; polls++) {
			providerTime += hour;
			({ state } = await poll(['a', 'gone'], state));
		}
		await poll(['a', 'gone'], state);
		expect(asked).toEqual(['a']);
	});

	test('does not mistake a web page that says 404 for the provider’s response', async () => {
		statuses.set('a', { ...trouble, kind: 'unreadable', httpStatus: 404, body: 'html' });
		const { failure, state } = await poll(['a'], null);
		expect(failure?.kind).toBe('unreadable');
		expect(state).toMatchObject({ open: ['a'], missing: {} });
	});

	test.each([
		['831, 832;833\n834 \t835', ['831', '832', '833', '834', '835']],
		['["831","832"]', ['831', '832']],
		[
			['831', ' 832 ', 833, '831'],
			['831', '832', '833'],
		],
		// A list can have IDs with blanks and apostrophes, which External Task ID takes.
		[
			['order 1', " o'brien-2 ", '“831”', '832, 833'],
			['order 1', "o'brien-2", '831', '832', '833'],
		],
		['["order 1", "order 2"]', ['order 1', 'order 2']],
		['[831922345719271433, 832]', ['831922345719271433', '832']],
		// Items of Create, as they are copied from its output.
		['[{"taskId": "831", "status": "submitted"}]', ['831']],
		[[{ taskId: '831' }, { taskId: null }, { status: 'failed' }, true], ['831']],
		[{ taskId: '831' }, ['831']],
		['831922345719271433', ['831922345719271433']],
		['0', ['0']],
		['', []],
		[undefined, []],
		[null, []],
		[{ id: 1 }, []],
	])('reads the IDs in %j', (given, ids) => {
		expect(readTaskIds(given)).toEqual(ids);
	});

	const tooLong = Number('842163450012345678');
	test.each([[tooLong], ['831, 8.42E+17'], [['831', tooLong]]])(
		'tells that an ID has lost digits: %j',
		(given) => {
			expect(() => readTaskIds(given)).toThrow(/^Task IDs has lost digits/);
		},
	);
});

test.each([
	['831，832', ['831', '832']],
	['831、832；833', ['831', '832', '833']],
	['“831”, “832”', ['831', '832']],
	['`831` `832`', ['831', '832']],
	['- 831\n- 832', ['831', '832']],
	['{"ids": ["831"]}'.slice(8, -1), ['831']],
])('reads the IDs in %j', (given, ids) => {
	expect(readTaskIds(given)).toEqual(ids);
});
