const files = [
	'callback/(model|outcomes|surroundings)',
	'campaign',
	'contract',
	'create',
	'credential',
	'description',
	// The others shorten time-outs, and on a busy machine fail by themselves.
	'hostile/answers',
	'trigger',
];
require('../combine.cjs')((file) => files.some((start) => new RegExp(`^${start}`).test(file)));
