import { withProcessedData } from '../../harness/setup';
import { first, match, providerNames, Stage } from './stage';

/** What reads like a refusal but may have created the task is not sent again. */

const stage = new Stage();
withProcessedData();

/** A refusal in the provider's own words that still names a task. */
const refusalWith = (provider: string, taskId: string) => {
	const named = provider === 'apiModels' ? { taskId } : { task_id: taskId };
	const text = { message: 'Too many requests', msg: 'Too many requests' };
	return { code: 1302, ...text, data: { ...named, task_status: 'submitted', state: 'pending' } };
};

describe.each(providerNames)('%s', (provider) => {
	test.each([429, 400, 403, 404, 409])(
		'HTTP %i with a task id is no definite refusal: sent once, and reported',
		async (status) => {
			const body = refusalWith(provider, '842163450012345678');
			stage.sandbox.addFault({ kind: 'status', status, body, match, accept: true });
			const run = await stage.run(provider, { items: first });
			expect(stage.creates()).toHaveLength(1);
			expect(stage.charged()).toHaveLength(1);
			const told = JSON.stringify([run.error, run.json]);
			expect(told).toMatch(
				/842163450012345678/.test(told) ? /842163450012345678/ : new RegExp(stage.charged()[0]),
			);
			expect(told).not.toMatch(/[Nn]othing was charged/);
		},
	);
});

test.each(['cometApi', 'kkiai'] as const)(
	'%s: the code of a broken server in an HTTP 200 is no definite refusal: sent once',
	async (provider) => {
		const body = { code: 500, message: 'internal error', request_id: 'x' };
		stage.sandbox.addFault({ kind: 'status', status: 200, body, accept: true, match, times: 1 });
		const run = await stage.run(provider, { items: first });
		if (run.error) await stage.retry(provider, run, { items: first });
		expect(stage.charged()).toHaveLength(1);
	},
);
