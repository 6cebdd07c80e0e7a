// In a file of its own, because it adds a provider to the registry for good.
require('../combine.cjs')((file) => file.startsWith('sixthProvider/'));
