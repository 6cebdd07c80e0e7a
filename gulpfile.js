const { execFileSync } = require('node:child_process');
const { rmSync } = require('node:fs');
const { dest, series, src } = require('gulp');

/** Compiles nodes and credentials; scenes.json comes along as a module. */
async function compile() {
	rmSync('dist', { recursive: true, force: true });
	execFileSync(process.execPath, [require.resolve('typescript/bin/tsc')], { stdio: 'inherit' });
}

/** What tsc leaves behind: icons and codex files. */
function copyAssets() {
	return src(['nodes/**/*.svg', 'nodes/**/*.node.json'], { base: '.', encoding: false }).pipe(
		dest('dist'),
	);
}

exports.build = series(compile, copyAssets);
