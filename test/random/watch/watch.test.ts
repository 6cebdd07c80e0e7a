import * as fc from 'fast-check';
import { randomCases } from '../../harness/randomCases';
import { history, Play, usualHistories } from './history';

describe('Watching the account, over random histories of tasks, polls, failures, restarts, edits and lists', () => {
	test('emits each task that ends after activation exactly once, and none that ended before', async () => {
		const { WATCH_SEED, WATCH_PATH } = process.env;
		await fc.assert(
			fc.asyncProperty(history, async (each) => {
				const play = new Play(each);
				await play.run();
				expect(play.judge()).toEqual([]);
			}),
			{
				numRuns: randomCases(usualHistories, 'WATCH_RUNS'),
				// On failure, fast-check prints seed and path.
				...(WATCH_SEED ? { seed: Number(WATCH_SEED) } : {}),
				...(WATCH_PATH ? { path: WATCH_PATH } : {}),
			},
		);
	}, 3_600_000);
});
