import { forgetProcessedData } from '../../../tools/sleepingN8n';
import { withProcessedData } from '../../harness/setup';
import { day, first, onN8n1, parameters, photos, scene, second, Stage } from './stage';

/** Another execution that only has the number of an earlier one, as after a backup was restored. */

const stage = new Stage();
withProcessedData();
const fixed = scene('color_mixing');

describe('an execution that only has the number of an earlier one', () => {
	test.each(['webhook', 'trigger', 'manual', 'integrated'] as const)(
		'that was started with another photo gets no old video: %s, n8n 1',
		async (mode) => {
			await stage.run('kling', { ...onN8n1, mode, items: first });
			await stage.bench.clock.sleep(day);
			const run = await stage.run('kling', { ...onN8n1, mode, items: second });
			expect(stage.charged()).toHaveLength(2);
			stage.expectOwn(run, photos.slice(1, 2));
		},
	);

	test('that was started by hand, with the same empty item, creates its own: n8n 1', async () => {
		const empty = { ...onN8n1, mode: 'manual' as const, items: [{ json: {} }] };
		const of = (image: string) => ({ parameters: { ...parameters, ...fixed, image } });
		await stage.run('kling', { ...empty, ...of(photos[0]) });
		await stage.bench.clock.sleep(day);
		const run = await stage.run('kling', { ...empty, ...of(photos[1]) });
		stage.expectOwn(run, photos.slice(1, 2));
	});

	test('whose start is the same to the byte never takes an old task silently: n8n 1', async () => {
		// The photo comes from elsewhere, such as a table that has changed in the meantime.
		const image = '={{ $now.toMillis() > 0 ? $vars.photo : "" }}';
		const start = { ...onN8n1, mode: 'webhook' as const, items: [{ json: {} }] };
		const own = { ...start, parameters: { ...parameters, ...fixed, image } };
		const withPhoto = async (photo: string) => {
			// n8n's table is restored with the rest of the database.
			forgetProcessedData();
			return await stage.run('kling', { ...own, vars: { photo } });
		};
		const [old] = (await withPhoto(photos[0])).json;
		await stage.bench.clock.sleep(day);
		const run = await withPhoto(photos[1]);
		expect(run.json).toEqual([]);
		expect(run.error?.message).toMatch(/already has a task with the ID/);
		expect(run.error?.description).toMatch(/same number.*backup.*nothing was charged/i);
		expect(JSON.stringify(run.error)).not.toContain(old.taskId);
		expect(stage.charged()).toHaveLength(1);
	});

	test('has a token of its own: n8n 2', async () => {
		await stage.run('kling', { items: first });
		const run = await stage.run('kling', { items: second, resumeToken: 'another' });
		stage.expectOwn(run, photos.slice(1, 2));
	});
});
