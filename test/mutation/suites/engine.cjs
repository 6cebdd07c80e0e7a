// Where the texts, codes and numbers at the top level of a file are judged.
const ofStatic = [
	'promises/(contract|create|trigger)',
	'unit/(credentials|KlingEffects|KlingEffectsTrigger)/',
];
const ofAll = [
	...ofStatic,
	'promises/(callback/(outcomes|surroundings)|identity)',
	'random/campaign',
	// The others of that folder shorten time-outs, and on a busy machine fail by themselves.
	'promises/hostile/answers',
];
const wanted = globalThis.isStatic ? ofStatic : ofAll;

require('../combine.cjs')((file) => wanted.some((start) => new RegExp(`^${start}`).test(file)));
