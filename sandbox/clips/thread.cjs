// A thread does not inherit what compiles TypeScript, neither jest's nor tsx's.
require('tsx/cjs');
require('./worker.ts');
