import {
	activated,
	addHistory,
	day,
	hour,
	minute,
	plain,
	Runner,
	second,
	World,
	worldWith,
	type ModelTask,
} from '../../../random/watch/model';

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

	test('starts with an account that has no tasks at all', async () => {
		const world = worldWith();
		const runner = await activated(world);
		const first = world.add();
		world.now += hour;
		expect(await runner.poll()).toEqual([first.id]);
		expect(await runner.poll()).toEqual([]);
	});

	test('emits tasks oldest end first, in any order of their creation', async () => {
		const world = worldWith();
		const runner = await activated(world);
		const slow = world.add({ endsAt: world.now + 30 * minute });
		const fast = world.add({ endsAt: world.now + 10 * minute });
		const middle = world.add({ endsAt: world.now + 20 * minute });
		world.now += hour;
		expect(await runner.poll()).toEqual([fast.id, middle.id, slow.id]);
	});

	test('emits a task that ends days after newer ones have been emitted', async () => {
		const world = worldWith({ largestPage: 20 });
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
		expect(world.requests).toBeLessThanOrEqual(21);
		for (let polls = 0; polls < 4; polls++) {
			world.now += 6 * minute;
			expect(await runner.poll()).toEqual([]);
		}
		expect(world.requests).toBe(1);
	});

	test.each([0, 1_000, 20_000])(
		'asks once in an idle poll, with %d tasks of history, and knows them in less than 1 kB',
		async (count) => {
			const world = worldWith();
			addHistory(world, count, 20 * second);
			const runner = await activated(world);
			expect(world.requests).toBeLessThanOrEqual(34);
			for (let polls = 0; polls < 3; polls++) {
				world.now += minute;
				expect(await runner.poll()).toEqual([]);
				expect(world.requests).toBe(1);
				// Some 900 bytes each, as Kling writes them.
				expect(world.rows).toBeLessThanOrEqual(30);
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

	test('looks in turns at the running tasks that no page shows, a hundred in a poll', async () => {
		const world = worldWith();
		const runner = await activated(world);
		for (let count = 0; count < 1_000; count++) {
			world.add({ endsAt: world.now + 5 * hour });
			world.now += second;
		}
		await runner.poll();
		world.now += hour;
		for (let polls = 0; polls < 3; polls++) await runner.poll();
		expect(world.requests).toBe(101);
		world.now += 5 * hour;
		const counts: number[] = [];
		for (let polls = 0; polls < 6; polls++) counts.push((await runner.poll()).length);
		expect(counts).toEqual([600, 100, 100, 100, 100, 0]);
	});

	test('drops a task that the provider has not known for a day', async () => {
		const world = worldWith();
		const task = world.add({ endsAt: Infinity });
		const runner = await activated(world);
		task.vanishedAt = world.now;
		const costs: number[] = [];
		for (let polls = 0; polls < 27; polls++) {
			await runner.poll();
			costs.push(world.requests);
			world.now += hour;
		}
		expect(costs).toEqual([...Array(25).fill(2), 1, 1]);
		expect(runner.open).toEqual([]);
	});

	test('drops a task that has been running for 30 days', async () => {
		const world = worldWith();
		world.add({ endsAt: Infinity });
		const runner = await activated(world);
		expect(runner.open).toHaveLength(1);
		world.now += 31 * day;
		world.add();
		await runner.poll();
		expect(runner.open).toHaveLength(1);
		await runner.poll();
		expect(runner.open).not.toContain('831922345001');
	});

	test('emits nothing when an event is switched on except what ends from then on', async () => {
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

	test('emits what ended after an event was switched on, although the provider was unreachable then', async () => {
		const world = worldWith();
		const runner = await activated(world, ['failed']);
		runner.switchTo(['succeed', 'failed']);
		world.fails = () => true;
		await runner.poll();
		world.fails = () => false;
		const task = world.add({ outcome: 'succeed' });
		world.now += hour;
		expect(await runner.poll()).toEqual([task.id]);
	});

	test('treats an event as switched on only once everything has been read since', async () => {
		const world = worldWith({ largestPage: 10, order: 'oldest' });
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

	test('continues in the next poll if time runs out, and never loses the rest', async () => {
		const world = worldWith({ largestPage: 10, order: 'random' });
		addHistory(world, 100);
		const runner = await activated(world);
		for (let count = 0; count < 30; count++) world.add();
		world.now += hour;
		for (let polls = 0; polls < 12; polls++) await runner.poll({ requests: 2 });
		expect(runner.emitted).toHaveLength(30);
		expect(new Set(runner.emitted).size).toBe(30);
	});

	test('sends one request in the poll after one whose first page failed', async () => {
		const world = worldWith();
		addHistory(world, 100);
		const runner = await activated(world);
		world.fails = () => true;
		await runner.poll();
		world.fails = () => false;
		const task = world.add();
		world.now += hour;
		expect(await runner.poll()).toEqual([task.id]);
		expect(world.requests).toBe(1);
	});

	test('continues after the pages that a poll had time for, and does not reread the first', async () => {
		const world = worldWith({ largestPage: 10, order: 'random' });
		addHistory(world, 25);
		const runner = await activated(world);
		const pages: Array<number | null> = [];
		world.fails = (_request, page) => (pages.push(page), false);
		await runner.poll({ requests: 2 });
		await runner.poll();
		expect(pages).toEqual([1, 2, 3, 4]);
	});

	test('reads the newest page in each poll even when a later page never comes', async () => {
		const world = worldWith({ largestPage: 10, order: 'newest' });
		const runner = await activated(world);
		for (let count = 0; count < 15; count++) world.add();
		world.now += hour;
		world.fails = (_request, page) => page === 2;
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
		const world = worldWith({ largestPage: 10 });
		const runner = await activated(world);
		for (let count = 0; count < 15; count++) world.add();
		world.now += hour;
		world.fails = (_request, page) => page === 2;
		for (let polls = 0; polls < 3; polls++) {
			await runner.poll();
			for (let count = 0; count < 12; count++) world.add();
			world.now += hour;
		}
		world.fails = () => false;
		await runner.poll();
		expect(runner.emitted).toHaveLength(51);
	});

	test('is not misled if the newest known task is gone and old ones look like the newest', async () => {
		const world = worldWith({ largestPage: 10, order: 'oldest', createdGrain: day });
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
		for (let polls = 0; polls < 4; polls++) {
			world.now += 15 * minute;
			await runner.poll();
		}
		const next = world.add();
		world.now += hour;
		expect(await runner.poll()).toContain(next.id);
	});

	test('emits a task that the list shows minutes after newer ones', async () => {
		const world = worldWith();
		addHistory(world, 50);
		const runner = await activated(world);
		const late = world.add({ lag: 9 * minute, endsAt: world.now + minute });
		for (let polls = 0; polls < 15; polls++) {
			world.add();
			world.now += minute;
			await runner.poll();
		}
		expect(runner.emitted.filter((id) => id === late.id)).toHaveLength(1);
	});

	test('reads a page in order although servers date neighbors a little differently', async () => {
		const world = worldWith();
		addHistory(world, 2_000);
		for (const [index, task] of world.tasks.entries()) {
			if (index % 10 === 0) task.createdSkew = -90 * second;
		}
		const runner = await activated(world);
		await runner.poll();
		expect(world.requests).toBe(1);
	});

	test('sends nothing more once the provider refuses', async () => {
		const world = worldWith();
		world.add({ endsAt: world.now + day });
		const runner = await activated(world);
		world.fails = () => true;
		await runner.poll();
		expect(world.requests).toBe(1);
	});
});

describe('Watching the account, when order, dates and time are against it', () => {
	test('emits what ends while the first reading takes several polls', async () => {
		const world = worldWith({ largestPage: 20, order: 'oldest' });
		addHistory(world, 100);
		const unseen = world.add({ createdAt: world.now - minute, endsAt: world.now + 2 * minute });
		const runner = new Runner(world);
		await runner.poll({ requests: 1, isActivation: true });
		for (let polls = 0; polls < 14; polls++) {
			world.now += minute;
			await runner.poll({ requests: 1 });
		}
		expect(runner.emitted).toEqual([unseen.id]);
	});

	test('emits what ended between a first reading and a restart that knows nothing of its end', async () => {
		const world = worldWith({ largestPage: 20, order: 'oldest' });
		addHistory(world, 100);
		const runner = new Runner(world);
		await runner.poll({ requests: 2, isActivation: true });
		world.now += minute;
		await runner.poll();
		const task = world.add();
		world.now += hour;
		runner.restart();
		await runner.poll();
		await runner.poll();
		expect(runner.emitted).toEqual([task.id]);
	});

	test('follows a running task that slips to a page already read in the first reading', async () => {
		const world = worldWith({ largestPage: 20 });
		for (let count = 0; count < 50; count++) {
			world.add({ createdAt: world.now - hour - count * minute });
		}
		// The first row of the second page; it moves up when a newer one vanishes.
		world.tasks[20].endsAt = world.now + 2 * hour;
		world.before = (request) => {
			if (request === 2) world.tasks[3].vanishedAt = world.now;
		};
		const runner = await activated(world);
		world.now += 3 * hour;
		expect(await runner.poll()).toEqual([world.tasks[20].id]);
	});

	describe('emits a task that two passes miss, as one server knows its end before another', () => {
		/** By the last change, so an end moves a task from the last page to the first. */
		const listed = () => new World({ ...plain, order: 'updated', largestPage: 20 }, () => 0.99);
		let world = listed();
		const isFirstPage = (request: number) => request % 4 === 1;

		beforeEach(() => {
			world = listed();
			for (let index = 0; index < 30; index++) {
				const createdAt = world.now - 5 * hour - index * minute;
				world.add({ createdAt, endsAt: world.now - 2 * hour + index * second });
			}
		});

		/** The server of the last page knows its end, that of the first not yet. */
		function addTask(): ModelTask {
			const task = world.add({ endsAt: world.now + 16 * minute + 10 });
			for (let count = 0; count < 25; count++) {
				world.add({ createdAt: world.now + 100, endsAt: world.now + 2 * minute });
			}
			world.now += 16 * minute;
			world.before = (request) =>
				void (world.habits.staleness = isFirstPage(request) ? 2 * minute : 0);
			return task;
		}

		function allServersKnow(): void {
			world.habits.staleness = 0;
			world.before = () => undefined;
		}

		test.each([
			['after the activation', true],
			['in the first reading', false],
		])('%s', async (_when, isActive) => {
			const runner = new Runner(world);
			if (isActive) await runner.poll({ isActivation: true });
			const task = addTask();
			await runner.poll({ isActivation: !isActive });
			world.now += minute;
			await runner.poll();
			expect(runner.emitted).not.toContain(task.id);
			allServersKnow();
			world.now += 10 * minute;
			expect(await runner.poll()).toEqual([task.id]);
			for (let more = 0; more < 3; more++) expect(await runner.poll()).toEqual([]);
		});

		test('of which the first takes long, and the second begins when it ends', async () => {
			const runner = await activated(world);
			const task = addTask();
			task.endsAt = Infinity;
			const isStale = world.before;
			allServersKnow();
			await runner.poll({ requests: 1 });
			world.now += 20 * minute;
			task.endsAt = world.now - second;
			await runner.poll();
			world.now += 30 * second;
			world.before = isStale;
			await runner.poll();
			expect(runner.emitted).not.toContain(task.id);
			allServersKnow();
			world.now += 10 * minute;
			expect(await runner.poll()).toEqual([task.id]);
		});

		test('of which the second begins soon and takes long', async () => {
			const runner = await activated(world);
			const task = addTask();
			await runner.poll();
			world.now += 30 * second;
			await runner.poll({ requests: 1 });
			allServersKnow();
			world.now += 12 * minute;
			await runner.poll();
			expect(runner.emitted).not.toContain(task.id);
			expect(await runner.poll()).toEqual([task.id]);
		});
	});

	test('emits an old task without any date that servers hid from the first reading', async () => {
		const world = new World({ ...plain, largestPage: 20 }, () => 0.99);
		const old = world.add({ createdAt: world.now - day, dates: 'none' });
		for (let count = 0; count < 20; count++) {
			world.add({ createdAt: world.now - minute, endsAt: world.now + day, dates: 'none' });
		}
		// The server of the second page does not know yet that it has started.
		world.before = (request) => void (world.habits.staleness = request % 2 === 0 ? 2 * minute : 0);
		const runner = await activated(world);
		expect(runner.emitted).toEqual([]);
		world.habits.staleness = 0;
		world.before = () => undefined;
		expect(await runner.poll()).toEqual([old.id]);
		expect(await runner.poll()).toEqual([]);
	});

	test('follows what ran at activation although the list is read again only a day later', async () => {
		const world = worldWith({ largestPage: 20 });
		addHistory(world, 100, 10 * minute);
		// The first row of the third page; it slips to the second when a newer one vanishes.
		const running = world.tasks[59];
		running.endsAt = world.now + 3 * day;
		world.before = (request) => {
			if (request === 3) world.tasks[95].vanishedAt = world.now;
		};
		const runner = new Runner(world);
		await runner.poll({ requests: 5, isActivation: true });
		expect(runner.open).toEqual([]);
		world.before = () => undefined;
		world.now += day;
		await runner.poll();
		world.now += 3 * day;
		expect(await runner.poll()).toEqual([running.id]);
	});

	test('is silent about the past although a first reading takes longer than a day', async () => {
		const world = worldWith({ largestPage: 20, order: 'random' });
		addHistory(world, 200);
		const runner = new Runner(world);
		await runner.poll({ requests: 1, isActivation: true });
		for (let polls = 0; polls < 30; polls++) {
			world.now += 6 * hour;
			await runner.poll({ requests: 1 });
		}
		expect(runner.emitted).toEqual([]);
	});

	test('emits no earlier end when an event is switched on while a pass is stored', async () => {
		const world = worldWith({ largestPage: 10, order: 'oldest' });
		const runner = await activated(world, ['failed']);
		for (let count = 0; count < 25; count++) world.add({ outcome: 'succeed' });
		world.now += hour;
		await runner.poll({ requests: 1 });
		runner.events = ['failed', 'succeed'];
		for (let polls = 0; polls < 4; polls++) await runner.poll({ requests: 1 });
		expect(runner.emitted).toEqual([]);
		const task = world.add({ outcome: 'succeed' });
		world.now += hour;
		expect(await runner.poll()).toEqual([task.id]);
	});

	test('is silent about a task it followed that ended long before its event was switched on', async () => {
		const world = worldWith({ largestPage: 20 });
		const early = world.add({ endsAt: world.now + hour, outcome: 'failed' });
		const runner = await activated(world, ['succeed']);
		for (let count = 0; count < 40; count++) world.add();
		world.now += 5 * hour;
		runner.switchTo(['succeed', 'failed']);
		expect(await runner.poll()).toHaveLength(40);
		expect(runner.emitted).not.toContain(early.id);
	});

	test('emits tasks without created_at once each, and forgets them again', async () => {
		const world = worldWith({ largestPage: 100 });
		for (let count = 0; count < 150; count++) {
			world.add({ createdAt: world.now - day - count * minute, dates: 'updated' });
		}
		const runner = await activated(world);
		for (let round = 0; round < 20; round++) {
			for (let count = 0; count < 20; count++) world.add({ dates: 'updated' });
			world.add();
			world.now += hour;
			expect(await runner.poll()).toHaveLength(21);
			expect(await runner.poll()).toEqual([]);
		}
		expect(runner.stateBytes).toBeLessThan(1_000);
	});

	test('emits tasks without any date once each, and remembers a thousand of them', async () => {
		const world = worldWith();
		for (let count = 0; count < 150; count++)
			world.add({ dates: 'none', createdAt: world.now - day });
		const runner = await activated(world);
		for (let count = 0; count < 1_200; count++) world.add({ dates: 'none' });
		world.now += hour;
		// With more, only what was seen running is emitted.
		expect(await runner.poll()).toHaveLength(850);
		expect(await runner.poll()).toEqual([]);
		const seen = world.add({ dates: 'none', endsAt: world.now + 2 * minute });
		world.now += minute;
		expect(await runner.poll()).toEqual([]);
		world.now += hour;
		expect(await runner.poll()).toEqual([seen.id]);
		expect(runner.largestState).toBeLessThan(10_000);
		const running = Array.from({ length: 300 }, () =>
			world.add({ dates: 'none', endsAt: world.now + hour }),
		);
		await runner.poll();
		world.now += 2 * hour;
		expect(await runner.poll()).toHaveLength(running.length);
		expect(await runner.poll()).toEqual([]);
		expect(runner.stateBytes).toBeLessThan(10_000);
	});

	test('emits what ran at activation although its end is not dated', async () => {
		const world = worldWith();
		const task = world.add({
			createdAt: world.now - hour,
			endsAt: world.now + hour,
			dates: 'created',
		});
		const runner = await activated(world);
		world.now += 2 * hour;
		expect(await runner.poll()).toEqual([task.id]);
	});

	test('reads on when an old task that ended last stands before the new ones', async () => {
		// By the last change, which for tasks that all take the same time is newest first, too.
		const world = worldWith({ order: 'updated', largestPage: 20 });
		const old = world.add({ endsAt: world.now + 9 * hour });
		world.now += 5 * hour;
		addHistory(world, 40);
		const runner = await activated(world);
		expect(runner.state?.top).not.toBeNull();
		world.now += 3 * hour;
		for (let count = 0; count < 30; count++) {
			world.add();
			world.now += minute;
		}
		world.now += hour;
		expect(await runner.poll()).toHaveLength(31);
		expect(runner.emitted).toContain(old.id);
	});

	test('emits what ended before a batch of old tasks that fills the first page by itself', async () => {
		// By the last change, which for tasks that all take the same time is newest first, too.
		const world = worldWith({ order: 'updated', largestPage: 20 });
		const old: ModelTask[] = [];
		for (let count = 0; count < 20; count++) {
			old.push(world.add({ endsAt: Infinity }));
			world.now += 30 * minute;
		}
		world.now += 5 * hour;
		addHistory(world, 40);
		const runner = await activated(world);
		const quick = [world.add(), world.add()];
		world.now += 30 * minute;
		for (const [index, task] of old.entries()) task.endsAt = world.now - minute + index * second;
		expect(await runner.poll()).toEqual([...quick, ...old].map(({ id }) => id));
	});

	test('requests a failed page again, and continues', async () => {
		const world = worldWith({ largestPage: 20 });
		const runner = await activated(world);
		for (let count = 0; count < 70; count++) world.add();
		world.now += hour;
		world.fails = (request) => request === 3 || request === 4;
		expect(await runner.poll()).toHaveLength(70);
		expect(runner.failures).toBe(0);
	});

	test('continues in the next poll with a page that failed three times, after the newest ones', async () => {
		const world = worldWith({ largestPage: 20, order: 'random' });
		addHistory(world, 400);
		const runner = await activated(world);
		const pages: Array<number | null> = [];
		world.fails = (request, page) => {
			pages.push(page);
			return page === 15 && request < 20;
		};
		await runner.poll();
		expect(pages).toEqual([...Array.from({ length: 15 }, (_, index) => index + 1), 15, 15]);
		pages.length = 0;
		world.fails = (_request, page) => {
			pages.push(page);
			return false;
		};
		await runner.poll();
		expect(pages).toEqual([1, ...Array.from({ length: 7 }, (_, index) => index + 15)]);
	});

	test('looks at open tasks although a page before them never comes', async () => {
		const world = worldWith({ largestPage: 20 });
		const runner = await activated(world);
		const task = world.add({ endsAt: world.now + 2 * hour });
		for (let count = 0; count < 30; count++) world.add({ createdAt: world.now + second });
		world.now += hour;
		await runner.poll();
		for (let count = 0; count < 30; count++) world.add();
		world.now += 2 * hour;
		world.fails = (_request, page) => page === 2;
		expect(await runner.poll()).toContain(task.id);
	});

	test('requests few tasks in an idle poll, many when there are many, and few again', async () => {
		const world = worldWith();
		addHistory(world, 1_000);
		const runner = await activated(world);
		await runner.poll();
		expect(world.rows).toBe(20);
		for (let count = 0; count < 300; count++) world.add();
		world.now += hour;
		expect(await runner.poll()).toHaveLength(300);
		expect([world.requests, world.rows]).toEqual([2, 520]);
		for (let polls = 0; polls < 3; polls++) {
			world.now += hour;
			world.add();
			await runner.poll();
		}
		expect([world.requests, world.rows]).toEqual([1, 20]);
	});

	test('makes an idle poll’s page as large as what is running and what ended lately', async () => {
		const world = worldWith();
		addHistory(world, 1_000);
		const runner = await activated(world);
		for (let count = 0; count < 40; count++) world.add({ endsAt: world.now + day });
		world.now += minute;
		await runner.poll();
		world.now += minute;
		await runner.poll();
		expect(world.requests).toBe(1);
		expect(world.rows).toBeGreaterThanOrEqual(50);
		expect(world.rows).toBeLessThan(90);
	});

	test('is silent about what the first response shows as ended, even by a clock that is ahead', async () => {
		const world = worldWith();
		world.add({ createdAt: world.now - hour, endsAt: world.now - second, updatedSkew: minute });
		const runner = await activated(world);
		await runner.poll();
		expect(runner.emitted).toEqual([]);
	});

	test('emits what ended while the workflow was off, up to 30 days ago', async () => {
		const world = worldWith({ largestPage: 100 });
		const runner = await activated(world);
		world.add({ endsAt: world.now + day });
		await runner.poll();
		const late = [1, 40, 69].map((days) => world.add({ createdAt: world.now + days * day }));
		world.now += 70 * day;
		const [, second, third] = late.map(({ id }) => id);
		expect(await runner.poll()).toEqual([second, third]);
	});

	test('emits the newest 10,000 that ended while the workflow was off, and keeps its state small', async () => {
		const world = worldWith();
		addHistory(world, 600);
		const runner = await activated(world);
		for (let count = 0; count < 12_000; count++) {
			world.add();
			world.now += 6 * second;
		}
		world.now += hour;
		const ids = new Set(await runner.poll());
		expect(ids.size).toBeGreaterThan(9_900);
		expect(ids.size).toBeLessThan(10_600);
		expect(ids.has(world.tasks[world.tasks.length - 1].id)).toBe(true);
		expect(runner.largestState).toBeLessThan(100_000);
		await runner.poll();
		expect(new Set(runner.emitted).size).toBe(runner.emitted.length);
	});

	test('follows at most 3,000 running tasks, those that it met first', async () => {
		const world = worldWith();
		for (let count = 0; count < 3_300; count++) {
			world.add({ createdAt: world.now - hour + count * second, endsAt: Infinity });
		}
		const runner = await activated(world);
		expect(runner.open).toHaveLength(3_000);
		expect(runner.open).toContain(world.tasks[3_299].id);
	});

	test.each([true, false])(
		'loses nothing for a clock that is an hour ahead of the dates of tasks: %s',
		async (namesTime) => {
			const world = worldWith({ namesTime, clockAhead: hour, largestPage: 20 });
			addHistory(world, 100);
			const runner = await activated(world);
			world.now += 2 * hour;
			await runner.poll();
			for (let polls = 0; polls < 3; polls++) {
				const task = world.add();
				world.now += 6 * minute;
				expect(await runner.poll()).toEqual([task.id]);
			}
		},
	);

	test('goes by the clock of n8n where the provider does not say what time it is', async () => {
		const world = worldWith({ namesTime: false, largestPage: 20 });
		addHistory(world, 100);
		const task = world.add({ createdAt: world.now - minute });
		const runner = await activated(world);
		world.now += hour;
		expect(await runner.poll()).toEqual([task.id]);
	});

	test.each([20, 100, 500])(
		'is right if a list has at most %d tasks per page',
		async (largestPage) => {
			const world = worldWith({ largestPage });
			addHistory(world, 700);
			const runner = await activated(world);
			for (let count = 0; count < 450; count++) {
				world.add();
				world.now += second;
			}
			world.now += hour;
			expect(new Set(await runner.poll()).size).toBe(450);
			await runner.poll();
			expect(runner.emitted).toHaveLength(450);
		},
	);
});
