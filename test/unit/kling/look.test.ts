import type { ApiRequest } from '../../../nodes/kling/http';
import { recordOf } from '../../../nodes/kling/task';
import type { ProviderName, TaskRecord } from '../../../nodes/kling/task';
import { follow, type FollowLimits } from '../../../nodes/kling/look';
import {
	answer,
	list,
	lost,
	notFound,
	refusal,
	scripted,
	task,
	type HttpResult,
} from '../../random/campaign/scripted';
import { instantClock } from '../../../tools/instantClock';
import { seeded } from '../../harness/randomCases';

const ids = (count: number) => Array.from({ length: count }, (_, index) => String(1_000 + index));

function recordsOf(count: number, provider: ProviderName = 'kling'): TaskRecord[] {
	return ids(count).map((taskId) =>
		recordOf(provider, { taskId, effectScene: 'hug_pro', externalTaskId: `x${taskId}` }),
	);
}

interface Setting {
	tasks?: number;
	gets: HttpResult[] | ((request: ApiRequest) => HttpResult);
	provider?: ProviderName;
	minutes?: number;
	limits?: Partial<FollowLimits>;
	random?: () => number;
	signal?: AbortSignal;
	latencyMs?: number;
}

async function run({ tasks = 1, gets, minutes = 30, latencyMs, ...setting }: Setting) {
	const world = scripted({ gets, latencyMs }, setting);
	const { clock, client, signal } = world;
	const deadline = clock.now() + minutes * 60_000;
	const limits = { deadline, intervalMs: 10_000, firstLookMs: 10_000, ...setting.limits };
	const given = recordsOf(tasks, setting.provider);
	const followed = await follow(given, limits, { client, clock, signal });
	const lists = world.sent.filter(({ request }) => request.query?.pageNum !== undefined);
	return { ...world, followed, lists, end: clock.now() - world.start };
}

const inTime = (followed: TaskRecord[]): number =>
	followed.filter(({ task: { status } }) => status === 'succeed').length;

const idOf = ({ path }: ApiRequest) => path.split('/').at(-1) ?? '';
const isList = ({ query }: ApiRequest) => query?.pageNum !== undefined;

describe('a wait', () => {
	test('looks after the interval for the first time, and ends with the task', async () => {
		const { followed, gets } = await run({
			gets: [task('1000', 'processing'), task('1000', 'succeed')],
		});
		expect(gets()).toEqual([10_000, 20_000]);
		expect(followed).toMatchObject([
			{ task: { status: 'succeed', effectScene: 'hug_pro', externalTaskId: 'x1000' } },
		]);
	});

	test('does not look at what has already ended', async () => {
		const { sent } = await run({ tasks: 0, gets: [] });
		expect(sent).toEqual([]);
	});

	test('keeps the id that can be requested, even if the response has another', async () => {
		const { followed, sent } = await run({
			gets: [task('other', 'processing'), task('other', 'succeed')],
		});
		expect(new Set(sent.map(({ path }) => path))).toEqual(new Set(['/v1/videos/effects/1000']));
		expect(followed).toMatchObject([{ task: { taskId: '1000', status: 'succeed' } }]);
	});

	test('leaves a tenth of the interval to chance', async () => {
		const { gets } = await run({ gets: [task('1000', 'processing')], random: seeded(3) });
		const pauses = gets()
			.map((at, index, all) => at - (all[index - 1] ?? 0))
			.slice(1, -1);
		expect(Math.min(...pauses)).toBeGreaterThanOrEqual(9_000);
		expect(Math.max(...pauses)).toBeLessThanOrEqual(11_000);
		expect(new Set(pauses.map(Math.round)).size).toBeGreaterThan(100);
	});

	test('returns the last state at the deadline, after a last look', async () => {
		const { followed, gets, end } = await run({ gets: [task('1000', 'processing')], minutes: 0.5 });
		expect(gets()).toEqual([10_000, 20_000, 30_000]);
		expect(end).toBe(30_000);
		expect(followed).toMatchObject([{ task: { status: 'processing' } }]);
	});

	test('looks once, at once, if it has no time', async () => {
		const { followed, gets } = await run({ gets: [task('1000', 'succeed')], minutes: 0 });
		expect(gets()).toEqual([0]);
		expect(followed).toMatchObject([{ task: { status: 'succeed' } }]);
	});

	test('treats an undocumented status as still running', async () => {
		const { followed, gets } = await run({
			gets: [task('1000', 'reviewing'), task('1000', ''), task('1000', 'succeed')],
		});
		expect(gets()).toHaveLength(3);
		expect(followed).toMatchObject([{ task: { status: 'succeed' } }]);
	});

	test.each([
		['lost answers', lost],
		['a provider that is down', refusal(5001)],
		['too many requests', refusal(1302)],
		['web pages', answer(502, '<html></html>')],
		['undocumented shapes', answer(200, { ok: true })],
		['a task that is not shown for a while', notFound],
		['a refused key', refusal(1002)],
	])('survives %s until its deadline', async (_name, reply) => {
		const whole = await run({ gets: [reply], minutes: 10 });
		expect(whole.gets().length).toBeGreaterThan(15);
		expect(whole.end).toBe(600_000);
		expect(whole.followed).toMatchObject([{ task: { taskId: '1000', status: 'submitted' } }]);
		const passing = await run({ gets: [reply, reply, reply, task('1000', 'succeed')] });
		expect(passing.followed).toMatchObject([{ task: { status: 'succeed' } }]);
		expect(passing.gets()).toHaveLength(4);
	});

	test('waits longer while the provider refuses, as it asks and within bounds', async () => {
		const hints: Array<Record<string, string>> = [
			{ 'retry-after': '45' },
			{ 'retry-after': '3600' },
			{},
			{},
			{},
			{},
			{},
		];
		const { gets } = await run({
			gets: [...hints.map((hint) => refusal(1302, hint)), task('1000', 'succeed')],
			minutes: 60,
		});
		const pauses = gets().map((at, index, all) => at - (all[index - 1] ?? 0));
		expect(pauses.map(Math.round)).toEqual([
			10_000, 47_250, 63_000, 10_000, 10_000, 12_000, 22_500, 22_500,
		]);
	});

	test('ends within two seconds when the execution is stopped, with what is known', async () => {
		const stop = new AbortController();
		const { followed, gets } = await run({
			tasks: 3,
			gets: (request) => {
				stop.abort();
				return task(idOf(request), 'processing');
			},
			signal: stop.signal,
		});
		expect(gets().length).toBeLessThanOrEqual(3);
		expect(followed.map(({ task: { taskId } }) => taskId)).toEqual(ids(3));
		expect(inTime(followed)).toBe(0);
	});
});

describe('a wait for many tasks', () => {
	test('does not ask for the list when the execution is stopped while it sleeps', async () => {
		const stop = new AbortController();
		const running = run({ tasks: 12, gets: [list()], signal: stop.signal });
		stop.abort();
		const { sent, followed } = await running;
		expect(sent).toEqual([]);
		expect(followed.map(({ task: { taskId } }) => taskId)).toEqual(ids(12));
	});

	test('reads the list, one request for up to 500 tasks and tick', async () => {
		const all = ids(500);
		let reads = 0;
		const { sent, lists, followed } = await run({
			tasks: 500,
			gets: () =>
				list(
					...all.map((id): [string, string] => [id, ++reads > 1_000 ? 'succeed' : 'processing']),
				),
		});
		expect(sent).toHaveLength(lists.length);
		expect(lists).toHaveLength(3);
		expect(lists[0].request.query).toEqual({ pageNum: 1, pageSize: 500 });
		expect(inTime(followed)).toBe(500);
		expect(followed.map(({ task: { taskId } }) => taskId)).toEqual(all);
	});

	test('reads two pages for 600 tasks', async () => {
		const all = ids(600);
		const { lists, sent, followed } = await run({
			tasks: 600,
			gets: ({ query }) => {
				const page = Number(query?.pageNum);
				const shown = all.slice((page - 1) * 500, page * 500);
				return list(...shown.map((id): [string, string] => [id, 'succeed']));
			},
		});
		expect([lists.length, sent.length]).toEqual([2, 2]);
		expect(inTime(followed)).toBe(600);
	});

	test('requests the few tasks by id that the list does not show', async () => {
		const { sent, followed } = await run({
			tasks: 20,
			gets: (request) =>
				isList(request)
					? list(...ids(18).map((id): [string, string] => [id, 'succeed']))
					: task(idOf(request), 'succeed'),
		});
		expect(sent.map(({ path }) => path.split('/').at(-1))).toEqual(['effects', '1018', '1019']);
		expect(inTime(followed)).toBe(20);
	});

	test('ignores a list that starts with the account’s oldest tasks', async () => {
		let rounds = 0;
		const { lists, followed } = await run({
			tasks: 20,
			gets: (request) => {
				if (isList(request)) return list(['1', 'succeed'], ['2', 'succeed']);
				return task(idOf(request), ++rounds > 40 ? 'succeed' : 'processing');
			},
		});
		expect(lists).toHaveLength(1);
		expect(inTime(followed)).toBe(20);
	});

	test.each([
		['is refused', refusal(1103), 1],
		['is not there', notFound, 1],
		['is down again and again', refusal(5000), 2],
		['has an undocumented shape', answer(200, { code: 0, data: [{ odd: 1 }] }), 2],
	])('goes by id if the list %s', async (_name, reply, reads) => {
		const { lists, followed } = await run({
			tasks: 12,
			gets: (request) => (isList(request) ? reply : task(idOf(request), 'succeed')),
		});
		expect(lists).toHaveLength(reads);
		expect(inTime(followed)).toBe(12);
	});

	test('keeps using a list that leaves out a few', async () => {
		let rounds = 0;
		const { lists, followed } = await run({
			tasks: 20,
			gets: (request) => {
				if (!isList(request)) return task(idOf(request), 'succeed');
				const status = ++rounds === 3 ? 'succeed' : 'processing';
				return list(...ids(18).map((id): [string, string] => [id, status]));
			},
		});
		expect(lists).toHaveLength(3);
		expect(inTime(followed)).toBe(20);
	});

	test('reads no page after one that is not full', async () => {
		const { lists, followed } = await run({
			tasks: 600,
			gets: (request) =>
				isList(request)
					? list(...ids(499).map((id): [string, string] => [id, 'succeed']))
					: task(idOf(request), 'succeed'),
		});
		expect(lists).toHaveLength(1);
		expect(inTime(followed)).toBe(600);
	});

	test('keeps using a list that is down now and then', async () => {
		let reads = 0;
		const { lists, sent, followed } = await run({
			tasks: 12,
			gets: () => {
				reads++;
				if (reads % 2 === 1) return refusal(5000);
				const status = reads === 6 ? 'succeed' : 'processing';
				return list(...ids(12).map((id): [string, string] => [id, status]));
			},
		});
		expect([lists.length, sent.length]).toEqual([6, 6]);
		expect(inTime(followed)).toBe(12);
	});

	test('goes by id in the same round where only the list is refused', async () => {
		const { sent, followed } = await run({
			tasks: 12,
			gets: (request) => (isList(request) ? refusal(1201) : task(idOf(request), 'succeed')),
		});
		expect(sent.map(({ at }) => at)).toEqual(Array(13).fill(10_000));
		expect(inTime(followed)).toBe(12);
	});

	test('requests nothing else in a round if the list was refused for a reason that hits every read', async () => {
		const { sent } = await run({
			tasks: 12,
			gets: (request) => (isList(request) ? refusal(1103) : task(idOf(request), 'succeed')),
		});
		expect(sent.map(({ at }) => at)).toEqual([10_000, ...Array<number>(12).fill(sent[1].at)]);
		expect(sent[1].at).toBeGreaterThan(15_000);
	});

	test('reads every task in turn even if each round breaks off', async () => {
		let asked = 0;
		const { sent } = await run({
			tasks: 60,
			provider: 'cometApi',
			minutes: 3,
			gets: (request) =>
				++asked % 25 === 0
					? answer(429, { error: { message: 'slow down' } })
					: task(idOf(request), 'processing'),
		});
		expect(new Set(sent.map(({ request }) => idOf(request))).size).toBe(60);
	});

	test('goes by id if there is no list, ten at once', async () => {
		let inFlight = 0;
		let most = 0;
		const world = scripted({ gets: [] }, { provider: 'cometApi' });
		const { clock } = world;
		const client = Object.assign(Object.create(world.client) as typeof world.client, {
			getOnce: async (taskId: string) => {
				most = Math.max(most, ++inFlight);
				await clock.sleep(100);
				inFlight--;
				const record = recordOf('cometApi', { taskId, status: 'succeed' });
				return { ok: true as const, value: record };
			},
		});
		const limits = { deadline: clock.now() + 600_000, intervalMs: 10_000, firstLookMs: 10_000 };
		const followed = await follow(recordsOf(45, 'cometApi'), limits, { client, clock });
		expect(most).toBe(10);
		expect(clock.now() - world.start).toBe(10_500);
		expect(inTime(followed)).toBe(45);
	});

	test('stops a round that the provider refuses, and starts the next where it stopped', async () => {
		let asked = 0;
		const { sent, followed } = await run({
			tasks: 60,
			provider: 'cometApi',
			minutes: 5,
			gets: (request) => {
				asked++;
				return asked % 25 === 0
					? answer(429, { error: { message: 'slow down' } })
					: task(idOf(request), 'succeed');
			},
		});
		const perTick = new Map<number, number>();
		for (const { at } of sent) perTick.set(at, (perTick.get(at) ?? 0) + 1);
		expect(Math.max(...perTick.values())).toBeLessThan(40);
		expect(inTime(followed)).toBe(60);
	});

	test('ends soon after its deadline although each response takes half a minute', async () => {
		const { end, followed } = await run({
			tasks: 200,
			provider: 'cometApi',
			minutes: 1,
			latencyMs: 30_000,
			gets: [lost],
		});
		expect(end).toBeLessThan(60_000 + 10_000 + 31_000);
		expect(followed).toHaveLength(200);
	});
});

test('a clock that is set back an hour with each look does not make a wait longer', async () => {
	const { client } = scripted({ gets: [task('1000', 'processing')] });
	const clock = instantClock(0, { setBackMs: 3_600_000 });
	const limits = { deadline: 60_000, intervalMs: 10_000, firstLookMs: 10_000 };
	const [{ task: last }] = await follow(recordsOf(1), limits, { client, clock });
	expect(last.status).toBe('processing');
	expect(clock.elapsed()).toBe(60_000);
});
