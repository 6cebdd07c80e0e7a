// Where the texts, codes and numbers at the top level of a file are judged.
const ofStatic = ['contract', 'create', 'credential', 'description', 'trigger'];
const ofAll = [
	...ofStatic,
	'callback/(model|outcomes|surroundings)',
	'campaign',
	// The others of that folder shorten time-outs, and on a busy machine fail by themselves.
	'hostile/answers',
];
const wanted = globalThis.isStatic ? ofStatic : ofAll;

require('../combine.cjs')((file) => wanted.some((start) => new RegExp(`^${start}`).test(file)));
