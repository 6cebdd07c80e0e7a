import type { TaskEvent } from '../../../../nodes/kling/watch/state';
import { SeenTasks } from '../../../../nodes/kling/watch/seenTasks';
import {
	activated,
	addHistory,
	day,
	hour,
	minute,
	Runner,
	second,
	worldWith,
} from '../../../random/watch/model';

describe('Watching the account, while servers are silent', () => {
	/** Trigger On is edited, and the next poll gets no response at all. */
	async function switchedInSilence(n8nAhead: number) {
		const world = worldWith();
		addHistory(world, 40, 10 * minute);
		const runner = await activated(world, ['failed']);
		const before = world.add({ outcome: 'succeed' });
		world.now += 2 * hour;
		await runner.poll();
		world.now += 2 * minute;
		world.n8nAhead = n8nAhead;
		runner.switchTo(['succeed', 'failed']);
		world.fails = () => true;
		world.isSilent = () => true;
		await runner.poll({ isActivation: true });
		world.fails = () => false;
		return { world, runner, before };
	}

	test.each([hour, 0, -5 * hour])(
		'counts an event from the last response on, however n8n’s clock is set: %d ms ahead',
		async (n8nAhead) => {
			const { world, runner, before } = await switchedInSilence(n8nAhead);
			const task = world.add({ outcome: 'succeed' });
			world.now += hour;
			expect(await runner.poll()).toEqual([task.id]);
			expect(runner.emitted).not.toContain(before.id);
		},
	);

	test('counts an event from the moment when it was switched on, however long the silence lasts', async () => {
		const { world, runner } = await switchedInSilence(0);
		world.fails = () => true;
		const task = world.add({ outcome: 'succeed' });
		for (let polls = 0; polls < 30; polls++) {
			world.now += 10 * minute;
			await runner.poll();
		}
		world.fails = () => false;
		expect(await runner.poll()).toEqual([task.id]);
	});
});

describe('Watching the account, while servers refuse', () => {
	test('counts an event from the first response after it was switched on, although that refuses', async () => {
		const world = worldWith();
		const runner = await activated(world, ['failed']);
		world.add({ outcome: 'succeed' });
		world.now += 2 * hour;
		runner.switchTo(['succeed', 'failed']);
		world.fails = () => true;
		await runner.poll({ isActivation: true });
		world.fails = () => false;
		const task = world.add({ outcome: 'succeed' });
		world.now += hour;
		expect(await runner.poll()).toEqual([task.id]);
	});
});

describe('Watching the account, while servers lag', () => {
	test.each([{ largestPage: 20 }, { cap: 20 }, { cap: 20, skipsWhatItCuts: true }])(
		'misses no row at a page break that the second page’s server sees shifted: %j',
		async (habits) => {
			const world = worldWith(habits);
			for (let count = 60; count > 0; count--) {
				world.add({ createdAt: world.now - hour - count * minute, endsAt: world.now + 3 * hour });
			}
			// Only every second request knows three of them, so three rows at each page break are not shown.
			for (let count = 0; count < 3; count++) world.add({ createdAt: world.now - second });
			world.lagOf = (request) => (request % 2 === 1 ? 0 : 10 * second);
			const runner = await activated(world);
			world.lagOf = () => 0;
			world.now += 4 * hour;
			await runner.poll();
			expect(new Set(runner.emitted).size).toBe(63);
		},
	);

	test.each([
		{ order: 'oldest', largestPage: 20 },
		{ order: 'random', largestPage: 20 },
		{ order: 'oldest', cap: 20 },
		{ order: 'random', cap: 20, skipsWhatItCuts: true },
	] as const)(
		'reads to its end a list whose pages differ in length, as some tasks come twice: %j',
		async (habits) => {
			const world = worldWith({ ...habits, doubles: true });
			addHistory(world, 90);
			const runner = await activated(world);
			for (let count = 0; count < 30; count++) world.add();
			world.now += hour;
			await runner.poll();
			world.now += hour;
			await runner.poll();
			expect(runner.emitted).toHaveLength(30);
		},
	);

	test('misses none of them where a catch-up takes several pages', async () => {
		const world = worldWith({ largestPage: 20 });
		addHistory(world, 60);
		const runner = await activated(world);
		for (let count = 0; count < 70; count++) {
			world.add();
			world.now += second;
		}
		world.now += 10 * minute;
		for (let count = 0; count < 3; count++) world.add();
		world.now += second;
		world.lagOf = (request) => (request % 2 === 1 ? 0 : 10 * second);
		await runner.poll();
		world.lagOf = () => 0;
		for (let polls = 0; polls < 3; polls++) {
			world.now += 5 * minute;
			await runner.poll();
		}
		expect(new Set(runner.emitted).size).toBe(73);
		expect(runner.emitted).toHaveLength(73);
	});
});

describe('Watching the account, where the list is in no order', () => {
	test('emits a task that two readings of it do not show, because it slipped across a page break', async () => {
		const world = worldWith({ largestPage: 20, order: 'oldest' });
		addHistory(world, 60);
		const runner = await activated(world);
		const [task, other] = [world.add(), world.add({ createdAt: world.now + second })];
		world.now += hour;
		task.vanishedAt = world.now;
		expect(await runner.poll()).toEqual([other.id]);
		world.now += hour;
		expect(await runner.poll()).toEqual([]);
		task.vanishedAt = Infinity;
		world.now += hour;
		expect(await runner.poll()).toEqual([task.id]);
	});
});

describe('Watching the account, where the provider cuts pages short', () => {
	test.each([
		[100, false],
		[100, true],
		[10, false],
		[7, true],
	])(
		'emits all of 300 tasks although a page has at most %d, even if the rest is skipped: %s',
		async (cap, skipsWhatItCuts) => {
			const world = worldWith({ cap, skipsWhatItCuts });
			addHistory(world, 300);
			const runner = await activated(world);
			for (let count = 0; count < 300; count++) {
				world.add();
				world.now += second;
			}
			world.now += hour;
			await runner.poll();
			expect(new Set(runner.emitted).size).toBe(300);
			world.now += hour;
			expect(await runner.poll()).toEqual([]);
		},
	);

	test.each([99, 100, 101])(
		'follows what runs in a list of %d tasks in no order, with 100 per page',
		async (size) => {
			const world = worldWith({ cap: 100, order: 'oldest' });
			addHistory(world, size - 1);
			const running = world.add({ endsAt: world.now + 2 * hour });
			const runner = await activated(world);
			world.now += hour;
			for (let count = 0; count < 2; count++) world.add({ endsAt: world.now });
			await runner.poll();
			world.now += 2 * hour;
			await runner.poll();
			expect(runner.emitted).toHaveLength(3);
			expect(runner.emitted).toContain(running.id);
		},
	);

	test('reads in large pages a list that had one task when the time of a poll was over', async () => {
		const world = worldWith({ order: 'oldest' });
		addHistory(world, 1);
		const runner = new Runner(world);
		await runner.poll({ requests: 1, isActivation: true });
		for (let count = 0; count < 300; count++) world.add();
		world.now += hour;
		expect(await runner.poll()).toHaveLength(300);
		expect(world.requests).toBeLessThan(8);
	});

	test.each(['newest', 'oldest'] as const)(
		'asks once in an idle poll of a list that fits on one page: %s first',
		async (order) => {
			for (const size of [0, 1, 7, 19, 20, 21, 300]) {
				const world = worldWith({ order });
				addHistory(world, size, 10 * second);
				const runner = await activated(world);
				for (let polls = 0; polls < 3; polls++) {
					world.now += minute;
					await runner.poll();
					expect(world.requests).toBe(1);
				}
			}
		},
	);
});

describe('Watching the account, where pages fail', () => {
	test('looks at all running tasks in turns while a page fails for hours', async () => {
		const world = worldWith({ largestPage: 20 });
		for (let count = 150; count > 0; count--) {
			world.add({ createdAt: world.now - hour - count * second, endsAt: world.now + hour });
		}
		const runner = await activated(world);
		expect(runner.open).toHaveLength(150);
		world.fails = (_request, page) => page === 2;
		for (let count = 0; count < 30; count++) world.add({ endsAt: Infinity });
		world.now += 2 * hour;
		for (let polls = 0; polls < 3; polls++) {
			await runner.poll();
			world.now += 10 * minute;
		}
		expect(runner.emitted).toHaveLength(150);
	});
});

describe('Watching the account, where deep pages fail', () => {
	test('looks for the end of the list once in a poll, not after each page', async () => {
		const world = worldWith({ largestPage: 20 });
		addHistory(world, 400, hour);
		world.fails = (_request, page) => Number(page) >= 12;
		await new Runner(world).poll({ isActivation: true });
		// Two pages, a look at 3, 6 and three times 12; the pages from 3 to 11, and three times 12.
		expect(world.requests).toBe(19);
	});
});

describe('Watching the account, where answers are wrong for a while', () => {
	test('keeps following a task that the provider did not know ten times', async () => {
		const world = worldWith({ largestPage: 20 });
		const task = world.add({ endsAt: world.now + day });
		for (let count = 0; count < 40; count++) world.add();
		const runner = await activated(world);
		task.vanishedAt = world.now;
		for (let polls = 0; polls < 60; polls++) {
			await runner.poll();
			world.now += minute;
		}
		task.vanishedAt = Infinity;
		world.now += day;
		expect(await runner.poll()).toContain(task.id);
	});

	test('is silent about a task of the past whose date changes after the activation', async () => {
		const world = worldWith({ largestPage: 20, order: 'oldest' });
		addHistory(world, 100);
		for (const task of world.tasks) task.touchedAt = world.now + 5 * minute;
		const runner = new Runner(world);
		await runner.poll({ requests: 3, isActivation: true });
		for (let polls = 0; polls < 12; polls++) {
			world.now += 2 * minute;
			await runner.poll({ requests: 3 });
		}
		const shownFirst = new Set(world.tasks.slice(0, 60).map(({ id }) => id));
		expect(runner.emitted.filter((id) => shownFirst.has(id))).toEqual([]);
	});

	test('settles a list in no order soon after a response that was dated weeks ahead', async () => {
		const world = worldWith({ largestPage: 20, order: 'oldest' });
		addHistory(world, 60);
		const runner = await activated(world);
		world.habits.clockAhead = 6 * day;
		await runner.poll();
		world.habits.clockAhead = 0;
		for (let polls = 0; polls < 6; polls++) {
			world.add();
			world.now += 20 * minute;
			await runner.poll();
		}
		expect(runner.remembered).toBeLessThan(4);
		expect(new Set(runner.emitted).size).toBe(6);
	});
});

describe('Watching the account, where some tasks are not wanted', () => {
	test.each<[string, TaskEvent[], string]>([
		['an event', ['failed'], ''],
		['a prefix', ['succeed', 'failed'], 'mine-'],
	])('asks once in an idle poll of a busy account, with %s', async (_name, events, prefix) => {
		const world = worldWith();
		for (let count = 900; count > 0; count--)
			world.add({ createdAt: world.now - count * 4 * second });
		const runner = new Runner(world, events, prefix);
		await runner.poll({ isActivation: true });
		for (let polls = 0; polls < 20; polls++) {
			for (let count = 0; count < 15; count++) {
				world.now += 4 * second;
				world.add();
			}
			expect(await runner.poll()).toEqual([]);
			expect(world.requests).toBe(1);
			expect(world.rows).toBeLessThan(300);
		}
	});
});

describe('Watching the account, where the list is grouped by status', () => {
	test.each([
		[600, 3_000],
		[520, 300],
		[2_600, 40],
		[5_000, 0],
	])('emits each of %d failed and %d other tasks once', async (failures, others) => {
		const world = worldWith({ order: 'grouped' });
		const past = (count: number, outcome: 'failed' | 'succeed', gap: number) => {
			for (let index = count; index > 0; index--) {
				world.add({ createdAt: world.now - hour - index * gap, outcome });
			}
		};
		past(failures, 'failed', 10 * minute);
		past(others, 'succeed', 3 * minute);
		const running = world.add({ endsAt: world.now + hour });
		const runner = await activated(world);
		const task = world.add({ endsAt: world.now + hour });
		await runner.poll();
		for (let polls = 0; polls < 4; polls++) {
			world.now += 20 * minute;
			await runner.poll();
		}
		expect(runner.emitted.sort()).toEqual([running.id, task.id]);
	});
});

describe('What is remembered', () => {
	test('is 12 bytes for each of 10,000 tasks that end in different minutes', () => {
		const seen = new SeenTasks();
		for (let index = 0; index < 10_000; index++) seen.add(`task-${index}`, index * 4 * minute);
		const text = JSON.stringify(seen);
		expect(text.length).toBeLessThan(120_000);
		const again = new SeenTasks(seen.toJSON());
		expect(again.toJSON()).toEqual(seen.toJSON());
		expect([again.size, again.has('task-0'), again.has('task-9999')]).toEqual([10_000, true, true]);
		again.forget(20_000 * minute);
		expect(again.size).toBe(5_000);
	});
});
