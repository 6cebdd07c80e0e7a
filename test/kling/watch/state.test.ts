import type { Clock } from '../../../nodes/kling/clock';
import { Budget, readState, scopeOf } from '../../../nodes/kling/watch';
import { freshAccount, freshIds } from '../../../nodes/kling/watch/state';
import { SeenTasks } from '../../../nodes/kling/watch/seenTasks';
import { minute } from './model';

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
		expect(readState(stored, 'account', 'test')).toBeNull();
	});

	test('counts as none when a later version of this package wrote it', () => {
		const state = freshAccount('test');
		expect(readState({ ...state, later: true }, 'account', 'test')).not.toBeNull();
		expect(readState({ ...state, version: 2 }, 'account', 'test')).toBeNull();
	});

	test('counts as none when something else was watched', () => {
		const state = freshAccount('test');
		expect(readState(state, 'account', 'test')).toEqual(state);
		expect(readState(state, 'account', 'other')).toBeNull();
		expect(readState(state, 'taskIds', 'test')).toBeNull();
		expect(readState(freshIds('test'), 'taskIds', 'test')).not.toBeNull();
	});

	test('names what is watched without showing it', () => {
		const scope = scopeOf('kling', 'https://api.example', 'account');
		expect(scope).toBe(scopeOf('kling', 'https://api.example', 'account'));
		expect(scope).not.toBe(scopeOf('kling', 'https://api.example', 'taskIds'));
		expect(scopeOf('a', 'bc')).not.toBe(scopeOf('ab', 'c'));
		expect(scope).not.toContain('kling');
	});
});

describe('Ended tasks that are remembered', () => {
	test('are forgotten when the last minute in which they may be shown is over', () => {
		const seen = new SeenTasks({});
		seen.add('a', 10 * minute);
		seen.add('b', 20 * minute);
		seen.add('always', 0);
		seen.forget(11 * minute);
		expect(['a', 'b', 'always'].map((id) => seen.has(id))).toEqual([false, true, true]);
	});

	test('are forgotten oldest first where there are too many, but for those without a date', () => {
		const seen = new SeenTasks({});
		seen.add('always', 0);
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

	test('begins no request that could outlast it', async () => {
		let now = 0;
		const budget = new Budget({ ...clock, now: () => now }, 10_000);
		const asked: number[] = [];
		while (budget.isLeft) {
			await budget.ask(async () => (asked.push(now), (now += 2_000)));
		}
		expect(asked).toEqual([0, 2_000, 4_000]);
	});

	test('allows one request however short it is', () => {
		expect(new Budget(clock, 0).isLeft).toBe(true);
	});
});
