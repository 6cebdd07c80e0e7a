import { inChild } from '../lib/child';
import type { Load } from '../lib/load';
import { inTurn, type Benchmark } from '../lib/row';

const count = 1_000;
const few = 100;
/** By hand, every file is text in its item: a thousand would kill n8n. */
const fewByHand = 40;

/** Items with a photo of 5 MB each, in n8n's binary store. */
export const files: Benchmark = {
	name: 'files',
	async run(bench) {
		const by = (way: string, number: number) => async () => {
			await bench.sandbox.reset({ taskSeconds: 3600 });
			return await inChild<Load>('files', way, bench.sandbox.url, String(number));
		};
		const seen = await inTurn(1, {
			ours: by('ours', count),
			few: by('ours', few),
			http: by('http', fewByHand),
		});
		const http = seen.http.map(({ rss }) => rss);
		const byHand = `Extract from File + HTTP Request, ${fewByHand} items`;
		return [
			{
				what: `${count} creates with a photo of 5 MB each, 20 at once: growth of resident memory`,
				unit: 'MB',
				ours: seen.ours.map(({ rss }) => rss),
				beside: { name: byHand, values: http },
				note: `${few} items: ${Math.round(seen.few[0].rss)} MB. Only what is in flight grows, not what waits.`,
			},
			{
				what: `${count} creates with a photo of 5 MB each: time`,
				unit: 's',
				ours: seen.ours.map(({ seconds }) => seconds),
			},
		];
	},
};
