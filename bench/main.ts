import './lib/environment';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { resultOf, type Result } from './lib/figures';
import type { Bench, Benchmark } from './lib/row';
import { RemoteSandbox } from './lib/sandbox';
import { notesOf, tableOf } from './lib/table';
import { benchmarks } from './rows';

/** What the command line asks for; run.mjs has checked it. */
const wishes = JSON.parse(process.env.BENCH_WISHES!) as {
	only?: string[];
	quick: boolean;
	json: string;
};

async function main(): Promise<void> {
	const chosen = benchmarks.filter(({ name }) => wishes.only?.includes(name) ?? true);
	const sandbox = await RemoteSandbox.start();
	const isQuick = wishes.quick;
	const credential = await sandbox.credential();
	const runs = (usual: number) => (isQuick ? Math.min(usual, 2) : usual);
	const bench: Bench = { sandbox, credential, isQuick, runs };
	const startedAt = Date.now();
	const load = [loadavg()[0]];
	const results: Result[] = [];
	for (const benchmark of chosen) {
		results.push(...(await measure(benchmark, bench)));
		load.push(loadavg()[0]);
	}
	sandbox.close();
	const about = describeRun(Math.round((Date.now() - startedAt) / 1000), load);
	writeFileSync(wishes.json, `${JSON.stringify({ ...about, results }, null, '\t')}\n`);
	console.log(`\n${tableOf(results)}\n\n${notesOf(results)}\n`);
	console.log(`${about.text} All runs: ${wishes.json}`);
	process.exit();
}

async function measure(benchmark: Benchmark, bench: Bench): Promise<Result[]> {
	const startedAt = Date.now();
	process.stderr.write(`${benchmark.name} … `);
	const rows = await benchmark.run(bench);
	process.stderr.write(`${Math.round((Date.now() - startedAt) / 1000)} s\n`);
	return rows.map((row) => resultOf(benchmark.name, row));
}

function describeRun(seconds: number, load: number[]) {
	const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}`;
	const range = `${Math.min(...load).toFixed(1)}–${Math.max(...load).toFixed(1)}`;
	const n8n = process.env.BENCH_N8N_VERSION;
	const { version } = process;
	const text = `n8n ${n8n}, Node.js ${version}, ${machine}, load average ${range}, ${seconds} s.`;
	return { text, n8n, node: version, machine, loadAverage: load, seconds };
}

main().catch((error: unknown) => {
	console.error(error);
	process.exit(1);
});
