import { readAccount } from '../../nodes/kling/account';
import { parseJson } from '../../nodes/kling/http';
import { redactionOf } from '../../nodes/kling/account';
import { inTurn, type Benchmark } from '../lib/row';

/** Bytes: the largest response that is read. */
const largest = 10 * 1024 * 1024;

/** How long n8n is blocked while the largest response is parsed. */
export const parsing: Benchmark = {
	name: 'parsing',
	async run({ runs, credential }) {
		const account = readAccount(credential);
		const redaction = redactionOf(account);
		const texts = {
			'a list of tasks': listOf(' seconds'),
			'a list of tasks with escaped characters': listOf(' “seconds”: "\n'),
			'escaped quotation marks': JSON.stringify('"'.repeat(largest / 2 - 1)),
			'a text without end': `"${'\\"'.repeat(largest / 2 - 1)}`,
			'opening brackets': '['.repeat(largest),
		};
		const rows = [];
		for (const [name, text] of Object.entries(texts)) {
			const seen = await inTurn(runs(9), {
				ours: async () => msOf(() => redaction.json(parseJson(text), text)),
				plain: async () => msOf(() => JSON.parse(text) as unknown),
			});
			rows.push({
				what: `10 MB of JSON, ${name}: parsed without losing digits, keys taken out`,
				unit: 'ms',
				ours: seen.ours,
				beside: { name: 'JSON.parse', values: seen.plain },
				target: { kind: 'atMost' as const, bound: 2_000 },
			});
		}
		return rows;
	},
};

/** As a provider's list with tasks of the usual length. */
function listOf(message: string): string {
	const tasks: string[] = [];
	for (let size = 0; size < largest; size += tasks[tasks.length - 1].length + 1) {
		const id = 842163450012345678n + BigInt(tasks.length);
		const videos = [
			{ url: `https://p1.example.com/${id}.mp4?${'sig'.repeat(30)}`, duration: '5.1' },
		];
		const task = {
			task_id: String(id),
			task_status: 'succeed',
			task_status_msg: `done in 61${message}`,
			task_info: { external_task_id: `n8n-${id}` },
			task_result: { videos },
			created_at: 1_795_000_000_000 + tasks.length,
		};
		tasks.push(JSON.stringify(task));
	}
	return `{"code":0,"message":"SUCCEED","data":[${tasks.slice(0, -1).join(',')}]}`;
}

function msOf(work: () => unknown): number {
	const startedAt = performance.now();
	try {
		work();
	} catch {
		// What is no JSON takes its time as well.
	}
	return performance.now() - startedAt;
}
