import {
	activated,
	addHistory,
	day,
	hour,
	minute,
	second,
	worldWith,
} from '../../../random/watch/model';

describe('Watching the account, at the limits of its rules', () => {
	test('emits what ended after the activation although its end is dated some minutes before', async () => {
		const world = worldWith();
		const runner = await activated(world);
		const task = world.add({ endsAt: world.now + minute, updatedSkew: -8 * minute });
		task.createdSkew = -10 * minute;
		world.now += hour;
		expect(await runner.poll()).toEqual([task.id]);
	});

	test.each(['created', 'none'] as const)(
		'is silent about what had ended, also on later pages, where ends are not dated: dates of %s',
		async (dates) => {
			const world = worldWith({ largestPage: 20, order: 'oldest' });
			addHistory(world, 60, hour);
			for (const task of world.tasks) task.dates = dates;
			const runner = await activated(world);
			world.now += hour;
			await runner.poll();
			expect(runner.emitted).toEqual([]);
		},
	);

	test.each([1, 20])(
		'reads a list of %d tasks, whose every page is the first, a few times and not endlessly',
		async (count) => {
			const world = worldWith({ largestPage: 20 });
			addHistory(world, count, hour);
			const listOnce = world.listOnce.bind(world);
			let asked = 0;
			world.listOnce = async (_page, size) => {
				asked++;
				return await listOnce(1, size);
			};
			const runner = await activated(world);
			const task = world.add({ endsAt: world.now + minute });
			for (let polls = 0; polls < 4; polls++) {
				world.now += hour;
				await runner.poll();
			}
			expect(runner.emitted).toEqual([task.id]);
			expect(asked).toBeLessThan(50);
		},
	);

	test('follows a task that the provider knows in between, no matter how often it does not', async () => {
		const world = worldWith({ largestPage: 20 });
		const task = world.add({ endsAt: world.now + 10 * day });
		for (let count = 0; count < 40; count++) world.add();
		const runner = await activated(world);
		for (let polls = 0; polls < 39; polls++) {
			task.vanishedAt = polls % 5 === 4 ? Infinity : world.now;
			world.now += 2 * hour;
			await runner.poll();
		}
		expect(runner.open).toEqual([task.id]);
	});

	test.each([0, hour])(
		'treats a list as newest first only after 30 rows that are each older than all before: 25 rows %d ms apart',
		async (gap) => {
			const world = worldWith({ largestPage: 25, order: 'random' });
			for (let row = 0; row < 220; row++) {
				const age = row < 25 ? 2 * day + row * gap : 4 * day;
				world.add({ createdAt: world.now - age, endsAt: world.now - day, place: row });
			}
			// On a page that checks at doubling depths skip.
			const running = world.add({ createdAt: world.now - hour, endsAt: world.now + hour });
			running.place = 105.5;
			const runner = await activated(world);
			expect(runner.open).toEqual([running.id]);
		},
	);

	test('emits all of 130 tasks after a list that just filled a page which is cut short', async () => {
		const world = worldWith({ cap: 100 });
		addHistory(world, 100);
		const runner = await activated(world);
		for (let count = 0; count < 130; count++) world.add();
		world.now += hour;
		await runner.poll();
		world.now += hour;
		await runner.poll();
		expect(runner.emitted).toHaveLength(130);
	});

	test('settles a list that proves late to be newest first only with a second such reading', async () => {
		const world = worldWith({ largestPage: 20, order: 'oldest' });
		for (let row = 0; row < 60; row++) {
			world.add({ createdAt: world.now - hour - row * minute, endsAt: world.now - minute });
		}
		const task = world.add({ createdAt: world.now - 90.5 * minute, endsAt: world.now + minute });
		task.vanishedAt = world.now;
		const runner = await activated(world);
		world.now += 2 * minute;
		world.habits.order = 'newest';
		await runner.poll();
		task.vanishedAt = Infinity;
		world.now += hour;
		expect(await runner.poll()).toEqual([task.id]);
	});

	const slow = (polls: number, minutes: number) =>
		Array.from({ length: polls }, () => ({ requests: 1, minutes }));
	const whole = (minutes: number) => ({ requests: Infinity, minutes });
	test.each([
		['follows a slow one', [...slow(3, 4), ...slow(1, 1), whole(1), whole(1)]],
		['is slow itself', [whole(1), whole(7), ...slow(5, 1)]],
	])(
		'settles a list in no order only with a reading that begins ten minutes after the first: one too early %s',
		async (_what, polls) => {
			const world = worldWith({ largestPage: 20, order: 'oldest' });
			addHistory(world, 60);
			const runner = await activated(world);
			const [task] = [world.add(), world.add({ createdAt: world.now + second })];
			world.now += hour;
			task.vanishedAt = world.now;
			for (const { requests, minutes } of polls) {
				await runner.poll({ requests });
				world.now += minutes * minute;
			}
			expect(runner.state?.pass).toBeNull();
			task.vanishedAt = Infinity;
			world.now += hour;
			expect(await runner.poll()).toEqual([task.id]);
		},
	);

	test('follows a running task that is older than 10,000 ended ones of a first reading', async () => {
		const world = worldWith({ order: 'random' });
		const running = world.add({ createdAt: world.now - 9 * day, endsAt: world.now + hour });
		running.place = 1;
		addHistory(world, 12_000);
		const runner = await activated(world);
		expect(runner.open).toEqual([running.id]);
	});
});
