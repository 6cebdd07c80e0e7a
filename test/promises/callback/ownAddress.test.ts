import dns from 'node:dns';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { postToOwnAddress } from '../../../nodes/KlingEffects/afterTask/selfCalls';
import { create, photos, TestBed } from '../../harness/callbackBed';

/**
 * A sleeping node ends its wait by calls to n8n's own address: before it sleeps, it checks that they
 * arrive.
 */

const { isReached } = postToOwnAddress;
const bed = TestBed.prepare();
const name = 'n8n.example.com';

/** What answers at n8n's public address; null answers nothing at all. */
let status: number | null = 404;
let asked: string[] = [];
const atAddress = createServer(({ method, url = '' }, response) => {
	asked.push(`${method} ${url}`);
	if (status !== null) response.writeHead(status).end();
});
const proxyAsked: string[] = [];
const proxy = createServer(({ url = '' }, response) => {
	proxyAsked.push(url);
	response.writeHead(404).end();
});
proxy.on('connect', ({ url = '' }, socket) => {
	proxyAsked.push(url);
	socket.end('HTTP/1.1 200 Connected\r\n\r\n');
});

async function listen(server: Server): Promise<number> {
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return (server.address() as AddressInfo).port;
}

let webhookUrl = '';
const variables = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
const usual = variables.map((variable) => process.env[variable]);
beforeAll(async () => {
	webhookUrl = `http://${name}:${await listen(atAddress)}`;
	const address = `http://127.0.0.1:${await listen(proxy)}`;
	Object.assign(process.env, { HTTP_PROXY: address, HTTPS_PROXY: address, NO_PROXY: '127.0.0.1' });
});
afterAll(() => {
	for (const [index, variable] of variables.entries()) {
		if (usual[index] === undefined) delete process.env[variable];
		else process.env[variable] = usual[index];
	}
	for (const server of [atAddress, proxy]) {
		server.closeAllConnections();
		server.close();
	}
});
beforeEach(() => {
	postToOwnAddress.isReached = isReached;
	asked = [];
	status = 404;
});
afterEach(() => jest.restoreAllMocks());

/** The public name leads here, as on a machine that can reach its own address. */
function resolveName(): void {
	const { lookup } = dns;
	jest
		.spyOn(dns, 'lookup')
		.mockImplementation(((host: string, ...rest: unknown[]) =>
			lookup(host === name ? '127.0.0.1' : host, ...(rest as [never]))) as never);
}

/** Sleeps, and returns the hints in the output pane. */
async function hintsAt(url = webhookUrl): Promise<string[]> {
	const id = await bed.start(photos('a'), {}, { webhookUrl: url });
	expect(bed.n8n.status(id)).toBe('waiting');
	expect(bed.taskIds).toHaveLength(1);
	const runs = Object.values(bed.n8n.dataOf(id).resultData.runData).flat();
	return runs.flatMap(({ hints = [] }) => hints.map(({ message }) => message));
}

const settings = /N8N_WEBHOOK_URL.*\bWEBHOOK_URL in older versions\b/;

test.each([404, 409, 401, 200])(
	'if n8n reaches its own address (HTTP %i), there is no hint, and no request to the provider',
	async (answer) => {
		resolveName();
		status = answer;
		expect(await hintsAt()).toEqual([]);
		expect(asked).toEqual([expect.stringMatching(/^GET \/webhook-waiting\//)]);
		expect(bed.sandbox.requests.map(({ operation }) => operation)).toEqual(['create', 'get']);
	},
);

describe('if it does not, a hint names the address and both variables:', () => {
	async function expectDoubt(url = webhookUrl): Promise<void> {
		const [hint, ...more] = await hintsAt(url);
		expect(more).toEqual([]);
		expect(hint).toContain(`n8n does not reach its own address ${new URL(url).origin}, so`);
		expect(hint).toContain('may sleep until its Timeout');
		expect(hint).toMatch(settings);
		expect(hint).toContain('set Wait Using to Polling');
		expect(bed.sandbox.requests.map(({ operation }) => operation)).toEqual(['create', 'get']);
	}

	test('its name is not known to the machine', async () => {
		const lookup = jest.spyOn(dns, 'lookup');
		lookup.mockImplementation(((_host: string, ...rest: unknown[]) => {
			const error = Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' });
			(rest.at(-1) as (error: Error) => void)(error);
		}) as never);
		await expectDoubt(webhookUrl.replace(name, 'gone.example.com'));
	});

	test('it can only be reached through a proxy, which the node’s calls do not use', async () => {
		resolveName();
		const port = (proxy.address() as AddressInfo).port + 1;
		proxyAsked.length = 0;
		await expectDoubt(`http://${name}:${port === 65_536 ? 1 : port}`);
		expect(proxyAsked).toEqual([]);
	});

	test.each([403, 407, 500, 502, 503, 504])('something in between answers %i', async (answer) => {
		resolveName();
		status = answer;
		await expectDoubt();
	});

	test('it never answers: the node falls asleep all the same', async () => {
		resolveName();
		status = null;
		const { timeout } = AbortSignal;
		const limits: number[] = [];
		jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
			limits.push(ms);
			return timeout.call(AbortSignal, ms === 5_000 ? 50 : ms);
		});
		await expectDoubt();
		expect(limits).toContain(5_000);
	});
});

test('a private address is named as one that the provider cannot call, with both variables', async () => {
	const [hint] = await hintsAt('http://localhost:5678');
	expect(hint).toContain('The provider cannot call localhost:5678 from the internet');
	expect(hint).toMatch(settings);
	expect(asked).toEqual([]);
});

test('a wait by polling sends nothing to n8n’s own address', async () => {
	resolveName();
	bed.sandbox.options.taskSeconds = 5;
	const options = { ...create.options, waitUsing: 'polling' };
	const id = await bed.start(photos('a'), { options }, { webhookUrl });
	bed.sandbox.options.taskSeconds = 1_000_000;
	expect(bed.n8n.status(id)).toBe('success');
	expect(asked).toEqual([]);
});
