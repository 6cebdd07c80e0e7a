import eslint from '@eslint/js';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';
import { scannerConfig, sourcePatterns } from './test/package/scanner.mjs';

const ofNode = Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly']);
const globals = Object.fromEntries(ofNode);

export default tseslint.config(
	{
		ignores: [
			'**/node_modules/',
			'dist/',
			'coverage/',
			'**/test-artefacts/',
			'**/output/',
			'**/.cache/',
		],
	},

	// What is published: the rules of n8n's own scanner, and what n8n's tool adds to them. That none is
	// missing is tested by tools/n8nNode.mjs.
	...scannerConfig(sourcePatterns),
	{
		files: ['{nodes,credentials}/**/*.ts'],
		extends: [importX.flatConfigs.recommended],
		settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
		rules: { 'max-lines': ['error', 250] },
	},

	// Everything that is written by hand, the published sources too.
	{
		files: ['**/*.{js,mjs,ts}'],
		extends: [eslint.configs.recommended],
		plugins: { '@typescript-eslint': tseslint.plugin },
		languageOptions: { parser: tseslint.parser },
		rules: {
			eqeqeq: 'error',
			'no-restricted-imports': [
				'error',
				{ name: 'zod', message: "Import 'zod/v3': zod is version 4 once n8n moves to it." },
			],
			// One case for what is named here, constants too (and classes, as classes are).
			'@typescript-eslint/naming-convention': [
				'error',
				{ selector: 'variable', format: ['camelCase'], leadingUnderscore: 'allow' },
				{ selector: 'variable', modifiers: ['destructured'], format: null },
				{ selector: 'variable', filter: '^(Class|Redis)$', format: null },
			],
		},
	},
	{ files: ['**/*.ts'], extends: [tseslint.configs.recommended] },

	// No file imports one that imports it.
	{
		files: ['{nodes,credentials,sandbox,conformance}/**/*.ts'],
		plugins: { 'import-x': importX },
		settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
		rules: { 'import-x/no-cycle': 'error' },
	},

	// Development code, which runs in Node.js.
	{ files: ['**/*.mjs'], languageOptions: { globals } },
	{
		files: ['*.js', '**/*.cjs'],
		languageOptions: { sourceType: 'commonjs', globals: { ...globals, require: 'readonly' } },
	},
	{
		files: ['**/*.ts'],
		ignores: ['{nodes,credentials}/**'],
		rules: {
			'@typescript-eslint/no-unused-vars': [
				'error',
				{ argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
			],
		},
	},
	{
		// Answers and bodies of any shape are taken apart here.
		files: ['test/**/*.ts', 'tools/**/*.ts', 'bench/**/*.ts'],
		rules: { '@typescript-eslint/no-explicit-any': 'off' },
	},
);
