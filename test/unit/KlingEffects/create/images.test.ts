import { rows } from '../../../promises/contract/providers';
import { fileItem, Workbench } from '../../../harness/workbench';

const bench = Workbench.prepare();
const [kling] = rows;

/** A file in n8n's store: `$binary.data.data` is the name of the store, `$binary.data.id` the place in it. */
async function storedItem(store: string) {
	const item = await fileItem({ data: 'portrait.jpg' });
	item.binary!.data = {
		...item.binary!.data,
		data: store,
		id: `${store}:workflows/1/executions/2/binary_data/3`,
	};
	return item;
}

test.each(
	['filesystem-v2', 's3', 'database'].flatMap((store) =>
		['={{ $binary.data.data }}', '={{ $binary.data.id }}', '={{ $binary.data }}'].flatMap((image) =>
			['base64', 'url'].map((imageInput) => [store, image, imageInput] as const),
		),
	),
)(
	'%s, %s as %s: the advice is to set Image Input to Binary File',
	async (store, image, imageInput) => {
		const items = [await storedItem(store)];
		const { error } = await bench.create(kling, { imageInput, image }, { items });
		expect(bench.sandbox.requests).toEqual([]);
		expect(`${error?.message} | ${error?.description}`).toMatch(/Image Input to Binary File/);
	},
);

const address = 'https://v5.airtableusercontent.com/v3/u/photo';

test.each([
	['a list of attachments', [{ id: 'att1', url: address }], /add \[0\]\.url at the end/],
	['an attachment', { id: 'att1', url: address }, /gives an object: add \.url at the end/],
	['a list of addresses', [address], /gives a list: add \[0\] at the end/],
	['an empty list', [], /gives a list: add \[0\] at the end/],
	['a number', 7, /^For two images/],
])(
	'%s in Image, as Airtable and Notion give it: the advice says how to get at the address',
	async (_name, given, advice) => {
		const items = [{ json: { given } }];
		const { error } = await bench.create(kling, { image: '={{ $json.given }}' }, { items });
		expect(error?.message).toBe('Image must be a single URL or base64 text');
		expect(error?.description).toMatch(advice);
		expect(bench.sandbox.requests).toEqual([]);
	},
);

test.each(['url', 'base64'])(
	'the name of the field that holds the file, as %s: the advice is to set Image Input to Binary File',
	async (imageInput) => {
		const items = [await fileItem({ photo: 'portrait.jpg' })];
		const { error } = await bench.create(kling, { imageInput, image: 'photo' }, { items });
		expect(error?.message).toBe('Image contains a reference to a file, not its content');
		expect(error?.description).toBe(
			'Set Image Input to Binary File, and enter the name of the field that holds the file: photo',
		);
		expect(bench.sandbox.requests).toEqual([]);
	},
);
