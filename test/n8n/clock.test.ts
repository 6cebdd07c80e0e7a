import { systemClock } from '../../nodes/n8n/clock';

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
	expect(performance.now() - begin).toBeGreaterThanOrEqual(1_190);
});
