import { spawn, spawnSync } from 'node:child_process';
import {
	cpSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

/** A copy of the clone in which sources are mutated and tested, so that the clone itself stays as it is. */
export class Workspace {
	constructor(root) {
		this.dir = mkdtempSync(join(tmpdir(), 'kling-effects-mutation-'));
		const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
		const { stdout } = spawnSync('git', words, { cwd: root, encoding: 'utf8' });
		for (const name of stdout.split('\0').filter(Boolean)) {
			mkdirSync(dirname(join(this.dir, name)), { recursive: true });
			try {
				cpSync(join(root, name), join(this.dir, name));
			} catch (error) {
				// A file that git still knows and that is gone.
				if (error.code !== 'ENOENT') throw error;
			}
		}
		symlinkSync(join(root, 'node_modules'), join(this.dir, 'node_modules'), 'junction');
	}

	read(file) {
		return readFileSync(join(this.dir, file), 'utf8');
	}

	write(file, content) {
		writeFileSync(join(this.dir, file), content);
	}

	remove() {
		rmSync(this.dir, { recursive: true, force: true });
	}

	/**
	 * Runs these test files until the first failure. Gives `result` (`passed`, `failed` or `hung`) and
	 * jest's `output`.
	 */
	async test(files, timeoutMs) {
		const jest = join(this.dir, 'node_modules', 'jest', 'bin', 'jest.js');
		const words = ['--runTestsByPath', ...files, '-w', '1', '--bail', '--silent', '--forceExit'];
		const stdio = ['ignore', 'ignore', 'pipe'];
		const child = spawn(process.execPath, [jest, ...words], { cwd: this.dir, stdio });
		let output = '';
		child.stderr.on('data', (chunk) => (output += chunk));
		let hung = false;
		const timer = setTimeout(() => {
			hung = true;
			child.kill('SIGKILL');
		}, timeoutMs);
		const code = await new Promise((done) => child.once('exit', done));
		clearTimeout(timer);
		if (hung) return { result: 'hung', output };
		return { result: code === 0 ? 'passed' : 'failed', output };
	}
}

/** The files of the clone that a file imports, by their paths in the clone. */
function importsOf(root, file) {
	const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'));
	return importedFiles
		.map(({ fileName }) => fileName)
		.filter((name) => name.startsWith('.'))
		.map((name) => relative(root, resolve(root, dirname(file), name)))
		.flatMap((path) => [path, `${path}.ts`, join(path, 'index.ts')])
		.filter((path) => path.endsWith('.ts') && ts.sys.fileExists(join(root, path)));
}

/** Everything that a file needs, directly or not. */
export function needsOf(root, file) {
	const needs = new Set([file]);
	for (const each of needs) for (const imported of importsOf(root, each)) needs.add(imported);
	return needs;
}

/** Tells whether a mutant is one that the compiler lets through, because only such ones need a test. */
export class Compiler {
	#changed = new Map();
	#service;

	constructor(root) {
		this.root = root;
		const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
		const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
		const host = {
			getCompilationSettings: () => options,
			getScriptFileNames: () => fileNames,
			getScriptVersion: (name) => String(this.#changed.get(name)?.version ?? 0),
			getScriptSnapshot: (name) => {
				const content = this.#changed.get(name)?.content ?? ts.sys.readFile(name);
				return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
			},
			getCurrentDirectory: () => root,
			getDefaultLibFileName: ts.getDefaultLibFilePath,
			fileExists: ts.sys.fileExists,
			readFile: ts.sys.readFile,
			readDirectory: ts.sys.readDirectory,
		};
		this.#service = ts.createLanguageService(host);
	}

	/** Whether the file compiles with this content. The others are taken as they are. */
	accepts(file, content) {
		const name = join(this.root, file);
		const original = ts.sys.readFile(name);
		try {
			this.#set(name, content);
			const syntax = this.#service.getSyntacticDiagnostics(name);
			return syntax.length + this.#service.getSemanticDiagnostics(name).length === 0;
		} finally {
			this.#set(name, original);
		}
	}

	#set(name, content) {
		const version = (this.#changed.get(name)?.version ?? 0) + 1;
		this.#changed.set(name, { version, content });
	}
}
