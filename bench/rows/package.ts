import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { packFresh } from '../../tools/tarball';
import { inChild, inPlainChild } from '../lib/child';
import { n8nDir } from '../lib/modules';
import { figuresOf } from '../lib/figures';
import { inTurn, type Benchmark, type Row } from '../lib/row';

/** The package itself, freshly built and packed: what it costs to have it installed. */
export const packaged: Benchmark = {
	name: 'package',
	async run(bench) {
		const tarball = packFresh();
		// n8n lets packages find its own modules.
		const modules = join(tarball.folder, 'node_modules');
		symlinkSync(join(n8nDir, 'node_modules'), modules, 'junction');
		try {
			const by = (what: string) => async () => await loadInChild(what, tarball.folder);
			const measurements = { ours: by('ours'), http: by('http') };
			const seen = await inTurn(bench.runs(11), measurements);
			const sizes = await inChild<Sizes>('descriptions', tarball.folder);
			return [...loadRows(seen), ...sizeRows(sizes, tarball.size)];
		} finally {
			rmSync(modules);
			tarball.remove();
		}
	},
};

interface Sizes {
	ours: number;
	http: number;
}

interface Memory {
	ms: number;
	/** MB. */
	heap: number;
	rss: number;
}

/** What n8n-workflow took, and what was loaded after it. */
interface Loaded {
	workflow: Memory;
	own: Memory;
}

type Seen = Record<'ours' | 'http', Loaded[]>;

async function loadInChild(what: string, folder: string): Promise<Loaded> {
	return await inPlainChild<Loaded>('load.mjs', what, folder);
}

function loadRows(seen: Seen): Row[] {
	const row = (what: string, unit: string, figure: keyof Memory): Row => {
		const own = (name: keyof Seen) => seen[name].map((one) => one.own[figure]);
		const workflow = seen.ours.map((one) => one.workflow[figure]);
		const median = (values: number[]) => figuresOf(values).median.toFixed(1);
		return {
			what: `Loading all nodes and the credential, over n8n-workflow alone: ${what}`,
			unit,
			ours: own('ours'),
			beside: { name: 'HTTP Request’s class', values: own('http') },
			note: `n8n-workflow itself takes ${median(workflow)}; zod comes with it.`,
		};
	};
	return [row('time', 'ms', 'ms'), row('heap', 'MB', 'heap'), row('resident memory', 'MB', 'rss')];
}

function sizeRows({ ours, http }: Sizes, packedSize: number): Row[] {
	return [
		{
			what: 'Descriptions that the editor downloads, JSON, not compressed',
			unit: 'bytes',
			ours: [ours],
			beside: { name: 'HTTP Request, all versions', values: [http] },
		},
		{ what: 'Packed package', unit: 'bytes', ours: [packedSize] },
	];
}
