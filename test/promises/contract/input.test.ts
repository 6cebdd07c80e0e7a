import { rows } from './providers';
import {
	Workbench,
	byId,
	dual,
	failingPhoto,
	fileItem,
	photo,
	picture,
	secondPhoto,
	single,
} from '../../harness/workbench';

/** What is wrong is reported for that item, in the editor's words, and nothing is sent. */

const bench = Workbench.prepare();
const [kling] = rows;
const modellix = rows.find(({ provider }) => provider === 'modellix') ?? kling;

type Case = [
	name: string,
	parameters: Record<string, unknown>,
	message: string | RegExp,
	description: string | RegExp,
];

/** As an expression gives it: n8n itself does not start a node with an empty required field. */
const empty = "={{ '' }}";

const unknownType: Case = [
	'an Effect Type that is not known',
	{ effectType: 'triple', effectScene: 'a_scene_of_next_month' },
	'Effect Type “triple” is not known',
	'Choose One Image or Two Images.',
];

const cases: Case[] = [
	[
		'an Image Input that is not known',
		{ imageInput: 'ftp' },
		'Image Input “ftp” is not known',
		'Choose URL, Binary File or Base64.',
	],
	[
		'an Image Input that is the name of something in JavaScript',
		{ imageInput: 'toString' },
		'Image Input “toString” is not known',
		'Choose URL, Binary File or Base64.',
	],
	[
		'no Effect Scene',
		{ effectScene: empty },
		'Effect Scene is empty',
		/Choose a scene from the list/,
	],
	[
		'an Effect Scene of blanks',
		{ effectScene: { __rl: true, mode: 'name', value: '  ' } },
		'Effect Scene is empty',
		/enter its name/,
	],
	['no image URL', { image: empty }, /^Image is empty/, /https:\/\//],
	['an image URL of blanks', { image: '  ' }, /^Image is empty/, /https:\/\//],
	['an image URL of another kind', { image: 'ftp://example.com/a.jpg' }, /^Image /, /https:\/\//],
	['a path instead of a URL', { image: '/home/me/a.jpg' }, /^Image /, /https:\/\//],
	['a data: URL as an address', { image: 'data:image/png;base64,AAAA' }, /^Image /, /Base64/],
	[
		'one image for an effect of two',
		{ ...dual, secondImage: empty },
		/^(Right|Second) Image is empty/,
		/address of a JPEG or PNG/,
	],
	[
		'two images, from an expression, for an effect of one',
		{ image: `={{ ["${photo}", "${secondPhoto}"] }}` },
		'Image must be a single URL or base64 text',
		/choose a scene that takes two/,
	],
	[
		'a scene of two images, from an expression, with one image',
		{ effectScene: "={{ 'hug_pro' }}", secondImage: empty },
		/^Second Image is empty/,
		/address of a JPEG or PNG/,
	],
	[
		'a field without a file, of an item without files',
		{ imageInput: 'binary', imageField: 'photo' },
		'The item has no file in input field “photo” for Image',
		/The item has no files: connect a node/,
	],
	['text that is no base64', { imageInput: 'base64', image: 'hello!' }, /^Image /, /base64/],
	['empty base64', { imageInput: 'base64', image: empty }, /^Image is empty/, /base64/],
	[
		'base64 of something else than a picture',
		{ imageInput: 'base64', image: Buffer.from('%PDF-1.7 hello').toString('base64') },
		/^Image is /,
		/./,
	],
	[
		'a Duration of 7',
		{ options: { duration: 7 } },
		'Duration must be 5 or 10 seconds',
		/remove Duration under Options/,
	],
	[
		'a Duration that is a word',
		{ options: { duration: 'abc' } },
		'Duration must be 5 or 10 seconds',
		/Choose one of these values/,
	],
	[
		'a Duration that is a list',
		{ options: { duration: '={{ [5] }}' } },
		'Duration must be text',
		/Check the expression/,
	],
	['a Mode of its own', { options: { mode: 'ultra' } }, 'Mode must be std or pro', /Mode/],
	[
		'a Callback URL that is none',
		{ options: { callbackUrl: 'hook' } },
		'Callback URL is not a web address',
		/https:\/\//,
	],
	[
		'an External Task ID that is too long',
		{ options: { externalTaskId: 'x'.repeat(129) } },
		'External Task ID has 129 characters',
		'Use at most 128.',
	],
];

test.each([unknownType, ...cases])(
	'%s is refused and nothing is sent',
	async (_name, parameters, message, advice) => {
		const { error, items } = await bench.create(kling, parameters);
		expect(items).toEqual([]);
		expect(error?.message).toMatch(asPattern(message));
		expect(error?.description).toMatch(asPattern(advice));
		expect(bench.sandbox.requests).toEqual([]);
	},
);

test.each(cases)(
	'%s is its own item on Continue, and its good neighbors run',
	async (_name, parameters, message) => {
		const settings = { onError: 'continueRegularOutput' as const };
		const good = await fileItem({ data: 'portrait.jpg' });
		const varied = Object.fromEntries(
			Object.entries(parameters)
				.filter(([key]) => key in defaults || key === 'options')
				.map(([key, value]) => [key, onlyForSecond(key, value)]),
		);
		const items = [good, { json: {} }, good];
		const { json, error } = await bench.create(
			kling,
			{ secondImage: secondPhoto, ...varied },
			{ items, settings },
		);
		expect(error).toBeUndefined();
		expect(json).toHaveLength(3);
		expect(String(json[1].error)).toMatch(asPattern(message));
		for (const index of [0, 2]) expect(json[index]).toMatchObject({ status: 'submitted' });
		expect(bench.posts()).toHaveLength(2);
		expect(bench.sandbox.charges).toHaveLength(2);
	},
);

/** A good item's value where a bad one differs. */
const defaults: Record<string, unknown> = {
	effectType: 'single',
	effectScene: 'color_mixing',
	imageInput: 'url',
	image: photo,
	secondImage: secondPhoto,
	imageField: 'data',
};

/** The value for the second item only, as an expression; n8n has no expressions for whole collections. */
function onlyForSecond(key: string, value: unknown): unknown {
	if (key === 'options') {
		const entries = Object.entries(value as object);
		return Object.fromEntries(entries.map(([name, one]) => [name, onlyForSecond(name, one)]));
	}
	const plain =
		typeof value === 'object' && value !== null && 'value' in value ? value.value : value;
	const inner = /^=\{\{(.*)\}\}$/s.exec(String(plain))?.[1] ?? JSON.stringify(plain);
	return `={{ $itemIndex === 1 ? ${inner} : ${JSON.stringify(defaults[key])} }}`;
}

function asPattern(text: string | RegExp): RegExp {
	return typeof text === 'string'
		? new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
		: text;
}

describe('the scene decides how many images are sent', () => {
	const noType = { effectType: undefined, secondImage: secondPhoto };
	const named = (value: string) => ({ __rl: true, mode: 'name', value });
	const inputs = () => bench.posts().map(({ body }) => (body as { input: unknown }).input);
	const both = { images: [photo, secondPhoto] };

	test.each([
		['a name from the list', named('hug_pro'), undefined],
		['its title', named('Hug Pro'), undefined],
		['a name with hyphens', named('hug-pro'), undefined],
		['a text without a mode', 'hug_pro', undefined],
		['an expression', named("={{ 'hug_pro' }}"), undefined],
		['a name in other letters, with its Effect Type', named(' HUG-Pro'), dual.effectType],
		[
			'a locator as a person would write it, with its Effect Type',
			{ mode: 'list', value: 'hug_pro' },
			dual.effectType,
		],
	])('two, for %s', async (_name, effectScene, effectType) => {
		const { error } = await bench.create(kling, { ...noType, effectScene, effectType });
		expect(error).toBeUndefined();
		expect(inputs()).toEqual([both]);
		expect(bench.sandbox.charges[0].effectScene).toBe('hug_pro');
	});

	test('a name spelled differently, for which Effect Type shows one field, is refused before it is paid', async () => {
		const { error } = await bench.create(kling, { ...noType, effectScene: named('HUG_PRO') });
		expect(error?.message).toBe('Effect Scene “hug_pro” takes two images');
		expect(error?.description).toMatch(/^Set Effect Type to Two Images/);
		expect(bench.sandbox.requests).toEqual([]);
	});

	test('one, regardless of the Effect Type before', async () => {
		const { error } = await bench.create(kling, { ...dual, effectScene: named('color_mixing') });
		expect(error).toBeUndefined();
		expect(inputs()).toEqual([{ image: photo }]);
	});

	test('row by row, where scenes of both kinds come from an expression', async () => {
		const items = ['hug_pro', 'color_mixing'].map((scene) => ({ json: { scene } }));
		const effectScene = named('={{ $json.scene }}');
		const { error } = await bench.create(kling, { ...dual, effectScene }, { items });
		expect(error).toBeUndefined();
		expect(inputs()).toEqual(expect.arrayContaining([both, { image: photo }]));
	});

	const unknown = "={{ 'a_scene_of_next_month' }}";

	test.each([
		['two where a second one is given', secondPhoto, both],
		['one where none is', empty, { image: photo }],
	])('of a name that no list has, from an expression: %s', async (_name, secondImage, expected) => {
		await bench.create(kling, { effectScene: unknown, secondImage });
		expect(inputs()).toEqual([expected]);
	});

	test('of a name that no list has, from an expression: as many as there are files', async () => {
		const two = await fileItem({ data: 'portrait.jpg', data2: 'second.jpg' });
		const one = await fileItem({ data: 'portrait.jpg' });
		const settings = { onError: 'continueRegularOutput' as const };
		const parameters = { effectScene: unknown, imageInput: 'binary' };
		await bench.create(kling, parameters, { items: [two, one], settings });
		const counts = inputs().map((input) => ('images' in Object(input) ? 2 : 1));
		expect(counts.sort()).toEqual([1, 2]);
	});

	test('Effect Type does, for a name that no list has', async () => {
		const effectScene = named('a_scene_of_next_month');
		await bench.create(kling, { ...dual, effectScene });
		await bench.create(kling, { effectScene });
		expect(inputs()).toEqual([both, { image: photo }]);
	});
});

describe('a scene that the provider refuses', () => {
	const named = (value: string) => ({ __rl: true, mode: 'name', value });

	test.each([
		['a name near a known one', 'pet_danse', /^Did you mean pet_dance\? /],
		[
			'a withdrawn one',
			'tiger_hug',
			/^Kling has withdrawn tiger_hug\. Try tiger_hug_pro instead\. /,
		],
		[
			'one that only resellers have',
			'pet_dog',
			/^Only resellers have pet_dog, not Kling itself\. Try pet_dance instead\. /,
		],
	])('%s: the message says what to try', async (_name, scene, advice) => {
		const { error } = await bench.create(kling, { effectScene: named(scene) });
		expect(error?.description).toMatch(advice);
		expect(bench.sandbox.charges).toEqual([]);
		const sentence = `effect_scene value '${scene}' is invalid`;
		expect(error?.message).toContain(sentence);
	});

	test('one that is missing in Kling’s list for China: an account there is told so', async () => {
		bench.sandbox.addFault({ kind: 'code', code: 1201, match: { operation: 'create' } });
		const credential = { ...bench.credential(kling), region: 'china' };
		const { error } = await bench.create(kling, { effectScene: named('skyfall') }, { credential });
		expect(error?.description).toMatch(/^Kling's list for China does not have skyfall\. Try \w+ /);
		expect(bench.sandbox.charges).toEqual([]);
	});

	test('a name unlike any known one leads to no guess', async () => {
		const { error } = await bench.create(kling, { effectScene: named('scene_of_next_month') });
		expect(error?.description).not.toMatch(/Did you mean/);
	});
});

describe('files of the input', () => {
	test('the fields that have a file are listed if the named one does not', async () => {
		const items = [await fileItem({ photo: 'portrait.jpg', other: 'second.jpg' })];
		const { error } = await bench.create(kling, { imageInput: 'binary' }, { items });
		expect(error?.message).toBe('The item has no file in input field “data” for Image');
		expect(error?.description).toContain('The item has files in: photo, other.');
		expect(bench.sandbox.requests).toEqual([]);
	});

	test('a file in place of its field’s name: the message names the field', async () => {
		const items = [await fileItem({ data: 'second.jpg', photo: 'portrait.jpg' })];
		const parameters = { ...single, imageInput: 'binary', imageField: '={{ $binary.photo }}' };
		const { error } = await bench.run(kling, parameters, { items });
		expect(error?.message).toBe(
			'Image: Field Name contains the file itself, not the name of its field',
		);
		expect(error?.description).toBe("Enter the field's name as text: photo");
		expect(bench.sandbox.requests).toEqual([]);
	});

	test('one file for an effect with two is refused, naming the second field', async () => {
		const items = [await fileItem({ data: 'portrait.jpg' })];
		const { error } = await bench.run(kling, { ...dual, imageInput: 'binary' }, { items });
		expect(error?.message).toBe('The item has no file in input field “data2” for Right Image');
		expect(bench.sandbox.requests).toEqual([]);
	});

	test.each([
		['small.png', /200 × 200 pixels.*at least 300/],
		['wide.jpg', /ratio of 3.75:1/],
	])('%s is refused by its bytes, naming file and field', async (name, message) => {
		const items = [await fileItem({ data: name })];
		const { error } = await bench.create(kling, { imageInput: 'binary' }, { items });
		expect(error?.message).toMatch(message);
		expect(error?.message).toContain(`The file “${name}” in input field “data”`);
		expect(bench.sandbox.requests).toEqual([]);
	});

	test('the bytes count, not the file name', async () => {
		const item = await fileItem({ data: 'portrait.jpg' });
		Object.assign(item.binary?.data ?? {}, { fileName: 'notes.txt', mimeType: 'text/plain' });
		const { error } = await bench.create(kling, { imageInput: 'binary' }, { items: [item] });
		expect(error).toBeUndefined();
		expect(bench.sandbox.charges).toHaveLength(1);
	});

	test('image data is in no message', async () => {
		const image = (await picture('small.png')).toString('base64');
		const { error } = await bench.create(kling, { imageInput: 'base64', image });
		expect(`${error?.message} ${error?.description}`).not.toContain(image.slice(0, 30));
	});
});

describe('what a scene takes', () => {
	test.each(['a_scene_of_next_month', 'face_warp'])(
		'%s, which no list of Kling’s names, is sent as is, with either number of images',
		async (effectScene) => {
			const comet = rows.find(({ provider }) => provider === 'cometApi') ?? kling;
			await bench.create(comet, { effectScene });
			await bench.run(comet, { ...dual, effectScene });
			expect(bench.posts().map(({ body }) => body)).toEqual([
				expect.objectContaining({ effect_scene: effectScene }),
				expect.objectContaining({ effect_scene: effectScene }),
			]);
		},
	);

	test('a name is sent byte for byte, apart from surrounding blanks', async () => {
		const comet = rows.find(({ provider }) => provider === 'cometApi') ?? kling;
		const { error } = await bench.create(comet, { effectScene: ' let’s_ride ' });
		expect(error).toBeUndefined();
		expect(bench.posts()[0].body).toMatchObject({ effect_scene: 'let\u2019s_ride' });
	});
});

describe('on Stop, with one bad item among good ones', () => {
	test('nothing at all is sent, because everything is checked before anything is paid', async () => {
		const items = [photo, photo, 'nowhere'].map((image) => ({ json: { image } }));
		const { error } = await bench.create(kling, { image: '={{ $json.image }}' }, { items });
		expect(error?.message).toMatch(/^Image must be an address/);
		expect(bench.sandbox.requests).toEqual([]);
	});
});

describe('the credential', () => {
	const tried: Array<[name: string, changes: Record<string, unknown>, message: string | RegExp]> = [
		['an empty key', { apiKey: '' }, 'API Key in the credential is empty'],
		['a key of blanks', { apiKey: '   ' }, 'API Key in the credential is empty'],
		[
			'an access key without a secret',
			{ authentication: 'accessKey', accessKey: 'ak', secretKey: '' },
			'Access Key or Secret Key in the credential is empty',
		],
		[
			'a base URL that is none',
			{ baseUrl: 'localhost:4010' },
			'Base URL in the credential is not a web address',
		],
		[
			'a base URL of another kind',
			{ baseUrl: 'ftp://example.com' },
			'Base URL in the credential is not a web address',
		],
		[
			'a provider that is not known',
			{ provider: 'acme' },
			'The credential names a provider that this package does not know',
		],
	];

	test.each(tried)('%s is reported, and nothing is sent', async (_name, changes, message) => {
		for (const operation of ['create', 'get', 'list']) {
			const credential = { ...bench.credential(kling), ...changes };
			const parameters = { operation, taskId: '1' };
			const { error } = await bench.create(kling, parameters, { credential });
			expect(error?.message).toMatch(asPattern(message));
			expect(error?.description).toMatch(/./);
		}
		expect(bench.sandbox.requests).toEqual([]);
	});

	test('a base URL with a path, a query and slashes at the end is used with its path', async () => {
		const baseUrl = ` ${String(bench.credential(kling).baseUrl)}///?x=1#y `;
		const credential = { ...bench.credential(kling), baseUrl };
		const { error } = await bench.create(kling, {}, { credential });
		expect(error).toBeUndefined();
		expect(bench.posts()[0].path).toBe('/kling/v1/videos/effects');
	});

	test('fields of another provider still in the credential change nothing', async () => {
		const changes = {
			authentication: 'accessKey',
			region: 'china',
			accessKey: 'a',
			secretKey: 'b',
		};
		const credential = { ...bench.credential(modellix), ...changes };
		const { error } = await bench.create(modellix, {}, { credential });
		expect(error).toBeUndefined();
		expect(bench.sandbox.charges).toHaveLength(1);
	});
});

describe('Operation', () => {
	test.each(['delete', 'constructor', ''])(
		'“%s” is not known, and nothing is sent',
		async (operation) => {
			const { error } = await bench.create(kling, { operation });
			expect(error?.message).toBe(`Operation “${operation}” is not known`);
			expect(error?.description).toBe('Choose Create, Get or Get Many.');
			expect(bench.sandbox.requests).toEqual([]);
		},
	);

	test('an unknown resource is named, and nothing is sent', async () => {
		const { error } = await bench.create(kling, { resource: 'picture' });
		expect(error?.message).toBe('Resource “picture” is not known');
		expect(error?.description).toBe('Choose Video or Effect Scene.');
		expect(bench.sandbox.requests).toEqual([]);
	});
});

describe('Get and Get Many', () => {
	test.each([
		['an empty Task ID', { operation: 'get', taskId: empty }, 'Task ID is empty'],
		[
			'an empty external id',
			{ operation: 'get', taskId: { __rl: true, mode: 'externalId', value: ' ' } },
			'Task ID is empty',
		],
		['a Limit of none', { operation: 'list', limit: 0 }, 'Limit must be a number of at least 1'],
		[
			'a Limit that is a word',
			{ operation: 'list', limit: 'x' },
			'Limit must be a number of at least 1',
		],
		[
			'a Status that is not known',
			{ operation: 'list', filters: { status: ['done'] } },
			'Status “done” is not known',
		],
		[
			'a time that is none',
			{ operation: 'list', filters: { createdAfter: 'soon' } },
			'Created After cannot be read',
		],
	])('%s is reported, and nothing is sent', async (_name, parameters, message) => {
		const { error } = await bench.run(kling, parameters);
		expect(error?.message).toBe(message);
		expect(error?.description).toMatch(/[.]$/);
		expect(bench.sandbox.requests).toEqual([]);
	});

	test.each(['"%s"', "'%s", ' “%s” '])(
		'a Task ID that came along with quotes, as in %s, is read without them',
		async (pasted) => {
			const taskId = String((await bench.create(kling)).json[0].taskId);
			const given = byId(pasted.replace('%s', taskId));
			const { json } = await bench.run(kling, { operation: 'get', taskId: given });
			expect(json).toMatchObject([{ taskId }]);
		},
	);

	test('a bad item of a Get is one item on Continue, and its neighbors run', async () => {
		const made = await bench.create(kling);
		const items = ['', made.json[0].taskId].map((id) => ({ json: { id: id as string } }));
		const settings = { onError: 'continueErrorOutput' as const };
		const parameters = { operation: 'get', taskId: '={{ $json.id }}' };
		const result = await bench.run(kling, parameters, { items, settings });
		expect(result.json).toEqual([expect.objectContaining({ taskId: made.json[0].taskId })]);
		expect(result.errorItems[0].json).toMatchObject({ error: 'Task ID is empty' });
	});
});

test('a failing image is charged as the provider charges it, and its neighbors are not disturbed', async () => {
	const items = [photo, failingPhoto, secondPhoto].map((image) => ({ json: { image } }));
	const settings = { onError: 'continueRegularOutput' as const };
	const parameters = { image: '={{ $json.image }}', waitForCompletion: true };
	const { json } = await bench.create(kling, parameters, { items, settings });
	expect(json.map(({ status }) => status)).toEqual(['succeed', 'failed', 'succeed']);
});
