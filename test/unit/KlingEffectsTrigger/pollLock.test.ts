import { PollLocks, type PollClaim } from '../../../nodes/KlingEffectsTrigger/pollLock';

const minute = 60_000;
const data = {};
/** A poll of node a, at most 45 s long, with the same static data as all others. */
const usual: PollClaim = {
	key: 'a',
	name: 'Trigger',
	holder: data,
	now: 0,
	budgetMs: 45_000,
	isScheduled: false,
};

describe('The lock of polls', () => {
	test('lets one poll of a node run at a time', () => {
		const locks = new PollLocks();
		const lock = locks.claim(usual);
		expect(locks.claim({ ...usual, now: 60_000 })).toBeNull();
		expect(locks.claim({ ...usual, key: 'b', now: 60_000 })).not.toBeNull();
		lock?.release();
		expect(locks.claim({ ...usual, now: 60_001 })).not.toBeNull();
	});

	test('is taken from a poll that never ends, which may then store nothing', () => {
		const locks = new PollLocks();
		const stuck = locks.claim(usual);
		const next = locks.claim({ ...usual, now: 105_001 });
		expect(stuck?.isValid).toBe(false);
		expect(next?.isValid).toBe(true);
		stuck?.release();
		expect(locks.claim({ ...usual, now: 106_000 })).toBeNull();
	});

	test('is taken by an edited workflow, with its own static data', () => {
		const locks = new PollLocks();
		const before = locks.claim(usual);
		const after = locks.claim({ ...usual, holder: {}, now: 1 });
		expect(before?.isValid).toBe(false);
		expect(after?.isValid).toBe(true);
	});

	test('stays with the running poll if each has its own data, as with durable cursors', () => {
		const locks = new PollLocks();
		const before = locks.claim({ ...usual, isScheduled: true });
		expect(locks.claim({ ...usual, isScheduled: true, holder: {}, now: 1 })).toBeNull();
		expect(before?.isValid).toBe(true);
	});

	test('distinguishes the activation, which has its own static data, from later polls', () => {
		const locks = new PollLocks();
		const isActivation = (claim: Partial<PollClaim>) => {
			const lock = locks.claim({ ...usual, ...claim });
			lock?.release();
			return lock?.isActivation;
		};
		const edited = {};
		expect(isActivation({})).toBe(true);
		expect(isActivation({})).toBe(false);
		expect(isActivation({ holder: edited })).toBe(true);
		expect(isActivation({ holder: edited })).toBe(false);
		expect(isActivation({ holder: {}, isScheduled: true })).toBe(false);
	});

	describe('says when failures should be shown', () => {
		/** What the locks say about polls this many minutes apart, each of which fails or succeeds. */
		function said(polls: Array<'fails' | 'goes well'>, gap: number): boolean[] {
			const locks = new PollLocks();
			return polls.map((outcome, index) => {
				const lock = locks.claim({ ...usual, now: index * gap * minute, budgetMs: 1 });
				lock?.release();
				return lock?.countFailure(outcome === 'fails') ?? false;
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

describe('Two nodes with one id', () => {
	const twin = { ...usual, name: 'Twin', holder: {} };

	test('do not take the lock from each other, not even when n8n activates both at once', () => {
		const locks = new PollLocks();
		const first = locks.claim(usual);
		const second = locks.claim(twin);
		expect([first?.isValid, second?.isValid]).toEqual([true, true]);
		expect([locks.claim(usual), locks.claim(twin)]).toEqual([null, null]);
	});

	test('are distinguished from a renamed one, whose running poll emits nothing any more', () => {
		const locks = new PollLocks();
		const first = locks.claim(usual);
		first?.keep({ scope: 'test', polls: 1, heardAt: 0 }, false);
		first?.release();
		const underWay = locks.claim(usual);
		locks.claim({ ...usual, name: 'Renamed', holder: {} });
		expect(underWay?.isValid).toBe(false);
	});
});

describe('What polls leave in the process', () => {
	const stateOf = (polls: number, scope = 'test', heardAt = 0) => ({ scope, polls, heardAt });
	let locks: PollLocks;
	beforeEach(() => (locks = new PollLocks()));

	/** A poll that finds `stored`, and leaves a state. */
	function poll(
		stored: unknown,
		left: ReturnType<typeof stateOf>,
		{ name = 'Trigger', emits = false, isScheduled = false, holder = usual.holder } = {},
	): unknown {
		const lock = locks.claim({ ...usual, name, isScheduled, holder });
		const known = lock?.recall(stored, 'test');
		lock?.keep(left, emits);
		lock?.release();
		return known;
	}

	test('counts if n8n has dropped it', () => {
		expect(poll(undefined, stateOf(1))).toBeUndefined();
		expect(poll(undefined, stateOf(2))).toEqual(stateOf(1));
	});

	test('counts if n8n drops it again and again', () => {
		poll(stateOf(6), stateOf(7));
		expect(poll(stateOf(6), stateOf(8))).toEqual(stateOf(7));
		expect(poll(stateOf(6), stateOf(9))).toEqual(stateOf(8));
	});

	test('does not count if n8n has kept it, or has an older or a later one', () => {
		poll(stateOf(6), stateOf(7));
		expect(poll({ ...stateOf(7), isStored: true }, stateOf(8))).toHaveProperty('isStored');
		expect(poll(stateOf(3), stateOf(4))).toEqual(stateOf(3));
		expect(poll(stateOf(20), stateOf(21))).toEqual(stateOf(20));
	});

	test('does not count if n8n continued from an older one in between', () => {
		poll(stateOf(2), stateOf(3));
		poll(stateOf(1), stateOf(2), { emits: true });
		expect(poll({ ...stateOf(2), isStored: true }, stateOf(3))).toHaveProperty('isStored');
	});

	test('does not count if something else was watched', () => {
		poll(undefined, stateOf(1, 'other'));
		expect(poll(undefined, stateOf(1))).toBeUndefined();
	});

	test('counts if n8n still has the state of something else watched before', () => {
		poll(stateOf(50, 'other'), stateOf(1));
		expect(poll(stateOf(50, 'other'), stateOf(2))).toEqual(stateOf(1));
	});

	test('does not count for what n8n may not have started with, so that it comes again', () => {
		poll(stateOf(6), stateOf(7));
		poll(stateOf(7), stateOf(8), { emits: true });
		expect(poll(stateOf(7), stateOf(8))).toEqual(stateOf(7));
	});

	test('counts under another name of the node, with all that was emitted', () => {
		poll(stateOf(6), stateOf(7), { emits: true });
		const renamed = { name: 'Renamed', emits: true, holder: {} };
		expect(poll(undefined, stateOf(8), renamed)).toEqual(stateOf(7));
		expect(poll(stateOf(7), stateOf(9), { holder: {} })).toEqual(stateOf(8));
	});

	test('counts under another name even if the first poll under it left nothing', () => {
		poll(stateOf(6), stateOf(7), { emits: true });
		locks.claim({ ...usual, name: 'Renamed', holder: {} });
		expect(poll(undefined, stateOf(8), { name: 'Renamed', holder: {} })).toEqual(stateOf(7));
	});

	test('does not count for another node that has the same id', () => {
		const twin = { name: 'Twin', emits: true, holder: {} };
		poll(undefined, stateOf(1));
		poll(undefined, stateOf(1), twin);
		poll(stateOf(1), stateOf(2));
		expect(poll(stateOf(1), stateOf(9), twin)).toEqual(stateOf(1));
		expect(poll(stateOf(2), stateOf(3), { emits: true })).toEqual(stateOf(2));
	});

	test('knows when the provider last responded, no matter how old n8n’s state is', () => {
		poll(stateOf(6, 'test', 600), stateOf(7, 'test', 700));
		expect(poll(stateOf(2, 'test', 200), stateOf(3))).toEqual(stateOf(2, 'test', 700));
	});

	test('counts under another name if n8n stores the state per node, and has dropped it', () => {
		poll(undefined, stateOf(1));
		const renamed = { name: 'Renamed', isScheduled: true, holder: {} };
		expect(poll(undefined, stateOf(2), renamed)).toEqual(stateOf(1));
	});

	test('does not count what was emitted under another name if n8n stores the state per node', () => {
		poll(stateOf(6), stateOf(7), { emits: true, isScheduled: true });
		const renamed = { name: 'Renamed', isScheduled: true };
		expect(poll(stateOf(6), stateOf(7), renamed)).toEqual(stateOf(6));
	});
});
