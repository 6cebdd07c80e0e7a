// In a file of its own, because it puts sessions of its own in the place of the node's.
require('../combine.cjs')((file) => file === 'random/callback.test.ts');
