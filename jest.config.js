/** Tests run the sources through swc; types are checked by tsc (npm run typecheck). */
const sharedEngine = '<rootDir>/test/harness/sharedEngine.cjs';

module.exports = {
	testEnvironment: sharedEngine,
	testMatch: ['<rootDir>/test/**/*.test.ts'],
	transform: {
		'/node_modules/(@n8n|n8n-core|n8n-workflow)/.*\\.js$': sharedEngine,
		'^.+\\.ts$': [
			'@swc/jest',
			{ jsc: { parser: { syntax: 'typescript', decorators: true }, target: 'es2022' } },
		],
	},
	transformIgnorePatterns: [],
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
