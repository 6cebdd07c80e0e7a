import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { mp4Boxes } from './mp4.mjs';

/** Where the person at the terminal stands; npm itself goes to the clone's own folder. */
const callersDir = process.env.INIT_CWD ?? process.cwd();

/** A path as it was typed at the terminal. */
export function typedPath(path) {
	return resolve(callersDir, path);
}

/** Writes a clip into the folder "output" where the command was typed. Gives its path. */
export function saveClip(bytes, ...names) {
	mp4Boxes(bytes);
	const file = typedPath(join('output', ...names));
	mkdirSync(join(file, '..'), { recursive: true });
	writeFileSync(file, bytes);
	return file;
}
