import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startSandbox, type Sandbox } from '../../../sandbox';
import type { RunResult } from '../../../tools/engine';
import { byExternalId, byId } from '../../harness/workbench';
import { hintsOf, idsOf, items, parameters, photos, providerNames, Stage } from './stage';
import {
	closeProcessedData,
	forgetProcessedData,
	openProcessedData,
} from '../../../tools/sleepingN8n';

/** What once gave an item another's video, or paid twice: one example each (I1 to I15). */

const stage = new Stage();
const options = (more: Record<string, unknown>) => ({ options: { concurrency: 1, ...more } });
const [first, second] = items.map((item) => [item]);
/** As n8n 1.123 runs it: its executions have no token. */
const onN8n1 = { resumeToken: null };

let other: Sandbox;
beforeAll(openProcessedData);
afterAll(closeProcessedData);
beforeAll(async () => {
	other = await startSandbox();
});
beforeEach(() => {
	other.reset();
	forgetProcessedData();
});
afterAll(async () => await other.close());

const day = 86_400_000;

describe('an execution that only has the number of an earlier one (I1)', () => {
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
		const of = (image: string) => ({ parameters: { ...parameters, ...scene, image } });
		await stage.run('kling', { ...empty, ...of(photos[0]) });
		await stage.bench.clock.sleep(day);
		const run = await stage.run('kling', { ...empty, ...of(photos[1]) });
		stage.expectOwn(run, photos.slice(1, 2));
	});

	test('whose start is the same to the byte never takes an old task silently: n8n 1', async () => {
		// The photo comes from elsewhere, such as a table that has changed meanwhile.
		const image = '={{ $now.toMillis() > 0 ? $vars.photo : "" }}';
		const start = { ...onN8n1, mode: 'webhook' as const, items: [{ json: {} }] };
		const own = { ...start, parameters: { ...parameters, ...scene, image } };
		const withPhoto = async (photo: string) => {
			// n8n's table is put back with the rest of the database.
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

	// By hand where manual runs go to workers.
	test.each(
		providerNames.flatMap((name) => [[name, 'webhook'] as const, [name, 'manual'] as const]),
	)(
		'and one that n8n runs again after a crash pays for nothing twice: %s, by %s, n8n 1 and 2',
		async (provider, mode) => {
			for (const [index, line] of [onN8n1, {}].entries()) {
				const own = { ...line, mode, workflowId: `${provider} ${index}` };
				const run = await stage.run(provider, own);
				await stage.bench.clock.sleep(day);
				const again = await stage.run(provider, own);
				expect(stage.charged()).toEqual(idsOf(run));
				// Found, or told where it cannot be looked up.
				const isTold = /may have created the task, but the execution crashed/;
				if (again.error) expect(again.error.message).toMatch(isTold);
				else expect(idsOf(again)).toEqual(idsOf(run));
				expect(again.error === undefined).toBe(!['modellix', 'apiModels'].includes(provider));
				// Nor at another account, to which the credential was changed meanwhile.
				await stage.run(provider, { ...own, credential: other.credential(provider) });
				expect(other.charges).toEqual([]);
				stage.sandbox.reset();
			}
		},
	);
});

const scene = { effectScene: { __rl: true, mode: 'name', value: 'color_mixing' } };

test('two nodes that share an id have a task each, of their own photo (I2)', async () => {
	const cat = await stage.run('kling', { items: first, name: 'Cat' });
	const dog = await stage.run('kling', { items: second, name: 'Dog' });
	stage.expectOwn(cat, photos.slice(0, 1));
	stage.expectOwn(dog, photos.slice(1, 2));
});

describe.each(providerNames)('after the credential was changed from %s', (provider) => {
	const others = providerNames.filter((name) => name !== provider);

	test.each(others)(
		'to %s, its tasks come out as they were seen last, and nothing is sent for them (I4)',
		async (next) => {
			const failed = await stage.failedRun(provider);
			const earlier = stage.charged();
			const credential = other.credential(next);
			const run = await stage.retry(next, failed, { credential });
			expect(run.error).toBeUndefined();
			expect(idsOf(run).slice(0, 2)).toEqual(earlier);
			expect(run.json.slice(0, 2)).toEqual(
				items
					.slice(0, 2)
					.map(({ json }) =>
						expect.objectContaining({ provider, status: 'submitted', effectScene: json.scene }),
					),
			);
			expect(other.charges).toHaveLength(1);
			expect(stage.charged()).toHaveLength(2);
			expect(JSON.stringify(other.requests)).not.toContain(earlier[0]);
			expect(hintsOf(run).join()).toMatch(
				new RegExp(
					`Item 0: task ${earlier[0]} was created at .*, before the credential was changed`,
				),
			);
			// Both are on the execution.
			for (const taskId of [...earlier, other.charges[0].taskId]) {
				expect(JSON.stringify(run.customData)).toContain(taskId);
			}
		},
	);

	test('to another account of the same, they are told and not created again', async () => {
		const failed = await stage.failedRun(provider);
		const earlier = stage.charged();
		const run = await stage.retry(provider, failed, { credential: other.credential(provider) });
		expect(run.error).toBeUndefined();
		expect(idsOf(run).slice(0, 2)).toEqual(earlier);
		expect(other.charges).toHaveLength(1);
		expect(hintsOf(run).join()).toMatch(
			new RegExp(`Item 1: task ${earlier[1]} was created with another .* key or Base URL`),
		);
	});

	test('a create whose answer was lost is not sent to another account: “not found” proves nothing there (I5)', async () => {
		stage.sandbox.addFault({ kind: 'resetAfter', match: { operation: 'create' }, times: 1 });
		stage.sandbox.addFault({ kind: 'redirect', match: { operation: 'get' } });
		const failed = await stage.run(provider, { items: first });
		expect(failed.error?.message).toMatch(/may have created the task/);
		for (const next of providerNames) {
			const credential = other.credential(next);
			const run = await stage.retry(next, failed, { credential });
			expect(run.error?.message).toMatch(/may have created the task/);
			expect(run.error?.description).toMatch(/before the credential was changed/);
			expect(run.error?.description).not.toMatch(/sends it only when it is not there/);
		}
		expect(stage.charged()).toHaveLength(1);
		expect(other.charges).toEqual([]);
		// And with the first key again, it is found, or still told.
		stage.sandbox.clearFaults();
		await stage.retry(provider, failed);
		expect(stage.charged()).toHaveLength(1);
	});
});

describe('what the execution shows', () => {
	const shownIn = ({ customData }: RunResult) => Object.values(customData).join(',').split(',');

	test('grows with each round of a loop (I7)', async () => {
		const run = await stage.run('kling', { items: first, rounds: 5 });
		expect(shownIn(run)).toEqual(stage.charged());
		expect(stage.charged()).toHaveLength(5);
	});

	test.each(providerNames)(
		'names all of 20 creates whose answers are lost: %s (I8)',
		async (name) => {
			const many = Array.from({ length: 20 }, (_, index) => ({
				json: { image: `https://example.com/${index}.jpg`, scene: 'squish' },
			}));
			stage.sandbox.addFault({ kind: 'resetAfter', match: { operation: 'create' } });
			stage.sandbox.addFault({ kind: 'redirect', match: { operation: 'get' } });
			const settings = { onError: 'continueRegularOutput' as const };
			const run = await stage.run(name, {
				...{ items: many, settings },
				parameters: { ...parameters, ...options({ concurrency: 20 }) },
			});
			const shown = shownIn(run);
			expect(shown).toHaveLength(20);
			for (const { externalTaskId } of stage.sandbox.charges) {
				if (externalTaskId) expect(shown.join()).toContain(externalTaskId);
			}
		},
	);

	test('fills 9 of the 10 values, the unknown ones first, and leaves one to the workflow (I9)', async () => {
		const many = Array.from({ length: 200 }, (_, index) => ({
			json: { image: `https://example.com/${index}.jpg`, scene: 'squish' },
		}));
		stage.sandbox.addFault({
			...{ kind: 'resetAfter', match: { operation: 'create' }, skip: 180 },
		});
		stage.sandbox.addFault({ kind: 'redirect', match: { operation: 'get' } });
		const settings = { onError: 'continueRegularOutput' as const };
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

/** A refusal in the provider's own words that names a task all the same. */
const refusalWith = (provider: string, taskId: string) => {
	const named = provider === 'apiModels' ? { taskId } : { task_id: taskId };
	const text = { message: 'Too many requests', msg: 'Too many requests' };
	return { code: 1302, ...text, data: { ...named, task_status: 'submitted', state: 'pending' } };
};

describe.each(providerNames)('%s', (provider) => {
	test.each([429, 400, 403, 404, 409])(
		'HTTP %i with a task id is no sure refusal: sent once, and told (I10)',
		async (status) => {
			const body = refusalWith(provider, '842163450012345678');
			const match = { operation: 'create' as const };
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
	'%s: a task that is answered under the id of another system keeps the id it was asked for by (I11)',
	async (provider) => {
		const made = await stage.run(provider, { items: first });
		const [taskId] = idsOf(made);
		Object.assign(stage.sandbox.options, { gatewaysShowKlingsId: true });
		const get = { operation: 'get', taskId: byId(taskId), waitForCompletion: true };
		const got = await stage.run(provider, { parameters: get as never, items: [{ json: {} }] });
		expect(got.json).toEqual([expect.objectContaining({ taskId, status: 'succeed' })]);
	},
);

/** A gateway that answers each look-up with the same task. */
async function brokenGateway(taskId: string, externalTaskId: string) {
	const server: Server = createServer((request, response) => {
		if (request.method === 'POST') return void request.socket.destroy();
		const task = {
			task_id: taskId,
			task_status: 'succeed',
			task_info: { external_task_id: externalTaskId },
		};
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({ code: 0, message: 'SUCCEED', data: task }));
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return { baseUrl: `http://127.0.0.1:${port}`, close: () => server.close() };
}

describe.each(['kling', 'cometApi', 'kkiai'] as const)(
	'%s, when it answers with another task',
	(provider) => {
		test('does not make it the task of a lost create, nor of a Get (I12)', async () => {
			const { baseUrl, close } = await brokenGateway('1', 'another');
			const credential = { ...stage.credential(provider), baseUrl };
			const lost = await stage.run(provider, { items: first, credential });
			expect(lost.json).toEqual([]);
			expect(lost.error?.description).toMatch(/another task than the one that was asked for/);
			const get = { operation: 'get', taskId: byExternalId('mine') };
			const got = await stage.run(provider, {
				parameters: get as never,
				items: [{ json: {} }],
				credential,
			});
			expect(got.error?.message).toMatch(/another task than the one that was asked for/);
			close();
		});
	},
);

test.each(['cometApi', 'kkiai'] as const)(
	'%s: an old task under a given id is not said to be the only one (I13)',
	async (provider) => {
		Object.assign(stage.sandbox.options, {
			cometExternalIdLookup: true,
			kkiaiExternalIdLookup: true,
		});
		const given = { parameters: { ...parameters, ...options({ externalTaskId: 'order-1' }) } };
		const createdAt = stage.bench.clock.now() - day;
		stage.sandbox.seedTasks(provider, [{ externalTaskId: 'order-1', createdAt }]);
		stage.sandbox.addFault({ kind: 'resetBefore', match: { operation: 'create' } });
		const run = await stage.run(provider, { items: first, ...given });
		expect(run.json).toHaveLength(1);
		expect(hintsOf(run).join()).toMatch(/already existed .* is not known: look in the/);
		expect(hintsOf(run).join()).not.toMatch(/none was created or charged/);
	},
);

test.each(['.', '..', 'a\u0000b', 'a\nb', 'half \ud83d', '\u0085'])(
	'External Task ID %j is refused before it is paid (I14)',
	async (id) => {
		const externalTaskId = `={{ ${JSON.stringify(id)} }}`;
		for (const provider of ['kling', 'cometApi', 'kkiai'] as const) {
			const run = await stage.run(provider, {
				items: first,
				parameters: { ...parameters, ...options({ externalTaskId }) },
			});
			expect(run.error?.message).toMatch(
				/^External Task ID (cannot be part of an address|holds an invisible character)/,
			);
		}
		expect(stage.creates()).toEqual([]);
	},
);
