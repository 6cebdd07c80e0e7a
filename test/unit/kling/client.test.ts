import { behaviours } from '../../../nodes/kling/failure';
import type { OrderWithImages } from '../../../nodes/kling/providers/provider';
import {
	answer,
	list,
	lost,
	notFound,
	refusal,
	scripted,
	task,
	unreachable,
} from '../../random/campaign/scripted';

const order: OrderWithImages = { effectScene: 'hug_pro', images: ['https://example.com/a.jpg'] };

/** Jitter in the middle: a back-off of 0.75 of its full length. */
const backOffs = [750, 1_500, 3_000];

describe('reads', () => {
	test.each([
		['a 500', answer(500, 'oops')],
		['a 503 in the words of Kling', refusal(5001)],
		['too many requests', refusal(1302)],
		['a lost answer', lost],
		['an address that cannot be reached', unreachable],
		['a web page', answer(502, '<html></html>')],
		['a broken body', answer(200, '{"code":0,"da')],
	])('are repeated after %s, each time later', async (_name, reply) => {
		const { client, gets } = scripted({ gets: [reply, reply, reply, task('1', 'processing')] });
		const outcome = await client.get('1');
		expect(outcome).toMatchObject({ ok: true, value: { task: { taskId: '1' } } });
		expect(gets()).toEqual([0, 750, 2_250, 5_250]);
	});

	test('give up after four tries, with the last failure', async () => {
		const { client, clock } = scripted({ gets: [lost, lost, lost, refusal(5000)] });
		expect(await client.get('1')).toMatchObject({ ok: false, failure: { code: '5000' } });
		expect(clock.sleeps.filter((ms) => ms > 0)).toEqual(backOffs);
	});

	test.each([
		['seconds', { 'retry-after': '7' }, 7_350],
		['a date', { 'retry-after': new Date(1_795_000_009_000).toUTCString() }, 9_450],
		[
			'a date by a clock that differs from this one',
			{
				'retry-after': 'Sat, 21 Nov 2026 05:00:09 GMT',
				date: 'Sat, 21 Nov 2026 05:00:00 GMT',
			},
			9_450,
		],
		["Modellix's moment of reset", { 'x-ratelimit-reset': '1795000004' }, 4_200],
		['an absurd time', { 'retry-after': '86400' }, 63_000],
		['no time at all', { 'retry-after': '0' }, 525],
		['nonsense', { 'retry-after': 'soon' }, 750],
		['a negative time', { 'retry-after': '-5' }, 750],
	])('wait as the provider asks: %s', async (_name, headers, delay) => {
		const { client, gets } = scripted({ gets: [refusal(1302, headers), task('1')] });
		await client.get('1');
		expect(gets()).toEqual([0, delay]);
	});

	test.each([1000, 1002, 1100, 1101, 1102, 1103, 1200, 1203, 1301, 1304])(
		'are not repeated after code %d, although some come as HTTP 429',
		async (code) => {
			const { client, gets } = scripted({ gets: [refusal(code, { 'retry-after': '1' })] });
			expect(await client.get('1')).toMatchObject({ ok: false, failure: { code: String(code) } });
			expect(gets()).toHaveLength(1);
		},
	);

	test('end at once when the execution is stopped', async () => {
		const stop = new AbortController();
		const { client, gets } = scripted(
			{
				gets: () => {
					stop.abort();
					return lost;
				},
			},
			{ signal: stop.signal },
		);
		expect(await client.get('1')).toMatchObject({ ok: false });
		expect(gets()).toHaveLength(1);
	});
});

describe('pages of the list', () => {
	test('show a task that has moved to the next page once, and end with a page without new ones', async () => {
		const { client, gets } = scripted({
			gets: [
				list(['3', 'succeed'], ['2', 'succeed']),
				list(['2', 'succeed'], ['1', 'succeed']),
				list(),
			],
		});
		const seen: string[] = [];
		for await (const page of client.listAll(2)) {
			if (page.ok) seen.push(...page.value.map((record) => record.task.taskId));
		}
		expect(seen).toEqual(['3', '2', '1']);
		expect(gets()).toHaveLength(3);
	});
});

describe('a create', () => {
	test.each([
		['a lost answer', lost],
		['an unreachable address', unreachable],
		['a 500', refusal(5000)],
		['too many requests', refusal(1302)],
		['no free place', refusal(1303)],
		['an empty account', refusal(1102)],
	])('is sent once by the client itself, even after %s', async (_name, reply) => {
		const { client, posts } = scripted({ posts: [reply] });
		expect((await client.create(order)).ok).toBe(false);
		expect(posts()).toHaveLength(1);
	});

	test('is sent once more with the provider’s clock after a signature whose time was off', async () => {
		const date = 'Sat, 21 Nov 2026 05:00:00 GMT';
		const { client, sent } = scripted({
			posts: [refusal(1003, { date }), refusal(1003, { date })],
		});
		const outcome = await client.create(order);
		expect(outcome).toMatchObject({ ok: false, failure: { kind: 'keyRefused', code: '1003' } });
		expect(sent.map(({ request }) => request.providerTime)).toEqual([undefined, date]);
	});

	test('goes to Modellix’s older addresses only after a 404, and remembers the one that exists', async () => {
		const gone = answer(404, { code: 404, message: 'Not Found' });
		const made = answer(200, { code: 0, data: { task_id: 'm-1', status: 'pending' } });
		const { client, sent } = scripted({ posts: [gone, made] }, { provider: 'modellix' });
		await client.create(order);
		await client.create(order);
		const paths = sent.map(({ path }) => path.split('kling-video-effects')[1]);
		expect(paths).toEqual(['', '/async', '/async']);
	});

	test('with a page that says 404 is not called a task that is not found', async () => {
		const { client } = scripted({ posts: [notFound] });
		expect(await client.create(order)).toMatchObject({ failure: { kind: 'notOffered' } });
	});

	test.each([
		[refusal(1302), false],
		[refusal(1102), false],
		[refusal(5000), true],
		[answer(200, { code: 0, message: 'SUCCEED', data: {} }), true],
		[answer(200, ''), true],
		[answer(408, ''), true],
		[answer(504, '<html></html>'), true],
		[answer(303, ''), true],
		[answer(301, ''), false],
		[lost, true],
		[unreachable, false],
	])('knows whether a task may have been made (%#)', async (reply, mayHaveCreated) => {
		const { client } = scripted({ posts: [reply] });
		const outcome = await client.create(order);
		expect(!outcome.ok && behaviours[outcome.failure.kind].create === 'unclear').toBe(
			mayHaveCreated,
		);
	});
});

describe('what time it is for the provider', () => {
	const told = { date: 'Sat, 21 Nov 2026 05:00:00 GMT' };

	test.each([
		['stands in a response', answer(200, { code: 0, data: [] }, told), Date.UTC(2026, 10, 21, 5)],
		['stands in a refusal', refusal(5000, told), Date.UTC(2026, 10, 21, 5)],
		['is the time of n8n where a response does not say', list(), list().at],
		[
			'is the time of n8n where a response says one that is weeks ahead',
			answer(200, { code: 0, data: [] }, { date: 'Thu, 31 Dec 2026 05:00:00 GMT' }),
			list().at,
		],
	])('%s', async (_name, response, time) => {
		const { client } = scripted({ gets: [response] });
		expect((await client.listOnce(1)).providerTime).toBe(time);
	});

	test('is unknown where nothing came', async () => {
		const { client } = scripted({ gets: [lost] });
		expect((await client.getOnce('1')).providerTime).toBeNull();
	});
});
