import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import ts from 'typescript';

const { every, seed } = JSON.parse(process.env.MUTATION_SAMPLE ?? '{"every":1,"seed":0}');

/** The compiler, with one file at a time replaced. */
function compiler() {
	const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
	const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, resolve('.'));
	let mutated = { name: '', content: '', version: 0 };
	const service = ts.createLanguageService({
		fileExists: ts.sys.fileExists,
		readFile: ts.sys.readFile,
		readDirectory: ts.sys.readDirectory,
		getCompilationSettings: () => options,
		getCurrentDirectory: () => resolve('.'),
		getDefaultLibFileName: ts.getDefaultLibFilePath,
		getScriptFileNames: () => fileNames,
		getScriptVersion: (name) => (name === mutated.name ? String(mutated.version) : '0'),
		getScriptSnapshot(name) {
			const content = name === mutated.name ? mutated.content : ts.sys.readFile(name);
			return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
		},
	});
	return (name, content) => {
		mutated = { name, content, version: mutated.version + 1 };
		const syntax = service.getSyntacticDiagnostics(name);
		return syntax.length > 0 || service.getSemanticDiagnostics(name).length > 0;
	};
}

function mutate({ fileName, location: { start, end }, replacement }) {
	const content = readFileSync(fileName, 'utf8');
	const source = ts.createSourceFile(fileName, content, ts.ScriptTarget.Latest);
	const offset = ({ line, column }) => source.getPositionOfLineAndCharacter(line, column);
	return content.slice(0, offset(start)) + replacement + content.slice(offset(end));
}

/**
 * Lets every nth mutant pass that compiles: Stryker tests all, or those of a range of lines. Its own
 * checker compiles all files that need the mutated one, which takes longer than the tests.
 */
function sample() {
	let isRefused;
	const judge = (mutant) => {
		if (Number(mutant.id) % every !== seed % every) return 'not in the sample';
		return isRefused(mutant.fileName, mutate(mutant)) ? 'does not compile' : null;
	};
	return {
		async init() {
			isRefused = compiler();
		},
		async check(mutants) {
			const results = mutants.map((mutant) => {
				const reason = judge(mutant);
				return [mutant.id, reason ? { status: 'compileError', reason } : { status: 'passed' }];
			});
			return Object.fromEntries(results);
		},
	};
}

/** Tells each result as it comes: a run takes long. */
const results = () => ({
	onMutantTested({ status, fileName, location, mutatorName, replacement, killedBy }) {
		if (status === 'CompileError') return;
		const { line, column } = location.start;
		const after = replacement.replace(/\s+/g, ' ');
		const place = `${relative('.', fileName)}:${line}:${column}`;
		console.log(`${status} ${place} ${mutatorName} → ${after} ${killedBy?.[0] ?? ''}`);
	},
});

export const strykerPlugins = [
	declareFactoryPlugin(PluginKind.Checker, 'sample', sample),
	declareFactoryPlugin(PluginKind.Reporter, 'results', results),
];
