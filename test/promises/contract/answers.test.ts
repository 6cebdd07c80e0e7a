import type { Fault } from '../../../sandbox';
import { rows } from './providers';
import { Workbench, byId } from '../../harness/workbench';

/** Responses that no provider documents: from a proxy in between, a broken gateway, an API that moved. */

const bench = Workbench.prepare();
const providers = rows.filter(
	(row, index) => rows.findIndex(({ provider }) => provider === row.provider) === index,
);

const oddities: Array<
	[name: string, fault: Pick<Fault, 'kind' | 'status' | 'body'>, said: string]
> = [
	['a web page', { kind: 'html' }, 'a web page instead of data'],
	['an empty page', { kind: 'empty' }, 'an empty response'],
	['JSON that breaks off', { kind: 'malformedJson' }, 'text instead of data'],
	['an undocumented shape', { kind: 'unknownShape' }, 'data in an unknown format'],
	['a JSON list', { kind: 'status', status: 200, body: '[]' }, 'data in an unknown format'],
	['a JSON null', { kind: 'status', status: 200, body: 'null' }, 'data in an unknown format'],
	['a JSON text', { kind: 'status', status: 200, body: '"ok"' }, 'data in an unknown format'],
	['plain text', { kind: 'status', status: 200, body: 'ok' }, 'text instead of data'],
	['an empty object', { kind: 'status', status: 200, body: '{}' }, 'data in an unknown format'],
];

/** With a request id in a header, as proxies and gateways send it. */
const headers = { 'x-request-id': 'req-4711' };

describe.each(providers)('$displayName', (row) => {
	const { displayName, provider } = row;

	test.each(oddities)('%s in response to a Get is named', async (_name, fault, said) => {
		bench.sandbox.addFault({ headers, ...fault, match: { provider, operation: 'get' } });
		const { error } = await bench.run(row, { operation: 'get', taskId: byId('77') });
		expect(error?.message).toContain(`${displayName} answered with ${said}`);
		expect(error?.description).toContain('Check Base URL in the credential');
		expect(error?.description).toContain('HTTP 200');
		expect(bench.requests('get')).toHaveLength(4);
	});

	test.each(oddities)(
		'%s in response to a Create is not mistaken for a refusal: nothing is paid twice',
		async (_name, fault) => {
			const match = { provider, operation: 'create' as const };
			bench.sandbox.addFault({ headers, ...fault, match, accept: true });
			const { error, json } = await bench.create(row);
			expect(bench.sandbox.charges).toHaveLength(1);
			const [task] = bench.sandbox.tasks;
			if (json.length > 0) {
				expect(json[0].taskId).toBe(task.taskId);
			} else {
				expect(error?.message).toBe(
					`${displayName} may have created the task, but its response cannot be read`,
				);
				expect(error?.description).toContain('you will not pay twice');
			}
			expect(json.length > 0).toBe(row.findsByExternalId);
		},
	);

	test.each(oddities)('%s during a wait does not end it', async (_name, fault) => {
		const match = { provider, operation: 'get' as const };
		bench.sandbox.addFault({ headers, ...fault, match, times: 2 });
		const { json, error } = await bench.create(row, { waitForCompletion: true });
		expect(error).toBeUndefined();
		expect(json[0].status).toBe('succeed');
	});

	test.each(oddities)(
		'%s for the whole wait ends it at the timeout, with the id',
		async (_name, fault) => {
			bench.sandbox.addFault({ headers, ...fault, match: { provider, operation: 'get' } });
			const parameters = { waitForCompletion: true, options: { timeout: 1 } };
			const { json, error } = await bench.create(row, parameters);
			expect(error).toBeUndefined();
			expect(json[0]).toMatchObject({ taskId: bench.sandbox.tasks[0].taskId, timedOut: true });
		},
	);

	test.each([403, 404, 502, 503])(
		'a web page with HTTP %i is reported with its status',
		async (status) => {
			const match = { provider, operation: 'get' as const };
			bench.sandbox.addFault({ kind: 'html', status, match });
			const { error } = await bench.run(row, { operation: 'get', taskId: byId('77') });
			expect(error?.httpCode).toBe(String(status));
			expect(error?.message).toContain(displayName);
			expect(error?.message).not.toContain('<');
		},
	);

	test.each(['resetBefore', 'truncated'] as const)(
		'a connection that breaks off (%s) is reported as no response, after four tries',
		async (kind) => {
			bench.sandbox.addFault({ kind, match: { provider, operation: 'get' } });
			const { error } = await bench.run(row, { operation: 'get', taskId: byId('77') });
			expect(error?.message).toBe(`${displayName} did not answer`);
			expect(bench.requests('get')).toHaveLength(4);
		},
	);

	test('a base URL where nothing listens is reported as such, and nothing counts as paid', async () => {
		const credential = { ...bench.credential(row), baseUrl: 'http://127.0.0.1:9' };
		const { error } = await bench.create(row, {}, { credential });
		expect(error?.message).toBe(`${displayName} could not be reached`);
		expect(error?.description).toContain('Check Base URL in the credential');
	});
});

describe('the list of Kling AI', () => {
	const [kling] = rows;

	test.each(oddities)('%s instead of a page is named', async (_name, fault, said) => {
		bench.sandbox.addFault({ headers, ...fault, match: { operation: 'list' } });
		const { error } = await bench.run(kling, { operation: 'list', returnAll: true });
		expect(error?.message).toContain(`Kling AI answered with ${said}`);
		expect(error?.description).toContain('HTTP 200');
		expect(bench.requests('list')).toHaveLength(4);
	});

	test('a page that fails in the middle ends the list: part of it never passes for the whole', async () => {
		bench.sandbox.seedTasks('kling', Array(700).fill({}));
		bench.sandbox.addFault({ kind: 'html', skip: 1, match: { operation: 'list' } });
		const { error, items } = await bench.run(kling, { operation: 'list', returnAll: true });
		expect(error?.message).toContain('a web page instead of data');
		expect(items).toEqual([]);
	});

	test('an unreadable page is not skipped silently', async () => {
		const body = { code: 0, message: 'SUCCEED', request_id: 'r-1', data: [{ id: 'no task' }] };
		bench.sandbox.addFault({ kind: 'status', status: 200, body, match: { operation: 'list' } });
		const { error } = await bench.run(kling, { operation: 'list', returnAll: true });
		expect(error?.message).toBe('Kling AI answered with data in an unknown format');
		expect(error?.description).toContain('request id r-1');
	});
});

test.each([
	['in the body', { request_id: 'abc-1' }, {}, 'request id abc-1'],
	['in a header', { hello: 1 }, { 'x-request-id': 'req-2' }, 'request id req-2'],
	['in the text, as new-api gateways do', { t: '(request id: 33ab)' }, {}, 'request id 33ab'],
])('the request id is shown if it is %s', async (_name, body, more, said) => {
	bench.sandbox.addFault({ kind: 'status', status: 200, body, headers: more });
	const { error } = await bench.run(rows[0], { operation: 'get', taskId: byId('77') });
	expect(error?.description).toContain(said);
});
