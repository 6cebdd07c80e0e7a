const { LegacyFakeTimers, ModernFakeTimers } = require('@jest/fake-timers');
const { ModuleMocker } = require('jest-mock');
const vm = require('node:vm');

/**
 * jest's environment and transform for packages: n8n's engine and what it needs is loaded once by each
 * worker, not by each test file (1,900 files, over a second each time). Our own sources stay new for each
 * file. Engine and sources must have one `Error` and one `Object`, so the tests run in the worker's own
 * context.
 */
class SharedEngine {
	global = globalThis;
	env = { ...process.env };

	constructor({ projectConfig: config }) {
		// jest wraps it for each test file.
		process.exit = exit;
		const mocks = { config, global: globalThis };
		this.moduleMocker = new ModuleMocker(globalThis);
		this.fakeTimersModern = new ModernFakeTimers(mocks);
		const timerConfig = { idToRef: (id) => id, refToId: (timer) => timer };
		const { moduleMocker } = this;
		this.fakeTimers = new LegacyFakeTimers({ ...mocks, moduleMocker, timerConfig });
	}

	async setup() {}

	async teardown() {
		// In this order: a spy on a faked timer gives the faked one back.
		this.moduleMocker.restoreAllMocks();
		this.fakeTimers.dispose();
		this.fakeTimersModern.dispose();
		for (const [name, descriptor] of Object.entries(globals)) {
			const isOther = globalThis[name] !== descriptor.value;
			if ('value' in descriptor && isOther) Object.defineProperty(globalThis, name, descriptor);
		}
		for (const name of Object.keys(process.env)) {
			if (!(name in this.env)) delete process.env[name];
		}
		Object.assign(process.env, this.env);
		if (!(require.resolve('n8n-core') in require.cache)) return;
		// What a test file has told the engine, or the engine has kept of it.
		require('@n8n/di').Container.reset();
	}

	exportConditions() {
		return ['node', 'node-addons'];
	}

	getVmContext() {
		return here;
	}
}

const { exit } = process;
/** As they were before the first test file. */
const globals = Object.getOwnPropertyDescriptors(globalThis);
const { compileFunction } = vm;
/** jest names a context to compile in; Node.js has no name for its own, so this one stands for it. */
const here = vm.createContext();
vm.compileFunction = (code, parameters, { parsingContext, ...options }) =>
	compileFunction(
		code,
		parameters,
		parsingContext === here ? options : { ...options, parsingContext },
	);
globalThis.loadOnce = require;

module.exports = SharedEngine;
module.exports.process = (_source, file) => ({
	code: `module.exports = loadOnce(${JSON.stringify(file)});`,
});
module.exports.getCacheKey = (_source, file) => `loadOnce ${file}`;
