import { failed, success, type Failure } from '../../nodes/kling/failure';
import { recordOf, taskOf } from '../../nodes/kling/task';
import type { TaskStatus } from '../../nodes/kling/task';
import {
	Budget,
	readState,
	readTaskIds,
	scopeOf,
	watchIds,
	type PollTime,
	type Round,
	type TaskEvent,
	type WatchState,
} from '../../nodes/kling/watch';
import { day, hour, minute, Runner, second, trouble, World, type Habits } from './watch.model';

const plain: Habits = {
	order: 'newest',
	pageSize: 500,
	createdGrain: 1,
	updatedGrain: 1,
	clockAhead: 0,
};

function worldWith(habits: Partial<Habits> = {}): World {
	let state = 1;
	const chance = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
	return new World({ ...plain, ...habits }, chance);
}

/** So many ended tasks, one each `gap`, the last of them some minutes ago. */
function addHistory(world: World, count: number, gap = minute): void {
	for (let index = count; index > 0; index--) {
		world.add({ createdAt: world.now - hour - index * gap });
	}
}

async function activated(world: World, events?: TaskEvent[]): Promise<Runner> {
	const runner = new Runner(world, events);
	await runner.poll({ isActivation: true });
	world.now += minute;
	return runner;
}

describe('Watching the account', () => {
	test('is silent about tasks that ended before activation, and follows those that run', async () => {
		const world = worldWith();
		world.add({ createdAt: world.now - hour });
		const running = world.add({ createdAt: world.now - minute });
		const runner = await activated(world);
		expect(runner.emitted).toEqual([]);
		world.now += hour;
		expect(await runner.poll()).toEqual([running.id]);
		expect(await runner.poll()).toEqual([]);
	});

	test('begins with an account that has no task at all', async () => {
		const world = worldWith();
		const runner = await activated(world);
		const first = world.add();
		world.now += hour;
		expect(await runner.poll()).toEqual([first.id]);
		expect(await runner.poll()).toEqual([]);
	});

	test('emits tasks oldest end first, whatever the order of their creation', async () => {
		const world = worldWith();
		const runner = await activated(world);
		const slow = world.add({ endsAt: world.now + 30 * minute });
		const fast = world.add({ endsAt: world.now + 10 * minute });
		const middle = world.add({ endsAt: world.now + 20 * minute });
		world.now += hour;
		expect(await runner.poll()).toEqual([fast.id, middle.id, slow.id]);
	});

	test('emits a task that ends days after newer ones have been emitted', async () => {
		const world = worldWith({ pageSize: 20 });
		const runner = await activated(world);
		const late = world.add({ endsAt: world.now + 3 * day });
		for (let round = 0; round < 6; round++) {
			for (let count = 0; count < 15; count++) world.add();
			world.now += hour;
			await runner.poll();
		}
		expect(runner.emitted).not.toContain(late.id);
		world.now += 3 * day;
		expect(await runner.poll()).toEqual([late.id]);
	});

	test('emits thousands of tasks that ended between two polls, once each', async () => {
		const world = worldWith();
		const runner = await activated(world);
		for (let count = 0; count < 6_000; count++) {
			world.add();
			world.now += 100;
		}
		world.now += hour;
		expect(await runner.poll()).toHaveLength(6_000);
		expect(world.requests).toBeLessThanOrEqual(13);
		for (let polls = 0; polls < 4; polls++) {
			world.now += 6 * minute;
			expect(await runner.poll()).toEqual([]);
		}
		await runner.poll();
		expect(world.requests).toBe(1);
	});

	test.each([0, 1_000, 10_000, 100_000])(
		'asks once in an idle poll, with %d tasks of history, and knows them in less than 1 kB',
		async (count) => {
			const world = worldWith();
			addHistory(world, count, 20 * second);
			const runner = await activated(world);
			expect(world.requests).toBeLessThanOrEqual(10);
			for (let polls = 0; polls < 3; polls++) {
				world.now += minute;
				expect(await runner.poll()).toEqual([]);
				expect(world.requests).toBe(1);
			}
			expect(runner.stateBytes).toBeLessThan(1_000);
		},
	);

	test('keeps its state to tens of kB after thousands of tasks in a few minutes', async () => {
		const world = worldWith();
		const runner = await activated(world);
		for (let count = 0; count < 5_000; count++) {
			world.add();
			world.now += 60;
		}
		world.now += hour;
		await runner.poll();
		expect(runner.stateBytes).toBeLessThan(45_000);
		for (let polls = 0; polls < 3; polls++) {
			world.add();
			world.now += hour;
			await runner.poll();
		}
		expect(runner.stateBytes).toBeLessThan(500);
	});

	test('reads few pages for hundreds of tasks that run, rather than asking for each', async () => {
		const world = worldWith();
		const runner = await activated(world);
		for (let count = 0; count < 2_000; count++) {
			world.add({ endsAt: world.now + 5 * hour });
			world.now += second;
		}
		await runner.poll();
		world.now += hour;
		await runner.poll();
		await runner.poll();
		expect(world.requests).toBeLessThanOrEqual(4);
		world.now += 5 * hour;
		expect(await runner.poll()).toHaveLength(2_000);
	});

	test('gives up a task that the provider no longer knows after ten answers that say so', async () => {
		const world = worldWith();
		const task = world.add({ endsAt: Infinity });
		const runner = await activated(world);
		task.vanishedAt = world.now;
		const costs: number[] = [];
		for (let polls = 0; polls < 12; polls++) {
			await runner.poll();
			costs.push(world.requests);
		}
		expect(costs).toEqual([...Array(10).fill(2), 1, 1]);
		expect(runner.state?.open).toEqual([]);
	});

	test('gives up a task that has been running for 30 days', async () => {
		const world = worldWith();
		world.add({ endsAt: Infinity });
		const runner = await activated(world);
		expect(runner.state?.open).toHaveLength(1);
		world.now += 31 * day;
		world.add();
		await runner.poll();
		expect(runner.state?.open).toHaveLength(1);
		await runner.poll();
		expect(runner.state?.open).not.toContain('831922345001');
	});

	test('emits nothing new when an event is switched on, but what ends from then on', async () => {
		const world = worldWith();
		const runner = await activated(world, ['failed']);
		world.add({ outcome: 'succeed' });
		world.add({ outcome: 'failed' });
		const running = world.add({ outcome: 'succeed', endsAt: world.now + 2 * hour });
		world.now += hour;
		expect(await runner.poll()).toHaveLength(1);
		world.add({ outcome: 'succeed' });
		world.now += 30 * minute;
		await runner.poll();
		runner.restart();
		runner.events = ['succeed', 'failed'];
		expect(await runner.poll({ isActivation: true })).toEqual([]);
		world.now += 2 * hour;
		expect(await runner.poll()).toEqual([running.id]);
	});

	test('still emits failures that came while an event was being switched on', async () => {
		const world = worldWith();
		const runner = await activated(world, ['failed']);
		const failure = world.add({ outcome: 'failed' });
		world.add({ outcome: 'succeed' });
		world.now += hour;
		runner.events = ['succeed', 'failed'];
		expect(await runner.poll()).toEqual([failure.id]);
	});

	test('takes an event for switched on only when everything was read once since then', async () => {
		const world = worldWith({ pageSize: 10, order: 'oldest' });
		const runner = await activated(world, ['failed']);
		for (let count = 0; count < 25; count++) world.add({ outcome: 'succeed' });
		world.now += hour;
		runner.events = ['failed', 'succeed'];
		for (let polls = 0; polls < 4; polls++) await runner.poll({ requests: 1 });
		expect(runner.emitted).toEqual([]);
		const task = world.add({ outcome: 'succeed' });
		world.now += hour;
		expect(await runner.poll()).toEqual([task.id]);
	});

	test('goes on in the next poll where the time of a poll was over, and never loses the rest', async () => {
		const world = worldWith({ pageSize: 10, order: 'random' });
		addHistory(world, 100);
		const runner = await activated(world);
		for (let count = 0; count < 30; count++) world.add();
		world.now += hour;
		for (let polls = 0; polls < 8; polls++) await runner.poll({ requests: 2 });
		expect(runner.emitted).toHaveLength(30);
		expect(new Set(runner.emitted).size).toBe(30);
	});

	test('follows what a first reading over several polls has met, and is silent about the rest', async () => {
		const world = worldWith({ pageSize: 10, order: 'oldest' });
		const runner = new Runner(world);
		const running = world.add({ createdAt: world.now - hour, endsAt: world.now + second });
		addHistory(world, 40, second);
		const met = [...world.tasks].sort((a, b) => a.createdAt - b.createdAt);
		running.createdAt = met[0].createdAt - 1;
		await runner.poll({ requests: 1, isActivation: true });
		world.now += minute;
		await runner.poll({ requests: 1 });
		expect(runner.state?.isFirst).toBe(true);
		expect(await runner.poll()).toEqual([running.id]);
		expect(await runner.poll()).toEqual([]);
	});

	test('reads the newest page in each poll even when a later page never comes', async () => {
		const world = worldWith({ pageSize: 10, order: 'newest' });
		const runner = await activated(world);
		for (let count = 0; count < 15; count++) world.add();
		world.now += hour;
		world.fails = (request) => request === 2;
		expect(await runner.poll()).toHaveLength(10);
		for (let polls = 0; polls < 3; polls++) {
			const task = world.add();
			world.now += hour;
			expect(await runner.poll()).toContain(task.id);
		}
		world.fails = () => false;
		await runner.poll();
		expect(new Set(runner.emitted).size).toBe(18);
		expect(runner.emitted).toHaveLength(18);
	});

	test('does not move on over pages that failed in two polls in a row', async () => {
		const world = worldWith({ pageSize: 10 });
		const runner = await activated(world);
		for (let count = 0; count < 15; count++) world.add();
		world.now += hour;
		world.fails = (request) => request === 2;
		for (let polls = 0; polls < 3; polls++) {
			await runner.poll();
			for (let count = 0; count < 12; count++) world.add();
			world.now += hour;
		}
		world.fails = () => false;
		await runner.poll();
		expect(runner.emitted).toHaveLength(51);
	});

	test('is not misled when the newest task it knew is gone and old ones look like the newest', async () => {
		const world = worldWith({ pageSize: 10, order: 'oldest', createdGrain: day });
		for (let count = 0; count < 12; count++) world.add({ createdAt: world.now - 3 * day });
		const runner = await activated(world);
		world.add();
		world.now += 3 * hour;
		await runner.poll();
		world.now += hour;
		await runner.poll();
		const task = world.add();
		world.now += hour;
		expect(await runner.poll()).toEqual([task.id]);
	});

	test('reads on when the pages can also be in the order of the last change', async () => {
		const world = worldWith({ pageSize: 10, order: 'updated' });
		const old = Array.from({ length: 11 }, (_, index) =>
			world.add({ createdAt: world.now - 2 * day + index * hour, endsAt: Infinity }),
		);
		const runner = await activated(world);
		const unseen = world.add({ endsAt: world.now + minute });
		world.now += 2 * minute;
		old.forEach((task, index) => (task.endsAt = world.now + index * second));
		world.now += minute;
		expect(await runner.poll()).toContain(unseen.id);
	});

	test('does not repeat a task that a lagging server shows as running once more', async () => {
		const world = worldWith();
		const task = world.add({ endsAt: world.now + 12 * hour });
		const runner = await activated(world);
		for (let rounds = 0; rounds < 3; rounds++) {
			world.add();
			world.now += 4 * hour;
			await runner.poll();
		}
		expect(runner.emitted).toContain(task.id);
		const { endsAt } = task;
		task.endsAt = Infinity;
		await runner.poll();
		task.endsAt = endsAt;
		await runner.poll();
		expect(runner.emitted.filter((id) => id === task.id)).toHaveLength(1);
	});

	test('does not let one task dated in the future hide the ones after it', async () => {
		const world = worldWith();
		const runner = await activated(world);
		world.add({ createdSkew: 5 * hour });
		world.now += minute;
		for (let polls = 0; polls < 4; polls++) {
			await runner.poll();
			world.now += minute;
		}
		const next = world.add();
		world.now += hour;
		expect(await runner.poll()).toContain(next.id);
	});

	test('does not miss a task that is listed late while somebody sets the clock of n8n ahead', async () => {
		const world = worldWith({ clockAhead: -9 * hour });
		world.add({ createdSkew: second * 2, endsAt: world.now });
		const runner = new Runner(world);
		await runner.poll({ isActivation: true });
		world.now += second;
		world.n8nAhead = 9 * hour;
		const late = world.add({ lag: minute + second, endsAt: world.now });
		for (let polls = 0; polls < 3; polls++) {
			await runner.poll();
			world.now += minute;
		}
		expect(runner.emitted).toEqual([late.id]);
	});

	test('reads a page in order although servers date neighbours a little differently', async () => {
		const world = worldWith();
		addHistory(world, 2_000);
		for (const [index, task] of world.tasks.entries()) {
			if (index % 10 === 0) task.createdSkew = -90 * second;
		}
		const runner = await activated(world);
		await runner.poll();
		expect(world.requests).toBe(1);
	});

	test('asks nothing more when the provider refuses', async () => {
		const world = worldWith();
		const runner = await activated(world);
		world.fails = () => true;
		await runner.poll();
		expect(world.requests).toBe(1);
	});
});

describe('The state', () => {
	test.each([
		['nothing', undefined],
		['null', null],
		['text', 'garbage'],
		['a list', [1, 2]],
		['an empty object', {}],
		['another version', { version: 2, scope: 'test' }],
		['half a state', { version: 1, scope: 'test', open: 'all' }],
	])('counts as none when it is %s', (_name, stored) => {
		expect(readState(stored, 'test')).toBeNull();
	});

	test('counts as none when a later version of this package wrote it', async () => {
		const { state } = await activated(worldWith());
		expect(readState({ ...state, later: true }, 'test')).not.toBeNull();
		expect(readState({ ...state, version: 2 }, 'test')).toBeNull();
	});

	test('counts as none when something else was watched', async () => {
		const runner = await activated(worldWith());
		expect(readState(runner.state, 'test')).not.toBeNull();
		expect(readState(runner.state, 'other')).toBeNull();
	});

	test('names what is watched without showing it', () => {
		const scope = scopeOf('kling', 'https://api.example', 'account');
		expect(scope).toBe(scopeOf('kling', 'https://api.example', 'account'));
		expect(scope).not.toBe(scopeOf('kling', 'https://api.example', 'taskIds'));
		expect(scopeOf('a', 'bc')).not.toBe(scopeOf('ab', 'c'));
		expect(scope).not.toContain('kling');
	});
});

describe('The time of a poll', () => {
	test('begins no request that could outlast it', async () => {
		let now = 0;
		const budget = new Budget(() => now, 10_000);
		const asked: number[] = [];
		while (budget.isLeft) {
			await budget.ask(async () => (asked.push(now), (now += 2_000)));
		}
		expect(asked).toEqual([0, 2_000, 4_000]);
	});

	test('allows one request however short it is', () => {
		expect(new Budget(() => 0, 0).isLeft).toBe(true);
	});
});

describe('Watching given tasks', () => {
	const statuses = new Map<string, TaskStatus | Failure>();
	let asked: string[];
	const source = {
		getOnce: async (taskId: string) => {
			asked.push(taskId);
			const status = statuses.get(taskId) ?? { ...trouble, kind: 'notFound', body: 'json' };
			if (typeof status === 'object') return failed(status as Failure);
			return success(recordOf(taskOf('modellix', { taskId, status }), [], {}));
		},
	};
	const always: PollTime = { now: () => 0, isLeft: true, ask: async (request) => await request() };

	async function poll(ids: string[], state: WatchState | null, time = always) {
		asked = [];
		const terms = { scope: 'test', events: ['succeed', 'failed'] as TaskEvent[] };
		const round = await watchIds(source, ids, state, terms, time);
		const stored = readState(JSON.parse(JSON.stringify(round.state)), 'test');
		return { ...round, state: stored, ids: idsOf(round) };
	}
	const idsOf = (round: Round) => round.emitted.map(({ task }) => task.taskId);
	beforeEach(() => statuses.clear());

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

	test('emits a task whose ID was added later, even when it has ended by then', async () => {
		statuses.set('a', 'succeed').set('new', 'succeed');
		const first = await poll(['a'], null);
		const second = await poll(['a', 'new'], first.state);
		expect(second.ids).toEqual(['new']);
		expect((await poll(['a', 'new'], second.state)).ids).toEqual([]);
	});

	test('loses nothing when n8n starts again with the state of an earlier poll', async () => {
		statuses.set('a', 'processing').set('b', 'processing');
		const first = await poll(['a'], null);
		await poll(['a', 'b'], first.state);
		statuses.set('a', 'succeed').set('b', 'succeed');
		expect((await poll(['a', 'b'], first.state)).ids.sort()).toEqual(['a', 'b']);
	});

	test('does not repeat a task whose ID is taken out and put in again', async () => {
		statuses.set('a', 'processing').set('b', 'processing');
		const first = await poll(['a', 'b'], null);
		statuses.set('a', 'succeed');
		const second = await poll(['a', 'b'], first.state);
		const third = await poll(['b'], second.state);
		expect((await poll(['a', 'b'], third.state)).ids).toEqual([]);
	});

	test('remembers a thousand tasks whose IDs were taken out, and no more', async () => {
		const ids = Array.from({ length: 1_100 }, (_, index) => `task-${index}`);
		for (const id of ids) statuses.set(id, 'succeed');
		let state: WatchState | null = null;
		for (let polls = 0; polls < 11; polls++) ({ state } = await poll(ids, state));
		({ state } = await poll([], state));
		expect(JSON.stringify(state?.done)).toHaveLength('{"0":""}'.length + 8 * 1_000);
	});

	test('is silent about the past also when the first poll had no time for all', async () => {
		for (const id of ['a', 'b', 'c']) statuses.set(id, 'succeed');
		let left = 1;
		const short = {
			...always,
			get isLeft() {
				return left-- > 0;
			},
		};
		const first = await poll(['a', 'b', 'c'], null, short);
		expect(asked).toHaveLength(1);
		const second = await poll(['a', 'b', 'c'], first.state);
		expect(asked).toHaveLength(2);
		expect(second.ids).toEqual([]);
	});

	test('goes on with the others when one cannot be looked at', async () => {
		statuses.set('a', trouble).set('b', 'processing').set('c', 'processing');
		const first = await poll(['a', 'b', 'c'], null);
		expect(first.failure).toBeNull();
		statuses.set('b', 'succeed').set('c', 'succeed');
		expect((await poll(['a', 'b', 'c'], first.state)).ids).toEqual(['b', 'c']);
	});

	test('says why when none can be looked at', async () => {
		statuses.set('a', trouble);
		expect((await poll(['a'], null)).failure?.kind).toBe('providerDown');
	});

	test('stops at once when the key is refused, and says so', async () => {
		const refused: Failure = { ...trouble, kind: 'keyRefused', httpStatus: 401 };
		const ids = Array.from({ length: 50 }, (_, index) => `task-${index}`);
		for (const id of ids) statuses.set(id, refused);
		expect((await poll(ids, null)).failure?.kind).toBe('keyRefused');
		expect(asked.length).toBeLessThanOrEqual(4);
	});

	test('looks at hundreds of tasks in turns', async () => {
		const ids = Array.from({ length: 250 }, (_, index) => `task-${index}`);
		for (const id of ids) statuses.set(id, 'processing');
		let state: WatchState | null = null;
		const seen = new Set<string>();
		for (let polls = 0; polls < 3; polls++) {
			({ state } = await poll(ids, state));
			expect(asked.length).toBeLessThanOrEqual(100);
			for (const id of asked) seen.add(id);
		}
		expect(seen.size).toBe(250);
	});

	test('gives up a task that the provider does not know after ten answers', async () => {
		statuses.set('a', 'processing');
		let { state } = await poll(['a', 'gone'], null);
		for (let polls = 0; polls < 9; polls++) ({ state } = await poll(['a', 'gone'], state));
		await poll(['a', 'gone'], state);
		expect(asked).toEqual(['a']);
	});

	test('does not take a web page that says 404 for the word of the provider', async () => {
		statuses.set('a', { ...trouble, kind: 'notFound', body: 'html' });
		const { failure, unknown } = await poll(['a'], null);
		expect(failure?.kind).toBe('notFound');
		expect(unknown).toEqual([]);
	});

	test.each([
		['831, 832;833\n834 \t835', ['831', '832', '833', '834', '835']],
		['["831","832"]', ['831', '832']],
		[
			['831', ' 832 ', 833, '831'],
			['831', '832', '833'],
		],
		['', []],
		[undefined, []],
		[null, []],
		[{ id: 1 }, []],
	])('reads the IDs in %j', (given, ids) => {
		expect(readTaskIds(given)).toEqual(ids);
	});
});
