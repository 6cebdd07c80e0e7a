import type { RunResult } from '../../../tools/engine';
import { withProcessedData } from '../../harness/setup';
import { first, onContinue, options, parameters, providerNames, Stage } from './stage';

const stage = new Stage();
withProcessedData();

describe('what the execution shows', () => {
	const shownIn = ({ customData }: RunResult) => Object.values(customData).join(',').split(',');

	test('grows with each loop iteration', async () => {
		const run = await stage.run('kling', { items: first, rounds: 5 });
		expect(shownIn(run)).toEqual(stage.charged());
		expect(stage.charged()).toHaveLength(5);
	});

	test.each(providerNames)('names all of 20 creates whose answers are lost: %s', async (name) => {
		const many = Array.from({ length: 20 }, (_, index) => ({
			json: { image: `https://example.com/${index}.jpg`, scene: 'squish' },
		}));
		stage.sandbox.addFault({ kind: 'resetAfter', match: { operation: 'create' } });
		stage.sandbox.addFault({ kind: 'redirect', match: { operation: 'get' } });
		const settings = onContinue;
		const run = await stage.run(name, {
			...{ items: many, settings },
			parameters: { ...parameters, ...options({ concurrency: 20 }) },
		});
		const shown = shownIn(run);
		expect(shown).toHaveLength(20);
		for (const { externalTaskId } of stage.sandbox.charges) {
			if (externalTaskId) expect(shown.join()).toContain(externalTaskId);
		}
	});

	test('fills 9 of the 10 values, unknown ones first, and leaves one for the workflow', async () => {
		const many = Array.from({ length: 200 }, (_, index) => ({
			json: { image: `https://example.com/${index}.jpg`, scene: 'squish' },
		}));
		stage.sandbox.addFault({
			...{ kind: 'resetAfter', match: { operation: 'create' }, skip: 180 },
		});
		stage.sandbox.addFault({ kind: 'redirect', match: { operation: 'get' } });
		const settings = onContinue;
		const run = await stage.run('kling', {
			...{ items: many, settings },
			parameters: { ...parameters, ...options({ concurrency: 20 }) },
		});
		const values = Object.values(run.customData);
		expect(values).toHaveLength(9);
		for (const value of values) expect(String(value).length).toBeLessThanOrEqual(255);
		const lost = stage.sandbox.charges.slice(180);
		expect(lost).toHaveLength(20);
		for (const { externalTaskId } of lost) expect(values.join()).toContain(externalTaskId);
		expect(shownIn(run).length).toBeGreaterThan(100);
	});

	test('forgets an unknown one that a retry has found', async () => {
		stage.sandbox.addFault({ kind: 'resetAfter', match: { operation: 'create' }, times: 1 });
		stage.sandbox.addFault({ kind: 'redirect', match: { operation: 'get' } });
		const failed = await stage.run('kling', { items: first });
		expect(failed.customData.klingUnknown).toMatch(/^0:n8n-\d{16}$/);
		stage.sandbox.clearFaults();
		const found = await stage.retry('kling', failed);
		expect(shownIn(found).filter(Boolean)).toEqual(stage.charged());
	});
});
