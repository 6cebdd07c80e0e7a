import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { mp4Boxes } from './mp4.mjs';

/** The user's current folder; npm itself changes to the clone's. */
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
