// The rules of @n8n/scan-community-package 0.32.0 (its `buildScanConfig`), which decides whether n8n verifies a package.
import { n8nCommunityNodesPlugin } from '@n8n/eslint-plugin-community-nodes';
import { ESLint } from 'eslint';
import n8nNodesBase from 'eslint-plugin-n8n-nodes-base';
import tseslint from 'typescript-eslint';

/** What the scanner lints of the source that a package was published from. */
export const sourcePatterns = ['package.json', '{nodes,credentials}/**/*.{js,ts,json}'];
/** What the scanner lints of the packed package. */
export const tarballPatterns = ['**/*.js', 'package.json'];

/** The five rules that n8n switches off, as its scanner does. */
const switchedOff = {
	credentials: [
		'n8n-nodes-base/cred-class-field-documentation-url-miscased',
		'n8n-nodes-base/cred-class-field-type-options-password-missing',
	],
	nodes: [
		'n8n-nodes-base/node-class-description-inputs-wrong-regular-node',
		'n8n-nodes-base/node-class-description-outputs-wrong',
		'n8n-nodes-base/node-param-type-options-max-value-present',
	],
};

function rulesOf(name) {
	const off = (switchedOff[name] ?? []).map((rule) => [rule, 'off']);
	return { ...n8nNodesBase.configs[name].rules, ...Object.fromEntries(off) };
}

const { ignores, ...recommended } = n8nCommunityNodesPlugin.configs.recommended;

/** The scanner's flat config, for these files. Comments cannot switch off a rule. */
export function scannerConfig(files = ['**/*.{js,ts,json}']) {
	return [
		{
			...recommended,
			files,
			ignores,
			linterOptions: { noInlineConfig: true },
			rules: { ...recommended.rules, 'no-console': 'error' },
		},
		{ files, plugins: { 'n8n-nodes-base': n8nNodesBase } },
		{ files: ['package.json'], rules: rulesOf('community') },
		{ files: ['credentials/**/*.ts'], rules: rulesOf('credentials') },
		{ files: ['nodes/**/*.ts'], rules: rulesOf('nodes') },
		{
			files: ['package.json', '{nodes,credentials}/**/*.{ts,json}'],
			languageOptions: { parser: tseslint.parser },
		},
	];
}

/** Scans a folder as the scanner does, and gives ESLint's results. */
export async function scan(folder, patterns) {
	const eslint = new ESLint({
		cwd: folder,
		allowInlineConfig: false,
		overrideConfigFile: true,
		overrideConfig: scannerConfig(),
		errorOnUnmatchedPattern: false,
	});
	return await eslint.lintFiles(patterns);
}

// node test/package/scanner.mjs FOLDER source|tarball: prints one line per finding, ends with 1 if there is any.
if (process.argv[1] === import.meta.filename) {
	const [folder, what] = process.argv.slice(2);
	const patterns = what === 'tarball' ? tarballPatterns : sourcePatterns;
	const results = await scan(folder, patterns);
	const findings = results.flatMap(({ filePath, messages }) =>
		messages.map(({ line, ruleId, message, severity }) =>
			[severity === 2 ? 'error' : 'warning', `${filePath}:${line}`, ruleId, message].join('  '),
		),
	);
	for (const finding of findings) console.log(finding);
	console.log(`${results.length} files, ${findings.length} findings`);
	process.exitCode = findings.length > 0 || results.length === 0 ? 1 : 0;
}
