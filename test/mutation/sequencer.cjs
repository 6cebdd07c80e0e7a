const { default: Sequencer } = require('@jest/test-sequencer');

/** Alphabetically: the domain's tests take seconds, and a mutant that they kill needs no engine. */
module.exports = class extends Sequencer {
	sort(tests) {
		return [...tests].sort((a, b) => a.path.localeCompare(b.path));
	}
};
