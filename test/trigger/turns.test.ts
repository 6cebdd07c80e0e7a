import { Turns } from '../../nodes/KlingEffectsTrigger/turns';

describe('The turns of polls', () => {
	test('lets one poll of a node run at a time', () => {
		const turns = new Turns();
		const turn = turns.begin('a', 0, 45_000);
		expect(turns.begin('a', 60_000, 45_000)).toBeNull();
		expect(turns.begin('b', 60_000, 45_000)).not.toBeNull();
		turn?.end();
		expect(turns.begin('a', 60_001, 45_000)).not.toBeNull();
	});

	test('takes the turn from a poll that never ends, which then may store nothing', () => {
		const turns = new Turns();
		const stuck = turns.begin('a', 0, 45_000);
		const next = turns.begin('a', 105_001, 45_000);
		expect(stuck?.isValid).toBe(false);
		expect(next?.isValid).toBe(true);
		stuck?.end();
		expect(turns.begin('a', 106_000, 45_000)).toBeNull();
	});

	test('counts failures in a row', () => {
		const turns = new Turns();
		const poll = () => {
			const turn = turns.begin('a', 0, 1);
			turn?.end();
			return turn;
		};
		expect(poll()?.noteFailure()).toBe(1);
		expect(poll()?.noteFailure()).toBe(2);
		poll()?.noteSuccess();
		expect(poll()?.noteFailure()).toBe(1);
	});
});
