const Environment = require('@stryker-mutator/jest-runner/jest-env/node');

// Smaller than in npm test: a mutant that random cases find is found by the first of them.
process.env.CAMPAIGN_CREATES ??= '100';
process.env.CALLBACK_HISTORIES ??= '100';
process.env.WATCH_RUNS ??= '300';
process.env.FUZZ_RUNS ??= '40';

/** Stryker's name for it; undefined in the run without a mutant. */
const activeMutant = () => process.env.__STRYKER_ACTIVE_MUTANT__;

let mutant;
let isKilled = false;

/** Stryker's environment. After the first failed test all others are skipped, for which jest has no option. */
module.exports = class extends Environment {
	constructor(config, context) {
		super(config, context);
		if (mutant !== activeMutant()) isKilled = false;
		mutant = activeMutant();
		const { testNamePattern } = config.globalConfig;
		const wanted = testNamePattern?.replace(/\\(.)/g, '$1');
		/** A mutant at the top level of a file: Stryker does not know which tests execute it. */
		this.global.isStatic = mutant !== undefined && !wanted;
		/** Whether a test of this file executes the mutant, and it is still alive. */
		this.global.isNeeded = (file) => !isKilled && (!wanted || wanted.includes(`(${file} `));
	}

	handleTestEvent({ name, test }) {
		if (!mutant) return;
		if (name === 'test_done' && test.errors.length > 0) isKilled = true;
		if (name === 'test_start' && isKilled) test.mode = 'skip';
	}
};
