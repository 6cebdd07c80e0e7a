import fc from 'fast-check';
import type { WatchState } from '../../../nodes/kling/watch/state';
import type { Sandbox } from '../../../sandbox';
import { withInstantClock, withSandbox } from '../../harness/setup';
import { ActiveTrigger } from '../../harness/activeTrigger';
import { answer, answerInTurn, odd, type Answer } from './randomAnswers';
import { HostileServer, providerNames, type Behaviour } from './server';
import { randomCases } from '../../harness/randomCases';

/**
 * No response to a poll gets out of the trigger raw, and none makes it lose anything: as soon as the
 * provider answers honestly again, the task that has ended is emitted, once. What a readable response
 * says about the task itself is believed, and never emitted again.
 */

const hostile = HostileServer.prepare();
const runs = randomCases(40, 'FUZZ_RUNS');
const seed = 20_260_101;
/** The task that odd responses are about. */
const taskId = '7';
/** A trigger's state after a poll or two of one task; thousands of ids would be more. */
const mostStateBytes = 4_000;

let sandbox: Sandbox;
withSandbox((started) => (sandbox = started));
withInstantClock(() => sandbox);

/** The sandbox, at the address of the hostile server. */
const honest: Behaviour = (request, response) => {
	const { authorization = '' } = request.headers;
	void fetch(sandbox.url + request.url, { headers: { authorization } }).then(async (answered) => {
		const headers = { 'content-type': 'application/json' };
		response.writeHead(answered.status, headers).end(await answered.text());
	});
};

function triggerOf(provider: (typeof providerNames)[number], watch: 'account' | 'taskIds') {
	const credential = sandbox.credential(provider);
	const baseUrl = String(credential.baseUrl).replace(sandbox.url, hostile.url);
	const parameters = watch === 'taskIds' ? { watch, taskIds: taskId } : { watch };
	return new ActiveTrigger({ credential: { ...credential, baseUrl }, parameters });
}

/** The tasks that are running according to its state. */
function openIn(trigger: ActiveTrigger): string[] {
	const saved = JSON.parse(trigger.saved.text) as Record<string, { watch: WatchState }>;
	return saved['node:Kling Effects Trigger'].watch.open.map(([id]) => id);
}

const watched = [
	['kling', 'account'] as const,
	...providerNames.map((provider) => [provider, 'taskIds'] as const),
];

/** An odd task in a list. */
const oddList = odd.map((one) => {
	const { data, ...rest } = JSON.parse(one.body) as { data: unknown };
	return { ...one, body: JSON.stringify({ ...rest, data: [data] }) };
});

const input = fc.record({
	/** The responses to each hostile poll. */
	polls: fc.array(
		fc.array(fc.oneof({ weight: 4, arbitrary: answer }, odd, oddList), {
			minLength: 1,
			maxLength: 4,
		}),
		{
			minLength: 1,
			maxLength: 4,
		},
	),
	isHostileAtActivation: fc.boolean(),
	restarts: fc.boolean(),
	status: fc.constantFrom('succeed' as const, 'failed' as const),
});

describe.each(watched)('%s, watching %s', (provider, watch) => {
	test('nothing raw gets out of a poll, and an honest one emits the task once', async () => {
		const told: string[] = [];
		let followed = 0;
		await fc.assert(
			fc.asyncProperty(input, async ({ polls, isHostileAtActivation, restarts, status }) => {
				sandbox.reset();
				const createdAt = sandbox.options.now!() - 60_000;
				sandbox.seedTasks(provider, [{ taskId, status: 'processing', createdAt }]);
				let trigger = triggerOf(provider, watch);
				const emitted: string[] = [];
				const poll = async (behaviour: Behaviour) => {
					hostile.behaviour = behaviour;
					const items = await trigger.poll().catch((thrown: unknown) => {
						const { name, message } = thrown as Error;
						expect(name).toMatch(/^(NodeApiError|NodeOperationError)$/);
						expect(message).not.toMatch(/unexpected|undefined|\[object|NaN/);
						told.push(message);
						return null;
					});
					for (const { json } of items ?? []) {
						expect(json).toMatchObject({ status: expect.stringMatching(/^(succeed|failed)$/) });
						expect(json).not.toHaveProperty('error');
						emitted.push(String(json.taskId));
					}
					const { text } = trigger.saved;
					expect(text.length).toBeLessThan(mostStateBytes);
					if (restarts) trigger = trigger.restarted(text);
				};
				const attack = async (answers: Answer[]) => await poll(answerInTurn(answers));

				if (isHostileAtActivation) for (const answers of polls) await attack(answers);
				await poll(honest);
				if (!isHostileAtActivation) for (const answers of polls) await attack(answers);
				await poll(honest);
				// Tasks that had ended before the activation are ignored.
				const isFollowed = openIn(trigger).includes(taskId);
				expect(emitted).toHaveLength(isFollowed || isHostileAtActivation ? 0 : 1);
				if (isFollowed) followed++;
				sandbox.finish(taskId, status);
				for (let polled = 0; polled < 3; polled++) await poll(honest);
				if (isFollowed) expect(emitted).toEqual([taskId]);
				else expect(emitted).toHaveLength(isHostileAtActivation ? 0 : 1);
			}),
			{ numRuns: runs, seed },
		);
		expect(told.length).toBeGreaterThan(0);
		expect(followed).toBeGreaterThan(runs / 2);
		// Seconds of work, which take longer beside other tests.
	}, 180_000);
});
