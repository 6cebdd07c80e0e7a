import type { Sandbox } from '../../../sandbox';
import { useInstantClock } from '../../harness/clock';
import { ActiveTrigger, errorOf } from '../../harness/activeTrigger';
import { withInstantClock, withSandbox } from '../../harness/setup';

let sandbox: Sandbox;
withSandbox((started) => (sandbox = started));
beforeEach(() => {
	sandbox.reset();
	sandbox.options.listOrder = 'newestFirst';
});

const ago = (minutes: number) => Date.now() - minutes * 60_000;
const account = (parameters: Record<string, unknown> = {}) =>
	new ActiveTrigger({ credential: sandbox.credential('kling'), parameters });

function seed(taskId: string, status: 'processing' | 'succeed' | 'failed', minutes = 5): string {
	sandbox.seedTasks('kling', [{ taskId, status, createdAt: ago(minutes) }]);
	return taskId;
}

function listsAsked(): number {
	return sandbox.requests.filter(({ operation }) => operation === 'list').length;
}

describe('The trigger in the real n8n-core', () => {
	test('three polls in a row emit what ended between them, and nothing twice', async () => {
		seed('old', 'succeed', 60);
		seed('a', 'processing');
		seed('b', 'processing');
		const trigger = account();
		expect(await trigger.poll()).toBeNull();
		sandbox.finish('b', 'failed', 'no face');
		expect(await trigger.ids()).toEqual(['b']);
		sandbox.finish('a', 'succeed');
		seed('c', 'succeed', 0);
		expect((await trigger.ids()).sort()).toEqual(['a', 'c']);
		expect(await trigger.poll()).toBeNull();
	});

	test('emits the task in its simplified form, or in the provider’s own', async () => {
		const trigger = account();
		const raw = account({ simplify: false });
		await trigger.poll();
		await raw.poll();
		seed('a', 'succeed', 0);
		const [item] = (await trigger.poll()) ?? [];
		expect(item.json).toMatchObject({ taskId: 'a', status: 'succeed', provider: 'kling' });
		expect(item.binary).toBeUndefined();
		expect(item.json.videoUrl).toMatch(/^http/);
		expect(((await raw.poll()) ?? [])[0].json).toMatchObject({
			task_id: 'a',
			task_status: 'succeed',
		});
	});

	test('lets n8n notice that there is something to save, and saves only JSON', async () => {
		seed('a', 'processing');
		const trigger = account();
		await trigger.poll();
		const { text, isChanged } = trigger.saved;
		expect(isChanged).toBe(true);
		expect(JSON.parse(text)).toMatchObject({
			'node:Kling Effects Trigger': { watch: { version: 2, open: ['a'] } },
		});
		const restarted = trigger.restarted(text);
		expect(restarted.saved.isChanged).toBe(false);
		sandbox.finish('a', 'succeed');
		expect(await restarted.ids()).toEqual(['a']);
		expect(restarted.saved.isChanged).toBe(true);
	});

	test('loses nothing and repeats nothing when n8n starts again with what it saved last', async () => {
		seed('a', 'processing');
		const trigger = account();
		await trigger.poll();
		const { text } = trigger.saved;
		seed('b', 'processing', 0);
		expect(await trigger.poll()).toBeNull();
		sandbox.finish('a', 'succeed');
		sandbox.finish('b', 'succeed');
		const second = trigger.restarted(text);
		expect((await second.ids()).sort()).toEqual(['a', 'b']);
		expect(await second.restarted(second.saved.text).poll()).toBeNull();
	});

	test('keeps keys out of its state', async () => {
		seed('a', 'processing');
		const trigger = account();
		await trigger.poll();
		expect(trigger.saved.text).not.toContain(sandbox.keys.kling.main);
		expect(trigger.saved.text).not.toContain(sandbox.url);
	});

	test.each([
		['text', '"garbage"'],
		['a future version', '{"version":9,"open":{}}'],
		['a half state', '{"version":1}'],
	])('silently starts over when its state is %s, and follows what runs', async (_name, state) => {
		seed('old', 'succeed');
		seed('a', 'processing');
		const trigger = new ActiveTrigger({
			credential: sandbox.credential('kling'),
			staticData: `{"node:Kling Effects Trigger":{"watch":${state}}}`,
		});
		expect(await trigger.poll()).toBeNull();
		sandbox.finish('a', 'succeed');
		expect(await trigger.ids()).toEqual(['a']);
	});

	test('silently starts over with another base URL, credential or prefix, but not with a new key', async () => {
		const trigger = account();
		await trigger.poll();
		const { text } = trigger.saved;
		sandbox.seedTasks('kling', [{ taskId: 'a', externalTaskId: 'a-1', createdAt: ago(0) }]);
		const elsewhere = `${sandbox.baseUrl('kling')}/`.replace('127.0.0.1', 'localhost');
		const other = sandbox.credential('kling', { baseUrl: elsewhere });
		expect(await trigger.restarted(text, { credential: other }).poll()).toBeNull();
		expect(await trigger.restarted(text, { credentialId: '2' }).poll()).toBeNull();
		const parameters = { options: { externalTaskIdPrefix: 'a' } };
		expect(await trigger.restarted(text, { parameters }).poll()).toBeNull();
		const newKey = sandbox.accessKeyCredential();
		expect(await trigger.restarted(text, { credential: newKey }).ids()).toEqual(['a']);
	});

	test('starts over when a deleted trigger is replaced by one of the same name', async () => {
		const trigger = account();
		await trigger.poll();
		const { text } = trigger.saved;
		seed('a', 'succeed', 0);
		expect(await trigger.restarted(text, { nodeId: 'trigger-2' }).poll()).toBeNull();
		expect(await trigger.restarted(text).ids()).toEqual(['a']);
	});

	test('emits only tasks with the external task ID prefix', async () => {
		const trigger = account({ options: { externalTaskIdPrefix: 'order-' } });
		await trigger.poll();
		for (const externalTaskId of ['order-1', 'other-1', null]) {
			sandbox.seedTasks('kling', [
				{ taskId: `id-${externalTaskId}`, externalTaskId, createdAt: ago(0) },
			]);
		}
		expect(await trigger.ids()).toEqual(['id-order-1']);
	});

	test('emits only the chosen events', async () => {
		const trigger = account({ events: ['failed'] });
		await trigger.poll();
		seed('a', 'succeed', 0);
		seed('b', 'failed', 0);
		expect(await trigger.ids()).toEqual(['b']);
		const { text } = trigger.saved;
		const both = trigger.restarted(text, { parameters: { events: ['failed', 'succeed'] } });
		expect(await both.poll()).toBeNull();
		seed('c', 'succeed', 0);
		expect(await both.ids()).toEqual(['c']);
	});

	test.each(['newestFirst', 'oldestFirst', 'random'] as const)(
		'is right with a list that is %s over several pages',
		async (listOrder) => {
			sandbox.options.listOrder = listOrder;
			const history = Array.from({ length: 1_200 }, (_, index) => ({
				createdAt: ago(60 + index),
			}));
			sandbox.seedTasks('kling', history);
			seed('a', 'processing', 30);
			const trigger = account();
			expect(await trigger.poll()).toBeNull();
			sandbox.finish('a', 'succeed');
			seed('b', 'succeed', 0);
			expect(await trigger.ids()).toEqual(['a', 'b']);
			expect(await trigger.poll()).toBeNull();
		},
	);

	test.each([0, 1_000, 10_000, 100_000])(
		'asks once in an idle poll, and keeps less than 1 kB, with %d tasks of history',
		async (count) => {
			const history = Array.from({ length: count }, (_, index) => ({
				createdAt: ago(60 + index / 3),
			}));
			sandbox.seedTasks('kling', history);
			const trigger = account();
			await trigger.poll();
			for (let polls = 0; polls < 3; polls++) {
				const before = sandbox.requests.length;
				expect(await trigger.poll()).toBeNull();
				expect(sandbox.requests.length - before).toBe(1);
			}
			expect(trigger.saved.text.length).toBeLessThan(1_000);
		},
	);

	test('emits thousands of tasks that ended between two polls in one go, oldest end first', async () => {
		const trigger = account();
		await trigger.poll();
		const many = Array.from({ length: 2_300 }, (_, index) => ({
			taskId: String(index),
			createdAt: ago(1),
			updatedAt: ago(1) + ((index * 7_919) % 2_300),
			processingAt: ago(1),
			finishedAt: ago(1) + ((index * 7_919) % 2_300),
		}));
		sandbox.seedTasks('kling', many);
		const items = (await trigger.poll()) ?? [];
		expect(items).toHaveLength(2_300);
		const ends = items.map(({ json }) => json.updatedAt as string);
		expect(ends).toEqual([...ends].sort());
	});
});

describe('Fetch Test Event', () => {
	test('shows the latest five ended tasks, oldest end first, and changes nothing', async () => {
		for (let index = 1; index <= 8; index++) seed(`t${index}`, 'succeed', 60 - index);
		seed('running', 'processing', 0);
		const trigger = account();
		const before = trigger.saved;
		expect(await trigger.ids('manual')).toEqual(['t4', 't5', 't6', 't7', 't8']);
		expect(trigger.saved).toEqual(before);
	});

	test('says that there are none yet, and what to do', async () => {
		seed('running', 'processing');
		const error = await errorOf(account().poll('manual'));
		expect(error.name).toBe('NodeOperationError');
		expect(error.message).toBe('No finished tasks yet');
		expect(error.description).toMatch(/Create a task/);
	});

	test('shows given tasks that have ended', async () => {
		sandbox.seedTasks('modellix', [{ taskId: 'a' }, { taskId: 'b', status: 'processing' }]);
		const trigger = new ActiveTrigger({
			credential: sandbox.credential('modellix'),
			parameters: { watch: 'taskIds', taskIds: 'a, b' },
		});
		expect(await trigger.ids('manual')).toEqual(['a']);
	});

	test('looks only for the chosen events', async () => {
		seed('a', 'succeed');
		seed('b', 'failed');
		expect(await account({ events: ['failed'] }).ids('manual')).toEqual(['b']);
	});
});

describe('A provider without a list', () => {
	const providers = ['cometApi', 'kkiai', 'modellix', 'apiModels'] as const;

	test.each(providers)(
		'%s refuses the account at activation, and says what to use',
		async (name) => {
			const trigger = new ActiveTrigger({ credential: sandbox.credential(name) });
			const error = await errorOf(trigger.poll());
			expect(error.name).toBe('NodeOperationError');
			// On activation n8n shows only the message.
			expect(error.message).toMatch(/has no list of tasks, so set Watch to Task IDs/);
			expect(error.description).toMatch(/Schedule Trigger and Get/);
			expect(error.message).not.toMatch(/Authorization/);
			expect(sandbox.requests).toHaveLength(0);
		},
	);

	test.each(['kling', ...providers] as const)('%s emits given tasks as they end', async (name) => {
		sandbox.seedTasks(name, [
			{ taskId: 'past' },
			{ taskId: 'a', status: 'processing' },
			{ taskId: 'b', status: 'processing' },
		]);
		const trigger = new ActiveTrigger({
			credential: sandbox.credential(name),
			parameters: { watch: 'taskIds', taskIds: 'past a\nb' },
		});
		expect(await trigger.poll()).toBeNull();
		const { text } = trigger.saved;
		sandbox.finish('b', 'succeed');
		expect(await trigger.ids()).toEqual(['b']);
		const after = trigger.saved.text;
		sandbox.finish('a', 'succeed');
		expect(await trigger.ids()).toEqual(['a']);
		sandbox.requests.length = 0;
		expect(await trigger.poll()).toBeNull();
		expect(sandbox.requests).toHaveLength(0);
		expect(await trigger.restarted(after).ids()).toEqual(['a']);
		expect((await trigger.restarted(text).ids()).sort()).toEqual(['a', 'b']);
	});

	test('takes the IDs as a list, and emits an ended task whose ID is added later', async () => {
		sandbox.seedTasks('modellix', [{ taskId: 'a' }, { taskId: 'b' }]);
		const credential = sandbox.credential('modellix');
		const parameters = { watch: 'taskIds', taskIds: ['a'] };
		const trigger = new ActiveTrigger({ credential, parameters });
		expect(await trigger.poll()).toBeNull();
		const longer = { watch: 'taskIds', taskIds: ['a', 'b'] };
		const { text } = trigger.saved;
		expect(await trigger.restarted(text, { parameters: longer }).ids()).toEqual(['b']);
	});

	test.each([
		['', 'Task IDs is empty'],
		['none, nothing', 'Kling AI has no task with these IDs: none, nothing'],
		[Array.from({ length: 3_001 }, (_, index) => index).join(), 'Task IDs has more than 3,000 IDs'],
	])(
		'refuses at activation when Task IDs is empty, unknown or endless: %#',
		async (taskIds, message) => {
			const trigger = new ActiveTrigger({
				credential: sandbox.credential('kling'),
				parameters: { watch: 'taskIds', taskIds },
			});
			const error = await errorOf(trigger.poll());
			expect(error.message).toBe(message);
			expect(trigger.saved.isChanged).toBe(false);
		},
	);
});

describe('When the provider cannot be asked', () => {
	const down = { kind: 'status', status: 503 } as const;

	test('skips five polls, then reports it, and emits everything once it is back', async () => {
		const trigger = account();
		await trigger.poll();
		sandbox.addFault(down);
		seed('a', 'succeed', 0);
		for (let polls = 0; polls < 5; polls++) expect(await trigger.poll()).toBeNull();
		const error = await errorOf(trigger.poll());
		expect(error).toMatchObject({
			name: 'NodeApiError',
			httpCode: '503',
			failure: { cause: 'temporarily-unavailable' },
		});
		expect(error.description).toMatch(/tries again at each poll/);
		sandbox.clearFaults();
		expect(await trigger.ids()).toEqual(['a']);
		sandbox.addFault(down);
		expect(await trigger.poll()).toBeNull();
	});

	test('skips one daily poll, then reports it', async () => {
		const { clock, restore } = useInstantClock();
		try {
			const trigger = account();
			await trigger.poll();
			sandbox.addFault(down);
			expect(await trigger.poll()).toBeNull();
			await clock.sleep(86_400_000);
			expect((await errorOf(trigger.poll())).httpCode).toBe('503');
		} finally {
			restore();
		}
	});

	test('sends one request in a failing poll: the next poll is the retry', async () => {
		const trigger = account();
		await trigger.poll();
		sandbox.addFault(down);
		sandbox.requests.length = 0;
		await trigger.poll();
		expect(listsAsked()).toBe(1);
	});

	test.each([
		['a lost connection', { kind: 'resetBefore' }],
		['a web page', { kind: 'html' }],
		['too many requests', { kind: 'code', code: 1302 }],
		['broken JSON', { kind: 'malformedJson' }],
	] as const)('passes over %s', async (_name, fault) => {
		const trigger = account();
		await trigger.poll();
		const remove = sandbox.addFault(fault);
		seed('a', 'succeed', 0);
		expect(await trigger.poll()).toBeNull();
		remove();
		expect(await trigger.ids()).toEqual(['a']);
	});

	test('reports it on activation at once, and starts when it works', async () => {
		seed('old', 'succeed');
		const trigger = account();
		sandbox.addFault({ ...down, times: 1 });
		const error = await errorOf(trigger.poll());
		expect(error).toMatchObject({ name: 'NodeApiError', httpCode: '503' });
		expect(error.description).not.toMatch(/tries again/);
		expect(trigger.saved.isChanged).toBe(false);
		expect(await trigger.poll()).toBeNull();
		expect(await trigger.poll()).toBeNull();
	});

	test('continues in the next poll when the first one has read a page and not the next', async () => {
		sandbox.options.listOrder = 'oldestFirst';
		sandbox.seedTasks(
			'kling',
			Array.from({ length: 700 }, (_, index) => ({ createdAt: ago(60 + index) })),
		);
		const trigger = account();
		sandbox.addFault({ ...down, match: { path: /pageNum=2/ }, times: 3 });
		expect(await trigger.poll()).toBeNull();
		expect(trigger.saved.isChanged).toBe(true);
		expect(await trigger.poll()).toBeNull();
		seed('a', 'succeed', 0);
		expect(await trigger.ids()).toEqual(['a']);
	});

	test('passes on how long the provider asks to wait', async () => {
		const trigger = account();
		sandbox.addFault({ kind: 'status', status: 429, headers: { 'retry-after': '7' } });
		const error = await errorOf(trigger.poll());
		expect(error.failure).toEqual({ cause: 'rate-limited', retryAfterMs: 7_000 });
	});

	test.each([
		[{ code: 1002 }, '401', 'credential-invalid', /did not accept the key/],
		[{ code: 1102 }, '429', 'quota-exhausted', /no credit left/],
	])('shows a refusal at once: %j', async (fault, httpCode, cause, message) => {
		const trigger = account();
		await trigger.poll();
		sandbox.addFault({ kind: 'code', ...fault });
		const error = await errorOf(trigger.poll());
		expect(error).toMatchObject({ name: 'NodeApiError', httpCode, failure: { cause } });
		expect(error.message).toMatch(message);
		expect(error.message).not.toMatch(/Authorization/);
	});

	test('emits what the first page showed when the second fails, and the rest once it comes', async () => {
		const trigger = account();
		await trigger.poll();
		const many = Array.from({ length: 700 }, (_, index) => ({
			taskId: String(index),
			createdAt: ago(0) - index,
		}));
		sandbox.seedTasks('kling', many);
		sandbox.addFault({ ...down, match: { path: /pageNum=2/ }, times: 3 });
		const first = await trigger.ids();
		const second = await trigger.ids();
		expect(first.length).toBeGreaterThan(300);
		expect(second).toHaveLength(700 - first.length);
		expect(new Set([...first, ...second]).size).toBe(700);
	});

	test('emits what it found although the key is refused from the second page on', async () => {
		const trigger = account();
		await trigger.poll();
		const many = Array.from({ length: 600 }, (_, index) => ({ createdAt: ago(0) - index }));
		sandbox.seedTasks('kling', many);
		sandbox.addFault({ kind: 'code', code: 1002, match: { path: /pageNum=2/ } });
		expect((await trigger.ids()).length).toBeGreaterThan(300);
		const error = await errorOf(trigger.poll());
		expect(error.httpCode).toBe('401');
	});
});

describe('Polls that take long', () => {
	test('skips the next poll while one is running', async () => {
		const trigger = account();
		await trigger.poll();
		seed('a', 'succeed', 0);
		sandbox.requests.length = 0;
		sandbox.addFault({ kind: 'delay', delayMs: 300, times: 1 });
		const slow = trigger.ids();
		expect(await trigger.poll()).toBeNull();
		expect(await slow).toEqual(['a']);
		expect(await trigger.poll()).toBeNull();
		// The slow one makes two requests: the second checks whether its page was all there is.
		expect(listsAsked()).toBe(3);
	});

	test('emits once when the workflow is edited while a poll runs', async () => {
		const trigger = account();
		await trigger.poll();
		const { text } = trigger.saved;
		seed('a', 'succeed', 0);
		sandbox.addFault({ kind: 'delay', delayMs: 300, times: 1 });
		const slow = trigger.ids();
		// n8n 1.123 activates the new version at once, with the data that it saved last.
		const edited = trigger.restarted(text);
		const fresh = await edited.ids();
		expect([...(await slow), ...fresh]).toEqual(['a']);
		expect(await edited.poll()).toBeNull();
		expect(trigger.saved.text).toBe(text);
	});

	test('does not keep triggers of other workflows waiting', async () => {
		const one = account();
		const other = account();
		await one.poll();
		await other.poll();
		seed('a', 'succeed', 0);
		const [first, second] = await Promise.all([one.ids(), other.ids()]);
		expect([first, second]).toEqual([['a'], ['a']]);
	});

	test.each([1_200, 60_000, null])(
		'loses nothing with a budget of %p ms, where n8n names none in the last case',
		async (budgetMs) => {
			const trigger = account();
			await trigger.poll();
			const many = Array.from({ length: 1_800 }, (_, index) => ({ createdAt: ago(0) - index }));
			sandbox.seedTasks('kling', many);
			// Ten pages fill the small budget; none fills the others.
			sandbox.options.latencyMs = budgetMs === 1_200 ? 120 : 20;
			const found = new Set<unknown>();
			let emitted = 0;
			for (let polls = 0; polls < 8; polls++) {
				const items = (await trigger.poll('trigger', { budgetMs })) ?? [];
				emitted += items.length;
				for (const { json } of items) found.add(json.taskId);
			}
			sandbox.options.latencyMs = 0;
			expect(emitted).toBe(1_800);
			expect(found.size).toBe(1_800);
		},
	);
});

describe('n8n 2.41 with durable cursors', () => {
	test('emits what ends between the activation and the first scheduled poll, and nothing twice', async () => {
		seed('old', 'succeed', 60);
		seed('a', 'processing');
		const trigger = account();
		expect(await trigger.pollDurably({ isActivation: true })).toBeNull();
		sandbox.finish('a', 'succeed');
		seed('b', 'failed', 0);
		expect((await trigger.idsDurably()).sort()).toEqual(['a', 'b']);
		seed('c', 'succeed', 0);
		expect(await trigger.idsDurably()).toEqual(['c']);
		expect(await trigger.pollDurably()).toBeNull();
	});

	test('emits given tasks that end between the activation and the first scheduled poll', async () => {
		sandbox.seedTasks('modellix', [{ taskId: 'old' }, { taskId: 'a', status: 'processing' }]);
		const trigger = new ActiveTrigger({
			credential: sandbox.credential('modellix'),
			parameters: { watch: 'taskIds', taskIds: 'old, a' },
		});
		expect(await trigger.pollDurably({ isActivation: true })).toBeNull();
		sandbox.finish('a', 'succeed');
		expect(await trigger.idsDurably()).toEqual(['a']);
		expect(await trigger.pollDurably()).toBeNull();
	});

	test('shows a long outage, and emits what ended in it although each poll that throws is forgotten', async () => {
		seed('a', 'processing');
		const trigger = account();
		await trigger.pollDurably({ isActivation: true });
		await trigger.pollDurably();
		sandbox.addFault({ kind: 'status', status: 503 });
		for (let polls = 0; polls < 5; polls++) expect(await trigger.pollDurably()).toBeNull();
		sandbox.finish('a', 'succeed');
		expect((await errorOf(trigger.pollDurably())).httpCode).toBe('503');
		expect((await errorOf(trigger.pollDurably())).httpCode).toBe('503');
		sandbox.clearFaults();
		expect(await trigger.idsDurably()).toEqual(['a']);
	});

	test('emits once if a poll starts while another is running', async () => {
		const trigger = account();
		await trigger.pollDurably({ isActivation: true });
		await trigger.pollDurably();
		seed('a', 'succeed', 0);
		sandbox.addFault({ kind: 'delay', delayMs: 300, times: 1 });
		const slow = trigger.idsDurably();
		expect(await trigger.idsDurably()).toEqual([]);
		expect(await slow).toEqual(['a']);
		expect(await trigger.pollDurably()).toBeNull();
	});
});

describe('A workflow that is saved during a long outage', () => {
	const down = { kind: 'status', status: 503 } as const;

	test('is activated quietly, and emits what ended in the outage', async () => {
		const trigger = account();
		await trigger.poll();
		const { text } = trigger.saved;
		sandbox.addFault(down);
		for (let polls = 0; polls < 5; polls++) expect(await trigger.poll()).toBeNull();
		await errorOf(trigger.poll());
		seed('a', 'succeed', 0);
		const saved = trigger.restarted(text);
		expect(await saved.poll()).toBeNull();
		const again = saved.restarted(saved.saved.text);
		expect(await again.poll()).toBeNull();
		expect((await errorOf(again.poll())).httpCode).toBe('503');
		sandbox.clearFaults();
		expect(await again.ids()).toEqual(['a']);
	});

	test('counts an event from then on that was switched on with it', async () => {
		const trigger = account({ events: ['failed'] });
		await trigger.poll();
		const { text } = trigger.saved;
		sandbox.addFault({ kind: 'resetBefore' });
		for (let polls = 0; polls < 5; polls++) expect(await trigger.poll()).toBeNull();
		await errorOf(trigger.poll());
		const parameters = { events: ['failed', 'succeed'] };
		const both = trigger.restarted(text, { parameters });
		expect(await both.poll()).toBeNull();
		expect(both.saved.isChanged).toBe(true);
		seed('a', 'succeed', 0);
		sandbox.clearFaults();
		expect(await both.ids()).toEqual(['a']);
	});

	test('shows at once that the key is refused', async () => {
		const trigger = account();
		await trigger.poll();
		sandbox.addFault({ kind: 'code', code: 1002 });
		const error = await errorOf(trigger.restarted(trigger.saved.text).poll());
		expect(error.httpCode).toBe('401');
	});
});

describe('A page that fails for hours', () => {
	withInstantClock(() => sandbox);

	test('does not stop any of many running tasks from being read', async () => {
		const createdAt = (index: number) => ago(120) - index * 1_000;
		const many = Array.from({ length: 150 }, (_, index) => ({
			taskId: `deep-${index}`,
			status: 'processing' as const,
			createdAt: createdAt(index),
		}));
		sandbox.seedTasks('kling', many);
		const trigger = account();
		await trigger.poll();
		sandbox.seedTasks(
			'kling',
			Array.from({ length: 400 }, (_, index) => ({ createdAt: ago(0) - index })),
		);
		sandbox.addFault({ kind: 'status', status: 503, match: { path: /pageNum=2/ } });
		await trigger.poll();
		for (let polls = 0; polls < 6; polls++) await trigger.poll().catch(() => null);
		for (const { taskId } of many) sandbox.finish(taskId, 'succeed');
		const emitted = [...(await trigger.ids()), ...(await trigger.ids())];
		expect(new Set(emitted.filter((id) => id.startsWith('deep-'))).size).toBe(150);
	});
});

describe('A trigger that is renamed', () => {
	test('continues where it was, even back under its first name', async () => {
		const trigger = account();
		await trigger.poll();
		const { text } = trigger.saved;
		seed('a', 'succeed', 0);
		const renamed = trigger.restarted(text, { name: 'Ended' });
		expect(await renamed.ids()).toEqual(['a']);
		seed('b', 'succeed', 0);
		expect(await renamed.ids()).toEqual(['b']);
		const back = renamed.restarted(renamed.saved.text, { name: 'Kling Effects Trigger' });
		expect(await back.poll()).toBeNull();
		seed('c', 'succeed', 0);
		expect(await back.ids()).toEqual(['c']);
	});
});

describe('What n8n is told of the cause', () => {
	test.each([
		['a wrong key', { kind: 'code', code: 1002 }, { cause: 'credential-invalid' }],
		['a signature whose time is off', { kind: 'code', code: 1004 }, undefined],
		['a web page that says 401', { kind: 'status', status: 401 }, undefined],
		['an account that may not', { kind: 'code', code: 1103 }, undefined],
		['no credit', { kind: 'code', code: 1102 }, { cause: 'quota-exhausted' }],
		['too many requests', { kind: 'code', code: 1302 }, { cause: 'rate-limited' }],
		['maintenance', { kind: 'code', code: 5001 }, { cause: 'temporarily-unavailable' }],
		['something that broke', { kind: 'code', code: 5000 }, undefined],
		['a lost connection', { kind: 'resetBefore' }, undefined],
		['a web page', { kind: 'html' }, undefined],
	] as const)('is only what the response proves: %s', async (_name, fault, failure) => {
		sandbox.addFault(fault);
		expect((await errorOf(account().poll())).failure).toEqual(failure);
	});
});

describe('Given IDs, some of which cannot be read', () => {
	test('are still watched, unless none can be read', async () => {
		const good = ['x', 'y'];
		const bad = ['1', '2', '3', '4', '5'];
		sandbox.seedTasks(
			'kling',
			[...bad, ...good].map((taskId) => ({ taskId, status: 'processing' as const })),
		);
		for (const id of bad)
			sandbox.addFault({ kind: 'status', status: 500, match: { path: new RegExp(`/${id}$`) } });
		const given = (taskIds: string[]) => account({ watch: 'taskIds', taskIds: taskIds.join() });
		expect((await errorOf(given(bad).poll())).httpCode).toBe('500');
		const trigger = given([...bad, ...good]);
		expect(await trigger.poll()).toBeNull();
		for (const id of good) sandbox.finish(id, 'succeed');
		const emitted: string[] = [];
		for (let polls = 0; polls < 3; polls++) emitted.push(...(await trigger.ids()));
		expect(emitted.sort()).toEqual(good);
	});
});

describe('Parameters', () => {
	test('refuses an empty Trigger On', async () => {
		const error = await errorOf(account({ events: [] }).poll());
		expect(error.message).toBe('Trigger On is empty');
		expect(error.description).toMatch(/Task Succeeded/);
	});

	test.each([
		[{ events: '={{ null }}' }, 'Trigger On is empty'],
		[{ events: ['succeed', 'failure'] }, 'Trigger On “failure” is not known'],
		[{ events: '={{ {} }}' }, 'Trigger On must be text'],
		[{ options: { externalTaskIdPrefix: '={{ {} }}' } }, 'External Task ID Prefix cannot be read'],
		[{ simplify: '={{ {} }}' }, 'Simplify must be true or false'],
	])('%j is told by the name on screen, and nothing is asked', async (parameters, message) => {
		const error = await errorOf(account(parameters).poll());
		expect(error.message).toBe(message);
		expect(error.description).toMatch(/[.]$/);
		expect(listsAsked()).toBe(0);
	});

	test.each(['={{ ["Task Succeeded"] }}', '={{ "succeed" }}', '={{ "SUCCEED" }}'])(
		'Trigger On is read from %s',
		async (events) => {
			const trigger = account({ events });
			await trigger.poll();
			seed('a', 'succeed', 0);
			seed('b', 'failed', 0);
			expect(await trigger.ids()).toEqual(['a']);
		},
	);

	test('Simplify is off where an expression gives it as the word false', async () => {
		const trigger = account({ simplify: '={{ "false" }}' });
		await trigger.poll();
		seed('a', 'succeed', 0);
		expect(((await trigger.poll()) ?? [])[0].json).toMatchObject({ task_id: 'a' });
	});

	test('uses the defaults of the description', async () => {
		const trigger = account();
		await trigger.poll();
		seed('a', 'succeed', 0);
		seed('b', 'failed', 0);
		expect((await trigger.ids()).sort()).toEqual(['a', 'b']);
	});
});

test.each([' order-', ' '])(
	'the trigger: a prefix of %j does not silence it',
	async (externalTaskIdPrefix) => {
		sandbox.reset();
		const seed = (taskId: string) =>
			sandbox.seedTasks('kling', [
				{ taskId, externalTaskId: `order-${taskId}`, status: 'processing', createdAt: Date.now() },
			]);
		seed('a');
		const trigger = new ActiveTrigger({
			credential: sandbox.credential('kling'),
			parameters: { options: { externalTaskIdPrefix } },
		});
		await trigger.poll();
		sandbox.finish('a', 'succeed');
		expect(await trigger.ids()).toEqual(['a']);
	},
);
