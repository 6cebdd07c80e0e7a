import './lib/environment';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resultOf, type Result } from './lib/figures';
import type { Bench, Benchmark } from './lib/row';
import { RemoteSandbox } from './lib/sandbox';
import { notesOf, tableOf } from './lib/table';
import { benchmarks } from './rows';

const { values: words } = parseArgs({
	options: {
		only: { type: 'string', multiple: true },
		quick: { type: 'boolean', default: false },
		json: { type: 'string', default: join(__dirname, 'results.json') },
	},
});

async function main(): Promise<void> {
	const chosen = choose(words.only?.flatMap((names) => names.split(',')));
	const sandbox = await RemoteSandbox.start();
	const isQuick = words.quick ?? false;
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
	writeFileSync(words.json!, `${JSON.stringify({ ...about, results }, null, '\t')}\n`);
	console.log(`\n${tableOf(results)}\n\n${notesOf(results)}\n`);
	console.log(`${about.text} All runs: ${words.json}`);
	process.exit();
}

function choose(names: string[] | undefined): Benchmark[] {
	const unknown = names?.filter((name) => !benchmarks.some((one) => one.name === name)) ?? [];
	if (unknown.length === 0) return benchmarks.filter(({ name }) => names?.includes(name) ?? true);
	const known = benchmarks.map(({ name }) => name).join(', ');
	throw new Error(`There is no benchmark ${unknown.join(', ')}, only: ${known}`);
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
