import { systemClock } from '../../../nodes/n8n/session';

afterEach(() => jest.restoreAllMocks());

test('a clock that is set back an hour does not make a pause longer', async () => {
	const { now } = Date;
	let isSetBack = false;
	jest.spyOn(Date, 'now').mockImplementation(() => now() - (isSetBack ? 3_600_000 : 0));
	const pause = systemClock.sleep(50);
	isSetBack = true;
	await pause;
	expect(systemClock.now()).toBeLessThan(now() - 3_000_000);
});

test('a clock that is set an hour ahead does not end a pause', async () => {
	const { now } = Date;
	const begin = performance.now();
	let leap = 0;
	jest.spyOn(Date, 'now').mockImplementation(() => now() + leap);
	const pause = systemClock.sleep(1_200);
	leap = 3_600_000;
	await pause;
	jest.restoreAllMocks();
	expect(performance.now() - begin).toBeGreaterThanOrEqual(1_190);
});

describe('a long pause', () => {
	beforeEach(() => jest.useFakeTimers());
	afterEach(() => {
		jest.restoreAllMocks();
		jest.useRealTimers();
	});

	const longest = 2 ** 31 - 1;
	/** Only these tests' timers: Node.js connections have their own. */
	const lengths = [500, 1_234, 3_600_000, longest, longest + 1_234];
	const timersOf = async (ms: number, signal?: AbortSignal) => {
		const timers = jest.spyOn(global, 'setTimeout');
		let isOver = false;
		void systemClock.sleep(ms, signal).then(() => (isOver = true));
		while (!isOver) await jest.advanceTimersToNextTimerAsync();
		return timers.mock.calls.flatMap(([, ms]) => (lengths.includes(ms ?? 0) ? ms : []));
	};

	test('that nothing can stop wakes n8n once', async () => {
		expect(await timersOf(3_600_000)).toEqual([3_600_000]);
	});

	test('of more days than a timer allows is two timers, not millions', async () => {
		expect(await timersOf(longest + 1_234)).toEqual([longest, 1_234]);
	});

	test('checks twice a second whether the execution was stopped', async () => {
		expect(await timersOf(2_000, new AbortController().signal)).toEqual([500, 500, 500, 500]);
	});
});
