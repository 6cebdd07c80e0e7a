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

/** Tells what survived while the others are still tested. */
const survivors = () => ({
	onMutantTested({ status, fileName, location, replacement }) {
		if (status !== 'Survived' && status !== 'NoCoverage') return;
		console.log(`${status} ${fileName}:${location.start.line} → ${replacement}`);
	},
});

export const strykerPlugins = [
	declareFactoryPlugin(PluginKind.Checker, 'everyNth', everyNth),
	declareFactoryPlugin(PluginKind.Reporter, 'survivors', survivors),
];
