import { rows } from '../../../promises/contract/providers';
import { fileItem, photo, single, Workbench } from '../../../harness/workbench';
import type { RunOptions } from '../../../../tools/engine';

/** One item never harms another: each parameter is evaluated once, before anything is paid. */

const bench = Workbench.prepare();
const [kling] = rows;
const create = { ...single, waitForCompletion: false, downloadVideo: false };
const good = { image: photo, scene: 'color_mixing' };

/** What is wrong with the second of three items, and what is said about it. */
const troubles: Array<[string, Record<string, unknown>, RegExp]> = [
	[
		'an image expression that throws',
		{ image: '={{ $itemIndex === 1 ? $("Nowhere").first() : $json.image }}' },
		/^Image could not be evaluated: /,
	],
	[
		'a scene that is an object',
		{ effectScene: '={{ $itemIndex === 1 ? {a: 1} : $json.scene }}' },
		/^Effect Scene /,
	],
	[
		'options that throw',
		{ options: { duration: '={{ $itemIndex === 1 ? $("Nowhere").first() : 5 }}' } },
		/^Options could not be evaluated: /,
	],
	[
		'a model that the scene never had',
		{
			effectScene: "={{ $itemIndex === 1 ? 'fight' : $json.scene }}",
			options: { modelName: "={{ $itemIndex === 1 ? 'kling-v1' : '' }}" },
		},
		/^Effect Scene “fight” does not support the model “kling-v1”$/,
	],
	[
		'a wait that is no yes or no',
		{ waitForCompletion: "={{ $itemIndex === 1 ? 'maybe' : false }}" },
		/^Wait for Completion must be true or false$/,
	],
	[
		'an output field that throws',
		{
			waitForCompletion: true,
			downloadVideo: true,
			outputField: '={{ $itemIndex === 1 ? $("Nowhere").first() : "clip" }}',
		},
		/^Output Field Name could not be evaluated: /,
	],
	[
		'an output field that is none',
		{
			waitForCompletion: true,
			downloadVideo: true,
			outputField: '={{ $itemIndex === 1 ? {} : "clip" }}',
		},
		/^Output Field Name must be text$/,
	],
	[
		'a Simplify that throws',
		{ simplify: '={{ $itemIndex === 1 ? $("Nowhere").first() : true }}' },
		/^Simplify could not be evaluated: /,
	],
];

const items = () => [0, 1, 2].map(() => ({ json: { ...good } }));
const run = async (parameters: Record<string, unknown>, options: Partial<RunOptions> = {}) =>
	await bench.run(kling, { ...create, ...parameters }, { items: items(), ...options });

describe.each(troubles)('%s', (_name, parameters, message) => {
	test('sends nothing with “Stop”', async () => {
		const { error } = await run(parameters);
		expect(error?.message).toMatch(message);
		expect(bench.sandbox.requests).toEqual([]);
	});

	test('is that item’s problem with “Continue”, and the others go on', async () => {
		const { json } = await run(parameters, { settings: { onError: 'continueRegularOutput' } });
		expect(json.map(({ taskId }) => typeof taskId)).toEqual(['string', 'undefined', 'string']);
		expect(json[1].error).toMatch(message);
		expect(bench.sandbox.charges).toHaveLength(2);
	});

	test('goes to the error output, and the others go on', async () => {
		const { json, errorItems } = await run(parameters, {
			settings: { onError: 'continueErrorOutput' },
		});
		expect(json).toHaveLength(2);
		expect(errorItems).toHaveLength(1);
		expect(errorItems[0].json.error).toMatch(message);
	});
});

test('one missing file is one item’s problem, and the others are created', async () => {
	const file = await fileItem({ data: 'portrait.jpg' });
	const gone = await fileItem({ data: 'portrait.jpg' });
	gone.binary!.data = {
		...gone.binary!.data,
		data: '',
		id: 'filesystem-v2:gone',
		fileSize: '1 kB',
	};
	const { json } = await bench.run(
		kling,
		{ ...create, imageInput: 'binary' },
		{ items: [file, gone, file], settings: { onError: 'continueRegularOutput' } },
	);
	expect(json.map(({ taskId }) => typeof taskId)).toEqual(['string', 'undefined', 'string']);
	expect(json[1].error).toMatch(/^n8n can no longer read the file “portrait.jpg”/);
});

test('a file field that is the file itself is one item’s problem', async () => {
	const file = await fileItem({ data: 'portrait.jpg' });
	const { json } = await bench.run(
		kling,
		{
			...create,
			imageInput: 'binary',
			imageField: "={{ $itemIndex === 1 ? $binary.data : 'data' }}",
		},
		{ items: [file, file, file], settings: { onError: 'continueRegularOutput' } },
	);
	expect(json.map(({ taskId }) => typeof taskId)).toEqual(['string', 'undefined', 'string']);
	expect(json[1].error).toMatch(/^Image: Field Name contains the file itself/);
});

test('what an item does not need is not evaluated', async () => {
	const onlyFirst = (value: string) => `={{ $itemIndex === 0 ? ${value} : $("Nowhere").first() }}`;
	const { json, error } = await run({
		effectScene: "={{ $itemIndex === 0 ? 'hug_pro' : 'color_mixing' }}",
		secondImage: onlyFirst('$json.image'),
		waitForCompletion: true,
		downloadVideo: '={{ $itemIndex === 0 }}',
		outputField: onlyFirst("'clip'"),
	});
	expect(error).toBeUndefined();
	expect(json).toHaveLength(3);
});

test('each expression is evaluated once for each item', async () => {
	const counting = (value: string) => `={{ $json.seen.push(1) && ${value} }}`;
	const seen: number[] = [];
	await bench.run(
		kling,
		{ ...create, image: counting('$json.image') },
		{ items: [{ json: { ...good, seen } as never }] },
	);
	expect(seen).toHaveLength(1);
});

test('a credential that is not complete is every item’s problem with “Continue”', async () => {
	const { json } = await bench.run(kling, create, {
		items: items(),
		credential: { provider: 'kling' },
		settings: { onError: 'continueRegularOutput' },
	});
	expect(json).toHaveLength(3);
	for (const item of json) expect(item.error).toMatch(/./);
	expect(json[0]).not.toHaveProperty('image');
});

test.each(['taskId', 'simplify'])('Get: %s that throws is one item’s problem', async (name) => {
	const created = await run({});
	const [{ taskId }] = created.json;
	const parameters = {
		operation: 'get',
		taskId: { __rl: true, mode: 'id', value: taskId },
		waitForCompletion: false,
		downloadVideo: false,
		[name]: '={{ $itemIndex === 1 ? $("Nowhere").first() : $json.value }}',
	};
	const value = name === 'taskId' ? taskId : true;
	const { json } = await bench.run(kling, parameters, {
		items: items().map(() => ({ json: { value } as never })),
		settings: { onError: 'continueRegularOutput' },
	});
	expect(json.map((item) => typeof item.taskId)).toEqual(['string', 'undefined', 'string']);
	expect(json[1].error).toMatch(/could not be evaluated/);
});

// A provider on the internet that does not exist: what is not refused gets as far as “could not be reached”.
test.each([
	'http://localhost:5678/webhook-test/kling',
	'http://192.168.1.20:5678/webhook/kling',
	'http://n8n:5678/webhook/kling',
])(
	'Callback URL %s, which no provider can call, is refused before anything is sent',
	async (callbackUrl) => {
		const credential = { ...bench.credential(kling), baseUrl: 'https://gateway.invalid' };
		const { error } = await bench.create(kling, { options: { callbackUrl } }, { credential });
		expect(error?.message).toBe(
			'Callback URL is an address that can only be opened on your own network',
		);
	},
);

test('a provider in the same network may get a private address', async () => {
	const options = { callbackUrl: 'http://localhost:5678/webhook/kling' };
	expect((await bench.create(kling, { options })).error).toBeUndefined();
});

test.each([
	['https://n8n.example.com/webhook/[object Object]', /^Callback URL contains an expression/],
	['https://n8n.example.com/webhook/kling\u200b', /^Callback URL contains an invisible character/],
	['https://exa mple.com/webhook/kling', /^Callback URL /],
	['https://n8n.example.com:99999/webhook', /^Callback URL /],
	[
		'https://a.example.com/x https://b.example.com/y',
		/^Callback URL contains more than one address/,
	],
])('Callback URL %s is refused, and nothing is paid', async (callbackUrl, message) => {
	const { error } = await bench.create(kling, { options: { callbackUrl } });
	expect(error?.message ?? 'sent').toMatch(message);
	expect(bench.sandbox.charges).toEqual([]);
});
