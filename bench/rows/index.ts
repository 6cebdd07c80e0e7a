import type { Benchmark } from '../lib/row';
import { creates } from './creates';
import { download } from './download';
import { files } from './files';
import { limit } from './limit';
import { ending } from './ending';
import { lostAnswer } from './lostAnswer';
import { many } from './many';
import { packaged } from './package';
import { parsing } from './parsing';
import { sleeping } from './sleeping';
import { trigger } from './trigger';
import { waiting } from './waiting';
import { waitingMany } from './waitingMany';

/** The table, from top to bottom. */
export const benchmarks: Benchmark[] = [
	creates,
	many,
	files,
	limit,
	lostAnswer,
	waiting,
	waitingMany,
	ending,
	trigger,
	download,
	parsing,
	sleeping,
	packaged,
];
