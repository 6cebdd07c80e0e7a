import { PollLocks } from '../../nodes/KlingEffectsTrigger/pollLock';

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

	test('counts failures in a row, and for how long', () => {
		const locks = new PollLocks();
		const pollAt = (now: number) => {
			const lock = locks.acquire('a', data, now, 1);
			lock?.release();
			return lock;
		};
		expect(pollAt(0)?.noteFailure()).toEqual({ polls: 1, forMs: 0 });
		expect(pollAt(minute)?.noteFailure()).toEqual({ polls: 2, forMs: minute });
		pollAt(2 * minute)?.noteSuccess();
		expect(pollAt(3 * minute)?.noteFailure()).toEqual({ polls: 1, forMs: 0 });
	});
});
