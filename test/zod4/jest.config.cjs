const base = require('../../jest.config.js');

/**
 * The unit and contract suites on an n8n whose `zod` is version 4, as n8n's will be one day. n8n's
 * own packages, which are loaded beside jest, keep theirs: those of today do not run with version 4.
 * `npm run test:zod4`.
 */
module.exports = {
	...base,
	rootDir: '../..',
	testMatch: ['unit', 'promises/contract', 'zod4'].map(
		(folder) => `<rootDir>/test/${folder}/**/*.test.ts`,
	),
	testPathIgnorePatterns: ['/node_modules/'],
	moduleNameMapper: { '^zod($|/.*)': 'zod4$1' },
};
