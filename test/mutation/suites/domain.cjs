// Images are not mutated, and the test of messages reads the sources, in which Stryker's words stand.
require('../combine.cjs')((file) => /^unit\/kling\/(?!image|messages)/.test(file));
