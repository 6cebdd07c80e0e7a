import { PollLocks } from '../../../nodes/KlingEffectsTrigger/pollLock';

const data = {};
const minute = 60_000;

describe('The lock of polls', () => {
	test('lets one poll of a node run at a time', () => {
		const locks = new PollLocks();
		const lock = locks.acquire('a', data, 0, 45_000);
		expect(locks.acquire('a', data, 60_000, 45_000)).toBeNull();
		expect(locks.acquire('b', data, 60_000, 45_000)).not.toBeNull();
		lock?.release();
		expect(locks.acquire('a', data, 60_001, 45_000)).not.toBeNull();
	});

	test('is taken from a poll that never ends, which then may store nothing', () => {
		const locks = new PollLocks();
		const stuck = locks.acquire('a', data, 0, 45_000);
		const next = locks.acquire('a', data, 105_001, 45_000);
		expect(stuck?.isValid).toBe(false);
		expect(next?.isValid).toBe(true);
		stuck?.release();
		expect(locks.acquire('a', data, 106_000, 45_000)).toBeNull();
	});

	test('is taken by a workflow that was edited, with static data of its own', () => {
		const locks = new PollLocks();
		const before = locks.acquire('a', data, 0, 45_000);
		const after = locks.acquire('a', {}, 1, 45_000);
		expect(before?.isValid).toBe(false);
		expect(after?.isValid).toBe(true);
	});

	describe('says when failures should be shown', () => {
		/** What the locks say at polls so many minutes apart, each of which fails or goes well. */
		function said(polls: Array<'fails' | 'goes well'>, gap: number): boolean[] {
			const locks = new PollLocks();
			return polls.map((outcome, index) => {
				const lock = locks.acquire('a', data, index * gap * minute, 1);
				lock?.release();
				return lock?.note(outcome === 'fails') ?? false;
			});
		}
		const failing = (count: number) => Array<'fails'>(count).fill('fails');

		test('with the sixth in a row', () => {
			expect(said(failing(6), 1)).toEqual([false, false, false, false, false, true]);
			const mended = [...failing(5), 'goes well' as const, ...failing(5)];
			expect(said(mended, 1)).not.toContain(true);
		});

		test('once they have lasted for 15 minutes', () => {
			expect(said(failing(3), 7)).toEqual([false, false, false]);
			expect(said(failing(2), 15)).toEqual([false, true]);
			expect(said(['fails', 'goes well', 'fails'], 15)).not.toContain(true);
		});
	});
});
