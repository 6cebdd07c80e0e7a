import type { Clock } from '../../../../nodes/kling/clock';
import { Budget } from '../../../../nodes/kling/watch/source';
import { SeenTasks } from '../../../../nodes/kling/watch/seenTasks';
import { readState } from '../../../../nodes/kling/watch/state';
import { minute } from '../../../random/watch/model';

describe('The state', () => {
	const fresh = readState(null, 'account', 'test');
	const known = { ...fresh, activatedAt: 1, wanted: { succeed: 1 } };

	test.each([
		['nothing', undefined],
		['null', null],
		['text', 'garbage'],
		['a list', [1, 2]],
		['an empty object', {}],
		['half a state', { ...known, open: 'all' }],
		['of another version', { ...known, version: 1 }],
		['of something else', { ...known, scope: 'other' }],
		['of another kind', { ...known, watch: 'taskIds' }],
		['of minutes that are none', { ...known, seen: { always: '', byMinute: 'monday' } }],
	])('counts as none if it is %s', (_name, stored) => {
		expect(readState(stored, 'account', 'test')).toEqual(fresh);
	});

	test('continues otherwise, with anything else added to it', () => {
		expect(readState({ ...known, later: true }, 'account', 'test')).toEqual(known);
		const ids = readState(null, 'taskIds', 'test');
		const open = { ...ids, open: ['a'], missing: { a: [1, 2] } };
		expect(readState(open, 'taskIds', 'test')).toEqual(open);
	});
});

describe('Ended tasks that are remembered', () => {
	test('are forgotten once the last minute in which they may be shown is over', () => {
		const seen = new SeenTasks();
		seen.add('a', 10 * minute);
		seen.add('b', 20 * minute);
		seen.add('always', Infinity);
		seen.forget(11 * minute);
		expect(['a', 'b', 'always'].map((id) => seen.has(id))).toEqual([false, true, true]);
	});

	test('are forgotten oldest first if there are too many, except those without a date', () => {
		const seen = new SeenTasks();
		seen.add('always', Infinity);
		for (let at = 1; at <= 10; at++) seen.add(`task-${at}`, at * minute);
		expect(seen.forgetOldest(4)).toBe(8 * minute);
		expect(new SeenTasks(seen.toJSON()).size).toBe(4);
		expect(seen.has('task-7')).toBe(false);
		expect(seen.has('task-8')).toBe(true);
		expect(seen.has('always')).toBe(true);
	});
});

describe('The time of a poll', () => {
	const slept: number[] = [];
	const clock: Clock = {
		now: () => 0,
		elapsed: () => 0,
		random: () => 0.5,
		sleep: async (ms) => void slept.push(ms),
	};

	test('waits longer before each further try', async () => {
		const budget = new Budget(clock, 10_000);
		await budget.pause(1);
		await budget.pause(2);
		expect(slept).toEqual([750, 1_500]);
	});

	test('starts no request that could outlast it', async () => {
		let now = 0;
		const budget = new Budget({ ...clock, elapsed: () => now }, 10_000);
		const asked: number[] = [];
		while (budget.isLeft) {
			await budget.ask(async () => (asked.push(now), (now += 2_000)));
		}
		expect(asked).toEqual([0, 2_000, 4_000]);
	});

	test('allows one request, no matter how short it is', () => {
		expect(new Budget(clock, 0).isLeft).toBe(true);
	});
});
