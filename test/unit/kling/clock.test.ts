import fc from 'fast-check';
import { delayBeforeRetry, longestHintMs } from '../../../nodes/kling/clock';

const least = () => 0;
const most = () => 0.999_999;

describe('the delay before a retry', () => {
	test('doubles from one second to thirty, the last half of it random', () => {
		const delays = (random: () => number) =>
			[1, 2, 3, 4, 5, 6, 7, 20].map((tries) => Math.round(delayBeforeRetry(tries, null, random)));
		expect(delays(least)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
		expect(delays(most)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
	});

	test('follows the provider’s hint, up to a tenth later', () => {
		expect(delayBeforeRetry(1, 7_000, least)).toBe(7_000);
		expect(Math.round(delayBeforeRetry(1, 7_000, most))).toBe(7_700);
	});

	test('limits an absurd hint', () => {
		expect(delayBeforeRetry(1, 86_400_000, least)).toBe(longestHintMs);
		expect(delayBeforeRetry(1, 0, least)).toBe(500);
	});

	test('a provider that refuses again and again with the same short hint is left alone for longer', () => {
		const delays = [1, 2, 3, 4, 6, 8, 9, 12].map((tries) => delayBeforeRetry(tries, 1_000, most));
		expect(delays.map(Math.round)).toEqual([
			1_100, 1_100, 1_100, 1_100, 4_000, 16_000, 30_000, 30_000,
		]);
	});

	test('lies within its bounds for all tries, hints and chances', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 10_000 }),
				fc.option(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
				fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
				(tries, hint, chance) => {
					const delay = delayBeforeRetry(tries, hint, () => chance);
					expect(delay).toBeGreaterThanOrEqual(500);
					expect(delay).toBeLessThanOrEqual(longestHintMs * 1.1);
				},
			),
		);
	});
});
