import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { readPhotos } from './photos';
import type { Done, Job } from './worker';

/** The clip that shows nothing of the photos, and needs no making. */
export const readyClip = readFileSync(join(__dirname, '..', 'assets', 'clip.mp4'));

/** Clips kept: the oldest go first. */
const mostKept = 200;
/** Clips waiting to be made: with more tasks at once, the rest get the ready clip. */
const mostWaiting = 30;

/** Makes clips of the photos that tasks were given, and keeps them. */
export class Clips {
	readonly #made = new Map<string, Promise<Buffer>>();
	readonly #ofTask = new Map<string, Promise<Buffer>>();
	readonly #waiting = new Map<number, (clip: Buffer) => void>();
	#worker: Worker | undefined;
	#jobs = 0;

	/** Starts making a task's clip. `images` are URLs and base64, as in the task. */
	order(taskId: string, scene: string, images: string[], sandboxUrl: string): void {
		const clip = this.#order(scene, images, sandboxUrl).catch(() => readyClip);
		this.#ofTask.set(taskId, clip);
		forgetOldest(this.#ofTask, mostKept * 10);
	}

	/** A task's clip, as soon as it is made; the ready one for tasks that have none. */
	async ofTask(taskId: string): Promise<Buffer> {
		return (await this.#ofTask.get(taskId)) ?? readyClip;
	}

	clear(): void {
		this.#ofTask.clear();
	}

	async close(): Promise<void> {
		this.clear();
		await this.#worker?.terminate();
	}

	async #order(scene: string, images: string[], sandboxUrl: string): Promise<Buffer> {
		const photos = await readPhotos(images, sandboxUrl);
		if (!photos) return readyClip;
		const hash = createHash('sha1').update(scene);
		for (const photo of photos) hash.update(`|${photo.length}|`).update(photo);
		const key = hash.digest('hex');
		const known = this.#made.get(key);
		if (known) return await known;
		if (this.#waiting.size >= mostWaiting) return readyClip;
		const made = this.#make({ id: (this.#jobs += 1), photos, scene });
		this.#made.set(key, made);
		forgetOldest(this.#made, mostKept);
		return await made;
	}

	async #make(job: Job): Promise<Buffer> {
		return await new Promise<Buffer>((resolve) => {
			this.#waiting.set(job.id, resolve);
			this.#thread().postMessage(job);
		});
	}

	#thread(): Worker {
		if (this.#worker) return this.#worker;
		const worker = new Worker(join(__dirname, 'thread.cjs'), { execArgv: [] });
		worker.unref();
		worker.on('message', ({ id, clip }: Done) => this.#end(id, clip));
		worker.on('error', (error) => process.emitWarning(error));
		worker.on('exit', () => {
			this.#worker = undefined;
			for (const id of this.#waiting.keys()) this.#end(id);
		});
		this.#worker = worker;
		return worker;
	}

	#end(id: number, clip?: Uint8Array): void {
		const resolve = this.#waiting.get(id);
		this.#waiting.delete(id);
		resolve?.(clip ? Buffer.from(clip) : readyClip);
	}
}

function forgetOldest(entries: Map<string, unknown>, most: number): void {
	for (const key of entries.keys()) {
		if (entries.size <= most) return;
		entries.delete(key);
	}
}
