import type { ApiRequest } from '../../../../nodes/kling/http';
import type { Order } from '../../../../nodes/kling/providers/provider';
import type { ProviderName } from '../../../../nodes/kling/task';
import { Admission } from '../../../../nodes/kling/pace';
import type { Entry, Remembered } from '../../../../nodes/kling/create/entry';
import { submit } from '../../../../nodes/kling/create/submit';
import {
	answer,
	cancelled,
	duplicate,
	lost,
	notFound,
	refusal,
	scripted,
	task,
	unreachable,
	type HttpResult,
} from '../../../random/campaign/scripted';

const order: Order = { effectScene: 'hug_pro', externalTaskId: 'key-1' };
const page404 = answer(404, '<!doctype html><title>Not Found</title>');

interface Setting {
	posts?: HttpResult[] | ((request: ApiRequest) => HttpResult);
	gets?: HttpResult[] | ((request: ApiRequest) => HttpResult);
	provider?: ProviderName;
	earlier?: Remembered | null;
	taken?: string[];
	signal?: AbortSignal;
	terms?: Order;
	deadlineMs?: number;
}

async function run({ posts, gets, earlier, taken = [], terms = order, ...more }: Setting) {
	const world = scripted({ posts, gets }, more);
	const { clock, client, signal } = world;
	const history: Array<Remembered | null> = earlier ? [earlier] : [];
	const memory: Entry = {
		externalTaskId: 'made',
		recall: () => history.at(-1) ?? null,
		remember: (entry) => void history.push(entry),
		isTaken: (taskId) => taken.includes(taskId),
		ownsOlder: true,
	};
	const deadline = clock.now() + (more.deadlineMs ?? 600_000);
	const admission = new Admission({ concurrency: 5, deadline }, clock, signal);
	const send = async (sent: Order) =>
		await client.create({ ...sent, images: ['https://example.com/a.jpg'] });
	const dependencies = { send, client, admission, memory, clock, signal };
	const submission = await submit(terms, dependencies);
	return { ...world, submission, history, last: history.at(-1) };
}

const page = answer(200, '<html>');
const earlierTry: Remembered = { state: 'sending', externalTaskId: 'key-1' };
const own = { outcome: 'found', isEarlier: false };
const notOwn = { outcome: 'found', isEarlier: true };
const unknown = (kind: string, lookUp: string | null = null) => ({
	outcome: 'unknown',
	failure: { kind },
	lookUp: lookUp && { kind: lookUp },
});
const none = (times: number) => Array.from({ length: times }, () => notFound);

/** How one create proceeds: whether it is sent or looked up, row by row. */
test.each<[string, Setting, object, number]>([
	['accepted', { posts: [task('7')] }, { outcome: 'created' }, 1],
	['never sent', { deadlineMs: 0 }, { outcome: 'notSent' }, 0],
	['refused', { posts: [refusal(1201)] }, { outcome: 'refused', failure: { code: '1201' } }, 1],
	[
		'accepted at the second try, after too many requests',
		{ posts: [refusal(1302), task('7')] },
		{ outcome: 'created' },
		2,
	],
	['lost and found', { posts: [lost], gets: [task('7')] }, own, 1],
	['lost and found, unverified', { provider: 'kkiai', posts: [lost], gets: [task('7')] }, own, 1],
	['lost, no look-up', { provider: 'modellix', posts: [lost] }, unknown('noResponse'), 1],
	['cancelled', { posts: [cancelled] }, unknown('cancelled'), 1],
	['the id exists, found', { posts: [duplicate], gets: [task('7')] }, notOwn, 1],
	[
		'the id exists, not found',
		{ posts: [duplicate], gets: [notFound] },
		unknown('duplicateExternalId'),
		1,
	],
	[
		'the id exists after a lost answer, found',
		{ posts: [lost, duplicate], gets: [...none(3), task('7')] },
		own,
		2,
	],
	[
		'lost, absent, accepted',
		{ posts: [lost, task('7')], gets: [notFound] },
		{ outcome: 'created' },
		2,
	],
	[
		'lost and absent where that proves nothing',
		{ provider: 'cometApi', posts: [lost], gets: [notFound] },
		unknown('noResponse'),
		1,
	],
	[
		'lost, and the look-up is down',
		{ posts: [lost], gets: [refusal(5000)] },
		unknown('noResponse', 'providerDown'),
		1,
	],
	['lost and absent three times', { posts: [lost], gets: [notFound] }, unknown('noResponse'), 3],
	[
		'its time is over after a lost answer',
		{ posts: [page], gets: [notFound], deadlineMs: 5_000 },
		unknown('unreadable'),
		1,
	],
	[
		'refused after a lost answer, and absent',
		{ posts: [lost, refusal(1102)], gets: [notFound] },
		{ ...unknown('noResponse'), refusal: { kind: 'accountEmpty' } },
		2,
	],
	[
		'refused after a lost answer, and found',
		{ posts: [lost, refusal(1102)], gets: [...none(3), task('7')] },
		own,
		2,
	],
	['sent by an earlier try, found', { earlier: earlierTry, gets: [task('7')] }, own, 0],
	[
		'sent by an earlier try, no look-up',
		{ provider: 'apiModels', earlier: { state: 'sending' } },
		unknown('noResponse'),
		0,
	],
	[
		'sent by an earlier try, absent, accepted',
		{ earlier: earlierTry, posts: [task('7')], gets: [notFound] },
		{ outcome: 'created' },
		1,
	],
	[
		'its time is over after an earlier try',
		{ earlier: earlierTry, gets: [notFound], deadlineMs: 5_000 },
		unknown('noResponse'),
		0,
	],
])('%s', async (_name, setting, expected, times) => {
	const { submission, posts } = await run(setting);
	expect(submission).toMatchObject(expected);
	expect(posts()).toHaveLength(times);
});

/** In every possible order of responses. */
test.each(['kling', 'cometApi', 'modellix'])(
	'nothing is sent again while a request may have been accepted: %s',
	async (provider) => {
		const replies = [lost, refusal(1201), duplicate, refusal(5000), cancelled];
		const looks = [notFound, refusal(5000), refusal(1002), page404];
		const pairs = replies.flatMap((reply) => looks.map((look) => [reply, look] as const));
		for (const [first, firstLook] of pairs) {
			for (const [second, secondLook] of pairs) {
				for (const earlier of [null, earlierTry]) {
					const state = { posts: 0, last: '' };
					const { sent, submission } = await run({
						provider,
						earlier,
						posts: () => {
							// Only what the provider has confirmed as missing is sent again.
							if (state.posts > 0 || earlier)
								expect([provider, state.last]).toEqual(['kling', '404 json']);
							return [first, second, lost][state.posts++];
						},
						gets: () => {
							const look = state.posts < 2 ? firstLook : secondLook;
							state.last = look === notFound ? '404 json' : 'other';
							return look;
						},
					});
					expect(state.posts).toBeLessThan(4);
					const mayBePaid = sent.some(({ method }) => method === 'POST') || earlier !== null;
					if (submission.outcome === 'refused') expect(state.posts).toBe(1);
					if (submission.outcome === 'notSent') expect(mayBePaid).toBe(false);
				}
			}
		}
	},
);

describe('a create whose answer is lost', () => {
	test('is looked up and found, and not sent again', async () => {
		const { submission, posts, gets, last } = await run({
			posts: [lost],
			gets: [notFound, task('7', 'processing')],
		});
		expect(submission).toMatchObject({ outcome: 'found', isEarlier: false });
		expect(submission).toMatchObject({
			record: { task: { taskId: '7', externalTaskId: 'key-1', effectScene: 'hug_pro' } },
		});
		expect(posts()).toEqual([0]);
		expect(gets()).toEqual([500, 2_000]);
		expect(last).toEqual({
			state: 'created',
			taskId: '7',
			status: 'processing',
			externalTaskId: 'key-1',
			order: { effectScene: 'hug_pro' },
		});
	});

	test('is sent again with the same id once it was not found for six seconds', async () => {
		const { submission, sent, posts, gets } = await run({
			posts: [lost, task('7')],
			gets: [notFound],
		});
		expect(submission).toMatchObject({ outcome: 'created' });
		expect(gets()).toEqual([500, 2_000, 6_000]);
		expect(posts()).toEqual([0, 6_000]);
		const ids = sent.flatMap(({ request }) => request.body?.external_task_id ?? []);
		expect(ids).toEqual(['key-1', 'key-1']);
	});

	// Found by the campaign: the provider showed the task of the last request only after 15 s.
	test('three times is not called refused: the last request may have been accepted', async () => {
		const { submission, posts, last } = await run({ posts: [lost], gets: [notFound] });
		expect(submission).toMatchObject({
			outcome: 'unknown',
			externalTaskId: 'key-1',
			lookUp: null,
			failure: { kind: 'noResponse' },
		});
		expect(posts()).toHaveLength(3);
		expect(last).toMatchObject({ state: 'sending' });
	});

	test('is found if the repeat is refused because the lost one used the last credit', async () => {
		const { submission, posts } = await run({
			posts: [lost, refusal(1102)],
			gets: [notFound, notFound, notFound, task('7')],
		});
		expect(submission).toMatchObject({ outcome: 'found', record: { task: { taskId: '7' } } });
		expect(posts()).toHaveLength(2);
	});

	test('is not called refused if only the repeat is', async () => {
		const { submission, last } = await run({ posts: [lost, refusal(1102)], gets: [notFound] });
		expect(submission).toMatchObject({
			outcome: 'unknown',
			failure: { kind: 'noResponse' },
			refusal: { kind: 'accountEmpty' },
		});
		expect(last).toMatchObject({ state: 'sending' });
	});

	test('is found if the repeat is refused for its id, in any wording', async () => {
		const oddWords = answer(400, { code: 1201, message: 'the value is not valid' });
		const { submission } = await run({
			posts: [lost, oddWords],
			gets: [notFound, notFound, notFound, task('7')],
		});
		expect(submission).toMatchObject({ outcome: 'found', isEarlier: false });
	});

	test.each([
		['a 2xx without a task', answer(200, { code: 0, message: 'SUCCEED', data: {} })],
		['an empty 2xx', answer(200, '')],
		['a 2xx in HTML', answer(200, '<html>Sign in</html>')],
		['a gateway time-out', answer(504, '<html></html>')],
		['a 408', answer(408, '')],
		['Kling 5000', refusal(5000)],
		['Kling 5002', refusal(5002)],
		['a broken body', answer(200, '{"code":0,"data":{"task_')],
	])('after %s is looked up before anything else', async (_name, reply) => {
		const { submission, sent } = await run({ posts: [reply], gets: [task('7')] });
		expect(submission).toMatchObject({ outcome: 'found' });
		expect(sent.map(({ method }) => method)).toEqual(['POST', 'GET']);
	});

	test("is not sent again because of a proxy's page that says 404", async () => {
		const { submission, posts } = await run({ posts: [lost], gets: [page404] });
		expect(submission).toMatchObject({ outcome: 'unknown', lookUp: { kind: 'unreadable' } });
		expect(posts()).toHaveLength(1);
	});

	test('is not sent again when the look-up is refused, which is asked for once', async () => {
		const { submission, posts, gets } = await run({ posts: [lost], gets: [refusal(1002)] });
		expect(submission).toMatchObject({
			outcome: 'unknown',
			failure: { kind: 'noResponse' },
			lookUp: { kind: 'keyRefused', code: '1002' },
		});
		expect(posts()).toHaveLength(1);
		expect(gets()).toHaveLength(1);
	});

	test('is not sent again while the look-up fails', async () => {
		const { submission, posts } = await run({
			posts: [lost],
			gets: [notFound, notFound, refusal(5000)],
		});
		expect(submission).toMatchObject({ outcome: 'unknown', lookUp: { kind: 'providerDown' } });
		expect(posts()).toHaveLength(1);
	});

	test('is unknown if a proxy’s page says that the provider is down', async () => {
		const gets = [answer(503, '<html></html>')];
		const { submission } = await run({ posts: [lost], gets });
		expect(submission).toMatchObject({ outcome: 'unknown', lookUp: { kind: 'providerDown' } });
	});

	test('is neither looked up nor sent again when the execution was stopped in between', async () => {
		const stop = new AbortController();
		const { submission, sent, last } = await run({
			posts: () => {
				stop.abort();
				return cancelled;
			},
			signal: stop.signal,
		});
		expect(submission).toMatchObject({ outcome: 'unknown', externalTaskId: 'key-1' });
		expect(sent).toHaveLength(1);
		expect(last).toMatchObject({ state: 'sending', externalTaskId: 'key-1' });
	});
});

describe('providers that promise less', () => {
	test('a look-up that finds nothing proves nothing if look-ups are not documented', async () => {
		const { submission, posts, gets } = await run({
			provider: 'cometApi',
			posts: [lost],
			gets: [notFound],
		});
		expect(submission).toMatchObject({ outcome: 'unknown', externalTaskId: 'key-1' });
		expect([posts().length, gets().length]).toEqual([1, 3]);
	});

	test('a look-up that finds the task is believed everywhere', async () => {
		const { submission } = await run({ provider: 'kkiai', posts: [lost], gets: [task('7')] });
		expect(submission).toMatchObject({ outcome: 'found', record: { task: { taskId: '7' } } });
	});

	test.each(['modellix', 'apiModels'] as const)(
		'%s is not asked and not sent to again',
		async (provider) => {
			const terms = { effectScene: 'hug_pro' };
			const first = await run({ provider, posts: [lost], terms });
			expect(first.submission).toMatchObject({ outcome: 'unknown', externalTaskId: null });
			const second = await run({ provider, terms, earlier: first.last });
			expect(second.submission).toMatchObject({ outcome: 'unknown' });
			expect(second.sent).toEqual([]);
		},
	);

	test('what definitely created no task is sent again with every provider', async () => {
		const made = answer(200, { code: 0, data: { task_id: 'm-1', status: 'pending' } });
		const terms = { effectScene: 'hug_pro' };
		const { submission, posts } = await run({
			provider: 'modellix',
			posts: [answer(429, { code: 429, message: 'Too many' }), unreachable, made],
			terms,
		});
		expect(submission).toMatchObject({ outcome: 'created' });
		expect(posts()).toEqual([0, 750, 2_250]);
	});
});

describe('an external id that exists already', () => {
	test('is a found task, identified only by its id', async () => {
		const { submission, posts } = await run({ posts: [duplicate], gets: [task('7', 'succeed')] });
		expect(submission).toMatchObject({ outcome: 'found', isEarlier: true });
		expect(posts()).toHaveLength(1);
	});

	test('after a lost answer is the lost task', async () => {
		const { submission } = await run({
			posts: [lost, duplicate],
			gets: [notFound, notFound, notFound, notFound, task('7')],
		});
		expect(submission).toMatchObject({ outcome: 'found', isEarlier: false });
	});

	test('is looked for patiently: the provider knows that it is there', async () => {
		const { gets, submission } = await run({ posts: [duplicate], gets: [notFound] });
		expect(gets()).toEqual([0, 1_000, 4_000, 10_000, 20_000, 30_000]);
		expect(submission).toMatchObject({
			outcome: 'unknown',
			failure: { kind: 'duplicateExternalId' },
		});
	});

	test('of another create of the same run does not count for this one', async () => {
		const { submission, last } = await run({
			posts: [duplicate],
			gets: [task('7')],
			taken: ['7'],
		});
		expect(submission).toMatchObject({
			outcome: 'refused',
			failure: { kind: 'duplicateExternalId' },
		});
		expect(last).toBeNull();
	});
});

describe('a later try', () => {
	test('finds the task that an earlier one created', async () => {
		const earlier: Remembered = { state: 'created', taskId: '7', externalTaskId: 'key-1' };
		const { submission, sent } = await run({ earlier, gets: [task('7', 'succeed')] });
		expect(submission).toMatchObject({
			outcome: 'found',
			isEarlier: false,
			record: { task: { taskId: '7', status: 'succeed' } },
		});
		expect(sent.map(({ path }) => path)).toEqual(['/v1/videos/effects/7']);
	});

	test.each([
		['the provider is down', refusal(5000)],
		['the key is refused', refusal(1002)],
		['the task is not shown', notFound],
	])('keeps the id of a task that cannot be read, because %s', async (_name, reply) => {
		const earlier: Remembered = { state: 'created', taskId: '7', externalTaskId: 'key-1' };
		const { submission, posts } = await run({ earlier, gets: [reply] });
		expect(submission).toMatchObject({
			outcome: 'found',
			record: {
				task: { taskId: '7', externalTaskId: 'key-1', status: 'submitted' },
				raw: { task_id: '7' },
			},
		});
		expect(posts()).toEqual([]);
	});

	test('looks for a request that went out, before it sends one', async () => {
		const earlier: Remembered = { state: 'sending', externalTaskId: 'key-1' };
		const { submission, sent } = await run({ earlier, gets: [task('7')] });
		expect(submission).toMatchObject({ outcome: 'found' });
		expect(sent.map(({ method }) => method)).toEqual(['GET']);
	});

	test('sends what was definitely refused', async () => {
		const first = await run({ posts: [refusal(1201)] });
		const { submission, gets } = await run({ earlier: first.last, posts: [task('7')] });
		expect(submission).toMatchObject({ outcome: 'created' });
		expect(gets()).toEqual([]);
	});
});

describe('what is remembered', () => {
	test('a request, before it goes out', async () => {
		let during: Remembered | null | undefined;
		const history: Array<Remembered | null> = [];
		const { clock, client } = scripted({ posts: [task('7')] });
		const memory: Entry = {
			externalTaskId: 'made',
			recall: () => history.at(-1) ?? null,
			remember: (entry) => void history.push(entry),
			isTaken: () => false,
			ownsOlder: true,
		};
		const admission = new Admission({ concurrency: 1, deadline: clock.now() + 1_000 }, clock);
		const send = async () => {
			during = history.at(-1);
			return await client.create({ ...order, images: [''] });
		};
		await submit(order, { send, client, admission, memory, clock });
		expect(during).toEqual({
			state: 'sending',
			externalTaskId: 'key-1',
			sentAt: clock.now(),
			order: { effectScene: 'hug_pro' },
		});
	});

	test.each([1102, 1201, 1301, 1302, 1303])('a refusal with code %d', async (code) => {
		const { submission, last } = await run({ posts: [refusal(code)], deadlineMs: 5_000 });
		expect(submission).toMatchObject({ outcome: 'refused', failure: { code: String(code) } });
		expect(last).toBeNull();
	});

	test('that nothing was sent, when the time was over', async () => {
		const { submission, last, sent } = await run({ deadlineMs: 0 });
		expect(submission).toEqual({ outcome: 'notSent' });
		expect(last).toBeUndefined();
		expect(sent).toEqual([]);
	});
});

describe('the external id that is sent', () => {
	const asked = { effectScene: 'hug_pro' };
	const idSent = async (terms: Order, earlier?: Remembered, provider = 'kling') => {
		const { sent } = await run({ terms, earlier, provider, posts: [task('7')], gets: [notFound] });
		return sent.find(({ method }) => method === 'POST')?.request.body?.external_task_id;
	};

	test.each([
		["the user's own", { ...asked, externalTaskId: 'mine' }, undefined, 'mine'],
		['the one that the node makes', asked, undefined, 'made'],
		[
			'that of the earlier try',
			{ ...asked, externalTaskId: 'new' },
			{ state: 'sending', externalTaskId: 'old' },
			'old',
		],
	] as Array<[string, Order, Remembered | undefined, string]>)(
		'is %s',
		async (_name, terms, earlier, id) => {
			expect(await idSent(terms, earlier)).toBe(id);
		},
	);

	test('is absent if the provider has no such field', async () => {
		expect(await idSent(asked, undefined, 'modellix')).toBeUndefined();
	});
});

describe('a task found under a user’s id', () => {
	const createdAt = (ms: number) => (request: ApiRequest) => {
		void request;
		return answer(200, {
			code: 0,
			data: { task_id: '7', task_status: 'succeed', created_at: ms, updated_at: ms },
		});
	};
	const start = scripted({}, {}).clock.now();

	test.each(['kling', 'cometApi', 'kkiai'])(
		'and was created before the first request was sent is an earlier one: %s',
		async (provider) => {
			const gets = createdAt(start - 60_000);
			const { submission } = await run({ provider, posts: [lost], gets });
			expect(submission).toMatchObject({ outcome: 'found', isEarlier: true });
		},
	);

	test('and was created by the request whose answer was lost is its own', async () => {
		const { submission } = await run({ posts: [lost], gets: createdAt(start + 100) });
		expect(submission).toMatchObject({ outcome: 'found', isEarlier: false });
	});
});

describe('a create that a dead execution may have sent', () => {
	test('is not looked up under another id than it had, and never sent', async () => {
		const earlier: Remembered = { state: 'sending', trace: 'none' };
		const { submission, sent } = await run({ earlier });
		expect(submission).toMatchObject({ outcome: 'unknown', externalTaskId: null });
		expect(sent).toEqual([]);
	});

	test('is told apart from one that an earlier try may have sent', async () => {
		const earlier: Remembered = { state: 'sending', trace: 'none' };
		const died = await run({ earlier: { ...earlier, hasDied: true } });
		expect(died.submission).toMatchObject({ outcome: 'unknown', hasDied: true });
		const { submission } = await run({ earlier });
		expect(submission).toMatchObject({ outcome: 'unknown', hasDied: false });
	});

	test('is sent once it is not found, and is then unknown for its own lost answer', async () => {
		const earlier: Remembered = { state: 'sending', externalTaskId: 'key-1', hasDied: true };
		const { submission, posts } = await run({ earlier, posts: [lost], gets: [notFound] });
		expect(posts().length).toBeGreaterThan(0);
		expect(submission).toMatchObject({ outcome: 'unknown', hasDied: false });
	});
});
