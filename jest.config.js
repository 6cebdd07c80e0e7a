/** Tests run the sources through swc; types are checked by tsc (npm run typecheck). */
module.exports = {
	testEnvironment: 'node',
	testMatch: ['<rootDir>/test/**/*.test.ts'],
	transform: {
		'^.+\\.ts$': [
			'@swc/jest',
			{ jsc: { parser: { syntax: 'typescript', decorators: true }, target: 'es2022' } },
		],
	},
	setupFiles: ['<rootDir>/test/harness/environment.ts'],
	// With another zod, by a configuration of its own.
	testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/zod4/'],
	modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/e2e'],
	// jest leaves a core free by itself, which of two is half.
	maxWorkers: '100%',
	testTimeout: 30_000,
	// n8n-core leaves timers and sockets open: the process would never end by itself.
	forceExit: true,
};
