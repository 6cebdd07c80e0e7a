import { parentPort } from 'node:worker_threads';

import { encode } from './encode';
import { framesOf } from './frames';

/** A clip to make. */
export interface Job {
	id: number;
	photos: Uint8Array[];
	scene: string;
}

/** How it went: without `clip`, the photos could not be read. */
export interface Done {
	id: number;
	clip?: Uint8Array;
}

/** Makes clips in its own thread, one at a time, while the sandbox keeps responding. */
let last = Promise.resolve();
parentPort?.on('message', (job: Job) => {
	last = last.then(async () => parentPort?.postMessage(await make(job)));
});

async function make({ id, photos, scene }: Job): Promise<Done> {
	const buffers = photos.map((bytes) => Buffer.from(bytes));
	const frames = await framesOf(buffers, scene).catch(() => undefined);
	return frames ? { id, clip: await encode(frames) } : { id };
}
