import * as fc from 'fast-check';
import { history, Play, usualHistories } from './history';

/**
 * `tsx test/random/watch/count.ts 50000 [seed]`: plays this many histories and reports how many went
 * wrong, with the first few of them.
 */
const [runs = String(usualHistories), seed = '1'] = process.argv.slice(2);
void main();

async function main(): Promise<void> {
	const wrong: string[] = [];
	let stateBytes = 0;
	for (const each of fc.sample(history, { numRuns: Number(runs), seed: Number(seed) })) {
		const play = new Play(each);
		const found = await judged(play);
		stateBytes = Math.max(stateBytes, play.runner.largestState);
		if (found.length > 0) wrong.push(`${found.slice(0, 3).join('; ')} in ${JSON.stringify(each)}`);
	}
	if (process.env.WATCH_SHOW)
		console.log(wrong.slice(0, Number(process.env.WATCH_SHOW)).join('\n'));
	console.log(JSON.stringify({ histories: Number(runs), wrong: wrong.length, stateBytes }));
}

/** A missing rule may also make a history end with an exception. */
async function judged(play: Play): Promise<string[]> {
	try {
		await play.run();
		return play.judge();
	} catch (error) {
		return [String(error)];
	}
}
