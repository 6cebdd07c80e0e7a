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
