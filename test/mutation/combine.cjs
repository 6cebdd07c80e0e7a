const { readdirSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..', '..');
const byName = (a, b) => a.localeCompare(b);

/** Declares the tests of all these files that the mutant needs, each file's under its name. */
module.exports = function combine(isWanted) {
	const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
		.filter((file) => file.endsWith('.test.ts') && isWanted(file))
		.filter((file) => globalThis.isNeeded(file))
		.sort(byName);
	for (const file of files) describe(file, () => declare(join(root, 'test', file)));
	// jest takes a file without tests for a mistake.
	if (files.length === 0) test.skip('nothing to do', () => {});
};

function declare(file) {
	try {
		require(file);
	} catch (error) {
		// A mutant that cannot be loaded is noticed.
		test('loads', () => {
			throw error;
		});
	}
}
