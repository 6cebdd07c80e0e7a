import type { FailureKind, Outcome } from '../../../nodes/kling/failure';
import { failed, success } from '../../../nodes/kling/failure';
import { Admission } from '../../../nodes/kling/pace';
import { inParallel } from '../../../nodes/kling/pace';
import {
	failureOfKind,
	ModelProvider,
	type ModelOptions,
} from '../../random/campaign/modelProvider';
import { instantClock } from '../../../tools/instantClock';
import { seeded } from '../../harness/randomCases';
import { RunningClock } from '../../harness/steppedClock';

interface Setting {
	creates: number;
	concurrency?: number;
	minutes?: number;
	seed?: number;
	provider: ModelOptions;
}

/** Creates with a model of a provider; all times are virtual. */
async function simulate({ creates, concurrency = 20, minutes = 60, seed = 1, provider }: Setting) {
	const clock = new RunningClock(seeded(seed));
	const start = clock.now();
	const admission = new Admission({ concurrency, deadline: start + minutes * 60_000 }, clock);
	const model = new ModelProvider(clock, provider);
	const outcomes: Array<Outcome<number> | null> = [];
	await inParallel([...Array(creates).keys()], concurrency * 2, async (index) => {
		outcomes[index] = await admission.pass(async () => await model.create(index));
	});
	const accepted = outcomes.filter((outcome) => outcome?.ok).length;
	const { posts, refused, mostInFlight } = model;
	const end = clock.now() - start;
	return {
		outcomes,
		accepted,
		end,
		posts: posts.map((at) => at - start),
		refused,
		mostInFlight,
		model,
	};
}

describe.each([1, 2, 3])('admission, chance %d', (seed) => {
	test('is as fast as its maximum if there is no limit: 100 creates of 200 ms, 10 at once', async () => {
		const { accepted, end, refused, mostInFlight } = await simulate({
			creates: 100,
			concurrency: 10,
			seed,
			provider: { latencyMs: 200 },
		});
		expect(accepted).toBe(100);
		expect(end).toBe(2_000);
		expect([refused, mostInFlight]).toEqual([0, 10]);
	});

	test.each([10, 20, 100])(
		'fills 10 slots of 3 s with 100 creates within 1.3 times the ideal, %d at once',
		async (concurrency) => {
			const { accepted, end, refused } = await simulate({
				creates: 100,
				concurrency,
				seed,
				provider: { latencyMs: 50, slots: 10, taskMs: 3_000 },
			});
			expect(accepted).toBe(100);
			// The last tasks end 3 s after they were accepted.
			expect(end + 3_000).toBeLessThan(1.3 * 30_000);
			expect(refused).toBeLessThan(200 + concurrency);
		},
	);

	test('stays polite while tasks take five minutes', async () => {
		const { accepted, end, refused, posts } = await simulate({
			creates: 50,
			seed,
			provider: { latencyMs: 200, slots: 10, taskMs: 300_000 },
		});
		expect(accepted).toBe(50);
		// Four times five minutes until the last ten slots are free.
		expect(end).toBeLessThan(1.1 * 4 * 300_000);
		expect(refused).toBeLessThan(4 * 50);
		const inLastMinute = posts.filter((at) => at > 240_000 && at < 300_000);
		expect(inLastMinute.length).toBeLessThan(5);
	});

	test('waits for slots if the gateway only says 429', async () => {
		const { accepted, end, refused } = await simulate({
			creates: 50,
			seed,
			provider: { latencyMs: 200, slots: 10, taskMs: 300_000, refusal: 'tooManyRequests' },
		});
		expect(accepted).toBe(50);
		expect(end).toBeLessThan(1.2 * 4 * 300_000);
		expect(refused).toBeLessThan(4 * 40);
	});

	test('comes down to a rate of 5 per second', async () => {
		const { accepted, end, refused } = await simulate({
			creates: 100,
			seed,
			provider: { latencyMs: 100, perSecond: 5, retryAfterMs: 1_000 },
		});
		expect(accepted).toBe(100);
		expect(end).toBeLessThan(1.5 * 20_000);
		expect(refused).toBeLessThan(120);
	});
});

interface ByHand {
	concurrency?: number;
	deadlineMs?: number;
	stopsAtRefusal?: boolean;
	signal?: AbortSignal;
}

/** One admission with given outcomes. */
function byHand(options: ByHand = {}) {
	const clock = new RunningClock();
	const start = clock.now();
	const deadline = start + (options.deadlineMs ?? 3_600_000);
	const { concurrency = 4, stopsAtRefusal } = options;
	const limits = { concurrency, deadline, stopsAtRefusal };
	const admission = new Admission(limits, clock, options.signal);
	const sends: number[] = [];
	const answering = (...kinds: Array<FailureKind | 'ok'>) => {
		return async (): Promise<Outcome<string>> => {
			sends.push(clock.now() - start);
			const kind = kinds.length > 1 ? kinds.shift() : kinds[0];
			return kind === 'ok' || !kind ? success('task') : failed(failureOfKind(kind));
		};
	};
	return { clock, admission, answering, sends };
}

describe('a create', () => {
	test.each(['tooManyRequests', 'noFreeSlot', 'unreachable'] as const)(
		'is sent again after %s',
		async (kind) => {
			const { admission, answering, sends } = byHand();
			expect(await admission.pass(answering(kind, kind, 'ok'))).toEqual(success('task'));
			const delays = kind === 'noFreeSlot' ? [0, 500, 1_000] : [0, 750, 2_250];
			expect(sends).toEqual(delays);
		},
	);

	test.each([
		'noResponse',
		'providerDown',
		'unreadable',
		'cancelled',
		'accountEmpty',
		'accountBlocked',
		'keyRefused',
		'badRequest',
		'contentRefused',
		'redirected',
		'duplicateExternalId',
		'notAllowed',
		'notOffered',
	] as const)('is not sent again after %s', async (kind) => {
		const { admission, answering, sends } = byHand();
		expect(await admission.pass(answering(kind, 'ok'))).toMatchObject({ failure: { kind } });
		expect(sends).toEqual([0]);
	});

	test('waits for a slot until time runs out, and then says why', async () => {
		const { admission, answering, sends } = byHand({ deadlineMs: 300_000 });
		const outcome = await admission.pass(answering('noFreeSlot'));
		expect(outcome).toMatchObject({ ok: false, failure: { kind: 'noFreeSlot' } });
		expect(sends.at(-1)).toBeLessThan(300_000);
		expect(sends.length).toBeLessThan(35);
		const gaps = sends.slice(1).map((at, index) => at - sends[index]);
		expect(Math.max(...gaps)).toBeLessThanOrEqual(33_000);
	});

	test('waits for a slot as long as the provider asks, within bounds', async () => {
		const { admission, clock } = byHand();
		const sends: number[] = [];
		const replies = [90_000, 5_000, null];
		await admission.pass(async () => {
			sends.push(clock.now());
			const retryAfterMs = replies.shift();
			return retryAfterMs ? failed(failureOfKind('noFreeSlot', { retryAfterMs })) : success('task');
		});
		expect(sends.slice(1).map((at, index) => at - sends[index])).toEqual([60_000, 12_000]);
	});
});

describe('a run', () => {
	test('gives up after ten minutes of refusals without one accepted create, for all its items', async () => {
		const { admission, answering, sends } = byHand();
		const outcomes: unknown[] = [];
		await inParallel([1, 2, 3, 4, 5, 6], 8, async () => {
			outcomes.push(await admission.pass(answering('tooManyRequests')));
		});
		expect(sends.at(-1)).toBeGreaterThan(600_000);
		expect(sends.at(-1)).toBeLessThan(640_000);
		expect(sends.length).toBeLessThan(50);
		expect(admission.stoppedBy).toMatchObject({ kind: 'tooManyRequests' });
		expect(outcomes).toHaveLength(6);
	});

	test('gives up within seconds if nothing is there, for all its items', async () => {
		const { admission, answering, sends } = byHand();
		await inParallel([...Array(100).keys()], 8, async () => {
			await admission.pass(answering('unreachable'));
		});
		expect(sends.at(-1)).toBeLessThan(20_000);
		expect(sends.length).toBeLessThan(20);
		expect(admission.stoppedBy).toMatchObject({ kind: 'unreachable' });
	});

	test('does not come back at once if the hint says 0 seconds', async () => {
		const { admission, clock } = byHand();
		let sends = 0;
		const start = clock.now();
		await admission.pass(async () => {
			sends++;
			return clock.now() - start > 120_000
				? success('task')
				: failed(failureOfKind('tooManyRequests', { retryAfterMs: 0 }));
		});
		expect(sends).toBeLessThan(15);
	});

	test('sends no more once it is stopped, and tells each item so', async () => {
		const { admission, answering, sends } = byHand({ concurrency: 2 });
		const outcomes: unknown[] = [];
		await inParallel([0, 1, 2, 3, 4], 4, async (index) => {
			const outcome = await admission.pass(answering(index === 1 ? 'keyRefused' : 'ok'));
			if (outcome && !outcome.ok) admission.stop(outcome.failure);
			outcomes[index] = outcome?.ok ?? outcome;
		});
		expect(sends.length).toBeLessThan(5);
		expect(outcomes[1]).toBe(false);
		expect(outcomes[4]).toBeNull();
		expect(admission.stoppedBy).toMatchObject({ kind: 'keyRefused' });
	});

	// With one slot, the next create was already sent before the run knew about the first one's refusal.
	test.each([
		['a refused key', 'keyRefused', false, 1],
		['an empty account', 'accountEmpty', false, 1],
		['a refusal of one create, with "Stop"', 'badRequest', true, 1],
		['a refusal of one create, with "Continue"', 'badRequest', false, 5],
		['an external id that exists, with "Stop"', 'duplicateExternalId', true, 5],
		['a lost answer, with "Stop"', 'noResponse', true, 5],
	] as Array<[string, FailureKind, boolean, number]>)(
		'after %s sends as many creates as make sense',
		async (_name, kind, stopsAtRefusal, sent) => {
			const { admission, answering, sends } = byHand({ concurrency: 1, stopsAtRefusal });
			await inParallel([0, 1, 2, 3, 4], 2, async () => {
				await admission.pass(answering(kind));
			});
			expect(sends).toHaveLength(sent);
		},
	);

	test('sends nothing when its time is over or the execution is stopped', async () => {
		const late = byHand({ deadlineMs: 0 });
		expect(await late.admission.pass(late.answering('ok'))).toBeNull();
		const stopped = byHand({ signal: AbortSignal.abort() });
		expect(await stopped.admission.pass(stopped.answering('ok'))).toBeNull();
		expect([...late.sends, ...stopped.sends]).toEqual([]);
	});

	test('is not held up by one slow create', async () => {
		const { admission, clock, answering } = byHand({ concurrency: 2 });
		const ends: number[] = [];
		const start = clock.now();
		await inParallel([0, 1, 2, 3, 4, 5], 4, async (index) => {
			await admission.pass(async () => {
				await clock.sleep(index === 0 ? 60_000 : 100);
				return await answering('ok')();
			});
			ends[index] = clock.now() - start;
		});
		expect(ends).toEqual([60_000, 100, 200, 300, 400, 500]);
	});

	// A file removed from n8n's store throws when read again.
	test('continues when sending one create throws', async () => {
		const { admission, answering } = byHand({ concurrency: 1 });
		const thrown = admission.pass(async () => await Promise.reject(new Error('no file')));
		const next = admission.pass(answering('ok'));
		await expect(thrown).rejects.toThrow('no file');
		expect(await next).toEqual(success('task'));
	});

	test.each([
		['tooManyRequests', 0, 750],
		['tooManyRequests', 100, 850],
		['providerDown', 100, 100],
	] as Array<[FailureKind, number, number]>)(
		'whose first eight creates meet %s after %d ms continues with four, not with one',
		async (kind, latencyMs, nextAt) => {
			const { admission, clock } = byHand({ concurrency: 8 });
			const start = clock.now();
			const sends: number[] = [];
			await inParallel([...Array(16).keys()], 16, async () => {
				await admission.pass<string>(async () => {
					const isFirst = sends.push(clock.now() - start) <= 8;
					await clock.sleep(isFirst ? latencyMs : 100);
					return isFirst ? failed(failureOfKind(kind)) : success('task');
				});
			});
			expect(sends.slice(0, 13)).toEqual([
				...Array(8).fill(0),
				...Array(4).fill(nextAt),
				nextAt + 100,
			]);
		},
	);

	test('slows down while the provider breaks down, and speeds up to its maximum again', async () => {
		const { admission, clock } = byHand({ concurrency: 16 });
		let inFlight = 0;
		const seen: number[] = [];
		let isDown = true;
		await inParallel([...Array(200).keys()], 32, async (index) => {
			await admission.pass<string>(async () => {
				seen[index] = ++inFlight;
				const down = isDown;
				await clock.sleep(100);
				inFlight--;
				if (index === 60) isDown = false;
				return down ? failed(failureOfKind('providerDown')) : success('task');
			});
		});
		expect(Math.max(...seen.slice(0, 16))).toBe(16);
		expect(Math.max(...seen.slice(50, 60))).toBeLessThanOrEqual(2);
		expect(Math.max(...seen.slice(180))).toBeGreaterThan(8);
	});
});

test('a clock that is set back an hour makes neither a pause nor the time for sending longer', async () => {
	const clock = instantClock(0, { setBackMs: 3_600_000 });
	const admission = new Admission({ concurrency: 1, deadline: clock.elapsed() + 600_000 }, clock);
	const answers = [failed(failureOfKind('noFreeSlot')), success(7)];
	expect(await admission.pass(async () => answers.shift()!)).toEqual(success(7));
	expect(clock.sleeps).toHaveLength(1);
	expect(clock.sleeps[0]).toBeLessThan(1_000);

	const start = clock.elapsed();
	await admission.pass(async () => failed(failureOfKind('noFreeSlot')));
	expect(clock.elapsed() - start).toBeLessThanOrEqual(600_000);
	expect(clock.sleeps.every((ms) => ms <= 60_000)).toBe(true);
});
