import { inChild } from '../lib/child';
import { inTurn, type Benchmark } from '../lib/row';
import type { Growth } from '../children/download';

const megabytes = 500;

/** A large video into n8n's binary store, kept as files. */
export const download: Benchmark = {
	name: 'download',
	async run(bench) {
		const by = (way: string) => async () =>
			await inChild<Growth>('download', way, bench.sandbox.url, String(megabytes));
		const { ours, http } = await inTurn(bench.runs(3), { ours: by('ours'), http: by('http') });
		const beside = (values: number[]) => ({ name: 'HTTP Request', values });
		return [
			{
				what: `Download of ${megabytes} MB, filesystem mode: growth of resident memory`,
				unit: 'MB',
				ours: ours.map(({ rss }) => rss),
				beside: beside(http.map(({ rss }) => rss)),
				target: { kind: 'below', bound: 64 },
				note: 'the highest sample (every 10 ms) over the one before, after a first download of 1 MB, in a separate process.',
			},
			{
				what: `Download of ${megabytes} MB, filesystem mode: time`,
				unit: 's',
				ours: ours.map(({ seconds }) => seconds),
				beside: beside(http.map(({ seconds }) => seconds)),
			},
		];
	},
};
