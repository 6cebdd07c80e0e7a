import { relative } from 'node:path';
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin';

const { every, seed } = JSON.parse(process.env.MUTATION_SAMPLE ?? '{"every":1,"seed":0}');

/** Stryker can test all mutants or those of a range of lines; this takes every nth of all. */
const everyNth = () => ({
	async init() {},
	async check(mutants) {
		const judged = mutants.map(({ id }) => [
			id,
			Number(id) % every === seed % every
				? { status: 'passed' }
				: { status: 'compileError', reason: 'not in the sample' },
		]);
		return Object.fromEntries(judged);
	},
});

/** Tells each result as it comes: a run takes long. */
const results = () => ({
	onMutantTested({ status, fileName, location, mutatorName, replacement, killedBy }) {
		if (status === 'CompileError') return;
		const after = replacement.replace(/\s+/g, ' ');
		const place = `${relative('.', fileName)}:${location.start.line}`;
		console.log(`${status} ${place} ${mutatorName} → ${after} ${killedBy?.[0] ?? ''}`);
	},
});

export const strykerPlugins = [
	declareFactoryPlugin(PluginKind.Checker, 'everyNth', everyNth),
	declareFactoryPlugin(PluginKind.Reporter, 'results', results),
];
