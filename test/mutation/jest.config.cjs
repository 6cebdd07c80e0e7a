const { join } = require('node:path');
const base = require('../../jest.config.js');

/** The suites are the usual tests, put together so that n8n's engine is loaded once for all of them. */
module.exports = {
	...base,
	rootDir: '../..',
	testEnvironment: join(__dirname, 'environment.cjs'),
	transform: { '^.+\\.ts$': base.transform['^.+\\.ts$'] },
	transformIgnorePatterns: ['/node_modules/'],
	testMatch: ['<rootDir>/test/mutation/suites/*.cjs'],
	testSequencer: '<rootDir>/test/mutation/sequencer.cjs',
};
