import { SelfCalls } from '../../../../nodes/KlingEffects/afterTask/selfCalls';
import { postToOwnAddress } from '../../../../nodes/KlingEffects/afterTask/selfCalls';
import { SteppedClock } from '../../../harness/steppedClock';
import { seconds } from '../../../harness/callbackBed';

const { post } = postToOwnAddress;
afterEach(() => {
	postToOwnAddress.post = post;
});

const deadlineAt = 60;

/** The times of the calls, in seconds after the start; the last response is repeated. */
async function callsOf(answers: number[], { justAsleep = false, until = 600 } = {}) {
	const clock = new SteppedClock();
	const start = clock.now();
	const calls: number[] = [];
	postToOwnAddress.post = async () => {
		calls.push((clock.now() - start) / seconds);
		return answers[Math.min(calls.length, answers.length) - 1];
	};
	const address = {
		resumeUrl: 'https://n8n.example.com/webhook-waiting/1',
		deadline: start + deadlineAt * seconds,
		token: 'token',
	};
	const storedBy = justAsleep ? start + 15 * seconds : undefined;
	const selfCalls = new SelfCalls(address, clock, storedBy);
	void selfCalls.callSoon();
	await clock.advance(until * seconds);
	return { calls, selfCalls, clock };
}

const soon = (calls: number[]) => calls.filter((at) => at < deadlineAt);
const late = (calls: number[]) => calls.filter((at) => at >= deadlineAt);

test.each([
	['a task that is still open: three times', [202], [3, 9, 21]],
	['an execution that woke up: no more', [202, 200], [3, 9]],
	['tasks that could not be looked at: on until the deadline', [503], [3, 9, 21, 43.5]],
	['an n8n that does not answer: the same', [0], [3, 9, 21, 43.5]],
	['tasks that could be looked at after a while: no more', [503, 503, 503, 202], [3, 9, 21, 43.5]],
	['an execution that is over: no more', [409], [3]],
	['an execution that is gone: no more', [404], [3]],
])('soon calls for %s', async (_name, answers, times) => {
	expect(soon((await callsOf(answers)).calls)).toEqual(times);
});

test.each([404, 409])(
	'an answer %i of n8n ends the calls only once it surely has stored the execution',
	async (status) => {
		const { calls } = await callsOf([status], { justAsleep: true });
		expect(soon(calls)).toEqual([3, 9, 21]);
	},
);

test('another callback starts the three calls again, and no second series beside them', async () => {
	const { calls, selfCalls, clock } = await callsOf([202], { until: 10 });
	void selfCalls.callSoon();
	await clock.advance(40 * seconds);
	expect(soon(calls)).toEqual([3, 9, 21, 27, 39]);
});

test('a callback after the calls have ended brings three more', async () => {
	const { calls, selfCalls, clock } = await callsOf([202], { until: 25 });
	void selfCalls.callSoon();
	await clock.advance(30 * seconds);
	expect(soon(calls)).toEqual([3, 9, 21, 28, 34, 46]);
});

test('at the deadline it calls until the execution is awake or over, for two minutes at most', async () => {
	expect(late((await callsOf([202, 202, 202, 503, 0, 200])).calls)).toEqual([60, 60.75, 62.25]);
	expect(late((await callsOf([200, 404])).calls)).toEqual([60]);
	const { calls } = await callsOf([202]);
	expect(late(calls)).toEqual([
		60, 60.75, 62.25, 65.25, 71.25, 83.25, 105.75, 128.25, 150.75, 173.25,
	]);
});
