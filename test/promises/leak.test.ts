import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { INode, INodeExecutionData } from 'n8n-workflow';
import { startSandbox, type Fault, type Sandbox, type SandboxProvider } from '../../sandbox';
import { findSample } from '../../sandbox/samples';
import { clockedNode } from '../random/campaign/clockedNode';
import { RunningClock } from '../harness/steppedClock';
import { runNode, type RunResult } from '../../tools/engine';

/** In every case, no key, token or picture is where a person, a log or another server can see it. */

// Signatures use real time, so the virtual clock starts there.
const clock = new RunningClock(() => 0.5, Date.now());
let sandbox: Sandbox;
let picture: string;
let pictureMark: string;
let printed = '';
const elsewhere: IncomingMessage[] = [];
const clip = readFileSync(join(__dirname, '../../sandbox/assets/clip.mp4'));
const otherServer = createServer((request, response) => {
	elsewhere.push(request);
	response.writeHead(200, { 'content-type': 'video/mp4' }).end(clip);
});
let otherOrigin: string;

beforeAll(async () => {
	sandbox = await startSandbox({ now: clock.now, taskSeconds: 20 });
	picture = (await findSample('portrait.jpg'))!.bytes.toString('base64');
	pictureMark = picture.slice(400, 430);
	await new Promise<void>((resolve) => otherServer.listen(0, '127.0.0.1', resolve));
	otherOrigin = `http://127.0.0.1:${(otherServer.address() as AddressInfo).port}`;
	for (const stream of [process.stdout, process.stderr]) {
		const write = stream.write.bind(stream);
		jest.spyOn(stream, 'write').mockImplementation((chunk, ...rest) => {
			printed += String(chunk);
			return write(chunk as string, ...(rest as []));
		});
	}
	for (const method of ['log', 'warn', 'error', 'info', 'debug'] as const) {
		jest.spyOn(console, method).mockImplementation((...values: unknown[]) => {
			printed += values.map((value) => inspect(value, { depth: null })).join(' ');
		});
	}
});
afterAll(async () => {
	jest.restoreAllMocks();
	otherServer.closeAllConnections();
	otherServer.close();
	await sandbox.close();
});
beforeEach(() => {
	sandbox.reset();
	printed = '';
	elsewhere.length = 0;
});

type Way = SandboxProvider | 'klingSigned';
const ways: Way[] = ['kling', 'klingSigned', 'cometApi', 'kkiai', 'modellix', 'apiModels'];

const providerOf = (way: Way): SandboxProvider => (way === 'klingSigned' ? 'kling' : way);

function credentialOf(way: Way): Record<string, unknown> {
	return way === 'klingSigned'
		? sandbox.accessKeyCredential()
		: sandbox.credential(providerOf(way));
}

/** What must not be seen: the keys, every token that went over the wire, and a piece of the picture. */
function secretsOf(way: Way): string[] {
	const { apiKey, accessKey, secretKey } = credentialOf(way);
	const tokens = sandbox.requests.map(({ headers }) =>
		headers.authorization?.replace('Bearer ', ''),
	);
	const parts = tokens.flatMap((token) => (token?.includes('.') ? token.split('.').slice(1) : []));
	const all = [apiKey, accessKey, secretKey, ...tokens, ...parts, pictureMark];
	return [
		...new Set(all.filter((text): text is string => typeof text === 'string' && text !== '')),
	];
}

async function run(
	way: Way,
	onError: INode['onError'],
	more: Record<string, unknown> = {},
	requestTimeoutMs = 1_000,
) {
	const file = { data: picture, mimeType: 'image/jpeg', fileName: 'portrait.jpg' };
	const items: INodeExecutionData[] = [{ json: {}, binary: { data: file } }];
	return await runNode({
		credential: credentialOf(way),
		items,
		settings: { onError },
		nodeType: clockedNode({ clock, requestTimeoutMs }),
		parameters: {
			operation: 'create',
			effectScene: { mode: 'name', value: 'squish' },
			imageInput: 'binary',
			imageField: 'data',
			waitForCompletion: false,
			downloadVideo: false,
			options: { timeout: 1 },
			...more,
		},
	});
}

/** Everything that a run leaves behind besides its input, including what errors hide from JSON. */
function remains({ run: { data } }: RunResult): string {
	const { resultData, executionData } = data;
	const context = executionData?.contextData;
	const whole = { depth: null, showHidden: true, maxStringLength: null, maxArrayLength: null };
	return `${inspect({ resultData, context }, whole)} ${JSON.stringify([resultData, context])}`;
}

function expectClean(way: Way, result: RunResult): void {
	const secrets = secretsOf(way);
	expect(secrets.length).toBeGreaterThanOrEqual(2);
	const left = remains(result);
	expect(secrets.filter((secret) => left.includes(secret))).toEqual([]);
	expect(secrets.filter((secret) => printed.includes(secret))).toEqual([]);
	const addresses = sandbox.requests.map(({ path }) => decodeURIComponent(path)).join('\n');
	expect(secrets.filter((secret) => addresses.includes(secret))).toEqual([]);
	for (const { operation, headers, body } of sandbox.requests) {
		const { authorization: _, ...others } = headers;
		const rest = JSON.stringify([others, operation === 'create' ? null : body]);
		expect(secrets.filter((secret) => rest.includes(secret))).toEqual([]);
	}
}

const failures: Array<[name: string, fault: (way: Way) => Omit<Fault, 'match'>]> = [
	['a refused key', () => ({ kind: 'code', code: 1002 })],
	['an empty account', () => ({ kind: 'code', code: 1102 })],
	['a refused picture', () => ({ kind: 'code', code: 1301 })],
	['a bad parameter', () => ({ kind: 'code', code: 1201 })],
	['too many requests', () => ({ kind: 'code', code: 1302 })],
	['no free place', () => ({ kind: 'code', code: 1303 })],
	['a token that is not valid yet', () => ({ kind: 'code', code: 1003 })],
	['an internal error', () => ({ kind: 'code', code: 5000 })],
	['a web page', () => ({ kind: 'html', status: 502 })],
	['a broken answer', () => ({ kind: 'malformedJson', accept: true })],
	['an unknown shape', () => ({ kind: 'unknownShape' })],
	['an empty answer', () => ({ kind: 'empty' })],
	['a lost answer', () => ({ kind: 'resetAfter' })],
	['a lost request', () => ({ kind: 'resetBefore' })],
	['no answer', () => ({ kind: 'hang' })],
	['a redirect', () => ({ kind: 'redirect', status: 302, location: `${otherOrigin}/taken` })],
	[
		'a redirect that keeps the method',
		() => ({ kind: 'redirect', status: 307, location: `${otherOrigin}/taken` }),
	],
	[
		'a refusal that repeats the key',
		(way) => ({ kind: 'status', status: 401, body: echo(way, 1002) }),
	],
	[
		'a refusal that repeats the request',
		(way) => ({ kind: 'status', status: 400, body: echo(way, 1201) }),
	],
];

/** What the worst provider might say. */
function echo(way: Way, code: number): Record<string, unknown> {
	const { apiKey, accessKey, secretKey } = credentialOf(way);
	const message = `Wrong: key ${String(apiKey)}, access ${String(accessKey)}:${String(secretKey)}, image ${picture.slice(0, 3_000)}`;
	return { code, message, msg: message, error: { message, code: String(code) } };
}

describe.each(ways)('%s', (way) => {
	test.each(failures)('leaks nothing after %s', async (_name, fault) => {
		for (const onError of [
			'stopWorkflow',
			'continueRegularOutput',
			'continueErrorOutput',
		] as const) {
			sandbox.reset();
			const one = fault(way);
			sandbox.addFault({ ...one, match: { provider: providerOf(way) } });
			const requestTimeoutMs = one.kind === 'hang' ? 40 : 1_000;
			expectClean(way, await run(way, onError, {}, requestTimeoutMs));
		}
		expect(elsewhere).toEqual([]);
	});

	test('leaks nothing when all goes well, and fetches the video without the key', async () => {
		for (const simplify of [true, false]) {
			sandbox.reset();
			const options = { timeout: 30 };
			const more = { simplify, waitForCompletion: true, downloadVideo: true, options };
			const result = await run(way, 'stopWorkflow', more);
			expect(result.error).toBeUndefined();
			expect(result.items[0].binary).toHaveProperty('data');
			expectClean(way, result);
			const downloads = sandbox.requests.filter(({ operation }) => operation === 'download');
			expect(downloads).toHaveLength(1);
			expect(downloads[0].headers).not.toHaveProperty('authorization');
		}
	});

	test('a video that has moved to another origin is fetched from there without the key', async () => {
		const location = `${otherOrigin}/clip.mp4`;
		sandbox.addFault({ kind: 'redirect', location, match: { operation: 'download' } });
		const more = { waitForCompletion: true, downloadVideo: true, options: { timeout: 30 } };
		const result = await run(way, 'stopWorkflow', more);
		expect(result.error).toBeUndefined();
		expect(elsewhere).toHaveLength(1);
		expect(elsewhere[0].headers).not.toHaveProperty('authorization');
		expectClean(way, result);
	});
});
