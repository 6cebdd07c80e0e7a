import fc from 'fast-check';
import { withInstantClock } from '../../harness/setup';
import { nodeName, runNode } from '../../../tools/engine';
import { byId, single } from '../../harness/workbench';
import { answer, answerInTurn, odd, words } from './randomAnswers';
import { HostileServer, providerNames } from './server';
import { randomCases } from '../../harness/randomCases';

/**
 * No provider's response gets out of any operation raw: with "Continue", n8n would pass the input through
 * as if all were well, and paid ids would be lost with it.
 */

const hostile = HostileServer.prepare();
const runs = randomCases(40, 'FUZZ_RUNS');
const seed = 20_260_101;

withInstantClock();

const operations: Record<string, Record<string, unknown>> = {
	create: { ...single, waitForCompletion: false, downloadVideo: false },
	'create and wait': {
		...single,
		waitForCompletion: true,
		downloadVideo: true,
		options: { timeout: 0.5, pollInterval: 10 },
	},
	get: { operation: 'get', taskId: byId('7'), waitForCompletion: false },
	'get an id of any text': { operation: 'get', taskId: byId('={{ $json.id }}') },
	'get by external id': {
		operation: 'get',
		taskId: { __rl: true, mode: 'externalId', value: '={{ $json.id }}' },
	},
	'get many': { operation: 'list', returnAll: false, limit: 5 },
};

/** One case that each operation must report, however few random ones are played. */
const refusal = {
	answers: [{ status: 500, headers: {}, body: '' }],
	onError: 'stopWorkflow',
	id: '7',
};

const told = /^(NodeApiError|NodeOperationError)$/;

describe.each(providerNames)('%s', (provider) => {
	test.each(Object.keys(operations))('nothing raw gets out of %s', async (name) => {
		const input = fc.record({
			answers: fc.array(fc.oneof(answer, odd), { minLength: 1, maxLength: 4 }),
			onError: fc.constantFrom('stopWorkflow', 'continueRegularOutput', 'continueErrorOutput'),
			id: fc.constantFrom(...words),
		});
		let texts = 0;
		await fc.assert(
			fc.asyncProperty(input, async ({ answers, onError, id }) => {
				hostile.behaviour = answerInTurn(answers);
				const { run, error, items, errorItems } = await runNode({
					parameters: operations[name],
					credential: hostile.credential(provider),
					items: [{ json: { passedThrough: true, id } }],
					settings: { onError: onError as 'stopWorkflow' },
				});
				if (error) {
					texts++;
					expect((error as { name?: string }).name).toMatch(told);
					expect(error.message).not.toMatch(/Something unexpected|undefined|\[object/);
					expect(onError).toBe('stopWorkflow');
				}
				// On the error output, n8n puts the input's own values beside the problem.
				for (const { json } of items) expect(json).not.toHaveProperty('passedThrough');
				for (const { json } of errorItems) expect(json).toHaveProperty('error');
				const shown = JSON.stringify([items, errorItems]);
				expect(shown).not.toMatch(/Something unexpected/);
				if (!error && name !== 'get many') expect(items.length + errorItems.length).toBe(1);
				expect(run.data.resultData.runData[nodeName]).toHaveLength(1);
			}),
			{ numRuns: runs, seed, examples: [[refusal]] },
		);
		expect(texts).toBeGreaterThan(0);
	});
});
